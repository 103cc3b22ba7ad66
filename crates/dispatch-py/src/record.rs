//! Answers as frozen dataclasses of `callsteer.records`.

use callsteer::replica::Heard;
use callsteer::{Capacity, Estimated, Observed, Reconciled, Stats, Status, Will};
use pyo3::prelude::*;

use crate::argument::seconds;

/// Makes a dataclass of a module from its fields.
macro_rules! record {
    ($py:expr, $module:literal, $class:literal { $($field:ident: $value:expr),* $(,)? }) => {{
        static CLASS: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::types::PyType>> = pyo3::sync::PyOnceLock::new();
        let fields = pyo3::types::PyDict::new($py);
        $(fields.set_item(pyo3::intern!($py, stringify!($field)), $value)?;)*
        CLASS.import($py, concat!("callsteer.", $module), $class)?.call((), Some(&fields))
    }};
}
pub(crate) use record;

pub(crate) fn status<'py>(py: Python<'py>, status: &Status) -> PyResult<Bound<'py, PyAny>> {
    let Status { set, standing, will, observed, busy_until, calls, load, elsewhere, placed, ejected, score } =
        *status;
    record!(py, "records", "Status" {
        set: set,
        standing: standing.as_str(),
        will: match will {
            Will::Enabled => "enabled",
            Will::Disabled => "disabled",
            Will::Draining => "draining",
        },
        observed: self::observed(observed).0,
        failed_probes: self::observed(observed).1,
        busy_until: busy_until.map(seconds),
        calls: calls,
        load: load,
        elsewhere: elsewhere,
        placed: placed,
        ejected: ejected,
        score: score,
    })
}

pub(crate) fn replica<'py>(py: Python<'py>, other: &Heard) -> PyResult<Bound<'py, PyAny>> {
    record!(py, "records", "Replica" {
        id: &other.id,
        epoch: other.epoch,
        at: seconds(other.at),
        lost: other.lost,
        calls: other.calls,
    })
}

pub(crate) fn stats<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyAny>> {
    record!(py, "records", "Stats" {
        calls: stats.calls,
        begun: stats.begun,
        repeated: stats.repeated,
        refused: stats.refused,
        refused_full: stats.refused_full,
        refused_all_down: stats.refused_all_down,
        refused_no_such_set: stats.refused_no_such_set,
        refused_tenant_full: stats.refused_tenant_full,
        refused_too_fast: stats.refused_too_fast,
        refused_invalid_call: stats.refused_invalid_call,
        confirmed: stats.confirmed,
        failed: stats.failed,
        moved: stats.moved,
        ended: stats.ended,
        expired: stats.expired,
        healed: stats.healed,
        adopted: stats.adopted,
        panics: stats.panics,
        reports: stats.reports,
        reports_refused: stats.reports_refused,
    })
}

pub(crate) fn capacity<'py>(py: Python<'py>, capacity: &Capacity) -> PyResult<Bound<'py, PyAny>> {
    let Capacity { usage, utilisation, desired } = capacity;
    record!(py, "records", "Capacity" {
        utilisation: *utilisation,
        desired: *desired,
        load: usage.load,
        capacity: usage.capacity,
        members: usage.members,
        slots: usage.slots,
        arrival_rate: usage.arrival_rate,
        mean_duration: usage.mean_duration.map(|mean| mean.as_secs_f64()),
        busiest: usage.busiest,
    })
}

pub(crate) fn reconciled<'py>(py: Python<'py>, done: Reconciled) -> PyResult<Bound<'py, PyAny>> {
    let Reconciled { healed, adopted, unknown } = done;
    record!(py, "records", "Reconciled" { healed: healed, adopted: adopted, unknown: unknown })
}

pub(crate) fn estimate<'py>(py: Python<'py>, estimate: &Estimated) -> PyResult<Bound<'py, PyAny>> {
    let Estimated { predicted, residual, load, age, trusted } = *estimate;
    record!(py, "records", "Estimate" {
        predicted: predicted,
        residual: residual,
        load: load,
        age: age.map(|age| age.as_secs_f64()),
        trusted: trusted,
    })
}

/// What probes observe: its name, and the failed probes in a row of one that is being tried.
pub(crate) const fn observed(observed: Observed) -> (&'static str, u32) {
    match observed {
        Observed::Active => ("active", 0),
        Observed::Trying(failed) => ("trying", failed),
        Observed::Inactive => ("inactive", 0),
    }
}
