//! `call_id_hash`: the same key finds the same destination.
//!
//! A Maglev table (Eisenbud et al.: Maglev, NSDI 2016, section 3.4) over all members of the set,
//! usable or not, filled in turns by weight: a member that joins or leaves moves little more than
//! its own share. A seat that cannot take the call is passed by hashing again, so that a failure
//! moves only the calls of the failed one, and spreads them over all others by weight.

use alloc::vec;
use alloc::vec::Vec;

use super::turns::in_order;
use super::{Ask, Bits, Candidates, compare_load};
use crate::hash::{Hasher, below, mix};
use crate::slots::{Key, NONE};

#[derive(Clone, Debug)]
pub(crate) struct CallIdHash {
    hasher: Hasher,
    /// In the order of their hashes. The order in which they joined must not matter: several
    /// dispatchers agree.
    members: Vec<Known>,
    table: Vec<u32>,
    bound: Option<Bound>,
}

/// A member whose id has been hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    hash: u64,
    seat: u32,
    member: Key,
}

impl CallIdHash {
    pub(crate) fn new(hasher: Hasher, bound: Option<f64>) -> Self {
        let bound = bound.map(|times| Bound { times, ..Bound::default() });
        Self { hasher, members: Vec::new(), table: Vec::new(), bound }
    }

    pub(crate) fn rebuild(&mut self, candidates: &Candidates<'_>) {
        self.meet(candidates);
        let weight = |seat| candidates.member(seat).map_or(0, |member| member.destination.weight);
        let members: Vec<_> =
            self.members.iter().map(|known| (known.hash, known.seat, weight(known.seat))).collect();
        fill(&mut self.table, &members);
        if let Some(bound) = &mut self.bound {
            *bound = Bound { times: bound.times, ..Bound::default() };
            for (seat, _) in candidates.seated() {
                bound.moved(seat, candidates);
            }
        }
    }

    pub(crate) fn moved(&mut self, seat: u32, candidates: &Candidates<'_>) {
        if let Some(bound) = &mut self.bound {
            bound.moved(seat, candidates);
        }
    }

    /// The seat that a key asks first, where no bound is asked besides.
    #[inline]
    pub(crate) fn first(&self, key: u64) -> Option<u32> {
        if self.bound.is_some() { None } else { self.at(key) }
    }

    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>) -> Option<u32> {
        let bound = self.bound.as_ref();
        let has_room = |seat: u32| bound.is_none_or(|bound| bound.has_room(seat, candidates, ask));
        let takes = |seat: &u32| candidates.may_take(*seat, ask) && has_room(*seat);
        self.attempts(ask.key).find(takes).or_else(|| {
            let open = || candidates.usable.from(0).filter(|seat| candidates.may_take(*seat, ask));
            self.highest_score(candidates, ask.key, open().filter(|seat| has_room(*seat))).or_else(|| {
                // Only tried ones are below the bound: the least loaded of the others.
                open().min_by(|a, b| match (candidates.member(*a), candidates.member(*b)) {
                    (Some(a), Some(b)) => compare_load(a, b, ask.cost),
                    _ => core::cmp::Ordering::Equal,
                })
            })
        })
    }

    /// At which attempt a seat is asked, from 0.
    pub(crate) fn attempt(&self, seat: u32, ask: &Ask<'_>) -> Option<u32> {
        (0u32..).zip(self.attempts(ask.key)).find(|(_, asked)| *asked == seat).map(|(attempt, _)| attempt)
    }

    /// Forgets who left, and hashes who is new.
    fn meet(&mut self, candidates: &Candidates<'_>) {
        self.members.retain(|known| candidates.seats.get(known.seat as usize) == Some(&known.member));
        let mut met = Bits::default();
        self.members.iter().for_each(|known| met.set(known.seat, true));
        for (seat, key) in (0u32..).zip(candidates.seats).filter(|(seat, _)| !met.contains(*seat)) {
            if let Some(member) = candidates.members.find(*key) {
                let hash = self.hasher.hash(member.destination.id.as_bytes());
                self.members.push(Known { hash, seat, member: *key });
            }
        }
        // All but the new ones are in order, which this sees.
        self.members.sort();
    }

    /// The seats that a key asks, in order.
    fn attempts(&self, key: u64) -> impl Iterator<Item = u32> {
        let hashes = core::iter::successors(Some(key), |hash| Some(mix(*hash))).take(ATTEMPTS);
        hashes.filter_map(|hash| self.at(hash))
    }

    #[inline]
    fn at(&self, hash: u64) -> Option<u32> {
        self.table.get(below(hash, self.table.len() as u32) as usize).copied()
    }

    /// Where almost nobody is usable: weighted rendezvous hashing (Schindelhauer, Schomaker 2005),
    /// the highest -w / ln(u) wins, u even in 0..1 per key and member.
    fn highest_score(
        &self,
        candidates: &Candidates<'_>,
        key: u64,
        seats: impl Iterator<Item = u32>,
    ) -> Option<u32> {
        let score = |seat: u32| {
            let member = candidates.member(seat)?;
            let hash = mix(key ^ self.hasher.hash(member.destination.id.as_bytes()));
            let even = ((hash >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
            Some((-f64::from(member.destination.weight) / libm::log(even), seat))
        };
        seats.filter_map(score).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, seat)| seat)
    }
}

/// Nobody above `times` the mean load per weight (Mirrokni, Thorup, Zadimoghaddam: Consistent
/// Hashing with Bounded Loads, 2018): at most ceil(times (Σload + cost) w / Σw) over the usable.
#[derive(Clone, Debug, Default)]
struct Bound {
    times: f64,
    /// What each seat adds to the sums.
    counted: Vec<(u64, u32)>,
    load: u64,
    weight: u64,
}

impl Bound {
    fn moved(&mut self, seat: u32, candidates: &Candidates<'_>) {
        if self.counted.len() <= seat as usize {
            self.counted.resize(seat as usize + 1, (0, 0));
        }
        let usable = candidates.usable.contains(seat);
        let member = candidates.member(seat).filter(|_| usable);
        let now = member.map_or((0, 0), |member| (member.load, member.destination.weight));
        if let Some(counted) = self.counted.get_mut(seat as usize) {
            self.load = self.load - counted.0 + now.0;
            self.weight = self.weight - u64::from(counted.1) + u64::from(now.1);
            *counted = now;
        }
    }

    fn has_room(&self, seat: u32, candidates: &Candidates<'_>, ask: &Ask<'_>) -> bool {
        let Some(member) = candidates.member(seat) else { return false };
        let total = self.load as f64 + f64::from(ask.cost);
        let share = self.times * total * f64::from(member.destination.weight) / self.weight as f64;
        member.load as f64 + f64::from(ask.cost) <= libm::ceil(share)
    }
}

/// Fills the table in turns by weight, each member along its own permutation of the slots.
fn fill(table: &mut Vec<u32>, members: &[(u64, u32, u32)]) {
    match members.len() {
        0 => table.clear(),
        1..=MANY => fill_slots::<SLOTS>(table, members),
        _ => fill_slots::<SLOTS_FOR_MANY>(table, members),
    }
}

fn fill_slots<const SLOTS: u32>(table: &mut Vec<u32>, members: &[(u64, u32, u32)]) {
    table.clear();
    table.resize(SLOTS as usize, NONE);
    let mut walks: Vec<Walk<SLOTS>> = members.iter().map(|(hash, seat, _)| Walk::new(*hash, *seat)).collect();
    let weights = members.iter().map(|(_, _, weight)| *weight);
    let turns = in_order((0u32..).zip(weights), SLOTS as usize);
    let (most, last) = turns.split_at(turns.len().saturating_sub(FEW));
    // A byte each: bits would take longer to read.
    let mut free = vec![true; SLOTS as usize];
    for turn in most {
        let Some(walk) = walks.get_mut(*turn as usize) else { continue };
        // The number of slots is prime, so every walk comes by every slot.
        while free.get(walk.slot as usize) == Some(&false) {
            walk.slot = walk.after();
        }
        if let Some(free) = free.get_mut(walk.slot as usize) {
            *free = false;
        }
        walk.take(table);
    }
    // Walks would be long: it is computed which of the last ones comes first.
    let mut left: Vec<u32> = (0u32..).zip(&free).filter(|(_, free)| **free).map(|(slot, _)| slot).collect();
    for turn in last {
        let Some(walk) = walks.get_mut(*turn as usize) else { continue };
        let steps = left.iter().map(walk.steps()).enumerate();
        let Some((first, _)) = steps.min_by_key(|(_, steps)| *steps) else { break };
        walk.slot = left.swap_remove(first);
        walk.take(table);
    }
}

/// Where a member is on its way through a prime number of slots.
struct Walk<const SLOTS: u32> {
    slot: u32,
    step: u32,
    seat: u32,
}

impl<const SLOTS: u32> Walk<SLOTS> {
    const fn new(hash: u64, seat: u32) -> Self {
        Self { slot: below(hash, SLOTS), step: 1 + below(mix(hash), SLOTS - 1), seat }
    }

    const fn after(&self) -> u32 {
        let next = self.slot + self.step;
        if next < SLOTS { next } else { next - SLOTS }
    }

    /// Takes the slot, and goes on.
    fn take(&mut self, table: &mut [u32]) {
        if let Some(owner) = table.get_mut(self.slot as usize) {
            *owner = self.seat;
        }
        self.slot = self.after();
    }

    /// How many steps away a slot is.
    fn steps(&self) -> impl Fn(&u32) -> u32 + use<SLOTS> {
        let (slot, inverse) = (self.slot, Self::inverse(self.step));
        move |to| Self::product(to + SLOTS - slot, inverse)
    }

    const fn product(a: u32, b: u32) -> u32 {
        (a as u64 * b as u64 % SLOTS as u64) as u32
    }

    /// What a step is multiplied by to make 1: its (SLOTS - 2)nd power, by Fermat.
    const fn inverse(step: u32) -> u32 {
        let (mut power, mut square, mut bits) = (1, step, SLOTS - 2);
        while bits > 0 {
            if bits & 1 == 1 {
                power = Self::product(power, square);
            }
            square = Self::product(square, square);
            bits >>= 1;
        }
        power
    }
}

/// Attempts before the candidates are looked at one by one: with 10 % of the weight usable, one
/// pick in 800 gets there.
const ATTEMPTS: usize = 64;
/// Slots of the table, a prime: shares are exact to 1 % for 600 equal members.
const SLOTS: u32 = 65_537;
/// Beyond this many members the table is larger; who passes it sees most keys move once.
const MANY: usize = 4_096;
const SLOTS_FOR_MANY: u32 = 1_048_583;
/// Free slots that are looked at one by one: more cost more than the walks that end at them.
const FEW: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 3.4 of the paper, word by word: every walk slot by slot, with weights as turns.
    fn by_the_paper(members: &[(u64, u32, u32)]) -> Vec<u32> {
        let mut table = vec![NONE; SLOTS as usize];
        let mut turns = crate::select::turns::Turns::new((0u32..).zip(members.iter().map(|member| member.2)));
        let mut next = vec![0u64; members.len()];
        for _ in 0..SLOTS {
            let turn = turns.first().unwrap() as usize;
            turns.take(turn as u32);
            let (hash, seat, _) = members[turn];
            let (offset, skip) = (below(hash, SLOTS), 1 + below(mix(hash), SLOTS - 1));
            loop {
                let slot = (u64::from(offset) + next[turn] * u64::from(skip)) % u64::from(SLOTS);
                next[turn] += 1;
                if table[slot as usize] == NONE {
                    table[slot as usize] = seat;
                    break;
                }
            }
        }
        table
    }

    #[test]
    fn the_table_is_that_of_the_paper() {
        for weights in [&[1u32][..], &[1, 1], &[3, 1, 7], &[5; 40]] {
            let member = |(seat, weight): (u32, &u32)| (mix(u64::from(seat)), seat, *weight);
            let members: Vec<_> = (0u32..).zip(weights).map(member).collect();
            let mut table = vec![7; 3];
            fill(&mut table, &members);
            assert!(table == by_the_paper(&members), "{weights:?}");
        }
    }
}
