//! `round_robin`: each candidate in turn, in seat order.

use super::{Ask, Candidates};
#[cfg(feature = "serde")]
use crate::snapshot::state::Turn;

/// Whose turn it is: the first candidate from here on, in a circle.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RoundRobin {
    next: u32,
}

impl RoundRobin {
    /// Whose turn it is if everybody of so many seats can take the call.
    #[inline]
    pub(crate) const fn next(self, seats: u32) -> u32 {
        if self.next < seats { self.next } else { 0 }
    }

    #[cfg(feature = "serde")]
    pub(super) const fn turn(self) -> Turn {
        Turn::RoundRobin { next_seat: self.next }
    }

    #[cfg(feature = "serde")]
    pub(super) const fn resume(&mut self, next_seat: u32) {
        self.next = next_seat;
    }

    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>) -> Option<u32> {
        match ask.tried {
            [] => candidates.usable.next_from(self.next),
            tried => candidates.usable.cycle_from(self.next).find(|seat| !tried.contains(seat)),
        }
    }

    #[inline]
    pub(crate) fn chosen(&mut self, seat: u32) {
        self.next = seat + 1;
    }

    /// How many seats are before this one in the circle.
    pub(crate) fn distance(&self, seat: u32, candidates: &Candidates<'_>) -> u32 {
        let seats = candidates.seats.len() as u32;
        let next = self.next(seats);
        if seat >= next { seat - next } else { seat + seats - next }
    }
}
