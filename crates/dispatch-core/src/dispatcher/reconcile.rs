//! Reconciliation: what a bridge has against what is counted there.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::Dispatcher;
use crate::call::Lease;
use crate::calls::{Ended, Start};
use crate::destination::DestinationId;
use crate::error::NoSuchDestination;
use crate::time::Time;

/// The calls that a bridge has in progress, by its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inventory<'a> {
    /// The Call-IDs of all of them.
    Calls(&'a [&'a [u8]]),
    /// How many there are.
    Count(u32),
}

/// What reconciliation healed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Reconciled {
    /// Calls that were counted there and are not: they ended (a BYE was lost).
    pub healed: u32,
    /// Calls that are there and were not counted: they are now (this dispatcher was restarted).
    pub adopted: u32,
    /// Calls that are there and stay uncounted here: those of other dispatchers, calls that count
    /// at another destination, or more than a mere number could name.
    pub unknown: u32,
}

impl Dispatcher {
    /// Ends the confirmed calls that are counted at a destination and are not in progress there. A
    /// call being set up is left alone: the bridge may not know it yet, and its deadline is near.
    ///
    /// By Call-IDs, calls that nobody counts are counted from now on, as confirmed ones of cost 1,
    /// where this is the only dispatcher. By a mere number, the oldest calls end. Looks at every
    /// call in progress: once a minute per bridge is plenty.
    ///
    /// # Errors
    /// The destination left, or never was.
    pub fn reconcile(
        &mut self,
        id: DestinationId,
        there: Inventory<'_>,
        now: Time,
    ) -> Result<Reconciled, NoSuchDestination> {
        let now = self.advance(now);
        let member = self.fleet.members.find(id.0).ok_or(NoSuchDestination)?;
        let (set, counted) = (member.set, member.calls);
        let here = self.calls.confirmed().filter(|(_, record)| record.destination == id.0);
        let mut confirmed: Vec<Lease> = here.map(|(lease, _)| lease).collect();
        let mut done = Reconciled::default();
        match there {
            Inventory::Calls(call_ids) => {
                let hashes: BTreeSet<u64> =
                    call_ids.iter().filter(|id| !id.is_empty()).map(|id| self.fleet.hash(id)).collect();
                let hash = |lease: &Lease| self.calls.find(*lease).map(|record| record.id);
                confirmed.retain(|lease| hash(lease).is_some_and(|hash| !hashes.contains(&hash)));
                for hash in hashes {
                    let lease = self.calls.by_id(hash);
                    match lease.and_then(|lease| self.destination_of(lease)) {
                        Some(here) if here == id => {}
                        None if self.adopt(id, set, hash, now) => done.adopted += 1,
                        _ => done.unknown += 1,
                    }
                }
            }
            Inventory::Count(count) => {
                confirmed.truncate(confirmed.len().saturating_sub(count as usize));
                done.unknown = count.saturating_sub(counted);
            }
        }
        for lease in confirmed {
            if let Some(Ended { destination, class, cost, .. }) = self.calls.end(lease) {
                self.release(destination, class, cost);
                done.healed += 1;
            }
        }
        self.counts.healed += u64::from(done.healed);
        self.counts.adopted += u64::from(done.adopted);
        Ok(done)
    }

    /// Counts a call that nobody counted, if no other dispatcher can.
    fn adopt(&mut self, id: DestinationId, set: u32, hash: u64, now: Time) -> bool {
        let room = self.calls.len() < self.config.max_calls_total;
        if self.config.dispatchers > 1 || !room || self.fleet.seated(id.0).is_none() {
            return false;
        }
        let (key, destination) = (hash, id.0);
        let start = Start {
            id: hash,
            key,
            tenant: None,
            destination,
            set,
            cost: 1,
            class: 0,
            route: 0,
            panic: false,
        };
        let lease = self.calls.begin(start, now);
        if lease.is_none_or(|lease| self.calls.confirm(lease, now).is_err()) {
            return false;
        }
        self.fleet.count(id.0, 0, 1, &self.config, now);
        true
    }
}
