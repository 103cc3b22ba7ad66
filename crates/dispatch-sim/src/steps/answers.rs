//! What a dispatcher gives, as a step writes it.

use std::collections::{BTreeMap, HashMap};

use callsteer::{
    AddError, AgentCheck, BeginError, Capacity, ConfigError, DeltaError, DestinationId, Event, EventKind,
    Explanation, FailError, Heartbeat, Lease, NextError, NoSuchCall, NoSuchDestination, Orca, PlanError,
    ProbeError, ReadError, Report, ReportError, ScaleEvent, ScoreError, StalePlan, Status, UpdateError,
};
use serde_json::{Value, json};

use super::command::Form;
use super::format::{name, seconds};

/// Why a command gave nothing: it was refused, or the step cannot hold.
pub(crate) enum Stop {
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

refusals!(AddError, ConfigError, DeltaError, FailError, NextError, NoSuchCall, NoSuchDestination);
refusals!(PlanError, ProbeError, ReadError, ReportError, ScoreError, StalePlan, UpdateError);

pub(crate) fn state(status: Status) -> Value {
    json!({
        "standing": status.standing.as_str(), "will": status.will, "observed": status.observed,
        "busy_until": status.busy_until.map(seconds), "calls": status.calls, "load": status.load,
        "elsewhere": status.elsewhere,
    })
}

pub(crate) fn explanation(explained: Explanation, named: impl Fn(DestinationId) -> Value) -> Value {
    let row = |row: &callsteer::Row| json!([row.route, named(row.destination), row.standing, row.key]);
    let rows: Vec<_> = explained.rows.iter().map(row).collect();
    match explained.outcome {
        Ok(destination) => json!({ "to": named(destination), "rows": rows }),
        Err(error) => json!({ "error": error.code(), "rows": rows }),
    }
}

/// What is known of the load of every destination, by name.
pub(crate) fn estimates(explained: Explanation, named: impl Fn(DestinationId) -> Value) -> Value {
    let mut estimates = json!({});
    for row in explained.rows {
        let estimate = row.estimate;
        estimates[named(row.destination).as_str().unwrap_or_default()] = json!({
            "predicted": estimate.predicted, "residual": estimate.residual, "load": estimate.load,
            "age": estimate.age.map(|age| age.as_secs_f64()), "trusted": estimate.trusted,
        });
    }
    estimates
}

/// The fields of a report that are there, and what the text said besides.
pub(crate) fn read_report(form: Form, text: &str) -> Result<Value, ReadError> {
    let (report, besides) = match form {
        Form::Orca => metrics(Orca::parse(text)?),
        Form::OrcaBin => metrics(Orca::from_base64(text)?),
        Form::AgentCheck => {
            let answer = AgentCheck::parse(text.as_bytes())?;
            let operational = answer.operational.map(|found| format!("{found:?}").to_lowercase());
            let unknown = answer.unknown.as_ref().map(|unknown| json!([unknown.word, unknown.column]));
            let description = &answer.description;
            let besides =
                json!({ "operational": operational, "description": description, "unknown": unknown });
            (answer.report(), besides)
        }
        Form::Heartbeat => (Heartbeat::from_plain(text)?.report(), json!({})),
        Form::HeartbeatJson => (Heartbeat::from_json(text)?.report(), json!({})),
        Form::Json => (Report::from_json(text)?, json!({})),
    };
    let both = [json!(report), besides].into_iter().filter_map(|said| said.as_object().cloned()).flatten();
    Ok(both.filter(|(_, value)| !value.is_null()).collect())
}

fn metrics(orca: Orca) -> (Report, Value) {
    (orca.report(), json!({ "metrics": orca.iter().collect::<BTreeMap<_, _>>() }))
}

pub(crate) fn event_object(
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
        EventKind::Ejected { destination, cause, until } => json!({
            "at": at, "event": "ejected", "who": named(destination), "cause": cause, "until": seconds(until),
        }),
        EventKind::Returned { destination } => {
            json!({ "at": at, "event": "returned", "who": named(destination) })
        }
        EventKind::CommonCause { set, failing, of } => {
            json!({ "at": at, "event": "common_cause", "set": set, "failing": failing, "of": of })
        }
        EventKind::Trust { destination, trusted } => {
            json!({ "at": at, "event": "trust", "who": named(destination), "trusted": trusted })
        }
        EventKind::Scale { set, to } => {
            let (way, desired) = match to {
                ScaleEvent::Up { desired } => ("up", desired),
                ScaleEvent::Down { desired } => ("down", desired),
            };
            json!({ "at": at, "event": "scale", "set": set, "to": way, "desired": desired })
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

pub(crate) fn capacity(capacity: Capacity) -> Value {
    let Capacity { usage, utilisation, desired } = capacity;
    json!({
        "load": usage.load, "capacity": usage.capacity, "members": usage.members, "slots": usage.slots,
        "busiest": usage.busiest, "utilisation": utilisation, "desired": desired,
    })
}

/// What is so before a step.
pub(crate) struct Before {
    /// Where the call would go, or why nowhere; `None` where the step begins no call.
    pub(crate) outcome: Option<Result<String, String>>,
    pub(crate) rows: Vec<BeforeRow>,
}

/// One destination before a step.
pub(crate) struct BeforeRow {
    pub(crate) route: Option<u8>,
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) key: Option<f64>,
}
