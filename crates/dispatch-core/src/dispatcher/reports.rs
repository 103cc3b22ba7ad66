//! Reports: what happened outside.

use super::Dispatcher;
use crate::call::{Blame, Failure, Lease, ProbeResult};
use crate::calls::Ended;
use crate::destination::DestinationId;
use crate::error::{FailError, NoSuchCall, ProbeError};
use crate::event::EventKind;
use crate::health::Observation;
use crate::slots::Key;
use crate::time::Time;

impl Dispatcher {
    /// The call was answered: from now on it ends by the deadline of confirmed calls. Saying it
    /// again (a retransmitted ACK) changes nothing.
    ///
    /// # Errors
    /// The call has ended, or never was.
    pub fn confirm(&mut self, lease: Lease, now: Time) -> Result<(), NoSuchCall> {
        let now = self.advance(now);
        if let Some(key) = self.calls.confirm(lease, now)? {
            self.counts.confirmed += 1;
            self.attempted(key, false);
        }
        Ok(())
    }

    /// The call failed at its destination. It stays counted there until `next` or `end`; saying it
    /// again before that (a retransmitted reply) counts once.
    ///
    /// # Errors
    /// The call has ended; the reply's code is not 300 to 699.
    pub fn fail(&mut self, lease: Lease, failure: Failure, now: Time) -> Result<Blame, FailError> {
        if let Failure::Reply { code, .. } = failure
            && !(300..=699).contains(&code)
        {
            return Err(FailError::InvalidReply { code });
        }
        let now = self.advance(now);
        let record = self.calls.find_mut(lease).ok_or(FailError::NoSuchCall)?;
        let blame = failure.blame();
        if core::mem::replace(&mut record.failed, true) {
            return Ok(blame);
        }
        let key = record.destination;
        self.counts.failed += 1;
        match (blame, failure) {
            (Blame::Busy, Failure::Reply { retry_after: Some(wait), .. }) => self.busy(key, wait),
            (Blame::Busy, _) => {}
            (Blame::Caller, _) => self.attempted(key, false),
            (Blame::Destination, _) => {
                if let Some(member) = self.fleet.seated(key) {
                    member.probes.suspect();
                }
                self.attempted(key, true);
            }
        }
        self.fleet.reconsider(key, &self.config, now);
        Ok(blame)
    }

    /// The call is over, however it ended. `false` where it had ended before: saying it again does
    /// no harm.
    pub fn end(&mut self, lease: Lease, now: Time) -> bool {
        self.advance(now);
        let ended = self.calls.end(lease);
        self.finish(ended)
    }

    fn finish(&mut self, ended: Option<Ended>) -> bool {
        let Some(Ended { destination, since, class, cost, confirmed }) = ended else { return false };
        self.counts.ended += 1;
        if confirmed {
            self.fleet.lasted(destination, self.now.since(since));
        }
        self.release(destination, class, cost);
        true
    }

    /// [`confirm`](Self::confirm), by Call-ID.
    ///
    /// # Errors
    /// As `confirm`.
    pub fn confirm_call(&mut self, call_id: &[u8], now: Time) -> Result<(), NoSuchCall> {
        self.advance(now);
        let lease = self.call_of(call_id).ok_or(NoSuchCall)?;
        self.confirm(lease, now)
    }

    /// [`fail`](Self::fail), by Call-ID.
    ///
    /// # Errors
    /// As `fail`.
    pub fn fail_call(&mut self, call_id: &[u8], failure: Failure, now: Time) -> Result<Blame, FailError> {
        self.advance(now);
        let lease = self.call_of(call_id).ok_or(FailError::NoSuchCall)?;
        self.fail(lease, failure, now)
    }

    /// [`end`](Self::end), by Call-ID.
    pub fn end_call(&mut self, call_id: &[u8], now: Time) -> bool {
        self.advance(now);
        let ended = self.calls.end_by_id(self.fleet.hash(call_id));
        self.finish(ended)
    }

    /// What a probe of a destination brought, whether it was asked for by `poll_probe` or comes
    /// from somebody else's health check. 503 with Retry-After means alive, but full until then. A
    /// time-out that was counted when the probe's time was over does not count again.
    ///
    /// # Errors
    /// The destination left, or never was; the reply's code is not 100 to 699.
    pub fn probe_result(
        &mut self,
        id: DestinationId,
        result: ProbeResult,
        now: Time,
    ) -> Result<(), ProbeError> {
        if let ProbeResult::Reply { code, .. } = result
            && !(100..=699).contains(&code)
        {
            return Err(ProbeError::InvalidReply { code });
        }
        let now = self.advance(now);
        let member = self.fleet.seated(id.0).ok_or(ProbeError::NoSuchDestination)?;
        if result == ProbeResult::Timeout && member.probes.has_timed_out() {
            return Ok(());
        }
        let alive = match result {
            ProbeResult::Reply { code: 503, retry_after: Some(wait) } => {
                self.busy(id.0, wait);
                true
            }
            ProbeResult::Reply { code, .. } => self.config.probing.accepted.contains(code),
            ProbeResult::Timeout => false,
        };
        self.observe(id.0, alive);
        self.fleet.reconsider(id.0, &self.config, now);
        Ok(())
    }

    /// Takes one observation of a destination.
    pub(super) fn observe(&mut self, key: Key, alive: bool) {
        let Some(member) = self.fleet.seated(key) else { return };
        member.probes.resolved(alive);
        let seen = if alive { Observation::Success } else { Observation::Failure };
        if let Some(observed) = member.health.observe(seen, &self.config.health) {
            self.events.push(self.now, EventKind::Health { destination: DestinationId(key), observed });
        }
    }

    /// A destination says that it is full for a while.
    fn busy(&mut self, key: Key, wait: core::time::Duration) {
        let Some(member) = self.fleet.seated(key) else { return };
        let until = member.health.wait(wait, &self.config.health, self.now);
        self.events.push(self.now, EventKind::Busy { destination: DestinationId(key), until });
    }
}
