//! From a call's set to a seat: the routes of its policy, and choosing on one of them.

use alloc::vec::Vec;
use core::time::Duration;

use super::Fleet;
use crate::call::Call;
use crate::config::{Algorithm, Config, SetId};
use crate::rng::Rng;
use crate::select::Ask;
#[cfg(feature = "std")]
use crate::select::Hashed;
use crate::set::Set;
use crate::slots::Key;
#[cfg(feature = "std")]
use crate::standing::Standing;
use crate::time::Time;

/// The routes that calls to one set take, of those of its policy that lead to a set.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    set: SetId,
    legs: Vec<Leg>,
    lead: Lead,
}

/// What every call looks at of its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lead {
    first: Leg,
    /// Whether any leg looks at the hash of a call's key.
    pub(crate) hashes: bool,
    /// Whether any leg makes ready for each call, by [`settle`](Fleet::settle).
    settles: bool,
}

/// The set that was prepared last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    set: SetId,
    /// Where its way is.
    place: usize,
    lead: Lead,
}

/// One route of a policy: a set by its place, and one of its algorithms by its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) route: u8,
    pub(crate) set: usize,
    pub(crate) selector: usize,
}

/// Where a call would go on a leg.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) leg: Leg,
    pub(crate) seat: u32,
    pub(crate) destination: Key,
    /// Health is ignored there.
    pub(crate) panic: bool,
}

impl Fleet {
    /// Makes ready to choose for calls to `set`: their legs, and the orders of the sets there. Gives what
    /// [`lead`](Self::lead) does.
    #[inline]
    pub(crate) fn prepare(&mut self, set: SetId, config: &Config) -> Option<Lead> {
        match self.ready {
            Some(ready) if ready.set == set => Some(ready.lead),
            _ => self.make_ready(set, config),
        }
    }

    #[inline(never)]
    fn make_ready(&mut self, set: SetId, config: &Config) -> Option<Lead> {
        if let Err(place) = self.find_way(set) {
            let (mut legs, mut hashes) = (Vec::new(), false);
            for (index, route) in (0u8..).zip(config.routes(set)) {
                let Some(place) = self.places.get(&route.set).copied() else { continue };
                let Some(set) = self.sets.get_mut(place) else { continue };
                let selector = set.selector(route.algorithm, self.hasher);
                legs.push(Leg { route: index, set: place, selector });
                hashes |= route.algorithm.hashes();
            }
            // Nothing is kept of sets that do not exist: callers may ask for any number.
            if let Some(first) = legs.first().copied() {
                self.ways.insert(place, Way { set, legs, lead: Lead { first, hashes, settles: false } });
            }
        }
        self.ready = None;
        let place = self.find_way(set).ok()?;
        let way = self.ways.get_mut(place)?;
        way.lead.settles = false;
        for leg in &way.legs {
            if let Some(set) = self.sets.get_mut(leg.set) {
                set.refresh(&self.members);
                way.lead.settles |= set.settles(leg.selector);
            }
        }
        self.ready = Some(Ready { set, place, lead: way.lead });
        Some(way.lead)
    }

    /// Finds out who is best for a call like this; [`choose`](Self::choose) would look at all.
    #[inline]
    pub(crate) fn settle(&mut self, lead: Option<Lead>, call: &Call<'_>, dispatchers: u32, now: Time) {
        if lead.is_some_and(|lead| lead.settles) {
            self.settle_legs(call, dispatchers, now);
        }
    }

    #[inline(never)]
    fn settle_legs(&mut self, call: &Call<'_>, dispatchers: u32, now: Time) {
        let class = self.class_as_compared(call.class);
        let Ok(way) = self.find_way(call.set) else { return };
        let costs = &self.costs;
        let ask = Ask { key: 0, text: None, class, cost: call.cost, costs, dispatchers, now, tried: &[] };
        for leg in self.ways.get(way).into_iter().flat_map(|way| &way.legs) {
            if let Some(set) = self.sets.get_mut(leg.set) {
                set.settle(leg.selector, &self.members, &ask);
            }
        }
    }

    /// Whether [`prepare`](Self::prepare) would change nothing.
    pub(crate) fn is_prepared(&self, set: SetId) -> bool {
        let fresh = |leg: &Leg| self.sets.get(leg.set).is_some_and(|set| !set.is_stale());
        self.find_way(set).is_ok() && self.legs(set).iter().all(fresh)
    }

    /// The routes of a call to `set` that lead to a set, once prepared.
    pub(crate) fn legs(&self, set: SetId) -> &[Leg] {
        let place = match self.ready {
            Some(ready) if ready.set == set => Some(ready.place),
            _ => self.find_way(set).ok(),
        };
        place.and_then(|place| self.ways.get(place)).map_or(&[], |way| &way.legs)
    }

    /// What every call to `set` looks at of them; `None` where none leads to a set.
    #[inline]
    pub(crate) fn lead(&self, set: SetId) -> Option<Lead> {
        match self.ready {
            Some(ready) if ready.set == set => Some(ready.lead),
            _ => Some(self.ways.get(self.find_way(set).ok()?)?.lead),
        }
    }

    /// As `lead`, of the set that was prepared last only.
    #[inline(always)]
    pub(crate) fn lead_at_hand(&self, set: SetId) -> Option<Lead> {
        self.ready.as_ref().filter(|ready| ready.set == set).map(|ready| ready.lead)
    }

    /// Where the way of calls to `set` is, or would be.
    #[inline(never)]
    fn find_way(&self, set: SetId) -> Result<usize, usize> {
        self.ways.binary_search_by_key(&set, |way| way.set)
    }

    /// Where a call that has been nowhere yet would go, if that is at hand.
    #[inline(always)]
    pub(crate) fn at_hand(&self, lead: Lead, key: u64) -> Option<Spot> {
        let leg = lead.first;
        let set = self.sets.get(leg.set)?;
        let (seat, destination) = set.at_hand(leg.selector, key)?;
        Some(Spot { leg, seat, destination, panic: set.panics() })
    }

    /// `at_hand` and `chosen` in one: where the call goes, and whether health is ignored there.
    #[inline(always)]
    pub(crate) fn take_at_hand(&mut self, lead: Lead, key: u64) -> Option<(Key, bool)> {
        let set = self.sets.get_mut(lead.first.set)?;
        Some((set.take_at_hand(lead.first.selector, key)?, set.panics()))
    }

    /// A copy of what is at hand for calls to `set`, and whether health is ignored there, where only the hash of
    /// their keys decides; see [`Hashed::of`].
    #[cfg(feature = "std")]
    pub(crate) fn hashed(&self, set: SetId, asked: usize) -> Option<(Hashed, bool)> {
        let leg = self.lead_at_hand(set)?.first;
        let set = self.sets.get(leg.set)?;
        Some((set.hashed(leg.selector, asked)?, set.panics()))
    }

    /// Whether health is ignored where a member is; `None` where it cannot take calls to `set`.
    #[cfg(feature = "std")]
    pub(crate) fn takes(&self, set: SetId, key: Key) -> Option<bool> {
        let member = self.members.find(key).filter(|member| member.standing == Standing::Candidate)?;
        let leg = self.legs(set).iter().find(|leg| leg.set == member.place as usize)?;
        Some(self.sets.get(leg.set)?.panics())
    }

    /// Where a call would go on this leg.
    pub(crate) fn choose(&self, leg: Leg, ask: &Ask<'_>, rng: &mut Rng) -> Option<Spot> {
        let set = self.sets.get(leg.set)?;
        let seat = set.choose(leg.selector, &self.members, ask, rng)?;
        Some(Spot { leg, seat, destination: set.at(seat)?, panic: set.panics() })
    }

    /// The call went there, as its first one or to fail over.
    #[inline(always)]
    pub(crate) fn chosen(&mut self, spot: &Spot, fails_over: bool) {
        if let Some(set) = self.sets.get_mut(spot.leg.set) {
            set.chosen(spot.leg.selector, spot.seat, fails_over);
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
        let place = self.members.find(key).map(|member| member.place as usize);
        if let Some(set) = place.and_then(|place| self.sets.get_mut(place)) {
            set.traffic.lasted(span);
        }
    }

    /// The seat of a member, if it is on this leg.
    pub(crate) fn seat_of(&self, key: Key, leg: Leg) -> Option<u32> {
        self.members.find(key).filter(|member| member.place as usize == leg.set)?.seat()
    }

    /// These routes with their algorithms.
    pub(crate) fn routes(&self, set: SetId) -> impl Iterator<Item = (Algorithm, Leg)> {
        self.legs(set).iter().filter_map(|leg| Some((self.sets.get(leg.set)?.algorithm(leg.selector)?, *leg)))
    }

    pub(crate) fn set(&self, leg: Leg) -> Option<&Set> {
        self.sets.get(leg.set)
    }
}
