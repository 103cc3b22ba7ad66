//! Events as the dataclasses of `callsteer.events`.

use callsteer::{Cause, DestinationId, Event, EventKind, ScaleEvent};
use pyo3::prelude::*;

use crate::argument::seconds;
use crate::destination::Destination;
use crate::error::refused;
use crate::record::{observed, record};

/// Which destination an event is about.
pub(crate) const fn whose(event: &Event) -> Option<DestinationId> {
    match &event.kind {
        EventKind::Added { destination, .. }
        | EventKind::Removed { destination, .. }
        | EventKind::Health { destination, .. }
        | EventKind::Busy { destination, .. }
        | EventKind::Ejected { destination, .. }
        | EventKind::Returned { destination }
        | EventKind::Trust { destination, .. }
        | EventKind::Drained { destination, .. }
        | EventKind::Expired { destination, .. } => Some(*destination),
        _ => None,
    }
}

/// The event; `who` is the destination that it is about.
pub(crate) fn record<'py>(
    py: Python<'py>,
    event: &Event,
    who: Option<Py<Destination>>,
) -> PyResult<Bound<'py, PyAny>> {
    let at = seconds(event.at);
    match &event.kind {
        EventKind::Added { .. } => record!(py, "events", "Added" { at: at, destination: who }),
        EventKind::Removed { .. } => record!(py, "events", "Removed" { at: at, destination: who }),
        EventKind::Health { observed: now, .. } => record!(py, "events", "Health" {
            at: at, destination: who, observed: observed(*now).0, failed_probes: observed(*now).1,
        }),
        EventKind::Busy { until, .. } => {
            record!(py, "events", "Busy" { at: at, destination: who, until: seconds(*until) })
        }
        EventKind::Ejected { cause, until, .. } => {
            let (cause, failed, of) = match *cause {
                Cause::InARow(failed) => ("in_a_row", failed, failed),
                Cause::Share { failed, of } => ("share", failed, of),
            };
            record!(py, "events", "Ejected" {
                at: at, destination: who, cause: cause, failed: failed, of: of, until: seconds(*until),
            })
        }
        EventKind::Returned { .. } => record!(py, "events", "Returned" { at: at, destination: who }),
        EventKind::CommonCause { set, failing, of } => {
            record!(py, "events", "CommonCause" { at: at, set: *set, failing: *failing, of: *of })
        }
        EventKind::Trust { trusted, .. } => {
            record!(py, "events", "Trust" { at: at, destination: who, trusted: *trusted })
        }
        EventKind::Scale { set, to } => {
            let (to, desired) = match *to {
                ScaleEvent::Up { desired } => ("up", desired),
                ScaleEvent::Down { desired } => ("down", desired),
            };
            record!(py, "events", "Scale" { at: at, set: *set, to: to, desired: desired })
        }
        EventKind::Drained { left, .. } => {
            record!(py, "events", "Drained" { at: at, destination: who, left: *left })
        }
        EventKind::Expired { lease, confirmed, .. } => record!(py, "events", "Expired" {
            at: at, destination: who, lease: lease.to_u64(), confirmed: *confirmed,
        }),
        EventKind::Lost { count } => record!(py, "events", "Lost" { at: at, count: *count }),
        other => Err(refused(py, "", &format!("an event of an unknown kind: {other:?}"))),
    }
}
