//! `random`: any candidate, evenly.

use super::{Ask, Candidates};
use crate::rng::Rng;

pub(crate) fn choose(candidates: &Candidates<'_>, ask: &Ask<'_>, rng: &mut Rng) -> Option<u32> {
    let seats = candidates.seats.len() as u32;
    for _ in 0..TRIES {
        let seat = rng.below(seats);
        if candidates.may_take(seat, ask) {
            return Some(seat);
        }
    }
    let nth = rng.below(candidates.open(ask));
    candidates.usable.from(0).filter(|seat| !ask.tried.contains(seat)).nth(nth as usize)
}

/// Draws among all seats before the candidates are counted out one by one: with half of the seats
/// usable, one pick in 65,536 has to count.
const TRIES: u32 = 16;
