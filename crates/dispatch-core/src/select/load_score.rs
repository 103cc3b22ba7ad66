//! `load_score`: the least (estimated load + expected cost of the call) / weight.
//!
//! With one dispatcher the least wins, of equals the one whose load changed the longest ago. With D > 1 that would herd: all of them see
//! the same report and run to the same bridge until the next one. So each draws, in proportion to
//! the room that water poured over the fleet would fill; the water is half a call, and what the
//! other dispatchers begin, at our own rate each, in the age of a report:
//!
//! ```text
//! p_b ∝ w_b (level - (L_b + ĉ) / w_b)+,   Σ_b w_b (level - (L_b + ĉ) / w_b)+ = c̄ (1/2 + (D - 1) rate age)
//! ```
//!
//! For calls that have been nowhere yet, [`Floors`] know the few that may be the least; others look at all.

use super::floors::Floors;
use super::{Ask, Candidates, Change};
use crate::load::costs::Costs;
use crate::member::Member;
use crate::rng::Rng;
use crate::time::Time;

#[derive(Clone, Debug, Default)]
pub(crate) struct LoadScore {
    pub(super) floors: Floors,
}

impl LoadScore {
    pub(crate) fn rebuild(&mut self) {
        self.floors.clear();
    }

    pub(crate) fn moved(&mut self, change: Change, candidates: &Candidates<'_>, costs: &Costs, now: Time) {
        self.floors.moved(change, candidates, costs, now);
    }

    /// Finds out who may be the least for a call like this.
    pub(crate) fn settle(&mut self, candidates: &Candidates<'_>, ask: &Ask<'_>) {
        if ask.dispatchers == 1 {
            self.floors.settle(candidates, ask);
        }
    }

    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>, rng: &mut Rng) -> Option<u32> {
        if ask.dispatchers > 1 {
            return draw(candidates, ask, rng).or_else(|| least(candidates, ask, None));
        }
        least(candidates, ask, Some(&self.floors))
    }
}

/// (L + ĉ) / w of a member.
pub(crate) fn key(member: &Member, ask: &Ask<'_>) -> f64 {
    key_with(member, ask.expected_cost(), ask)
}

fn key_with(member: &Member, cost: f64, ask: &Ask<'_>) -> f64 {
    (member.estimate.load(member.own(), ask.costs, ask.dispatchers, ask.now) + cost) / member.weight()
}

fn least(candidates: &Candidates<'_>, ask: &Ask<'_>, floors: Option<&Floors>) -> Option<u32> {
    if let Some(only) = floors.and_then(|floors| floors.only(ask)) {
        return Some(only);
    }
    let cost = ask.expected_cost();
    let mut least: Option<(f64, u64, u32)> = None;
    let mut look = |seat: u32| {
        let Some(member) = candidates.member(seat) else { return };
        let next = (key_with(member, cost, ask), member.touched, seat);
        if least.is_none_or(|least| next < least) {
            least = Some(next);
        }
    };
    if !floors.is_some_and(|floors| floors.visit_lowest(ask, &mut look)) {
        open(candidates, ask).for_each(|(seat, _)| look(seat));
    }
    least.map(|(_, _, seat)| seat)
}

fn draw(candidates: &Candidates<'_>, ask: &Ask<'_>, rng: &mut Rng) -> Option<u32> {
    let water = water(candidates, ask);
    let level = level(candidates, ask, water);
    let mut left = rng.fraction() * water;
    let mut last = None;
    for (seat, member) in open(candidates, ask) {
        let room = member.weight() * (level - key(member, ask));
        if room > 0.0 {
            last = Some(seat);
            if left < room {
                break;
            }
            left -= room;
        }
    }
    last
}

/// How much is poured: the mean cost of the calls that nobody has reported yet.
fn water(candidates: &Candidates<'_>, ask: &Ask<'_>) -> f64 {
    let ages = || open(candidates, ask).filter_map(|(_, member)| member.estimate.age(ask.now));
    let age = ages().map(|age| age.as_secs_f64()).sum::<f64>() / (ages().count().max(1) as f64);
    let unseen = f64::from(ask.dispatchers - 1) * ask.costs.rate(ask.now) * age;
    ask.costs.mean() * (0.5 + unseen)
}

/// Where the water stands: whoever is above it drops out, until nobody is.
fn level(candidates: &Candidates<'_>, ask: &Ask<'_>, water: f64) -> f64 {
    let mut level = f64::INFINITY;
    loop {
        let (mut weights, mut sum) = (0.0, water);
        for (_, member) in open(candidates, ask) {
            let (key, weight) = (key(member, ask), member.weight());
            if key < level {
                weights += weight;
                sum += weight * key;
            }
        }
        let lower = sum / weights;
        if lower >= level || weights == 0.0 {
            return level;
        }
        level = lower;
    }
}

fn open<'a>(candidates: &'a Candidates<'_>, ask: &'a Ask<'_>) -> impl Iterator<Item = (u32, &'a Member)> {
    let seats = candidates.usable.from(0).filter(|seat| !ask.tried.contains(seat));
    seats.filter_map(|seat| Some((seat, candidates.member(seat)?)))
}
