//! What a dispatcher says, as JavaScript names it: camelCase, times in milliseconds.

use std::time::Duration;

use callsteer::replica::Heard;
use callsteer::{
    BeginError, Capacity, Cause, Change, Destination, DestinationId, Dispatcher, Event, EventKind,
    Explanation, Plan, Row, ScaleEvent, Status, Time,
};
use serde_json::{Value, json};

/// A destination: its key, and everything that its owner said of it.
pub(crate) fn destination(dispatcher: &Dispatcher, id: DestinationId) -> Option<Value> {
    let (destination, status) = (dispatcher.destination(id)?, dispatcher.status(id)?);
    Some(described(id, status.set, destination))
}

pub(crate) fn described(id: DestinationId, set: u32, destination: &Destination) -> Value {
    let mut described = description(destination);
    described["key"] = json!(id.to_u64());
    described["set"] = json!(set);
    described
}

/// What the owner of a destination says of it.
pub(crate) fn description(destination: &Destination) -> Value {
    let Destination { uri, id, weight, max_calls, max_rate, priority, probing, starts, attrs } = destination;
    json!({
        "uri": uri, "id": id, "weight": weight, "maxCalls": max_calls, "maxRate": max_rate,
        "priority": priority, "probing": probing, "starts": starts, "attrs": attrs,
    })
}

pub(crate) fn status(status: &Status) -> Value {
    json!({
        "set": status.set, "standing": status.standing, "will": status.will,
        "observed": status.observed, "busyUntil": status.busy_until.map(instant), "calls": status.calls, "load": status.load,
        "elsewhere": status.elsewhere,
        "placed": status.placed, "ejected": status.ejected, "score": status.score,
    })
}

pub(crate) fn replica(other: &Heard) -> Value {
    json!({
        "id": other.id, "epoch": other.epoch, "at": instant(other.at), "lost": other.lost, "calls": other.calls,
    })
}

pub(crate) fn explanation(explained: &Explanation) -> Value {
    let rows: Vec<_> = explained.rows.iter().map(row).collect();
    let (to, refused) = match &explained.outcome {
        Ok(destination) => (Some(destination.to_u64()), None),
        Err(error) => (None, Some(refused(error))),
    };
    json!({ "destination": to, "refused": refused, "rows": rows })
}

fn refused(error: &BeginError) -> Value {
    let (status, seconds) = error.answer();
    json!({ "code": error.code(), "message": error.to_string(), "status": status, "retryAfterSeconds": seconds })
}

fn row(row: &Row) -> Value {
    let estimate = row.estimate;
    json!({
        "route": row.route, "algorithm": row.algorithm, "destination": row.destination.to_u64(),
        "standing": row.standing, "key": row.key,
        "estimate": {
            "predicted": estimate.predicted, "residual": estimate.residual, "load": estimate.load,
            "age": estimate.age.map(millis), "trusted": estimate.trusted,
        },
    })
}

pub(crate) fn capacity(capacity: &Capacity) -> Value {
    let Capacity { usage, utilisation, desired } = capacity;
    json!({
        "load": usage.load, "capacity": usage.capacity, "members": usage.members, "slots": usage.slots,
        "arrivalRate": usage.arrival_rate, "meanDuration": usage.mean_duration.map(millis),
        "busiest": usage.busiest, "utilisation": utilisation, "desired": desired,
    })
}

pub(crate) fn plan(plan: &Plan) -> Value {
    let changes: Vec<_> = plan.changes().iter().map(change).collect();
    json!({ "changes": changes, "kept": plan.kept(), "text": plan.to_string() })
}

fn change(change: &Change) -> Value {
    match change {
        Change::Add { set, destination } => {
            json!({ "kind": "add", "set": set, "id": destination.id, "to": description(destination) })
        }
        Change::Update { set, from, to, .. } => json!({
            "kind": "update", "set": set, "id": to.id, "from": description(from), "to": description(to),
        }),
        Change::Remove { set, name, calls, .. } => {
            json!({ "kind": "remove", "set": set, "id": name, "calls": calls })
        }
        other => json!({ "kind": format!("{other:?}") }),
    }
}

pub(crate) fn event(event: &Event) -> Value {
    let (kind, mut said) = match &event.kind {
        EventKind::Added { destination, set, id } => ("added", joined(*destination, *set, id)),
        EventKind::Removed { destination, set, id } => ("removed", joined(*destination, *set, id)),
        EventKind::Health { destination, observed } => {
            ("health", json!({ "destination": destination.to_u64(), "observed": observed }))
        }
        EventKind::Busy { destination, until } => {
            ("busy", json!({ "destination": destination.to_u64(), "until": instant(*until) }))
        }
        EventKind::Ejected { destination, cause: why, until } => (
            "ejected",
            json!({ "destination": destination.to_u64(), "cause": cause(*why), "until": instant(*until) }),
        ),
        EventKind::Returned { destination } => ("returned", json!({ "destination": destination.to_u64() })),
        EventKind::CommonCause { set, failing, of } => {
            ("common_cause", json!({ "set": set, "failing": failing, "of": of }))
        }
        EventKind::Trust { destination, trusted } => {
            ("trust", json!({ "destination": destination.to_u64(), "trusted": trusted }))
        }
        EventKind::Scale { set, to } => {
            let (to, desired) = match to {
                ScaleEvent::Up { desired } => ("up", desired),
                ScaleEvent::Down { desired } => ("down", desired),
            };
            ("scale", json!({ "set": set, "to": to, "desired": desired }))
        }
        EventKind::Drained { destination, left } => {
            ("drained", json!({ "destination": destination.to_u64(), "left": left }))
        }
        EventKind::Expired { lease, destination, confirmed } => (
            "expired",
            json!({
                "lease": lease.to_u64(), "destination": destination.to_u64(), "confirmed": confirmed,
            }),
        ),
        EventKind::Lost { count } => ("lost", json!({ "count": count })),
        other => ("other", json!({ "text": format!("{other:?}") })),
    };
    said["kind"] = json!(kind);
    said["at"] = json!(instant(event.at));
    said
}

fn joined(destination: DestinationId, set: u32, id: &str) -> Value {
    json!({ "destination": destination.to_u64(), "set": set, "id": id })
}

fn cause(cause: Cause) -> Value {
    match cause {
        Cause::InARow(failed) => json!({ "inARow": failed }),
        Cause::Share { failed, of } => json!({ "share": { "failed": failed, "of": of } }),
    }
}

pub(crate) fn instant(time: Time) -> f64 {
    time.as_micros() as f64 / 1e3
}

pub(crate) fn millis(span: Duration) -> f64 {
    span.as_nanos() as f64 / 1e6
}
