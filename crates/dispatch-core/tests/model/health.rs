//! The naive dispatcher's standing, ejection and slow start.

use std::time::Duration;

use callsteer::*;

use crate::naive::Naive;
use crate::state::{InProgress, Member};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Drain,
    Ejection,
}

/// A call by its place, or a member by its place and what is due there.
pub(crate) type Due = Result<usize, (usize, Timer)>;

impl Naive {
    /// The next deadline: of a call (the first of the oldest), of a drain, of an ejection.
    pub(crate) fn due(&self) -> Option<(Time, Due)> {
        let span =
            |c: &InProgress| if c.confirmed { self.config.max_duration } else { self.config.setup_timeout };
        let calls = self.calls.iter().enumerate().map(|(i, c)| (c.since + span(c), c.confirmed, i));
        let call = calls.min_by_key(|(at, confirmed, _)| (*at, *confirmed)).map(|(at, _, i)| (at, Ok(i)));
        let members = || self.members.iter().enumerate();
        let drains = members().filter_map(|(i, m)| Some((m.drain??, m.id, Timer::Drain, i)));
        let seated = members().filter(|(_, m)| m.seat.is_some());
        let ejections = seated.filter_map(|(i, m)| Some((m.ejected?.1, m.id, Timer::Ejection, i)));
        let timer = drains.chain(ejections).min().map(|(at, _, timer, i)| (at, Err((i, timer))));
        match (call, timer) {
            (Some(call), Some(timer)) => Some(if call.0 <= timer.0 { call } else { timer }),
            (call, timer) => call.or(timer),
        }
    }

    pub(crate) fn standing(&self, m: &Member) -> Standing {
        let gap = Duration::from_micros(1_000_000u64.div_ceil(u64::from(m.destination.max_rate.max(1))));
        match m.will {
            _ if m.seat.is_none() => Standing::Removed,
            Will::Disabled => Standing::Disabled,
            Will::Draining => Standing::Draining,
            Will::Enabled if m.asks_to_drain => Standing::Draining,
            Will::Enabled if m.observed == Observed::Inactive => Standing::Inactive,
            Will::Enabled if m.ejected.is_some() => Standing::Ejected,
            Will::Enabled if m.busy_until > Some(self.now) => Standing::Busy,
            Will::Enabled if m.destination.max_calls > 0 && m.calls >= m.destination.max_calls => {
                Standing::Full
            }
            Will::Enabled if m.capacity.is_some_and(|most| m.calls + m.foreign >= most) => Standing::Full,
            Will::Enabled
                if m.destination.max_rate > 0 && m.due + gap - Duration::from_secs(1) > self.now =>
            {
                Standing::TooFast
            }
            Will::Enabled => Standing::Candidate,
        }
    }

    /// Notes how everybody stands; who comes back into a set at work warms up.
    pub(crate) fn look(&mut self) {
        let out = |standing| {
            matches!(
                standing,
                Standing::Disabled | Standing::Draining | Standing::Inactive | Standing::Ejected
            )
        };
        for index in 0..self.members.len() {
            let (now, member) = (self.now, &self.members[index]);
            let (before, after) = (member.stood, self.standing(member));
            let back = out(before) && !out(after) && after != Standing::Removed;
            let at_work = self.busy_sets.contains(&member.set);
            let member = &mut self.members[index];
            member.stood = after;
            if back && at_work {
                member.warms_since = Some(now);
            }
        }
    }

    /// The weight that counts, in tenths.
    pub(crate) fn share(&self, member: &Member) -> u32 {
        let (span, weight) = (self.config.warm_up.as_micros(), member.destination.weight);
        let Some(since) = member.warms_since.filter(|_| span > 0) else { return 10 * weight };
        let tenths = 1 + self.now.since(since).as_micros() * 9 / span;
        weight * tenths.min(10) as u32
    }

    pub(crate) fn compare(&self, a: &Member, b: &Member, cost: u32) -> std::cmp::Ordering {
        let after = |m: &Member| m.load + u64::from(cost);
        (after(a) * u64::from(self.share(b))).cmp(&(after(b) * u64::from(self.share(a))))
    }

    /// A call came to something.
    pub(crate) fn attempted(&mut self, id: DestinationId, failed: bool) {
        let (config, now) = (self.config.ejection, self.now);
        let Some(member) = self.member(id).filter(|m| m.seat.is_some() && config.enabled) else { return };
        member.attempts.push((now, failed));
        member.failed_in_a_row = if failed { member.failed_in_a_row + 1 } else { 0 };
        if !failed || member.ejected.is_some() {
            return;
        }
        let member = member.clone();
        let (bad, all) = self.window(&member);
        let cause = match member.failed_in_a_row {
            row if row >= 3 => Cause::InARow(row),
            _ if all >= 5 && 10 * bad >= 4 * all => Cause::Share { failed: bad, of: all },
            _ => return,
        };
        let seated: Vec<Member> = self.seated(member.set).into_iter().cloned().collect();
        let lately = |m: &Member| m.ejected.is_some_and(|(since, _)| now.since(since) < config.window);
        let tried = seated.iter().filter(|m| lately(m) || self.window(m).1 > 0).count();
        let fails = |m: &Member| self.window(m).0 > 0 && 10 * self.window(m).0 >= 4 * self.window(m).1;
        let failing = seated.iter().filter(|m| lately(m) || fails(m)).count();
        let up = |m: &Member| {
            m.will == Will::Enabled
                && !m.asks_to_drain
                && m.observed != Observed::Inactive
                && m.ejected.is_none()
        };
        let others_up = seated.iter().any(|m| m.id != id && up(m));
        let out = seated.iter().filter(|m| m.ejected.is_some()).count();
        if failing >= 2 && 2 * failing > tried {
            for destination in seated.iter().filter(|m| lately(m)).map(|m| m.id) {
                let member = self.member(destination).unwrap();
                member.ejections -= 1;
                clean(member, now);
                self.events.push(EventKind::Returned { destination });
            }
            let last = self.common_causes.get(&member.set);
            if last.is_none_or(|last| now.since(*last) >= config.window) {
                self.common_causes.insert(member.set, now);
                let (failing, of) = (failing as u32, tried as u32);
                self.events.push(EventKind::CommonCause { set: member.set, failing, of });
            }
        } else if others_up && 2 * (out + 1) <= seated.len() {
            let member = self.member(id).unwrap();
            let well = now.since(member.returned).as_secs() / 300;
            let before = member.ejections.saturating_sub(well as u32);
            member.ejections = before + 1;
            member.ejections_ever += 1;
            let until = now + Duration::from_secs((30 << before.min(9)).min(300));
            member.ejected = Some((now, until));
            self.events.push(EventKind::Ejected { destination: id, cause, until });
        }
    }

    pub(crate) fn refuse(&mut self, code: &str) {
        let stats = &mut self.stats;
        stats.refused += 1;
        match code {
            "full" => stats.refused_full += 1,
            "all_down" => stats.refused_all_down += 1,
            "no_such_set" => stats.refused_no_such_set += 1,
            "tenant_full" => stats.refused_tenant_full += 1,
            "too_fast" => stats.refused_too_fast += 1,
            "invalid_call" => stats.refused_invalid_call += 1,
            other => panic!("{other}"),
        }
    }

    pub(crate) fn let_back(&mut self, index: usize) {
        let (now, member) = (self.now, &mut self.members[index]);
        clean(member, now);
        let destination = member.id;
        self.events.push(EventKind::Returned { destination });
    }

    /// Failed calls and all calls in the present ten seconds and the five tens before.
    fn window(&self, member: &Member) -> (u32, u32) {
        let part = |at: Time| at.as_micros() / 10_000_000;
        let recent = |at: &Time| part(*at) + 6 > part(self.now);
        let attempts = member.attempts.iter().filter(|(at, _)| recent(at));
        attempts.fold((0, 0), |(bad, all), (_, failed)| (bad + u32::from(*failed), all + 1))
    }
}

fn clean(member: &mut Member, now: Time) {
    member.ejected = None;
    member.returned = now;
    member.failed_in_a_row = 0;
    member.attempts.clear();
}
