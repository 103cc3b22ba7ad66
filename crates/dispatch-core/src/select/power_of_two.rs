//! `power_of_two`: two different candidates drawn evenly, the less loaded one wins
//! (Mitzenmacher: The Power of Two Choices in Randomized Load Balancing, 2001).

use core::cmp::Ordering;

use super::{Ask, Candidates, random};
use crate::member::Member;
use crate::rng::Rng;

pub(crate) fn choose(candidates: &Candidates<'_>, ask: &Ask<'_>, rng: &mut Rng) -> Option<u32> {
    let first = random::choose(candidates, ask, rng)?;
    let others = candidates.open(ask) - 1;
    if others == 0 {
        return Some(first);
    }
    let second = loop {
        let seat = random::choose(candidates, ask, rng)?;
        if seat != first {
            break seat;
        }
    };
    let (one, other) = (candidates.member(first)?, candidates.member(second)?);
    Some(if compare_load(other, one, ask.cost) == Ordering::Less { second } else { first })
}

/// Compares (load + cost) / weight by cross-multiplication: no division, no rounding.
pub(super) fn compare_load(a: &Member, b: &Member, cost: u32) -> Ordering {
    let load = |member: &Member| u128::from(member.load) + u128::from(cost);
    let share = |member: &Member| u128::from(member.share());
    (load(a) * share(b)).cmp(&(load(b) * share(a)))
}
