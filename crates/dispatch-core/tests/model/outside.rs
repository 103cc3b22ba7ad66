//! Reports and reconciliation, for both dispatchers.

use callsteer::*;

use crate::commands::call_id;
use crate::pair::Pair;
use crate::state::InProgress;
use crate::tables::hash;

impl Pair {
    pub(crate) fn report(
        &mut self,
        id: DestinationId,
        report: Report,
        answer: Result<(), ReportError>,
        now: Time,
    ) {
        self.naive.advance(now);
        let now = self.naive.now;
        let expected = match self.naive.member(id).filter(|member| member.seat.is_some()) {
            None => Err("no_such_destination"),
            Some(member) => {
                let at = report.measured_at.unwrap_or(now);
                let last = member.reported;
                let sequences = last.filter(|(last, _)| now.since(*last).as_secs() < 60);
                let sequences = report.sequence.zip(sequences.and_then(|(_, sequence)| sequence));
                match (sequences, last) {
                    _ if at > now => Err("future_report"),
                    (Some((sequence, last)), _) if sequence < last => Err("late_report"),
                    (Some((sequence, last)), _) if sequence == last => Err("duplicate_report"),
                    (_, Some((last, _))) if at < last => Err("late_report"),
                    (None, Some((last, _))) if at == last => Err("duplicate_report"),
                    _ => {
                        let old = last.and_then(|(_, sequence)| sequence);
                        member.reported = Some((at, report.sequence.or(old)));
                        member.capacity = report.capacity.or(member.capacity);
                        member.asks_to_drain = report.draining.unwrap_or(member.asks_to_drain);
                        // No score was reported, so nobody remembers what calls were in the past.
                        let others = |active: u32| active.saturating_sub(member.calls);
                        member.foreign = report.active_calls.map_or(member.foreign, others);
                        Ok(())
                    }
                }
            }
        };
        assert_eq!(answer.map_err(|error| error.code()), expected);
        match expected {
            Ok(()) => self.naive.stats.reports += 1,
            Err(_) => self.naive.stats.reports_refused += 1,
        }
    }

    pub(crate) fn reconcile(&mut self, id: DestinationId, names: &[usize], by_ids: bool, now: Time) {
        let names: Vec<Vec<u8>> = names.iter().map(|name| call_id(*name)).collect();
        let ids: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        let there = if by_ids { Inventory::Calls(&ids) } else { Inventory::Count(ids.len() as u32) };
        let answer = self.real.reconcile(id, there, now);
        self.naive.advance(now);
        let Some(set) = self.naive.member(id).map(|member| member.set) else {
            assert_eq!(answer, Err(NoSuchDestination));
            return;
        };
        let here = |call: &&InProgress| call.destination == id;
        let counted = self.naive.calls.iter().filter(here).count();
        let mut confirmed: Vec<InProgress> =
            self.naive.calls.iter().filter(here).filter(|call| call.confirmed).cloned().collect();
        let mut expected = Reconciled::default();
        if by_ids {
            confirmed.retain(|call| !names.contains(&call.call_id));
            let mut unseen: Vec<_> = names.iter().collect();
            unseen.sort_by_key(|name| hash(self.naive.config.seed, name));
            unseen.dedup();
            for name in unseen {
                let known = self.naive.calls.iter().find(|call| call.call_id == *name);
                let room = self.naive.calls.len() < self.naive.config.max_calls_total as usize;
                let seated = self.naive.members.iter().any(|member| member.id == id && member.seat.is_some());
                match known {
                    Some(call) if call.destination == id => {}
                    None if room && seated => {
                        expected.adopted += 1;
                        self.adopt(id, set, name);
                    }
                    _ => expected.unknown += 1,
                }
            }
        } else {
            confirmed.sort_by_key(|call| call.since);
            confirmed.truncate(confirmed.len().saturating_sub(names.len()));
            expected.unknown = names.len().saturating_sub(counted) as u32;
        }
        for call in confirmed {
            self.naive.calls.retain(|other| other.lease != call.lease);
            self.naive.release(&call);
            expected.healed += 1;
        }
        self.naive.stats.healed += u64::from(expected.healed);
        self.naive.stats.adopted += u64::from(expected.adopted);
        assert_eq!(answer, Ok(expected));
    }

    fn adopt(&mut self, id: DestinationId, set: SetId, name: &[u8]) {
        let lease = self.real.call_of(name).expect("an adopted call is in progress");
        let name = name.to_vec();
        self.naive.calls.push(InProgress {
            lease,
            call_id: name.clone(),
            key: name,
            set,
            cost: 1,
            tenant: None,
            route: 0,
            destination: id,
            tried: vec![],
            since: self.naive.now,
            confirmed: true,
            failed: false,
        });
        // It began before anybody here could count it: the rate limit knows nothing of it.
        let due = self.naive.member(id).unwrap().due;
        self.naive.count(id, 1);
        self.naive.member(id).unwrap().due = due;
    }
}
