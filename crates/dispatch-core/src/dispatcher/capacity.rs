//! How full sets are, how large they should be, and who leaves first.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::Dispatcher;
use crate::capacity::{Scaler, Usage, drain_candidates};
use crate::config::SetId;
use crate::destination::DestinationId;
use crate::event::EventKind;
use crate::member::Member;
use crate::set::Set;
use crate::time::Time;

/// How full a set is, as of the last time seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// What is used, over the destinations that are in service and healthy and say or are told how
    /// much they can carry.
    pub usage: Usage,
    /// Load / capacity. Above 1 where it is overloaded; 1 where nobody can carry anything.
    pub utilisation: f64,
    /// How many destinations the set should have; `None` without `Config::scaling`, or before anything
    /// was seen.
    pub desired: Option<u32>,
}

/// The scalers of all sets, and when they look next.
#[derive(Clone, Debug, Default)]
pub(super) struct Scaling {
    pub(super) scalers: BTreeMap<SetId, Scaler>,
    /// When they look next.
    pub(super) at: Option<Time>,
    /// The changes of the fleet that they have seen.
    pub(super) seen: u64,
}

impl Dispatcher {
    /// How full a set is, and how large it should be; `None` where the set has no destinations, or
    /// where nobody says what those that take calls can carry.
    ///
    /// A destination counts with its score (`sustained` where it reports that) times the calls that it
    /// can carry, or times its weight where nobody says how many; without a score, with its calls.
    /// One that neither reports a score nor has a `capacity` or `max_calls` is passed over.
    #[must_use]
    pub fn capacity(&self, set: SetId) -> Option<Capacity> {
        let (_, members) = self.fleet.sets().find(|(id, members)| *id == set && !members.is_empty())?;
        let usage = self.usage(members)?;
        let desired = self.scaling.scalers.get(&set).and_then(Scaler::desired);
        Some(Capacity { usage, utilisation: usage.utilisation(), desired })
    }

    /// The destinations of a set to drain first: those with the fewest calls left. Those that take no
    /// calls anyway are not among them.
    #[must_use]
    pub fn drain_candidates(&self, set: SetId, count: usize) -> Vec<DestinationId> {
        let sets = self.fleet.sets().filter(|(id, _)| *id == set);
        let seated = sets.flat_map(|(_, members)| members.seated());
        let members = seated.filter_map(|(_, key)| {
            let member = self.fleet.members.find(key).filter(|member| member.is_in_service())?;
            Some((DestinationId(key), f64::from(member.calls)))
        });
        drain_candidates(members, count)
    }

    /// When the scalers look next: soon after the first change that they have not seen.
    pub(super) fn next_look(&self) -> Option<Time> {
        self.config.scaling?;
        let changed = self.fleet.moves != self.scaling.seen;
        let soon = changed.then(|| self.now + LOOK);
        [self.scaling.at, soon].into_iter().flatten().min()
    }

    /// Sets that time, as changes were made until the last time seen; gives it if it is up to `until`.
    pub(super) fn arm_look(&mut self, until: Time) -> Option<Time> {
        self.scaling.at = self.next_look();
        self.scaling.at.filter(|at| *at <= until)
    }

    /// Lets the scalers look at their sets.
    pub(super) fn consider_size(&mut self) {
        let Some(config) = self.config.scaling else { return };
        let now = self.now;
        let sets = self.fleet.sets().filter(|(_, set)| !set.is_empty());
        let used: Vec<(SetId, Usage)> = sets.filter_map(|(id, set)| Some((id, self.usage(set)?))).collect();
        let mut next = None;
        for (set, usage) in used {
            if !self.scaling.scalers.contains_key(&set) {
                self.scaling.scalers.extend(Scaler::new(config).ok().map(|scaler| (set, scaler)));
            }
            let Some(scaler) = self.scaling.scalers.get_mut(&set) else { continue };
            if let Some(to) = scaler.observe(&usage, now) {
                self.events.push(now, EventKind::Scale { set, to });
            }
            next = [next, scaler.next_deadline()].into_iter().flatten().min();
        }
        self.scaling.seen = self.fleet.moves;
        self.scaling.at = next.map(|at| at.max(now + LOOK));
    }

    /// What is used of those that say what they can carry; `None` where only others take calls.
    fn usage(&self, set: &Set) -> Option<Usage> {
        let seated = set.seated().filter_map(|(_, key)| self.fleet.members.find(key));
        let mut usage = Usage {
            arrival_rate: set.traffic.rate(self.now),
            mean_duration: set.traffic.mean_duration(),
            ..Usage::default()
        };
        let mut shares = Vec::new();
        let mut silent = 0;
        for member in seated.filter(|member| member.is_healthy()) {
            let slots = slots(member);
            let score = member.said.score;
            let Some(capacity) = slots.or(score.map(|_| member.destination.weight)).map(f64::from) else {
                silent += 1;
                continue;
            };
            let calls = f64::from(member.calls) + member.estimate.foreign();
            let load = score.map_or(calls, |score| score * capacity);
            usage.members += 1;
            usage.slots += slots.unwrap_or(0);
            usage.capacity += capacity;
            usage.load += load;
            shares.push(if capacity > 0.0 { load / capacity } else { 1.0 });
        }
        shares.sort_unstable_by(f64::total_cmp);
        usage.busiest = shares.get((shares.len() * 99).div_ceil(100).saturating_sub(1)).copied();
        (usage.members > 0 || silent == 0).then_some(usage)
    }
}

/// Calls that a member can carry at a time, by itself or by its owner, whichever is less.
fn slots(member: &Member) -> Option<u32> {
    let told = Some(member.destination.max_calls).filter(|most| *most > 0);
    [told, member.said.capacity].into_iter().flatten().min()
}

/// So soon after a change the scalers look.
const LOOK: Duration = Duration::from_secs(1);
