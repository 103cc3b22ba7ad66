//! Calls in progress: found by lease and by Call-ID, ended by their deadlines.

mod by_id;
mod deadlines;
#[cfg(feature = "serde")]
mod saved;

use core::num::NonZeroU64;
use core::time::Duration;

use crate::call::Lease;
use crate::config::{SetId, TenantLimits};
use crate::error::NoSuchCall;
use crate::slots::{Key, NONE, Slots};
use crate::tenants::Tenants;
use crate::time::Time;
use by_id::ById;
use deadlines::{Links, Queue};

/// A call in progress. Nothing keeps the Call-ID's text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// The hash of the Call-ID.
    pub(crate) id: u64,
    /// The hash of the key for `call_id_hash`.
    pub(crate) key: u64,
    /// When the set-up began, or when the call was confirmed.
    pub(crate) since: Time,
    pub(crate) destination: Key,
    /// The set that the call asked for.
    pub(crate) set: SetId,
    /// The last of the destinations that were tried before this one.
    tried: u32,
    /// Its tenant's index; [`NONE`] where it has none.
    tenant: u32,
    pub(crate) cost: u16,
    pub(crate) class: u16,
    /// The route of the policy that it is on.
    pub(crate) route: u8,
    pub(crate) confirmed: bool,
    /// It failed at this destination.
    pub(crate) failed: bool,
    /// It was placed while health was ignored.
    pub(crate) panic: bool,
}

/// What is left of a call that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) destination: Key,
    pub(crate) since: Time,
    pub(crate) class: u16,
    pub(crate) cost: u16,
    pub(crate) confirmed: bool,
}

/// What a new call starts with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) id: u64,
    pub(crate) key: u64,
    /// The hash of its tenant, and the limits there.
    pub(crate) tenant: Option<(NonZeroU64, TenantLimits)>,
    pub(crate) destination: Key,
    pub(crate) set: SetId,
    pub(crate) cost: u16,
    pub(crate) class: u16,
    pub(crate) route: u8,
    pub(crate) panic: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Calls {
    records: Slots<Record>,
    by_id: ById,
    /// Calls being set up, and confirmed ones: each queue has one span, so its oldest ends first.
    setup: Queue,
    confirmed: Queue,
    links: Links,
    /// Destinations that calls have been to, as chains.
    tried: Slots<(Key, u32)>,
    pub(crate) tenants: Tenants,
}

impl Calls {
    pub(crate) fn new(setup: Duration, confirmed: Duration) -> Self {
        Self {
            records: Slots::new(),
            by_id: ById::default(),
            setup: Queue::new(setup),
            confirmed: Queue::new(confirmed),
            links: Links::default(),
            tried: Slots::new(),
            tenants: Tenants::default(),
        }
    }

    /// Adds a call that is not there yet.
    pub(crate) fn begin(&mut self, start: Start, now: Time) -> Option<Lease> {
        let Start { id, key, tenant, destination, set, cost, class, route, panic } = start;
        let tenant = tenant.map_or(NONE, |(tenant, limits)| self.tenants.begin(tenant, limits, now));
        let record = Record {
            id,
            key,
            since: now,
            destination,
            set,
            tried: NONE,
            tenant,
            cost,
            class,
            route,
            confirmed: false,
            failed: false,
            panic,
        };
        let Ok(lease) = self.records.insert(record) else {
            self.tenants.end(tenant);
            return None;
        };
        self.enter(lease.index(), id);
        self.setup.append(lease.index(), &mut self.links);
        Some(Lease(lease))
    }

    /// Starts the confirmed deadline, and gives the destination; a second confirmation changes nothing.
    pub(crate) fn confirm(&mut self, lease: Lease, now: Time) -> Result<Option<Key>, NoSuchCall> {
        let record = self.records.find_mut(lease.0).ok_or(NoSuchCall)?;
        if core::mem::replace(&mut record.confirmed, true) {
            return Ok(None);
        }
        record.since = now;
        let destination = record.destination;
        self.setup.remove(lease.0.index(), &mut self.links);
        self.confirmed.append(lease.0.index(), &mut self.links);
        Ok(Some(destination))
    }

    /// Moves a call to another destination, where its set-up begins anew.
    pub(crate) fn moved(&mut self, lease: Lease, destination: Key, route: u8, panic: bool, now: Time) {
        let Some(record) = self.records.find_mut(lease.0) else { return };
        if let Ok(tried) = self.tried.insert((record.destination, record.tried)) {
            record.tried = tried.index();
        }
        record.destination = destination;
        record.route = route;
        record.panic = panic;
        record.failed = false;
        record.since = now;
        let confirmed = core::mem::replace(&mut record.confirmed, false);
        self.dequeue(lease, confirmed);
        self.setup.append(lease.0.index(), &mut self.links);
    }

    pub(crate) fn end(&mut self, lease: Lease) -> Option<Ended> {
        self.records.find(lease.0)?;
        let index = lease.0.index();
        self.by_id.take(self.links.id(index), |known| known == index);
        self.leave(lease.0)
    }

    /// As `end`, the call with this hash of its Call-ID.
    pub(crate) fn end_by_id(&mut self, id: u64) -> Option<Ended> {
        let is_it = |index| self.records.at(index).is_some_and(|record| record.id == id);
        let index = self.by_id.take(half(id), is_it)?;
        self.leave(self.records.key_at(index)?)
    }

    /// Forgets a call that is not found by its Call-ID any more.
    fn leave(&mut self, key: Key) -> Option<Ended> {
        // Field by field: a copy of a record that was just written would wait for all of it.
        let Record { destination, since, class, cost, confirmed, tried, tenant, .. } =
            *self.records.find(key)?;
        self.records.remove(key);
        self.dequeue(Lease(key), confirmed);
        let mut chain = tried;
        while let Some(key) = self.tried.key_at(chain) {
            chain = self.tried.remove(key).map_or(NONE, |(_, next)| next);
        }
        self.tenants.end(tenant);
        Some(Ended { destination, since, class, cost, confirmed })
    }

    pub(crate) fn find(&self, lease: Lease) -> Option<&Record> {
        self.records.find(lease.0)
    }

    pub(crate) fn find_mut(&mut self, lease: Lease) -> Option<&mut Record> {
        self.records.find_mut(lease.0)
    }

    /// The call with this hash of its Call-ID.
    pub(crate) fn by_id(&self, id: u64) -> Option<Lease> {
        let is_it = |index| self.records.at(index).is_some_and(|record| record.id == id);
        self.records.key_at(self.by_id.find(half(id), is_it)?).map(Lease)
    }

    /// The destinations that a call has been to, the last one first, without the present one.
    pub(crate) fn tried(&self, record: &Record) -> impl Iterator<Item = Key> {
        let first = self.tried.at(record.tried);
        core::iter::successors(first, |(_, next)| self.tried.at(*next)).map(|(key, _)| *key)
    }

    /// The call that ends first by its deadline, and when. Set-ups come before confirmed ones.
    pub(crate) fn next_deadline(&self) -> Option<(Time, Lease)> {
        let head = |queue: &Queue| {
            let record = self.records.at(queue.oldest)?;
            Some((record.since + queue.span, Lease(self.records.key_at(queue.oldest)?)))
        };
        match (head(&self.setup), head(&self.confirmed)) {
            (Some(setup), Some(confirmed)) => Some(if confirmed.0 < setup.0 { confirmed } else { setup }),
            (setup, confirmed) => setup.or(confirmed),
        }
    }

    /// Confirmed calls, the longest confirmed first.
    pub(crate) fn confirmed(&self) -> impl Iterator<Item = (Lease, &Record)> {
        let at = |index: u32| Some((Lease(self.records.key_at(index)?), self.records.at(index)?));
        core::iter::successors(at(self.confirmed.oldest), move |(lease, _)| {
            at(self.links.newer(lease.0.index()))
        })
    }

    pub(crate) const fn len(&self) -> u32 {
        self.records.len()
    }

    /// Makes a call to be found by its Call-ID.
    fn enter(&mut self, index: u32, id: u64) {
        self.links.add(index, half(id));
        self.by_id.insert(half(id), index, |index| self.links.id(index));
    }

    fn dequeue(&mut self, lease: Lease, confirmed: bool) {
        let queue = if confirmed { &mut self.confirmed } else { &mut self.setup };
        queue.remove(lease.0.index(), &mut self.links);
    }
}

/// What the table and the links keep of the hash of a Call-ID.
const fn half(id: u64) -> u32 {
    (id >> 32) as u32
}
