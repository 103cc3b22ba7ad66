//! All members in their sets as a snapshot describes them, and made again of that.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::Fleet;
use super::classes::CLASSES;
use crate::calls::Calls;
use crate::config::Config;
use crate::destination::Destination;
use crate::error::SnapshotError;
use crate::load::costs::Costs;
use crate::load::score::Estimate;
use crate::member::{Member, Profile};
use crate::set::Set;
use crate::slots::{Key, Slots};
use crate::snapshot::state;
use crate::time::Time;

impl Fleet {
    pub(crate) fn saved(&self) -> state::Fleet {
        let (next, given_up) = self.members.vacant();
        let mut timers: Vec<_> = self.timers.iter().map(|Reverse(timer)| *timer).collect();
        timers.sort_unstable();
        let mut classes: Vec<_> = self.classes.iter().map(|(name, number)| (*number, name.clone())).collect();
        classes.sort_unstable();
        state::Fleet {
            members: self.members.iter().map(|(key, member)| member_saved(key, member)).collect(),
            vacant: state::Vacant { next, given_up },
            sets: self.sets().map(|(id, set)| set.saved(id)).collect(),
            timers,
            probes: self.probes.iter().copied().collect(),
            changes: self.changes,
            moves: self.moves,
            revision: self.revision,
            costs: self.costs.saved(),
            classes: classes.into_iter().map(|(_, name)| name).collect(),
        }
    }

    /// With these calls, each of which is counted where it is.
    pub(crate) fn restored(
        fleet: &state::Fleet,
        calls: &Calls,
        config: &Config,
        now: Time,
    ) -> Result<Self, SnapshotError> {
        let mut restored = Self::new(config);
        restored.restore_counts(fleet).map_err(|what| SnapshotError::of("the fleet", what))?;
        restored.restore_members(fleet, config, now)?;
        restored.restore_sets(fleet)?;
        restored.restore_timers(fleet)?;
        for (lease, record) in calls.iter() {
            let refuse = |what| SnapshotError::of(format!("call {}", lease.to_u64()), what);
            let member = restored.members.find_mut(record.destination);
            let member = member.ok_or_else(|| refuse("it is at a destination that is not there"))?;
            if usize::from(record.class) > fleet.classes.len() {
                return Err(refuse("it has a class that is not there"));
            }
            member.calls += 1;
            member.load += u64::from(record.cost);
            member.estimate.restore(record.class, u32::from(record.cost));
        }
        restored.restore_orders(fleet, config.replicas.is_some(), now)?;
        Ok(restored)
    }

    fn restore_counts(&mut self, fleet: &state::Fleet) -> Result<(), &'static str> {
        let counts = [fleet.changes, fleet.moves, fleet.revision];
        if counts.iter().any(|count| *count > MOST) || fleet.changes < self.changes {
            return Err("a count of changes cannot be");
        }
        [self.changes, self.moves, self.revision] = counts;
        if fleet.classes.len() + 1 >= usize::from(CLASSES) {
            return Err("there are too many classes of calls");
        }
        self.classes = fleet.classes.iter().cloned().zip(1u16..).collect();
        if self.classes.len() != fleet.classes.len() {
            return Err("a class of calls is there twice");
        }
        let costs = Costs::restored(&fleet.costs, fleet.classes.len() + 1);
        self.costs = costs.ok_or("the costs of calls cannot be")?;
        Ok(())
    }

    fn restore_members(
        &mut self,
        fleet: &state::Fleet,
        config: &Config,
        now: Time,
    ) -> Result<(), SnapshotError> {
        for (place, set) in fleet.sets.iter().enumerate() {
            if self.places.insert(set.set, place).is_some() {
                return Err(SnapshotError::of(format!("set {}", set.set), "it is there twice"));
            }
        }
        let queued: BTreeSet<Key> = fleet.probes.iter().copied().collect();
        let mut members = Vec::with_capacity(fleet.members.len());
        for member in &fleet.members {
            let refuse = |what: &dyn alloc::string::ToString| {
                let of = format!("destination {}", member.key.to_u64());
                SnapshotError::of(of, what.to_string())
            };
            let destination = Destination::from(&member.destination);
            destination.check().map_err(|error| refuse(&error))?;
            let place = *self.places.get(&member.set).ok_or_else(|| refuse(&"its set is not there"))?;
            let ids = self.ids.entry(member.set).or_default();
            if ids.insert(destination.id.clone(), member.key).is_some() {
                return Err(refuse(&"another one of its set has its id"));
            }
            check(member, config, now).map_err(|what| refuse(&what))?;
            let estimate = Estimate::restored(&member.estimate, now);
            let estimate = estimate.ok_or_else(|| refuse(&"its estimate cannot be"))?;
            let profile = Profile {
                probe_queued: queued.contains(&member.key),
                share: config.share(destination.max_calls),
                ..profile(member, destination)
            };
            let mut restored = Member::new(place as u32, member.touched, profile);
            *restored.estimate = estimate;
            restored.placed = member.placed;
            restored.sit(member.seat);
            members.push((member.key, restored));
        }
        self.members = Slots::restored(members.into_iter(), &fleet.vacant.next, &fleet.vacant.given_up)
            .ok_or_else(|| {
                SnapshotError::of("the destinations", "their keys are not one after another, each once")
            })?;
        Ok(())
    }

    fn restore_sets(&mut self, fleet: &state::Fleet) -> Result<(), SnapshotError> {
        let mut seated: Vec<Vec<(u32, Key)>> = alloc::vec![Vec::new(); fleet.sets.len()];
        for (key, member) in self.members.iter() {
            if let (Some(seat), Some(seated)) = (member.seat(), seated.get_mut(member.place as usize)) {
                seated.push((seat, key));
            }
        }
        for (set, seated) in fleet.sets.iter().zip(seated) {
            let restored = Set::restored(set, &seated);
            self.sets.push(restored.map_err(|what| SnapshotError::of(format!("set {}", set.set), what))?);
        }
        Ok(())
    }

    fn restore_timers(&mut self, fleet: &state::Fleet) -> Result<(), SnapshotError> {
        let timers: BTreeSet<(Time, Key)> = fleet.timers.iter().copied().collect();
        let armed = |(key, member): (Key, &Member)| member.wakes.is_none_or(|at| timers.contains(&(at, key)));
        if !self.members.iter().all(armed) {
            return Err(SnapshotError::of("the timers", "one that a destination waits for is not armed"));
        }
        self.timers = fleet.timers.iter().copied().map(Reverse).collect();
        self.no_timer_before = self.next_timer().unwrap_or(Time::MAX);
        let queued: BTreeSet<Key> = fleet.probes.iter().copied().collect();
        if queued.len() != fleet.probes.len() {
            return Err(SnapshotError::of("the probes", "a destination is queued twice"));
        }
        self.probes = fleet.probes.iter().copied().collect();
        Ok(())
    }

    /// What follows from members, calls and time.
    fn restore_orders(
        &mut self,
        fleet: &state::Fleet,
        replicas: bool,
        now: Time,
    ) -> Result<(), SnapshotError> {
        let keys: Vec<Key> = self.members.iter().map(|(key, _)| key).collect();
        for key in keys {
            let Some(member) = self.members.find_mut(key) else { continue };
            let Some(set) = self.sets.get_mut(member.place as usize) else { continue };
            member.watch();
            member.standing = member.standing_at(set.panics(), now);
            match member.seat() {
                Some(seat) => set.restore_standing(seat, member.standing),
                // Other replicas may have calls there.
                None if member.calls == 0 && !replicas => {
                    let of = format!("destination {}", key.to_u64());
                    return Err(SnapshotError::of(of, "it was removed and has no calls"));
                }
                None => {}
            }
        }
        let hasher = self.hasher;
        for (set, saved) in self.sets.iter_mut().zip(&fleet.sets) {
            set.restore_algorithms(saved, hasher, &self.members)
                .map_err(|what| SnapshotError::of(format!("set {}", saved.set), what))?;
        }
        Ok(())
    }
}

fn member_saved(key: Key, member: &Member) -> state::Member {
    state::Member {
        key,
        set: member.set,
        seat: member.seat(),
        destination: (&member.destination).into(),
        will: member.will,
        drain: member.drain,
        health: member.health,
        probes: member.probes,
        placed: member.placed,
        touched: member.touched,
        rate: member.rate,
        attempts: member.attempts.clone(),
        warm_up: member.warm_up,
        estimate: member.estimate.saved(),
        said: member.said,
        wakes: member.wakes,
    }
}

/// What changes from time to time, as far as it was saved.
fn profile(member: &state::Member, destination: Destination) -> Profile {
    Profile {
        destination,
        set: member.set,
        will: member.will,
        drain: member.drain,
        health: member.health,
        probes: member.probes,
        probe_queued: false,
        elsewhere: 0,
        share: 0,
        others: None,
        rate: member.rate,
        attempts: member.attempts.clone(),
        warm_up: member.warm_up,
        said: member.said,
        wakes: member.wakes,
    }
}

/// What cannot be of a member.
fn check(member: &state::Member, config: &Config, now: Time) -> Result<(), Cow<'static, str>> {
    let score = member.said.score.is_none_or(|score| (0.0..=MOST as f64).contains(&score));
    let sound = [
        ("health", member.health.is_sound(&config.health)),
        ("attempts", member.attempts.is_sound(&config.ejection, now)),
        ("warm_up", member.warm_up.is_sound()),
        ("said", score && member.said.at.is_none_or(|at| at <= now)),
        ("placed", member.placed <= MOST),
        ("touched", member.touched <= MOST),
    ];
    match sound.iter().find(|(_, sound)| !sound) {
        Some((field, _)) => Err(format!("its {field} cannot be").into()),
        None => Ok(()),
    }
}

/// More than anybody counts.
const MOST: u64 = 1 << 53;
