//! One command for both dispatchers: the answers are the same.

use std::collections::BTreeMap;
use std::time::Duration;

use callsteer::*;

use crate::commands::{Command, call_id};
use crate::naive::Naive;
use crate::state::{InProgress, Member};
use crate::tables::hash;

/// Both dispatchers, and what a caller would remember: leases by name, destinations in order.
pub(crate) struct Pair {
    pub(crate) real: Dispatcher,
    pub(crate) naive: Naive,
    pub(crate) leases: BTreeMap<usize, Lease>,
    pub(crate) ids: Vec<DestinationId>,
    pub(crate) at: u64,
}

impl Pair {
    pub(crate) fn run(&mut self, command: Command) {
        let now = Time::from_millis(self.at);
        match command {
            Command::Add(set, destination) => {
                let answer = self.real.add(set, destination.clone(), now);
                self.add(set, destination, answer, now);
            }
            Command::Remove(n) => {
                let id = self.id(n);
                let answer = self.real.remove(id, now);
                self.naive.advance(now);
                assert_eq!(answer, self.remove(id));
            }
            Command::Update(n, mut destination) => {
                let id = self.id(n);
                if let Some(old) = self.real.destination(id).filter(|_| destination.priority != 2) {
                    destination.id = old.id.clone();
                }
                let answer = self.real.update(id, destination.clone(), now);
                self.update(id, destination, answer, now);
            }
            Command::Enable(n, enabled) => {
                let id = self.id(n);
                let answer = self.real.set_enabled(id, enabled, now);
                self.naive.advance(now);
                let member = self.naive.member(id).filter(|member| member.seat.is_some());
                assert_eq!(answer.is_ok(), member.is_some());
                if let Some(member) = member {
                    member.will = if enabled { Will::Enabled } else { Will::Disabled };
                    member.drain = None;
                }
            }
            Command::Drain(n, deadline) => {
                let (id, deadline) = (self.id(n), deadline.map(Duration::from_millis));
                let answer = self.real.drain(id, deadline, now);
                self.naive.advance(now);
                let until = deadline.map(|span| self.naive.now + span);
                let found = self.naive.members.iter().position(|m| m.id == id && m.seat.is_some());
                assert_eq!(answer.is_ok(), found.is_some());
                if let Some(index) = found {
                    let member = &mut self.naive.members[index];
                    if member.will != Will::Draining || member.drain.is_some() {
                        member.drain = Some(until);
                    }
                    member.will = Will::Draining;
                    self.naive.settle(index);
                }
            }
            Command::Apply(list, meddle) => self.apply(&list, meddle, now),
            Command::Begin { name, set, key, cost, tenant } => self.begin(name, set, key, cost, tenant, now),
            Command::Pick { name, set, key, cost } => self.pick(name, set, key, cost, now),
            Command::Next(name, by_id) => {
                let lease = self.lease(name, by_id, now);
                let answer = if by_id {
                    self.real.next_call(&call_id(name), now)
                } else {
                    lease.map_or(Err(NextError::NoSuchCall), |lease| self.real.next(lease, now))
                };
                self.next(lease, answer.map(|placed| placed.destination), now);
            }
            Command::Confirm(name, by_id) => {
                let lease = self.lease(name, by_id, now);
                let answer = if by_id {
                    self.real.confirm_call(&call_id(name), now)
                } else {
                    lease.map_or(Err(NoSuchCall), |lease| self.real.confirm(lease, now))
                };
                let call = self.call(lease, now);
                assert_eq!(answer.is_ok(), call.is_some());
                if let Some(index) = call.filter(|index| !self.naive.calls[*index].confirmed) {
                    let call = self.naive.calls.remove(index);
                    let destination = call.destination;
                    self.naive.calls.push(InProgress { confirmed: true, since: self.naive.now, ..call });
                    self.naive.stats.confirmed += 1;
                    self.naive.attempted(destination, false);
                }
            }
            Command::Fail(name, failure, by_id) => {
                let lease = self.lease(name, by_id, now);
                let answer = if by_id {
                    self.real.fail_call(&call_id(name), failure, now)
                } else {
                    lease.map_or(Err(FailError::NoSuchCall), |lease| self.real.fail(lease, failure, now))
                };
                self.fail(lease, failure, answer, now);
            }
            Command::End(name, by_id) => {
                let lease = self.lease(name, by_id, now);
                let ended = if by_id {
                    self.real.end_call(&call_id(name), now)
                } else {
                    lease.is_some_and(|lease| self.real.end(lease, now))
                };
                let call = self.call(lease, now);
                assert_eq!(ended, call.is_some());
                if let Some(index) = call {
                    let call = self.naive.calls.remove(index);
                    self.naive.stats.ended += 1;
                    self.naive.release(&call);
                }
            }
            Command::Probe(n, result) => {
                let id = self.id(n);
                let answer = self.real.probe_result(id, result, now);
                self.probe(id, result, answer, now);
            }
            Command::Report(n, mut report, measured) => {
                let id = self.id(n);
                let at = |offset| Time::from_millis(self.at.saturating_add_signed(offset));
                report.measured_at = measured.map(at);
                let answer = self.real.report(id, report, now);
                self.report(id, report, answer, now);
            }
            Command::Reconcile(n, names, by_ids) => self.reconcile(self.id(n), &names, by_ids, now),
        }
        self.compare();
    }

    fn id(&self, n: usize) -> DestinationId {
        let unknown = DestinationId::from_u64((1 << 32) + 77).unwrap();
        self.ids.get(n % self.ids.len().max(1)).copied().unwrap_or(unknown)
    }

    /// The lease that a caller remembers, or the one that the Call-ID leads to.
    fn lease(&mut self, name: usize, by_id: bool, now: Time) -> Option<Lease> {
        if by_id {
            self.naive.advance(now);
            return self.naive.calls.iter().find(|call| call.call_id == call_id(name)).map(|call| call.lease);
        }
        self.leases.get(&name).copied()
    }

    fn call(&mut self, lease: Option<Lease>, now: Time) -> Option<usize> {
        if lease.is_some() {
            self.naive.advance(now);
        }
        self.naive.calls.iter().position(|call| Some(call.lease) == lease)
    }

    fn add(
        &mut self,
        set: SetId,
        destination: Destination,
        answer: Result<DestinationId, AddError>,
        now: Time,
    ) {
        if destination.check().is_err() {
            assert!(matches!(answer, Err(AddError::Invalid(_))));
            return;
        }
        self.naive.advance(now);
        let same = |m: &Member| m.set == set && m.destination.id == destination.id;
        let known = self.naive.members.iter().position(same);
        if known.is_some_and(|index| self.naive.members[index].seat.is_some()) {
            assert_eq!(answer, Err(AddError::Duplicate { set, id: destination.id }));
            return;
        }
        let id = answer.unwrap();
        let name = destination.id.clone();
        let index = known.unwrap_or_else(|| {
            assert!(!self.ids.contains(&id), "a handle comes back");
            self.ids.push(id);
            self.naive.members.push(Member {
                id,
                set,
                will: if destination.starts == Starts::Disabled { Will::Disabled } else { Will::Enabled },
                drain: None,
                observed: match destination.starts {
                    Starts::Trying => Observed::Trying(1),
                    Starts::Inactive => Observed::Inactive,
                    _ => Observed::Active,
                },
                touched: hash(self.naive.config.seed, name.as_bytes()) >> 32,
                destination: destination.clone(),
                seat: None,
                successes: 0,
                busy_until: None,
                calls: 0,
                placed: 0,
                load: 0,
                due: Time::ZERO,
                attempts: vec![],
                failed_in_a_row: 0,
                ejections: 0,
                ejections_ever: 0,
                ejected: None,
                returned: Time::ZERO,
                warms_since: None,
                reported: None,
                foreign: 0,
                capacity: None,
                asks_to_drain: false,
                stood: Standing::Removed,
            });
            self.naive.members.len() - 1
        });
        let member = &mut self.naive.members[index];
        assert_eq!(member.id, id, "who comes back keeps its handle");
        if known.is_some() {
            let starts = if destination.starts == Starts::Disabled { Will::Disabled } else { Will::Enabled };
            (member.will, member.drain, member.destination) = (starts, None, destination);
        }
        self.naive.sit(index);
        self.naive.events.push(EventKind::Added { destination: id, set, id: name });
    }

    fn remove(&mut self, id: DestinationId) -> Result<(), NoSuchDestination> {
        let found = self.naive.members.iter().position(|m| m.id == id && m.seat.is_some());
        let index = found.ok_or(NoSuchDestination)?;
        self.naive.members[index].seat = None;
        let set = self.naive.members[index].set;
        self.naive.reorder(set);
        self.naive.settle(index);
        Ok(())
    }

    fn update(&mut self, id: DestinationId, to: Destination, answer: Result<(), UpdateError>, now: Time) {
        if to.check().is_err() {
            assert!(matches!(answer, Err(UpdateError::Invalid(_))));
            return;
        }
        self.naive.advance(now);
        let Some(member) = self.naive.member(id).filter(|member| member.seat.is_some()) else {
            assert_eq!(answer, Err(UpdateError::NoSuchDestination));
            return;
        };
        if member.destination.id != to.id {
            assert!(matches!(answer, Err(UpdateError::IdChanged { .. })));
            return;
        }
        answer.unwrap();
        member.destination = to;
        let set = member.set;
        self.naive.reorder(set);
    }

    fn apply(&mut self, list: &[(SetId, Destination)], meddle: bool, now: Time) {
        let names: Vec<_> = list.iter().map(|(set, d)| (*set, d.id.clone())).collect();
        let repeated = (1..names.len()).find(|i| names[..*i].contains(&names[*i]));
        let invalid = list.iter().position(|(_, destination)| destination.check().is_err());
        let plan = match (self.real.plan(list), invalid, repeated) {
            (Ok(plan), None, None) => plan,
            (Err(PlanError::Invalid { index, .. }), Some(i), r) => {
                return assert!(index == i && r.is_none_or(|r| i <= r));
            }
            (Err(PlanError::Duplicate { index, .. }), i, Some(r)) => {
                return assert!(index == r && i.is_none_or(|i| r < i));
            }
            (plan, invalid, repeated) => panic!("{plan:?} {invalid:?} {repeated:?}"),
        };
        if meddle {
            let meddler = Destination::new(format!("meddler-{}", self.ids.len()));
            self.run(Command::Add(2, meddler));
        }
        self.naive.advance(now);
        let answer = self.real.apply(plan, now);
        assert_eq!(answer.is_err(), meddle);
        if answer.is_err() {
            return;
        }
        let gone = |m: &&Member| m.seat.is_some() && !names.contains(&(m.set, m.destination.id.clone()));
        let mut gone: Vec<_> = self.naive.members.iter().filter(gone).map(|member| member.id).collect();
        gone.sort_by_key(|id| id.to_u64() as u32);
        for id in gone {
            self.remove(id).unwrap();
        }
        for (set, destination) in list {
            let id = self.real.find(*set, &destination.id).expect("everyone listed is there");
            match self.naive.member(id).filter(|member| member.seat.is_some()) {
                None => self.add(*set, destination.clone(), Ok(id), now),
                Some(member) if member.destination == *destination => {}
                Some(_) => self.update(id, destination.clone(), Ok(()), now),
            }
        }
    }

    fn begin(
        &mut self,
        name: usize,
        set: SetId,
        key: Option<u8>,
        cost: u32,
        tenant: Option<&'static str>,
        now: Time,
    ) {
        let (id, key_bytes) = (call_id(name), key.map(|key| vec![key]));
        let call = Call { call_id: &id, set, key: key_bytes.as_deref(), cost, tenant, class: None };
        let explained = self.real.explain(&call);
        let passes = now > self.naive.now;
        let answer = self.real.begin(&call, now);
        if !passes && cost > 0 {
            // What is explained is what would be done at the same time.
            assert_eq!(explained.outcome, answer.map(|placed| placed.destination));
        }
        self.naive.advance(now);
        self.naive.prepare(set);
        if let Some(known) = self.naive.calls.iter().find(|call| call.call_id == id).filter(|_| cost > 0) {
            self.naive.stats.repeated += 1;
            assert_eq!(
                answer,
                Ok(Placed { lease: known.lease, destination: known.destination, panic: false })
            );
            return;
        }
        let refused = self.admission(cost, tenant).err();
        let chosen = if refused.is_some() { vec![] } else { self.choose(&call, 0, &[]) };
        let expected = refused.or_else(|| chosen.is_empty().then(|| self.refusal(set)));
        if let Some(code) = expected {
            assert_eq!(answer.map_err(|error| error.code()), Err(code));
            self.naive.refuse(code);
            return;
        }
        let placed = answer.unwrap();
        let member = self.naive.member(placed.destination).expect("a known destination");
        let seat = member.seat.expect("a seated destination");
        assert!(chosen.iter().any(|(_, seats)| seats.contains(&seat)), "{seat} is not of {chosen:?}");
        assert!(!self.leases.values().any(|lease| *lease == placed.lease), "a lease comes back");
        self.leases.insert(name, placed.lease);
        self.naive.calls.push(InProgress {
            lease: placed.lease,
            call_id: id.clone(),
            key: key_bytes.unwrap_or(id),
            set,
            cost,
            tenant: tenant.map(String::from),
            route: chosen[0].0,
            destination: placed.destination,
            tried: vec![],
            since: self.naive.now,
            confirmed: false,
            failed: false,
        });
        let at_work = self.naive.routes(set)[chosen[0].0].set;
        self.naive.busy_sets.insert(at_work);
        self.naive.count(placed.destination, i64::from(cost));
        self.naive.stats.begun += 1;
    }

    fn pick(&mut self, name: usize, set: SetId, key: Option<u8>, cost: u32, now: Time) {
        let (id, key) = (call_id(name), key.map(|key| vec![key]));
        let call = Call { set, key: key.as_deref(), cost, ..Call::new(&id) };
        let answer = self.real.pick(&call, now);
        self.naive.advance(now);
        if cost == 0 {
            assert_eq!(answer.map_err(|error| error.code()), Err("invalid_call"));
            return;
        }
        self.naive.prepare(set);
        let chosen = self.choose(&call, 0, &[]);
        let Some((route, seats)) = chosen.first() else {
            assert_eq!(answer.map_err(|error| error.code()), Err(self.refusal(set)));
            return;
        };
        let picked = answer.unwrap();
        let seat = self.naive.member(picked.destination).and_then(|member| member.seat);
        assert!(seat.is_some_and(|seat| seats.contains(&seat)), "{seat:?} is not of {seats:?}");
        let at_work = self.naive.routes(set)[*route].set;
        self.naive.busy_sets.insert(at_work);
    }

    /// The first route from `first` on with an open seat: the seats that its algorithm may give.
    fn choose(&mut self, call: &Call<'_>, first: usize, tried: &[DestinationId]) -> Vec<(usize, Vec<u32>)> {
        let key = hash(self.naive.config.seed, call.key.unwrap_or(call.call_id));
        for (index, route) in self.naive.routes(call.set).into_iter().enumerate().skip(first) {
            let seats = self.naive.choose(route, key, call.cost, tried);
            if !seats.is_empty() {
                return vec![(index, seats)];
            }
        }
        vec![]
    }

    fn admission(&self, cost: u32, tenant: Option<&str>) -> Result<(), &'static str> {
        let limits = tenant.and_then(|tenant| self.naive.config.tenants.get(tenant));
        let calls = self.naive.calls.iter().filter(|call| call.tenant.as_deref() == tenant).count();
        match limits {
            _ if cost == 0 => Err("invalid_call"),
            _ if self.naive.calls.len() as u32 >= self.naive.config.max_calls_total => Err("full"),
            Some(limits) if limits.max_calls > 0 && calls >= limits.max_calls as usize => Err("tenant_full"),
            _ => Ok(()),
        }
    }

    fn refusal(&self, set: SetId) -> &'static str {
        let routes = self.naive.routes(set);
        let members: Vec<_> = routes.iter().flat_map(|route| self.naive.seated(route.set)).collect();
        let some = |standing| members.iter().any(|member| self.naive.standing(member) == standing);
        match members.is_empty() {
            true => "no_such_set",
            _ if some(Standing::TooFast) => "too_fast",
            _ if some(Standing::Full) || some(Standing::Busy) => "full",
            _ => "all_down",
        }
    }

    fn next(&mut self, lease: Option<Lease>, answer: Result<DestinationId, NextError>, now: Time) {
        let Some(index) = self.call(lease, now) else {
            assert_eq!(answer, Err(NextError::NoSuchCall));
            return;
        };
        let call = self.naive.calls[index].clone();
        self.naive.prepare(call.set);
        let tried: Vec<_> = call.tried.iter().copied().chain([call.destination]).collect();
        let ask = Call { key: Some(&call.key), cost: call.cost, set: call.set, ..Call::new(&call.call_id) };
        let chosen = self.choose(&ask, call.route, &tried);
        let Some((route, seats)) = chosen.first() else {
            assert_eq!(answer, Err(NextError::Exhausted));
            return;
        };
        let destination = answer.unwrap();
        assert!(seats.contains(&self.naive.member(destination).unwrap().seat.unwrap()));
        self.naive.calls.remove(index);
        let (route, since) = (*route, self.naive.now);
        let moved =
            InProgress { tried, destination, route, since, confirmed: false, failed: false, ..call.clone() };
        self.naive.calls.push(moved);
        let at_work = self.naive.routes(call.set)[route].set;
        self.naive.busy_sets.insert(at_work);
        self.naive.count(destination, i64::from(call.cost));
        self.naive.release(&call);
        self.naive.stats.moved += 1;
    }

    fn fail(&mut self, lease: Option<Lease>, failure: Failure, answer: Result<Blame, FailError>, now: Time) {
        let Some(index) = self.call(lease, now) else {
            assert_eq!(answer, Err(FailError::NoSuchCall));
            return;
        };
        assert_eq!(answer, Ok(failure.blame()));
        let call = &mut self.naive.calls[index];
        if std::mem::replace(&mut call.failed, true) {
            return;
        }
        let destination = call.destination;
        self.naive.stats.failed += 1;
        match failure {
            Failure::Reply { code: 503, retry_after: Some(wait) } => self.busy(destination, wait),
            _ => self.naive.attempted(destination, failure.blame() == Blame::Destination),
        }
    }

    fn busy(&mut self, destination: DestinationId, wait: Duration) {
        let until = self.naive.now + wait.min(self.naive.config.health.max_retry_after);
        if let Some(member) = self.naive.member(destination).filter(|member| member.seat.is_some()) {
            member.busy_until = Some(until);
            self.naive.events.push(EventKind::Busy { destination, until });
        }
    }

    fn probe(&mut self, id: DestinationId, result: ProbeResult, answer: Result<(), ProbeError>, now: Time) {
        self.naive.advance(now);
        if self.naive.member(id).is_none_or(|member| member.seat.is_none()) {
            assert_eq!(answer, Err(ProbeError::NoSuchDestination));
            return;
        }
        if let ProbeResult::Reply { code: 503, retry_after: Some(wait) } = result {
            self.busy(id, wait);
        }
        let alive = matches!(
            result,
            ProbeResult::Reply { code: 200..=299, .. }
                | ProbeResult::Reply { code: 503, retry_after: Some(_) }
        );
        let member = self.naive.member(id).unwrap();
        let before = member.observed;
        member.successes = if alive && before == Observed::Inactive { member.successes + 1 } else { 0 };
        member.observed = match before {
            Observed::Inactive if member.successes < 2 => before,
            _ if alive => Observed::Active,
            Observed::Active => Observed::Trying(1),
            Observed::Trying(1) => Observed::Trying(2),
            _ => Observed::Inactive,
        };
        let observed = member.observed;
        if observed != before {
            self.naive.events.push(EventKind::Health { destination: id, observed });
        }
    }
}
