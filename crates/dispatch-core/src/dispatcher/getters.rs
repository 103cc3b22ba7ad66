//! Getters: they never change anything.

use super::Dispatcher;
use crate::call::Lease;
use crate::config::{Config, SetId};
use crate::destination::{Destination, DestinationId};
use crate::health::Observed;
use crate::member::{Member, Will};
use crate::standing::Standing;
use crate::stats::Stats;
use crate::time::Time;

/// How a destination is, as of the last time seen.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Status {
    /// Its set.
    pub set: SetId,
    /// Whether it can take a call, or why not.
    pub standing: Standing,
    /// What the operator wants of it.
    pub will: Will,
    /// What probes observed.
    pub observed: Observed,
    /// Until when it said that it is full.
    pub busy_until: Option<Time>,
    /// Calls of this dispatcher in progress there.
    pub calls: u32,
    /// Σ cost of these calls.
    pub load: u64,
    /// Calls that other replicas have there, as far as known.
    pub elsewhere: u32,
    /// Calls placed there so far, by `begin` and by `next`.
    pub placed: u64,
    /// How often it has been ejected.
    pub ejected: u64,
    /// Its last score, over a minute or more where it reports that.
    pub score: Option<f64>,
}

impl Dispatcher {
    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Every set that has or had destinations, in ascending order.
    pub fn sets(&self) -> impl Iterator<Item = SetId> {
        self.fleet.sets().map(|(id, _)| id)
    }

    /// A destination by its set and id, also one that was removed and still has calls.
    #[must_use]
    pub fn find(&self, set: SetId, id: &str) -> Option<DestinationId> {
        self.fleet.find(set, id).map(DestinationId)
    }

    /// The description of a destination.
    #[must_use]
    pub fn destination(&self, id: DestinationId) -> Option<&Destination> {
        self.fleet.members.find(id.0).map(|member| &member.destination)
    }

    /// Where a call is.
    #[must_use]
    pub fn destination_of(&self, lease: Lease) -> Option<DestinationId> {
        self.calls.find(lease).map(|record| DestinationId(record.destination))
    }

    /// The call in progress with this Call-ID.
    #[must_use]
    pub fn call_of(&self, call_id: &[u8]) -> Option<Lease> {
        self.calls.by_id(self.fleet.hash(call_id))
    }

    /// How a destination is.
    #[must_use]
    pub fn status(&self, id: DestinationId) -> Option<Status> {
        self.fleet.members.find(id.0).map(|member| self.status_of(member))
    }

    /// Counts of everything so far.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        Stats { calls: self.calls.len(), ..self.counts }
    }

    /// Calls of a tenant in progress.
    #[must_use]
    pub fn tenant_calls(&self, tenant: &str) -> u32 {
        self.calls.tenants.calls(self.tenant(tenant))
    }

    /// Every destination, also those that were removed and still have calls.
    pub fn iter(&self) -> impl Iterator<Item = (DestinationId, &Destination, Status)> {
        self.fleet
            .members
            .iter()
            .map(|(key, member)| (DestinationId(key), &member.destination, self.status_of(member)))
    }

    fn status_of(&self, member: &Member) -> Status {
        Status {
            set: member.set,
            standing: member.standing,
            will: member.will,
            observed: member.health.observed(),
            busy_until: member.health.busy_until().map(|until| self.epoch.told(until)),
            calls: member.own_calls(),
            load: member.own_load(),
            elsewhere: member.elsewhere,
            placed: member.placed,
            ejected: member.attempts.count(),
            score: member.said.score,
        }
    }
}
