//! Which calls algorithm 10 counts, and where.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::Params;
use crate::config::SetId;
use crate::time::Time;

/// Calls by Call-ID. What is counted belongs to a duid, whoever has it at the end of the call.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    calls: BTreeMap<Vec<u8>, Call>,
    /// When expiry was looked at last.
    looked: Time,
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) set: SetId,
    pub(super) duid: String,
    expires: Time,
}

impl Calls {
    pub(super) fn knows(&self, call_id: &[u8]) -> bool {
        self.calls.contains_key(call_id)
    }

    /// Remembers where a call is counted.
    pub(super) fn begin(&mut self, call_id: &[u8], set: SetId, duid: String, params: &Params, now: Time) {
        let call = Call { set, duid, expires: now + params.setup_expires };
        self.calls.insert(call_id.to_vec(), call);
    }

    pub(super) fn confirm(&mut self, call_id: &[u8], params: &Params, now: Time) {
        if let Some(call) = self.calls.get_mut(call_id) {
            call.expires = now + params.call_expires;
        }
    }

    pub(super) fn get(&self, call_id: &[u8]) -> Option<&Call> {
        self.calls.get(call_id)
    }

    pub(super) fn end(&mut self, call_id: &[u8]) -> Option<Call> {
        self.calls.remove(call_id)
    }

    /// The calls whose time was over when it was looked at last, at a multiple of the interval.
    pub(super) fn expire(&mut self, params: &Params, now: Time) -> Vec<Call> {
        let interval = (params.expiry_interval.as_micros() as u64).max(1);
        let looked = Time::from_micros(now.as_micros() / interval * interval);
        if looked <= self.looked {
            return Vec::new();
        }
        self.looked = looked;
        let over = self.calls.iter().filter(|(_, call)| call.expires < looked);
        let over: Vec<Vec<u8>> = over.map(|(call_id, _)| call_id.clone()).collect();
        over.iter().filter_map(|call_id| self.calls.remove(call_id)).collect()
    }
}
