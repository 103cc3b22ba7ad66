//! `round_robin`: each candidate in turn, in seat order.

use super::{Ask, Candidates};

/// Whose turn it is: the first candidate from here on, in a circle.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RoundRobin {
    next: u32,
}

impl RoundRobin {
    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>) -> Option<u32> {
        match ask.tried {
            [] => candidates.usable.next_from(self.next),
            tried => candidates.usable.cycle_from(self.next).find(|seat| !tried.contains(seat)),
        }
    }

    pub(crate) fn chosen(&mut self, seat: u32) {
        self.next = seat + 1;
    }

    /// How many seats are before this one in the circle.
    pub(crate) fn distance(&self, seat: u32, candidates: &Candidates<'_>) -> u32 {
        let seats = candidates.seats.len() as u32;
        let next = if self.next < seats { self.next } else { 0 };
        if seat >= next { seat - next } else { seat + seats - next }
    }
}
