//! Everything that can be asked, asked of both.

use callsteer::*;

use crate::commands::call_id;
use crate::pair::Pair;

impl Pair {
    /// Everything that can be asked is the same.
    pub(crate) fn compare(&mut self) {
        let (real, naive) = (&mut self.real, &mut self.naive);
        let now = naive.now;
        naive.look();
        naive.advance(now);
        let events: Vec<_> = std::iter::from_fn(|| real.poll_event(now)).map(|event| event.kind).collect();
        assert_eq!(events, std::mem::take(&mut naive.events));
        assert_eq!(real.iter().count(), naive.members.len());
        for member in &naive.members {
            let status = Status {
                set: member.set,
                standing: naive.standing(member),
                will: member.will,
                observed: member.observed,
                busy_until: member.busy_until,
                calls: member.calls,
                load: member.load,
                elsewhere: 0,
                placed: member.placed,
                ejected: member.ejections_ever,
                score: None,
            };
            assert_eq!(real.status(member.id), Some(status));
            assert_eq!(real.destination(member.id), Some(&member.destination));
            assert_eq!(real.find(member.set, &member.destination.id), Some(member.id));
        }
        let calls = naive.calls.len() as u32;
        assert_eq!(real.stats(), Stats { calls, ..naive.stats });
        assert_eq!(real.iter().map(|(_, _, status)| status.calls).sum::<u32>(), calls, "calls are conserved");
        let load = real.iter().map(|(_, _, status)| status.load).sum::<u64>();
        assert_eq!(load, naive.calls.iter().map(|call| u64::from(call.cost)).sum::<u64>());
        for (name, lease) in &self.leases {
            let call = naive.calls.iter().find(|call| call.lease == *lease);
            assert_eq!(real.destination_of(*lease), call.map(|call| call.destination));
            let named = naive.calls.iter().find(|call| call.call_id == call_id(*name));
            assert_eq!(real.call_of(&call_id(*name)), named.map(|call| call.lease));
        }
        for tenant in ["sales", "other"] {
            let calls = naive.calls.iter().filter(|call| call.tenant.as_deref() == Some(tenant)).count();
            assert_eq!(real.tenant_calls(tenant), calls as u32);
        }
        if let Some((at, _)) = naive.due() {
            assert!(real.next_deadline().is_some_and(|deadline| deadline <= at));
        }
    }
}
