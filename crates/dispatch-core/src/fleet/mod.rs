//! All members in their sets: joining, leaving, counting, standing, timers.

mod classes;
mod others;
mod routes;
#[cfg(feature = "serde")]
mod saved;
mod standing;

use alloc::collections::{BTreeMap, BinaryHeap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

use crate::config::{Config, SetId};
use crate::destination::{Destination, Starts};
use crate::hash::Hasher;
use crate::health::eject::Attempts;
use crate::health::probe::ProbeClock;
use crate::health::slow_start::WarmUp;
use crate::health::{Health, Observed};
use crate::load::costs::Costs;
use crate::member::{Member, Profile, Said};
use crate::rate::Rate;
use crate::rng::Rng;
use crate::set::Set;
use crate::slots::{Key, Slots};
use crate::standing::Standing;
use crate::time::Time;

pub(crate) use routes::{Lead, Spot};
use routes::{Ready, Way};

#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    pub(crate) members: Slots<Member>,
    ids: BTreeMap<SetId, BTreeMap<String, Key>>,
    sets: Vec<Set>,
    places: BTreeMap<SetId, usize>,
    /// The ways of calls, in the order of the sets that they ask for.
    ways: Vec<Way>,
    /// The set that was prepared last, until something there changes.
    ready: Option<Ready>,
    /// One wake-up per member, the earliest first; a member knows which of its entries counts.
    timers: BinaryHeap<Reverse<(Time, Key)>>,
    /// No member wakes before.
    no_timer_before: Time,
    /// Members whose probe is due and not polled yet.
    probes: VecDeque<Key>,
    /// Calls counted in or out so far.
    changes: u64,
    /// Changes of any load or standing so far.
    pub(crate) moves: u64,
    /// Changes so far of who can take a call, or in whose order.
    pub(crate) turnover: u64,
    /// Changes of any description so far: a plan is for one of them.
    pub(crate) revision: u64,
    hasher: Hasher,
    /// What calls cost, learned from reports.
    pub(crate) costs: Costs,
    /// Classes of calls by name, numbered from 1; 0 is every other call.
    classes: BTreeMap<String, u16>,
}

impl Fleet {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            members: Slots::new(),
            ids: BTreeMap::new(),
            sets: Vec::new(),
            places: BTreeMap::new(),
            ways: Vec::new(),
            ready: None,
            timers: BinaryHeap::new(),
            no_timer_before: Time::MAX,
            probes: VecDeque::new(),
            changes: 1 << 32,
            moves: 0,
            turnover: 0,
            revision: 0,
            hasher: Hasher::new(config.hash_key.unwrap_or(config.seed)),
            costs: Costs::default(),
            classes: BTreeMap::new(),
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
        // The starting order of equals: drawn from the seed, before every real change of load.
        let touched = Hasher::new(config.seed).hash(id.as_bytes()) >> 32;
        let profile = Profile {
            set,
            will: destination.starts.will(),
            drain: None,
            health: Health::new(observed),
            probes: ProbeClock::new(destination.probing, &config.probing, rng, now),
            probe_queued: false,
            elsewhere: 0,
            share: config.share(destination.max_calls),
            others: None,
            rate: Rate::default(),
            attempts: Attempts::default(),
            warm_up: WarmUp::WARM,
            said: Said::default(),
            wakes: None,
            destination,
        };
        let member = Member::new(u32::try_from(place).ok()?, touched, profile);
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
            member.share = config.share(destination.max_calls);
            member.destination = destination;
        }
        self.seat(key, config, now);
    }

    fn seat(&mut self, key: Key, config: &Config, now: Time) {
        let Some(member) = self.members.find_mut(key) else { return };
        if let Some(set) = self.sets.get_mut(member.place as usize) {
            member.sit(Some(set.seat(key)));
            if set.takes_calls() {
                member.warm_up.begin(config.warm_up, now);
            }
        }
        self.described();
        self.reconsider(key, config, now);
    }

    /// Where a set is kept; it is made where it is new.
    fn place(&mut self, set: SetId) -> usize {
        if let Some(place) = self.places.get(&set) {
            return *place;
        }
        self.sets.push(Set::default());
        self.places.insert(set, self.sets.len() - 1);
        self.ways.clear();
        self.ready = None;
        self.sets.len() - 1
    }

    /// Takes a member out of its set; its calls go on.
    pub(crate) fn leave(&mut self, key: Key) {
        let Some(member) = self.members.find_mut(key) else { return };
        let Some(seat) = member.seat() else { return };
        member.sit(None);
        let before = core::mem::replace(&mut member.standing, Standing::Removed);
        // The result of a probe under way will be refused, so its absence says nothing.
        member.probes.resolved(false);
        if let Some(set) = self.sets.get_mut(member.place as usize) {
            set.unseat(seat, before);
        }
        self.described();
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
        member.share = config.share(destination.max_calls);
        member.destination = destination;
        if let Some(set) = self.sets.get_mut(member.place as usize) {
            set.reorder();
        }
        self.described();
        self.reconsider(key, config, now);
    }

    /// The members of a set, or what is said of one of them, changed.
    const fn described(&mut self) {
        self.ready = None;
        self.turnover += 1;
        self.revision += 1;
    }

    // Counting

    /// Counts a new call in, also against the rate limit.
    pub(crate) fn take(&mut self, key: Key, class: u16, cost: u32, config: &Config, now: Time) {
        self.change(key, config, now, |member, change| {
            if member.is_limited() {
                let limit = member.destination.max_rate;
                member.rate.count(limit, now);
            }
            member.count_in(class, cost, change, now);
        });
    }

    /// Counts a call in that may have been there for long.
    pub(crate) fn count(&mut self, key: Key, class: u16, cost: u32, config: &Config, now: Time) {
        self.change(key, config, now, |member, change| member.count_in(class, cost, change, now));
    }

    /// Counts a call out; whether it was the last one of a member that is out, which somebody may wait for.
    pub(crate) fn release(&mut self, key: Key, class: u16, cost: u32, config: &Config, now: Time) -> bool {
        self.change(key, config, now, |member, change| member.count_out(class, cost, change, now))
    }

    // Looking

    /// Every set with its number.
    pub(crate) fn sets(&self) -> impl Iterator<Item = (SetId, &Set)> {
        self.places.iter().filter_map(|(id, place)| Some((*id, self.sets.get(*place)?)))
    }

    pub(crate) fn find(&self, set: SetId, id: &str) -> Option<Key> {
        self.ids.get(&set)?.get(id).copied()
    }

    /// A member that has not left.
    pub(crate) fn seated(&mut self, key: Key) -> Option<&mut Member> {
        self.members.find_mut(key).filter(|member| member.seat().is_some())
    }

    /// Whether to say now that most of the set of this member fail.
    pub(crate) fn says_common_cause(&mut self, key: Key, window: Duration, now: Time) -> bool {
        let place = self.members.find(key).map(|member| member.place as usize);
        let set = place.and_then(|place| self.sets.get_mut(place));
        set.is_some_and(|set| set.says_common_cause(window, now))
    }

    /// The members of the set that a member sits in.
    pub(crate) fn neighbours(&self, key: Key) -> impl Iterator<Item = (Key, &Member)> {
        let set = self.members.find(key).and_then(|member| self.sets.get(member.place as usize));
        let seated = set.into_iter().flat_map(Set::seated);
        seated.filter_map(|(_, key)| Some((key, self.members.find(key)?)))
    }

    /// A member that has not left, and the costs that its reports teach.
    pub(crate) fn reporting(&mut self, key: Key) -> Option<(&mut Member, &mut Costs)> {
        let member = self.members.find_mut(key).filter(|member| member.seat().is_some())?;
        Some((member, &mut self.costs))
    }

    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        self.hasher.hash(bytes)
    }

    #[cfg(feature = "std")]
    pub(crate) const fn hasher(&self) -> Hasher {
        self.hasher
    }
}
