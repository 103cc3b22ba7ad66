//! Several dispatchers over one fleet: what this one tells the others, and what it makes of theirs.
//!
//! Their calls count where ours do, in the load and in the limits of a destination. One that most
//! replicas find down is down; who is ejected by one is out for all, if the set can be without it; what
//! one operator wants, all do.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::Dispatcher;
use crate::call::{Call, Lease};
use crate::calls::Start;
use crate::destination::DestinationId;
use crate::error::NoSuchDestination;
use crate::member::{Member, Others, Will};
use crate::replica::{Changed, Count, Delta, Ejection, Heard, Name, Replicas, Wanted, Wish};
use crate::slots::Key;
use crate::time::Time;

/// What is known of other replicas, and what they were told.
#[derive(Clone, Debug, Default)]
pub(super) struct Replication {
    replicas: Replicas,
    /// Deltas given so far.
    beat: u64,
    /// What was said last of each destination.
    told: BTreeMap<Name, Count>,
    /// The wish that each member follows. One that joins follows the last one.
    followed: BTreeMap<Name, (Key, Wanted)>,
    /// Wishes told, by version.
    wished: BTreeMap<Name, u64>,
    /// The revision of the fleet that everything was counted in.
    revision: u64,
}

impl Dispatcher {
    /// What changed here since the delta before, for the other replicas; everything where it is `full`.
    /// Also lets go of replicas that were not heard for `lost_after`. To be called every interval, a full
    /// one every few: also while nothing happens and while nobody can be told, as it is the sign of life.
    /// `None` without `Config::replicas`.
    pub fn delta(&mut self, full: bool, now: Time) -> Option<Delta> {
        let now = self.advance(now);
        let config = self.config.replicas.clone()?;
        let mut replication = self.replication.take()?;
        let mut changed = replication.replicas.age(config.lost_after, now);
        if replication.revision != self.fleet.revision {
            replication.revision = self.fleet.revision;
            changed.counts.extend(replication.replicas.names());
            changed.wishes.extend(replication.replicas.wishes().keys().cloned());
        }
        // Counts first: who is drained and has calls elsewhere is not done.
        self.count_others(&replication, &changed);
        self.follow_wishes(&mut replication, &changed.wishes);
        self.note_wishes(&mut replication, &config.id);
        replication.beat += 1;
        let counts = self.told(&mut replication, full);
        let wishes = replication.wishes(full, now);
        let beat = replication.beat;
        self.replication = Some(replication);
        Some(Delta { replica: config.id, epoch: config.epoch, beat, full, counts, wishes })
    }

    /// Takes what another replica says, in any order, also twice; whether anything of it was new. What
    /// this one said itself, and what is said to one without `Config::replicas`, changes nothing.
    pub fn merge(&mut self, delta: &Delta, now: Time) -> bool {
        let now = self.advance(now);
        let Some(config) = self.config.replicas.clone().filter(|own| own.id != delta.replica) else {
            return false;
        };
        let Some(mut replication) = self.replication.take() else { return false };
        if !delta.wishes.is_empty() {
            // What our operator said meanwhile is older than what comes now, or younger by its version.
            self.note_wishes(&mut replication, &config.id);
        }
        let changed = replication.replicas.merge(delta, now);
        self.count_others(&replication, &changed);
        self.follow_wishes(&mut replication, &changed.wishes);
        self.replication = Some(replication);
        changed.is_news
    }

    /// Counts a call that another replica placed at a destination and that is gone there: it goes on here,
    /// as one being set up. The handle of a call that is in progress here already.
    ///
    /// # Errors
    /// The destination left, or never was; nor is there room for one more call at all.
    pub fn take_over(
        &mut self,
        id: DestinationId,
        call: &Call<'_>,
        now: Time,
    ) -> Result<Lease, NoSuchDestination> {
        let now = self.advance(now);
        if let Some(lease) = self.call_of(call.call_id) {
            return Ok(lease);
        }
        let room = self.calls.len() < self.config.max_calls_total;
        self.fleet.seated(id.0).filter(|_| room).ok_or(NoSuchDestination)?;
        let (hash, cost) =
            (self.fleet.hash(call.call_id), u16::try_from(call.cost.max(1)).unwrap_or(u16::MAX));
        let class = self.fleet.number_class(call.class);
        let start = Start {
            id: hash,
            key: call.key.map_or(hash, |key| self.fleet.hash(key)),
            tenant: call.tenant.map(|tenant| (self.tenant(tenant), self.limits(tenant))),
            destination: id.0,
            set: call.set,
            cost,
            class,
            route: 0,
            panic: false,
        };
        let lease = self.calls.begin(start, now).ok_or(NoSuchDestination)?;
        self.fleet.count(id.0, class, u32::from(cost), &self.config, now);
        self.counts.adopted += 1;
        Ok(lease)
    }

    /// The other replicas, as far as they were heard, by name.
    pub fn replicas(&self) -> impl Iterator<Item = Heard> {
        let heard = self.replication.iter().flat_map(|replication| replication.replicas.iter());
        heard.map(|heard| Heard { at: self.epoch.told(heard.at), ..heard })
    }

    /// Counts the calls of the others where something changed, and follows what they found out.
    fn count_others(&mut self, replication: &Replication, changed: &Changed) {
        let replicas = &replication.replicas;
        if changed.members {
            let (live, lost) = replicas.heard();
            let unheard = if live + lost == 0 { self.config.dispatchers } else { 1 + lost };
            self.unheard = unheard.min(self.config.dispatchers);
        }
        // How many are most has changed for all.
        let all = if changed.members { replicas.names() } else { BTreeSet::new() };
        for name in all.iter().chain(changed.counts.difference(&all)) {
            let Some(key) = self.fleet.find(name.0, &name.1) else { continue };
            let total = replicas.total(name);
            let named: u64 = total.classes.values().sum();
            let mut classes = alloc::vec![total.load.saturating_sub(named)];
            for (class, load) in &total.classes {
                let number = usize::from(self.fleet.number_class(Some(class)));
                if classes.len() <= number {
                    classes.resize(number + 1, 0);
                }
                if let Some(place) = classes.get_mut(number) {
                    *place += load;
                }
            }
            let outvoted = 2 * total.down > replicas.heard().0 + 1;
            let others = Others { load: total.load, classes, outvoted };
            self.fleet.set_others(key, total.calls, others, &self.config, self.now);
            self.follow(key, total.ejected);
            self.settle(key);
        }
    }

    /// Does what was wanted elsewhere.
    fn follow_wishes(&mut self, replication: &mut Replication, wishes: &BTreeSet<Name>) {
        for name in wishes {
            let Some(wanted) = replication.replicas.wanted(name).cloned() else { continue };
            let Some(key) = self.fleet.find(name.0, &name.1) else { continue };
            let this = (key, wanted.clone());
            let follows = replication.followed.insert(name.clone(), this.clone()) == Some(this);
            if follows || self.fleet.seated(key).is_none_or(|member| member.will == wanted.will) {
                continue;
            }
            let (destination, now) = (DestinationId(key), self.epoch.told(self.now));
            // It is seated, so that neither is refused.
            let _done = match wanted.will {
                Will::Draining => {
                    self.drain(destination, wanted.until.map(|until| until.since(self.now)), now)
                }
                will => self.set_enabled(destination, will == Will::Enabled, now),
            };
        }
    }

    /// Notes what our own operator wants now and did not want before.
    fn note_wishes(&self, replication: &mut Replication, own: &str) {
        for (key, member) in self.fleet.members.iter().filter(|(_, member)| member.seat().is_some()) {
            let name = (member.set, member.destination.id.clone());
            let wanted = replication.replicas.wanted(&name);
            let before = wanted.map_or_else(|| member.destination.starts.will(), |wanted| wanted.will);
            let follows = replication.followed.get(&name).is_some_and(|(known, _)| *known == key);
            if member.will == before || (wanted.is_some() && !follows) {
                continue;
            }
            let until = member.drain.and_then(|drain| drain.until);
            let wanted = replication.replicas.wish(&name, own, member.will, until);
            replication.followed.insert(name, (key, wanted));
        }
    }

    /// What is said of destinations: of those that changed, or of all.
    fn told(&self, replication: &mut Replication, full: bool) -> Vec<Count> {
        let classes = self.fleet.classes();
        let mut before = core::mem::take(&mut replication.told);
        let mut counts = Vec::new();
        for (_, member) in self.fleet.members.iter() {
            let name = (member.set, member.destination.id.clone());
            let last = before.remove(&name);
            let mut count = self.count(&name, member, &classes);
            count.version = match &last {
                Some(last) if is_same(last, &count) => last.version,
                None if count == (Count { set: name.0, id: name.1.clone(), ..Count::default() }) => continue,
                _ => replication.beat,
            };
            if full || count.version == replication.beat {
                counts.push(count.clone());
            }
            replication.told.insert(name, count);
        }
        // Who left has nothing; a full delta says so by silence.
        for (name, last) in before.into_iter().filter(|_| !full) {
            let nothing =
                Count { set: name.0, id: name.1.clone(), version: last.version, ..Count::default() };
            if last != nothing {
                let nothing = Count { version: replication.beat, ..nothing };
                counts.push(nothing.clone());
                replication.told.insert(name, nothing);
            }
        }
        counts
    }

    fn count(&self, name: &Name, member: &Member, classes: &[&str]) -> Count {
        let others = member.others.as_ref().map_or(&[][..], |others| &others.classes);
        let by_class = member.estimate.classed().iter().zip(1..).filter_map(|(all, number)| {
            let own = all - others.get(number).copied().unwrap_or(0);
            let name = classes.get(number - 1).filter(|_| own > 0)?;
            Some((String::from(*name), own))
        });
        let ejection = |(cause, until): (_, Time)| Ejection { cause, left: until.since(self.now) };
        Count {
            set: name.0,
            id: name.1.clone(),
            version: 0,
            calls: member.own_calls(),
            load: member.own_load(),
            classes: by_class.collect(),
            down: !member.health.is_up(),
            ejected: member.attempts.own().map(ejection),
        }
    }
}

impl Replication {
    /// One that nobody has been heard by, and that goes on saying what is newer than so many deltas.
    #[cfg(feature = "serde")]
    pub(super) fn restored(beat: u64) -> Self {
        Self { beat, ..Self::default() }
    }

    #[cfg(feature = "serde")]
    pub(super) const fn beat(&self) -> u64 {
        self.beat
    }

    /// Wishes that were not told yet, or all.
    fn wishes(&mut self, full: bool, now: Time) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for (name, wanted) in self.replicas.wishes() {
            let told = self.wished.insert(name.clone(), wanted.version);
            if full || told != Some(wanted.version) {
                wishes.push(Wish {
                    set: name.0,
                    id: name.1.clone(),
                    version: wanted.version,
                    author: wanted.author.clone(),
                    will: wanted.will,
                    left: wanted.until.map(|until| until.since(now).as_secs()),
                });
            }
        }
        wishes
    }
}

/// Whether two counts say the same: an ejection runs down by itself.
fn is_same(a: &Count, b: &Count) -> bool {
    let cause = |count: &Count| count.ejected.map(|ejection| ejection.cause);
    (a.calls, a.load, &a.classes, a.down, cause(a)) == (b.calls, b.load, &b.classes, b.down, cause(b))
}
