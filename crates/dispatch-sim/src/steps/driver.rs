//! A dispatcher that does what steps say.

use std::collections::{HashMap, HashSet};
use std::iter::from_fn;

use callsteer::replica::Delta;
use callsteer::{
    Call, Config, ConfigError, DestinationId, Dispatcher, Event, EventKind, Lease, Placed, Plan, Time, erlang,
};
use serde_json::{Value, json};

use super::answers::{
    Before, BeforeRow, Stop, capacity, estimates, event_object, explanation, read_report, state,
};
use super::command::{Command, Handle, Reply};
use super::format::{Expected, Miss, Step, check_part, inventory, name, report, seconds, span, text};

/// A dispatcher, and by which names the steps know what is in it.
pub(crate) struct Driver {
    dispatcher: Dispatcher,
    now: Time,
    leases: HashMap<String, Lease>,
    calls: HashMap<Lease, String>,
    destinations: HashMap<String, DestinationId>,
    names: HashMap<DestinationId, String>,
    plan: Option<Plan>,
    /// The lease of a call that ended and was forgotten: every other such lease means as little.
    forgotten: Option<Lease>,
}

impl Driver {
    pub(crate) fn new(config: Config) -> Result<Self, ConfigError> {
        Ok(Self {
            dispatcher: Dispatcher::new(config)?,
            now: Time::ZERO,
            leases: HashMap::new(),
            calls: HashMap::new(),
            destinations: HashMap::new(),
            names: HashMap::new(),
            plan: None,
            forgotten: None,
        })
    }

    /// Does what a step says, and compares.
    pub(crate) fn step(&mut self, step: Step) -> Result<(), Miss> {
        let Step { command, expected } = step;
        self.time(&expected);
        let changes_names =
            matches!(command, Command::Add { .. } | Command::Update { .. } | Command::Apply {});
        let outcome = self.run(command);
        if changes_names {
            self.learn_names();
        }
        match outcome {
            Ok(got) => expected.check_gives(&got)?,
            Err(Stop::Refused { code, answer, says }) => expected.check_refused(code, &answer, &says)?,
            Err(Stop::Wrong(wrong)) => return Err(Miss::Unclear(wrong)),
        }
        self.check_state(&expected)?;
        self.forget();
        Ok(())
    }

    /// What is so before a step: each destination on the call's routes, or each one that there is, and
    /// where the call would go if the step begins one. The driver is of no use after that.
    pub(crate) fn explain(&mut self, step: &Step) -> Before {
        self.time(&step.expected);
        self.dispatcher.poll_event(self.now);
        let row = |id: DestinationId, route, key| {
            let name = self.names.get(&id).cloned().unwrap_or_default();
            self.dispatcher.status(id).map(|status| BeforeRow { route, name, status, key })
        };
        let Some(call) = step.command.call() else {
            let rows = self.dispatcher.iter().filter_map(|(id, ..)| row(id, None, None)).collect();
            return Before { outcome: None, rows };
        };
        let explained = self.dispatcher.explain(&call);
        let rows = explained.rows.iter();
        let rows = rows.filter_map(|at| row(at.destination, Some(at.route), at.key)).collect();
        let outcome = match explained.outcome {
            Ok(to) => Ok(self.names.get(&to).cloned().unwrap_or_default()),
            Err(error) => Err(error.to_string()),
        };
        Before { outcome: Some(outcome), rows }
    }

    fn time(&mut self, expected: &Expected) {
        if let Some(at) = expected.at {
            self.now = Time::ZERO + span(at);
        }
    }

    fn learn_names(&mut self) {
        for (id, destination, status) in self.dispatcher.iter() {
            let name = name(status.set, &destination.id);
            self.destinations.insert(name.clone(), id);
            self.names.insert(id, name);
        }
    }

    fn check_state(&self, expected: &Expected) -> Result<(), Miss> {
        for (who, wanted) in &expected.state {
            let status = self.destinations.get(who).and_then(|id| self.dispatcher.status(*id));
            let got = status.map_or(Value::Null, state);
            check_part(&format!("state of {who}"), wanted, &got)?;
        }
        let stats = self.dispatcher.stats();
        if !expected.stats.is_empty() {
            let got = serde_json::to_value(stats).map_err(text)?;
            check_part("stats", &Value::Object(expected.stats.clone()), &got)?;
        }
        // Whatever happens, every call is somewhere, or has ended.
        let there: u32 = self.dispatcher.iter().map(|(_, _, status)| status.calls).sum();
        let conserved = stats.begun + stats.adopted
            == u64::from(stats.calls) + stats.ended + stats.expired + stats.healed;
        if conserved && there == stats.calls {
            Ok(())
        } else {
            Err(format!("{there} calls, but {stats:?}").into())
        }
    }

    /// Forgets names of calls that ended, where they are many: a log may be longer than memory.
    fn forget(&mut self) {
        let in_progress = self.dispatcher.stats().calls as usize;
        if self.calls.len() <= 2 * in_progress + MAX_ENDED {
            return;
        }
        let mut ahead = self.dispatcher.clone();
        let expired: HashSet<_> = from_fn(|| ahead.poll_event(self.now))
            .filter_map(|event| match event.kind {
                EventKind::Expired { lease, .. } => Some(lease),
                _ => None,
            })
            .collect();
        let (dispatcher, forgotten) = (&self.dispatcher, &mut self.forgotten);
        self.calls.retain(|lease, _| {
            let stays = dispatcher.destination_of(*lease).is_some() || expired.contains(lease);
            if !stays {
                *forgotten = Some(*lease);
            }
            stays
        });
        let calls = &self.calls;
        self.leases.retain(|_, lease| calls.contains_key(lease));
    }

    fn run(&mut self, command: Command) -> Result<Value, Stop> {
        let (dispatcher, now) = (&mut self.dispatcher, self.now);
        let who = |name: String| -> Result<DestinationId, Stop> {
            self.destinations.get(&name).copied().ok_or(Stop::Wrong(format!("{name} was never there")))
        };
        let lease = |handle: Handle| match handle {
            Handle::Call(call) => {
                let known = self.leases.get(&call).copied().or(self.forgotten);
                known.ok_or(format!("{call} was never begun"))
            }
            Handle::Number(number) => Lease::from_u64(number).ok_or(format!("{number} cannot be a lease")),
        };
        let named = |id: DestinationId| json!(self.names.get(&id));
        let to = |destination, panic| match panic {
            true => json!({ "to": named(destination), "panic": true }),
            false => named(destination),
        };
        let placed_to = |placed: Placed| to(placed.destination, placed.panic);
        Ok(match command {
            Command::New { config } => {
                *self = Self { now, ..Self::new(*config)? };
                Value::Null
            }
            Command::Add { set, destination } => {
                dispatcher.add(set.unwrap_or(1), destination, now)?;
                Value::Null
            }
            Command::Update { who: id, destination } => {
                json!(dispatcher.update(who(id)?, destination, now)?)
            }
            Command::Remove { who: id } => json!(dispatcher.remove(who(id)?, now)?),
            Command::SetEnabled { who: id, enabled } => {
                json!(dispatcher.set_enabled(who(id)?, enabled, now)?)
            }
            Command::Drain { who: id, deadline } => {
                json!(dispatcher.drain(who(id)?, deadline.map(span), now)?)
            }
            Command::Plan { list } => {
                let plan = self.plan.insert(dispatcher.plan(&list)?);
                json!(plan.to_string().lines().collect::<Vec<_>>())
            }
            Command::Apply {} => {
                let plan = self.plan.take().ok_or(String::from("there is no plan"))?;
                json!(dispatcher.apply(plan, now)?)
            }
            Command::Begin(ask) => {
                let placed = dispatcher.begin(&ask.call(), now)?;
                if let Some(other) = self.calls.insert(placed.lease, ask.call.clone()) {
                    return Err(format!("has the lease that {other} had").into());
                }
                self.leases.insert(ask.call, placed.lease);
                placed_to(placed)
            }
            Command::Repeat(ask) => {
                let placed = dispatcher.begin(&ask.call(), now)?;
                if self.leases.get(&ask.call) != Some(&placed.lease) {
                    return Err(String::from("has another lease than before").into());
                }
                placed_to(placed)
            }
            Command::Pick(ask) => {
                let picked = dispatcher.pick(&ask.call(), now)?;
                to(picked.destination, picked.panic)
            }
            Command::Explain(ask) => explanation(dispatcher.explain(&ask.call()), named),
            Command::Estimates(ask) => estimates(dispatcher.explain(&ask.call()), named),
            Command::Picks { calls, replies } => {
                let mut picks = Vec::new();
                let mut replies = replies.into_iter().flatten();
                for call in calls {
                    let placed = dispatcher.begin(&Call::new(call.as_bytes()), now)?;
                    picks.push(placed_to(placed));
                    match replies.next() {
                        Some(Reply::Code(200)) => dispatcher.confirm(placed.lease, now)?,
                        Some(reply) => drop(dispatcher.fail(placed.lease, reply.failure(None), now)?),
                        None => {}
                    }
                    dispatcher.end(placed.lease, now);
                }
                json!(picks)
            }
            Command::Confirm { call } => json!(dispatcher.confirm(lease(call)?, now)?),
            Command::Fail { call, reply, retry_after } => {
                json!(dispatcher.fail(lease(call)?, reply.failure(retry_after), now)?)
            }
            Command::Next { call } => placed_to(dispatcher.next(lease(call)?, now)?),
            Command::End { call } => json!(dispatcher.end(lease(call)?, now)),
            Command::ConfirmCall { call } => json!(dispatcher.confirm_call(call.as_bytes(), now)?),
            Command::FailCall { call, reply, retry_after } => {
                json!(dispatcher.fail_call(call.as_bytes(), reply.failure(retry_after), now)?)
            }
            Command::NextCall { call } => placed_to(dispatcher.next_call(call.as_bytes(), now)?),
            Command::EndCall { call } => json!(dispatcher.end_call(call.as_bytes(), now)),
            Command::ProbeResult { who: id, reply, retry_after } => {
                json!(dispatcher.probe_result(who(id)?, reply.probe_result(retry_after), now)?)
            }
            Command::Report { who: id, report: said } => {
                json!(dispatcher.report(who(id)?, report(said)?, now)?)
            }
            Command::Reconcile { who: id, calls, count } => {
                let there: Vec<_> = calls.iter().flatten().map(String::as_bytes).collect();
                let done = dispatcher.reconcile(who(id)?, inventory(&there, count), now)?;
                for call in calls.into_iter().flatten() {
                    // One that was adopted has a lease that nobody was given.
                    if let Some(lease) = dispatcher.call_of(call.as_bytes()) {
                        self.calls.insert(lease, call.clone());
                        self.leases.insert(call, lease);
                    }
                }
                json!(done)
            }
            Command::ReadReport { form, text } => read_report(form, &text)?,
            Command::Score { resources, measured } => {
                resources.check()?;
                json!(resources.score(measured.iter().map(|(name, value)| (name.as_str(), *value)))?)
            }
            Command::Capacity { set } => json!(dispatcher.capacity(set.unwrap_or(1)).map(capacity)),
            Command::DrainCandidates { set, count } => {
                let first = dispatcher.drain_candidates(set.unwrap_or(1), count);
                first.into_iter().map(named).collect()
            }
            Command::Blocking { erlangs, slots } => json!(erlang::blocking(erlangs, slots)),
            Command::SlotsFor { erlangs, target } => json!(erlang::slots_for(erlangs, target)),
            Command::PollProbes {} => {
                let probes = from_fn(|| dispatcher.poll_probe(now));
                let mut names: Vec<_> = probes.map(|probe| self.names.get(&probe.destination)).collect();
                names.sort_unstable();
                json!(names)
            }
            Command::PollEvents {} => {
                let event = |event: Event| event_object(event, &self.calls, named);
                from_fn(|| dispatcher.poll_event(now)).map(event).collect()
            }
            Command::NextDeadline {} => json!(dispatcher.next_deadline().map(seconds)),
            Command::DestinationOf { call } => {
                json!(dispatcher.destination_of(lease(call)?).map(named))
            }
            Command::CallOf { call } => {
                json!(dispatcher.call_of(call.as_bytes()).map(|lease| self.calls.get(&lease)))
            }
            Command::TenantCalls { tenant } => json!(dispatcher.tenant_calls(&tenant)),
            Command::Delta { full } => json!(dispatcher.delta(full.unwrap_or(false), now)),
            Command::Merge { delta } => json!(dispatcher.merge(&Delta::from_json(&delta.to_string())?, now)),
            Command::Replicas {} => {
                dispatcher.replicas().map(|other| json!([other.id, other.lost, other.calls])).collect()
            }
        })
    }
}

/// Names of ended calls that are kept at least, as a step may name a call that ended.
const MAX_ENDED: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    fn step(driver: &mut Driver, step: Value) {
        driver.step(serde_json::from_value(step).unwrap()).unwrap();
    }

    #[test]
    fn calls_that_ended_long_ago_are_forgotten_and_still_mean_nothing() {
        let mut driver = Driver::new(Config::default()).unwrap();
        step(&mut driver, json!({ "do": "add", "destination": { "uri": "a" } }));
        step(&mut driver, json!({ "do": "begin", "call": "expires", "gives": "a" }));
        step(
            &mut driver,
            json!({ "do": "poll_events", "at": 60, "gives": [
            { "at": 0, "event": "added", "who": "a" },
            { "at": 60, "event": "expired", "who": "a", "call": "expires", "confirmed": false },
        ] }),
        );
        step(&mut driver, json!({ "do": "begin", "call": "expires too", "gives": "a" }));
        step(&mut driver, json!({ "do": "begin", "at": 100, "call": "stays", "gives": "a" }));
        step(&mut driver, json!({ "do": "confirm", "call": "stays" }));
        for call in 0..=MAX_ENDED {
            let call = call.to_string();
            step(&mut driver, json!({ "do": "begin", "at": 121, "call": call, "gives": "a" }));
            step(&mut driver, json!({ "do": "end", "call": call, "gives": true }));
        }
        assert!(driver.calls.len() < 10 && driver.leases.len() < 10, "{} names", driver.calls.len());
        step(&mut driver, json!({ "do": "end", "call": "0", "gives": false }));
        step(&mut driver, json!({ "do": "confirm", "call": "1", "error": "no_such_call" }));
        step(
            &mut driver,
            json!({ "do": "poll_events", "gives": [
            { "at": 120, "event": "expired", "who": "a", "call": "expires too", "confirmed": false },
        ] }),
        );
        step(&mut driver, json!({ "do": "end", "call": "stays", "gives": true }));
    }
}
