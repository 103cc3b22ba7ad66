//! All members in their sets: joining, leaving, counting, standing, timers.

mod routes;

use alloc::collections::{BTreeMap, BinaryHeap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::config::{Config, SetId};
use crate::hash::Hasher;
use crate::health::probe::ProbeClock;
use crate::health::{Health, Observed};
use crate::member::{Destination, Member, Standing, Starts};
use crate::rate::Rate;
use crate::rng::Rng;
use crate::set::Set;
use crate::slots::{Key, Slots};
use crate::time::Time;

pub(crate) use routes::Leg;

#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    pub(crate) members: Slots<Member>,
    ids: BTreeMap<SetId, BTreeMap<String, Key>>,
    sets: Vec<Set>,
    places: BTreeMap<SetId, usize>,
    legs: BTreeMap<SetId, Vec<Leg>>,
    /// One wake-up per member, the earliest first; a member knows which of its entries counts.
    timers: BinaryHeap<Reverse<(Time, Key)>>,
    /// Members whose probe is due and not polled yet.
    probes: VecDeque<Key>,
    /// Changes of any load so far.
    changes: u64,
    /// Changes of any description so far: a plan is for one of them.
    pub(crate) revision: u64,
    hasher: Hasher,
}

impl Fleet {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            members: Slots::new(),
            ids: BTreeMap::new(),
            sets: Vec::new(),
            places: BTreeMap::new(),
            legs: BTreeMap::new(),
            timers: BinaryHeap::new(),
            probes: VecDeque::new(),
            changes: 1 << 32,
            revision: 0,
            hasher: Hasher::new(config.hash_key.unwrap_or(config.seed)),
        }
    }

    // Joining and leaving

    /// Puts a destination into a set. The caller has checked that the id is free.
    pub(crate) fn join(
        &mut self,
        set: SetId,
        destination: Destination,
        config: &Config,
        rng: &mut Rng,
        now: Time,
    ) -> Option<Key> {
        let place = self.place(set);
        let observed = match destination.starts {
            Starts::Active | Starts::Disabled => Observed::Active,
            Starts::Trying => Observed::Trying(1),
            Starts::Inactive => Observed::Inactive,
        };
        let id = destination.id.clone();
        let member = Member {
            set,
            place,
            seat: None,
            will: destination.starts.will(),
            drain: None,
            health: Health::new(observed),
            probes: ProbeClock::new(destination.probing, &config.probing, rng, now),
            probe_queued: false,
            calls: 0,
            load: 0,
            // The starting order of equals: drawn from the seed, before every real change of load.
            touched: Hasher::new(config.seed).hash(id.as_bytes()) >> 32,
            rate: Rate::default(),
            wakes: None,
            standing: Standing::Removed,
            destination,
        };
        let key = self.members.insert(member).ok()?;
        self.ids.entry(set).or_default().insert(id, key);
        self.seat(key, config, now);
        Some(key)
    }

    /// Gives a member that left its set, and still has calls, a seat again. What probes observed
    /// of it is still true, whatever the state in which others join.
    pub(crate) fn rejoin(&mut self, key: Key, destination: Destination, config: &Config, now: Time) {
        if let Some(member) = self.members.find_mut(key) {
            member.will = destination.starts.will();
            member.drain = None;
            member.destination = destination;
        }
        self.seat(key, config, now);
    }

    fn seat(&mut self, key: Key, config: &Config, now: Time) {
        let Some(member) = self.members.find_mut(key) else { return };
        if let Some(set) = self.sets.get_mut(member.place) {
            member.seat = Some(set.seat(key.index()));
        }
        self.revision += 1;
        self.reconsider(key, config, now);
    }

    /// Where a set is kept; it is made where it is new.
    fn place(&mut self, set: SetId) -> usize {
        if let Some(place) = self.places.get(&set) {
            return *place;
        }
        self.sets.push(Set::default());
        self.places.insert(set, self.sets.len() - 1);
        self.legs.clear();
        self.sets.len() - 1
    }

    /// Takes a member out of its set; its calls go on.
    pub(crate) fn leave(&mut self, key: Key) {
        let Some(member) = self.members.find_mut(key) else { return };
        let Some(seat) = member.seat.take() else { return };
        let before = core::mem::replace(&mut member.standing, Standing::Removed);
        // The result of a probe under way will be refused, so its absence says nothing.
        member.probes.resolved(false);
        if let Some(set) = self.sets.get_mut(member.place) {
            set.unseat(seat, before);
        }
        self.revision += 1;
    }

    /// Forgets a member that has left and has no calls.
    pub(crate) fn forget(&mut self, key: Key) -> Option<Member> {
        let member = self.members.remove(key)?;
        if let Some(ids) = self.ids.get_mut(&member.set) {
            ids.remove(&member.destination.id);
        }
        Some(member)
    }

    /// Replaces the description of a member.
    pub(crate) fn describe(&mut self, key: Key, destination: Destination, config: &Config, now: Time) {
        let Some(member) = self.members.find_mut(key) else { return };
        member.destination = destination;
        if let Some(set) = self.sets.get_mut(member.place) {
            set.reorder();
        }
        self.revision += 1;
        self.reconsider(key, config, now);
    }

    // Counting

    /// Counts a call in.
    pub(crate) fn take(&mut self, key: Key, cost: u32, config: &Config, now: Time) {
        self.changes += 1;
        let Some(member) = self.members.find_mut(key) else { return };
        member.calls += 1;
        member.load += u64::from(cost);
        member.touched = self.changes;
        member.rate.count(member.destination.max_rate, now);
        self.recount(key, config, now);
    }

    /// Counts a call out.
    pub(crate) fn release(&mut self, key: Key, cost: u32, config: &Config, now: Time) {
        self.changes += 1;
        let Some(member) = self.members.find_mut(key) else { return };
        member.calls -= 1;
        member.load -= u64::from(cost);
        member.touched = self.changes;
        self.recount(key, config, now);
    }

    /// Tells the set of a member what changed there, and arms its timer.
    pub(crate) fn reconsider(&mut self, key: Key, config: &Config, now: Time) {
        let Some(member) = self.members.find_mut(key) else { return };
        let after = member.standing_at(now);
        let before = core::mem::replace(&mut member.standing, after);
        let wakes = member.wakes;
        if let Some(at) = member.wake(config, now).filter(|at| wakes.is_none_or(|armed| *at < armed)) {
            member.wakes = Some(at);
            self.timers.push(Reverse((at, key)));
        }
        self.tell(key, before, after);
    }

    /// Only the count of calls changed: where the standing did not, no timer did either.
    fn recount(&mut self, key: Key, config: &Config, now: Time) {
        let Some(member) = self.members.find(key) else { return };
        let standing = member.standing;
        if member.standing_at(now) == standing {
            self.tell(key, standing, standing);
        } else {
            self.reconsider(key, config, now);
        }
    }

    fn tell(&mut self, key: Key, before: Standing, after: Standing) {
        let Some(member) = self.members.find(key) else { return };
        if let (Some(set), Some(seat)) = (self.sets.get_mut(member.place), member.seat) {
            set.moved(seat, before, after, &self.members);
        }
    }

    // Timers

    /// When the next member wakes; it may be that nothing is left to do then.
    pub(crate) fn next_timer(&self) -> Option<Time> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// The member that wakes next, if its time has come.
    pub(crate) fn wake(&mut self) -> Option<Key> {
        let Reverse((at, key)) = self.timers.pop()?;
        let member = self.members.find_mut(key).filter(|member| member.wakes == Some(at))?;
        member.wakes = None;
        Some(key)
    }

    /// A probe of this member is due: it waits for the prober.
    pub(crate) fn queue_probe(&mut self, key: Key) {
        if let Some(member) = self.members.find_mut(key).filter(|member| !member.probe_queued) {
            member.probe_queued = true;
            self.probes.push_back(key);
        }
    }

    pub(crate) fn has_probe(&self) -> bool {
        !self.probes.is_empty()
    }

    /// The next member to probe. It may have left since.
    pub(crate) fn pop_probe(&mut self) -> Option<Key> {
        let key = self.probes.pop_front()?;
        if let Some(member) = self.members.find_mut(key) {
            member.probe_queued = false;
        }
        Some(key)
    }

    // Looking

    pub(crate) fn find(&self, set: SetId, id: &str) -> Option<Key> {
        self.ids.get(&set)?.get(id).copied()
    }

    /// A member that has not left.
    pub(crate) fn seated(&mut self, key: Key) -> Option<&mut Member> {
        self.members.find_mut(key).filter(|member| member.seat.is_some())
    }

    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        self.hasher.hash(bytes)
    }
}
