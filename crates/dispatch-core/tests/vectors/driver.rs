//! A dispatcher that does what a vector says.

use std::collections::HashMap;
use std::iter::from_fn;

use callsteer::{
    AddError, BeginError, Call, Config, ConfigError, DestinationId, Dispatcher, Event, EventKind,
    Explanation, FailError, Lease, NextError, NoSuchCall, NoSuchDestination, Plan, PlanError, ProbeError,
    StalePlan, Status, Time, UpdateError,
};
use serde_json::{Value, json};

use crate::format::{Command, Expected, Handle, Step, check_part, name, seconds, span, text};

/// A dispatcher, and by which names the vector knows what is in it.
pub(crate) struct Driver {
    dispatcher: Dispatcher,
    now: Time,
    leases: HashMap<String, Lease>,
    calls: HashMap<Lease, String>,
    destinations: HashMap<String, DestinationId>,
    names: HashMap<DestinationId, String>,
    plan: Option<Plan>,
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
        })
    }

    pub(crate) fn step(&mut self, step: Step) -> Result<(), String> {
        let Step { command, expected } = step;
        if let Some(at) = expected.at {
            self.now = Time::ZERO + span(at);
        }
        let outcome = self.run(command);
        for (id, destination, status) in self.dispatcher.iter() {
            let name = name(status.set, &destination.id);
            self.destinations.insert(name.clone(), id);
            self.names.insert(id, name);
        }
        match outcome {
            Ok(got) => expected.check_gives(&got)?,
            Err(Stop::Refused { code, answer, says }) => expected.check_refused(code, &answer, &says)?,
            Err(Stop::Wrong(wrong)) => return Err(wrong),
        }
        self.check_state(&expected)
    }

    fn check_state(&self, expected: &Expected) -> Result<(), String> {
        for (who, wanted) in &expected.state {
            let status = self.destinations.get(who).and_then(|id| self.dispatcher.status(*id));
            let got = status.map_or(Value::Null, state);
            check_part(wanted, &got).map_err(|wrong| format!("state of {who}: {wrong}"))?;
        }
        let stats = self.dispatcher.stats();
        let got = serde_json::to_value(stats).map_err(text)?;
        check_part(&Value::Object(expected.stats.clone()), &got)?;
        // Whatever happens, every call is somewhere, or has ended.
        let there: u32 = self.dispatcher.iter().map(|(_, _, status)| status.calls).sum();
        let conserved = stats.begun == u64::from(stats.calls) + stats.ended + stats.expired;
        if conserved && there == stats.calls { Ok(()) } else { Err(format!("{there} calls, but {got}")) }
    }

    fn run(&mut self, command: Command) -> Result<Value, Stop> {
        let (dispatcher, now) = (&mut self.dispatcher, self.now);
        let who = |name: String| -> Result<DestinationId, Stop> {
            self.destinations.get(&name).copied().ok_or(Stop::Wrong(format!("{name} was never there")))
        };
        let lease = |handle: Handle| match handle {
            Handle::Call(call) => self.leases.get(&call).copied().ok_or(format!("{call} was never begun")),
            Handle::Number(number) => Lease::from_u64(number).ok_or(format!("{number} cannot be a lease")),
        };
        let named = |id: DestinationId| json!(self.names.get(&id));
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
                let to = named(placed.destination);
                if let Some(other) = self.calls.insert(placed.lease, ask.call.clone()) {
                    return Err(format!("has the lease that {other} had").into());
                }
                self.leases.insert(ask.call, placed.lease);
                to
            }
            Command::Repeat(ask) => {
                let placed = dispatcher.begin(&ask.call(), now)?;
                if self.leases.get(&ask.call) != Some(&placed.lease) {
                    return Err(String::from("has another lease than before").into());
                }
                named(placed.destination)
            }
            Command::Explain(ask) => explanation(dispatcher.explain(&ask.call()), named),
            Command::Picks { calls } => {
                let mut picks = Vec::new();
                for call in calls {
                    let placed = dispatcher.begin(&Call::new(call.as_bytes()), now)?;
                    picks.push(named(placed.destination));
                    dispatcher.end(placed.lease, now);
                }
                json!(picks)
            }
            Command::Confirm { call } => json!(dispatcher.confirm(lease(call)?, now)?),
            Command::Fail { call, reply, retry_after } => {
                json!(dispatcher.fail(lease(call)?, reply.failure(retry_after), now)?)
            }
            Command::Next { call } => named(dispatcher.next(lease(call)?, now)?.destination),
            Command::End { call } => json!(dispatcher.end(lease(call)?, now)),
            Command::ConfirmCall { call } => json!(dispatcher.confirm_call(call.as_bytes(), now)?),
            Command::FailCall { call, reply, retry_after } => {
                json!(dispatcher.fail_call(call.as_bytes(), reply.failure(retry_after), now)?)
            }
            Command::NextCall { call } => named(dispatcher.next_call(call.as_bytes(), now)?.destination),
            Command::EndCall { call } => json!(dispatcher.end_call(call.as_bytes(), now)),
            Command::ProbeResult { who: id, reply, retry_after } => {
                json!(dispatcher.probe_result(who(id)?, reply.probe_result(retry_after), now)?)
            }
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
        })
    }
}

/// Why a command gave nothing: it was refused, or the vector cannot hold.
enum Stop {
    Refused { code: &'static str, answer: Value, says: String },
    Wrong(String),
}

impl From<String> for Stop {
    fn from(wrong: String) -> Self {
        Self::Wrong(wrong)
    }
}

impl From<BeginError> for Stop {
    fn from(error: BeginError) -> Self {
        Self::Refused { code: error.code(), answer: json!(error.answer()), says: error.to_string() }
    }
}

macro_rules! refusals {
    ($($error:ty),+) => {
        $(impl From<$error> for Stop {
            fn from(error: $error) -> Self {
                Self::Refused { code: error.code(), answer: Value::Null, says: error.to_string() }
            }
        })+
    };
}

refusals!(AddError, ConfigError, FailError, NextError, NoSuchCall, NoSuchDestination);
refusals!(PlanError, ProbeError, StalePlan, UpdateError);

fn state(status: Status) -> Value {
    json!({
        "standing": status.standing.as_str(), "will": status.will, "observed": status.observed,
        "busy_until": status.busy_until.map(seconds), "calls": status.calls, "load": status.load,
    })
}

fn explanation(explained: Explanation, named: impl Fn(DestinationId) -> Value) -> Value {
    let row = |row: &callsteer::Row| json!([row.route, named(row.destination), row.standing, row.key]);
    let rows: Vec<_> = explained.rows.iter().map(row).collect();
    match explained.outcome {
        Ok(destination) => json!({ "to": named(destination), "rows": rows }),
        Err(error) => json!({ "error": error.code(), "rows": rows }),
    }
}

fn event_object(
    event: Event,
    calls: &HashMap<Lease, String>,
    named: impl Fn(DestinationId) -> Value,
) -> Value {
    let at = seconds(event.at);
    match event.kind {
        EventKind::Added { set, id, .. } => json!({ "at": at, "event": "added", "who": name(set, &id) }),
        EventKind::Removed { set, id, .. } => json!({ "at": at, "event": "removed", "who": name(set, &id) }),
        EventKind::Health { destination, observed } => {
            json!({ "at": at, "event": "health", "who": named(destination), "observed": observed })
        }
        EventKind::Busy { destination, until } => {
            json!({ "at": at, "event": "busy", "who": named(destination), "until": seconds(until) })
        }
        EventKind::Drained { destination, left } => {
            json!({ "at": at, "event": "drained", "who": named(destination), "left": left })
        }
        EventKind::Expired { lease, destination, confirmed } => json!({
            "at": at, "event": "expired", "who": named(destination), "call": calls.get(&lease),
            "confirmed": confirmed,
        }),
        EventKind::Lost { count } => json!({ "at": at, "event": "lost", "count": count }),
        other => json!(format!("{other:?}")),
    }
}
