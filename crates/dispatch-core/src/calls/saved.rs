//! Calls as a snapshot describes them, and made again of that.

use alloc::format;
use alloc::vec::Vec;

use super::{Calls, Links, Queue, Record};
use crate::call::Lease;
use crate::config::Config;
use crate::error::SnapshotError;
use crate::slots::{NONE, Slots};
use crate::snapshot::state;
use crate::tenants::Tenants;
use crate::time::Time;

impl Calls {
    pub(crate) fn saved(&self) -> (state::Calls, state::Tenants) {
        let (known, at_most) = self.tenants.known();
        // Their indexes may have gaps, which nobody sees.
        let mut places: Vec<(u32, u32)> =
            (0u32..).zip(&known).map(|(place, (index, ..))| (*index, place)).collect();
        places.sort_unstable();
        let place = |index: u32| {
            let at = places.binary_search_by_key(&index, |(index, _)| *index).ok()?;
            places.get(at).map(|(_, place)| *place)
        };
        let call = |(lease, record): (Lease, &Record)| state::Call {
            lease: lease.0,
            call_id: record.id,
            key: Some(record.key).filter(|key| *key != record.id),
            since: record.since,
            destination: record.destination,
            set: record.set,
            tried: self.tried(record).collect(),
            tenant: place(record.tenant),
            cost: record.cost,
            class: record.class,
            route: record.route,
            failed: record.failed,
            panic: record.panic,
        };
        let (next, given_up) = self.records.vacant();
        let calls = state::Calls {
            setup: self.queued(&self.setup).map(call).collect(),
            confirmed: self.queued(&self.confirmed).map(call).collect(),
            vacant: state::Vacant { next, given_up },
        };
        let known = known.into_iter().map(|(_, name, rate)| state::Tenant { name, rate }).collect();
        (calls, state::Tenants { known, at_most })
    }

    /// Where the destinations are, and how many classes there are, is for others to check.
    pub(crate) fn restored(
        calls: &state::Calls,
        tenants: &state::Tenants,
        config: &Config,
        now: Time,
    ) -> Result<Self, SnapshotError> {
        let refuse = |what: &'static str| Err(SnapshotError::of("the calls", what));
        let mut restored = Self::new(config.setup_timeout, config.max_duration);
        let known = tenants.known.iter().map(|tenant| (tenant.name, tenant.rate));
        let Some(tenants) = Tenants::restored(known, tenants.at_most) else {
            return Err(SnapshotError::of("the tenants", "one is there twice, or more than fit are awaited"));
        };
        restored.tenants = tenants;
        let queues = || [(false, &calls.setup), (true, &calls.confirmed)];
        let all = || {
            queues()
                .into_iter()
                .flat_map(|(confirmed, queue)| queue.iter().map(move |call| (confirmed, call)))
        };
        let records = all().map(|(confirmed, call)| (call.lease, record(call, confirmed)));
        let Some(records) = Slots::restored(records, &calls.vacant.next, &calls.vacant.given_up) else {
            return refuse("their leases are not one after another, each once");
        };
        restored.records = records;
        if restored.len() > config.max_calls_total {
            return refuse("there are more than the configuration allows");
        }
        let vacant = calls.vacant.next.len() + calls.vacant.given_up.len();
        restored.links = Links::of(restored.len() as usize + vacant);
        for (_, queue) in queues() {
            let in_order = queue.is_sorted_by_key(|call| call.since);
            if !in_order || queue.last().is_some_and(|call| call.since > now) {
                return refuse("they are not in the order in which they began");
            }
        }
        for (confirmed, call) in all() {
            restored
                .restore(call, confirmed)
                .map_err(|what| SnapshotError::of(format!("call {}", call.lease.to_u64()), what))?;
        }
        Ok(restored)
    }

    /// Every call, those being set up first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Lease, &Record)> {
        self.queued(&self.setup).chain(self.queued(&self.confirmed))
    }

    /// The calls in a queue, the oldest first.
    fn queued(&self, queue: &Queue) -> impl Iterator<Item = (Lease, &Record)> {
        let at = |index: u32| Some((Lease(self.records.key_at(index)?), self.records.at(index)?));
        core::iter::successors(at(queue.oldest), move |(lease, _)| at(self.links.newer(lease.0.index())))
    }

    /// Puts a call whose record is there wherever calls are found.
    fn restore(&mut self, call: &state::Call, confirmed: bool) -> Result<(), &'static str> {
        let index = call.lease.index();
        if call.cost == 0 {
            return Err("it costs nothing");
        }
        if self.by_id(call.call_id).is_some() {
            return Err("another call has the hash of its Call-ID");
        }
        self.enter(index, call.call_id);
        let queue = if confirmed { &mut self.confirmed } else { &mut self.setup };
        queue.append(index, &mut self.links);
        let mut tried = NONE;
        for destination in call.tried.iter().rev() {
            let Ok(key) = self.tried.insert((*destination, tried)) else { return Err("too many were tried") };
            tried = key.index();
        }
        if let Some(record) = self.records.at_mut(index) {
            record.tried = tried;
        }
        let counted = call.tenant.map(|tenant| self.tenants.restore(tenant));
        if counted == Some(None) { Err("there is no such tenant") } else { Ok(()) }
    }
}

fn record(call: &state::Call, confirmed: bool) -> Record {
    let state::Call { call_id, since, destination, set, cost, class, route, failed, panic, .. } = *call;
    Record {
        id: call_id,
        key: call.key.unwrap_or(call_id),
        since,
        destination,
        set,
        tried: NONE,
        tenant: call.tenant.unwrap_or(NONE),
        cost,
        class,
        route,
        confirmed,
        failed,
        panic,
    }
}
