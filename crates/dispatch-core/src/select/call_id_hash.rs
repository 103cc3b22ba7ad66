//! `call_id_hash`: the same key finds the same destination.
//!
//! A Maglev table over all members of the set, usable or not: a member that joins or leaves moves little
//! more than its own share. A seat that cannot take the call is passed by hashing again, so that a failure
//! moves only the calls of the failed one, and spreads them over all others by weight.

use alloc::vec::Vec;

use super::power_of_two::compare_load;
use super::{Ask, Bits, Candidates, maglev};
use crate::hash::{Hasher, below, mix};
use crate::slots::Key;

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
        maglev::fill(&mut self.table, &members);
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
        if self.is_bounded() { None } else { self.at(key) }
    }

    /// Whether loads are looked at, too.
    #[inline]
    pub(crate) const fn is_bounded(&self) -> bool {
        self.bound.is_some()
    }

    /// As many lines of the cache as its table takes.
    #[cfg(feature = "std")]
    pub(crate) const fn lines(&self) -> usize {
        self.table.len() / 16
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

/// Attempts before the candidates are looked at one by one: with 10 % of the weight usable, one
/// pick in 800 gets there.
const ATTEMPTS: usize = 64;
