//! `weighted`: in turn by weight, smoothly.
//!
//! The order of turns is computed once and walked in a circle; who is no candidate is passed, so
//! that the others keep their proportions. Above [`CAP`] slots it is computed turn by turn.

use alloc::vec::Vec;

use super::turns::{Turns, in_order};
use super::{Ask, Candidates, Change};
#[cfg(feature = "serde")]
use crate::slots::NONE;
#[cfg(feature = "serde")]
use crate::snapshot::state::Turn;

/// Whose turn it is, with a tag of its own as [`Selector`](super::Selector) has.
#[derive(Clone, Debug)]
#[repr(u8)]
pub(crate) enum Weighted {
    /// One whole round, and where in it we are.
    Schedule { slots: Vec<u32>, next: usize },
    /// Turn by turn.
    Turns(Turns),
}

impl Default for Weighted {
    fn default() -> Self {
        Self::Schedule { slots: Vec::new(), next: 0 }
    }
}

impl Weighted {
    /// A changed schedule goes on at the same fraction of its round.
    pub(crate) fn rebuild(&mut self, candidates: &Candidates<'_>) {
        let weights = || candidates.seated().map(|(seat, member)| (seat, member.share()));
        let divisor = weights().fold(0, |divisor, (_, weight)| gcd(divisor, weight)).max(1);
        let round = weights().map(|(_, weight)| u64::from(weight / divisor)).sum::<u64>();
        *self = if round > CAP {
            let mut turns = Turns::new(weights());
            for (seat, _) in candidates.seated().filter(|(seat, _)| !candidates.usable.contains(*seat)) {
                turns.present(seat, false);
            }
            Self::Turns(turns)
        } else {
            let slots = in_order(weights(), round as usize);
            let next = match self {
                Self::Schedule { slots: old, next } => *next * slots.len() / old.len().max(1),
                Self::Turns(_) => 0,
            };
            Self::Schedule { slots, next }
        };
    }

    #[cfg(feature = "serde")]
    pub(super) fn turn(&self) -> Turn {
        match self {
            Self::Schedule { slots, next } => Turn::Weighted { next: *next as u32, of: slots.len() as u32 },
            Self::Turns(turns) => turns.turn(),
        }
    }

    /// Goes on in a round that was built of these members, or that is stale; whether it can be.
    #[cfg(feature = "serde")]
    pub(super) fn resume(&mut self, next: u32, of: u32, stale: bool) -> bool {
        let Self::Schedule { slots, next: at } = self else { return false };
        // Of a stale round only the length matters.
        if stale && u64::from(of) <= CAP {
            slots.resize(of as usize, NONE);
        }
        *at = next as usize;
        slots.len() == of as usize && next < of.max(1)
    }

    /// Goes on with these turns taken, or with none where they are stale; whether it can.
    #[cfg(feature = "serde")]
    pub(super) fn resume_turns(&mut self, taken: &[u64], last: (u64, u64), stale: bool) -> bool {
        if stale {
            *self = Self::Turns(Turns::default());
        }
        let Self::Turns(turns) = self else { return false };
        stale || turns.resume(taken, last)
    }

    pub(crate) fn moved(&mut self, Change { seat, usable, .. }: Change) {
        if let Self::Turns(turns) = self
            && turns.is_present(seat) != usable
        {
            turns.present(seat, usable);
        }
    }

    /// Whose turn it is if everybody can take the call.
    #[inline]
    pub(crate) fn next(&self) -> Option<u32> {
        match self {
            Self::Schedule { slots, next } => slots.get(*next).copied(),
            Self::Turns(_) => None,
        }
    }

    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>) -> Option<u32> {
        match self {
            Self::Schedule { slots, next } => {
                circle(slots, *next).find(|seat| candidates.may_take(*seat, ask))
            }
            Self::Turns(turns) => turns.first().filter(|seat| !ask.tried.contains(seat)).or_else(|| {
                turns.first_of(candidates.usable.from(0).filter(|seat| !ask.tried.contains(seat)))
            }),
        }
    }

    #[inline]
    pub(crate) fn chosen(&mut self, seat: u32) {
        match self {
            Self::Schedule { slots, next } if slots.get(*next) == Some(&seat) => {
                *next = if *next + 1 < slots.len() { *next + 1 } else { 0 };
            }
            _ => self.pass(seat),
        }
    }

    /// A seat takes a turn before those who cannot take the call.
    #[inline(never)]
    fn pass(&mut self, seat: u32) {
        match self {
            Self::Schedule { slots, next } => {
                let passed = circle(slots, *next).position(|slot| slot == seat).unwrap_or(0);
                let after = *next + passed + 1;
                *next = after.checked_sub(slots.len()).unwrap_or(after);
            }
            Self::Turns(turns) => turns.take(seat),
        }
    }

    /// How far away a seat's next turn is: in slots, or as its deadline.
    pub(crate) fn distance(&self, seat: u32) -> Option<f64> {
        match self {
            Self::Schedule { slots, next } => {
                circle(slots, *next).position(|slot| slot == seat).map(|slots| slots as f64)
            }
            Self::Turns(turns) => turns.due(seat),
        }
    }
}

/// One whole round from `next` on.
fn circle(slots: &[u32], next: usize) -> impl Iterator<Item = u32> {
    let (before, after) = slots.split_at(next.min(slots.len()));
    after.iter().chain(before).copied()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The longest round that is computed ahead: 256 KiB.
const CAP: u64 = 65_536;
