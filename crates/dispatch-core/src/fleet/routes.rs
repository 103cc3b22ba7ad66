//! From a call's set to a seat: the routes of its policy, and choosing on one of them.

use alloc::vec::Vec;
use core::time::Duration;

use super::Fleet;
use crate::config::{Algorithm, Config, SetId};
use crate::rng::Rng;
use crate::select::Ask;
use crate::set::Set;
use crate::slots::Key;
use crate::time::Time;

/// One route of a policy: a set by its place, and one of its algorithms by its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) route: u8,
    pub(crate) set: usize,
    pub(crate) selector: usize,
    /// Whether it looks at the hash of the call's key.
    pub(crate) hashes: bool,
}

impl Fleet {
    /// Makes ready to choose for calls to `set`: their legs, and the orders of the sets there.
    pub(crate) fn prepare(&mut self, set: SetId, config: &Config) {
        if self.ready.is_some_and(|(ready, _)| ready == set) {
            return;
        }
        if let Err(place) = self.find_legs(set) {
            let mut legs = Vec::new();
            for (index, route) in (0u8..).zip(config.routes(set)) {
                let Some(place) = self.places.get(&route.set).copied() else { continue };
                let Some(set) = self.sets.get_mut(place) else { continue };
                let selector = set.selector(route.algorithm, self.hasher);
                let hashes = route.algorithm.hashes();
                legs.push(Leg { route: index, set: place, selector, hashes });
            }
            // Nothing is kept of sets that do not exist: callers may ask for any number.
            if !legs.is_empty() {
                self.legs.insert(place, (set, legs));
            }
        }
        self.ready = self.find_legs(set).ok().map(|place| (set, place));
        let known = self.ready.and_then(|(_, place)| self.legs.get(place));
        for leg in known.into_iter().flat_map(|(_, legs)| legs) {
            if let Some(set) = self.sets.get_mut(leg.set) {
                set.refresh(&self.members);
            }
        }
    }

    /// Whether [`prepare`](Self::prepare) would change nothing.
    pub(crate) fn is_prepared(&self, set: SetId) -> bool {
        let fresh = |leg: &Leg| self.sets.get(leg.set).is_some_and(|set| !set.is_stale());
        self.find_legs(set).is_ok() && self.legs(set).iter().all(fresh)
    }

    /// The routes of a call to `set` that lead to a set, once prepared.
    pub(crate) fn legs(&self, set: SetId) -> &[Leg] {
        let place = match self.ready {
            Some((ready, place)) if ready == set => Some(place),
            _ => self.find_legs(set).ok(),
        };
        let known = place.and_then(|place| self.legs.get(place));
        known.map_or(&[], |(_, legs)| legs)
    }

    /// Where the legs of calls to `set` are, or would be.
    fn find_legs(&self, set: SetId) -> Result<usize, usize> {
        self.legs.binary_search_by_key(&set, |(set, _)| *set)
    }

    /// The seat that a call would get on this leg.
    pub(crate) fn choose(&self, leg: Leg, ask: &Ask<'_>, rng: &mut Rng) -> Option<u32> {
        self.sets.get(leg.set)?.choose(leg.selector, &self.members, ask, rng)
    }

    /// The call went to this seat, as its first one or to fail over.
    pub(crate) fn chosen(&mut self, leg: Leg, seat: u32, fails_over: bool) {
        if let Some(set) = self.sets.get_mut(leg.set) {
            set.chosen(leg.selector, seat, fails_over);
        }
    }

    /// A call came to this set.
    pub(crate) fn came(&mut self, leg: Leg, now: Time) {
        self.costs.count_call(now);
        if let Some(set) = self.sets.get_mut(leg.set) {
            set.traffic.came(now);
        }
    }

    /// A confirmed call of this member ended after so long.
    pub(crate) fn lasted(&mut self, key: Key, span: Duration) {
        let place = self.members.find(key).map(|member| member.place);
        if let Some(set) = place.and_then(|place| self.sets.get_mut(place)) {
            set.traffic.lasted(span);
        }
    }

    /// The member at a seat.
    pub(crate) fn at(&self, leg: Leg, seat: u32) -> Option<Key> {
        self.sets.get(leg.set)?.at(seat)
    }

    /// The seat of a member, if it is on this leg.
    pub(crate) fn seat_of(&self, key: Key, leg: Leg) -> Option<u32> {
        self.members.find(key).filter(|member| member.place == leg.set)?.seat
    }

    /// These routes with their algorithms.
    pub(crate) fn routes(&self, set: SetId) -> impl Iterator<Item = (Algorithm, Leg)> {
        self.legs(set).iter().filter_map(|leg| Some((self.sets.get(leg.set)?.algorithm(leg.selector)?, *leg)))
    }

    pub(crate) fn set(&self, leg: Leg) -> Option<&Set> {
        self.sets.get(leg.set)
    }
}
