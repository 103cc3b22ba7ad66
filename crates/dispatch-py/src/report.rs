//! What bridges say of their load, in the forms in which they say it.

use std::collections::BTreeMap;

use callsteer::{AgentCheck, AgentWeight, Algorithm, Heartbeat, Orca, Report, Resources, Time};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::argument::{Seconds, Text, Whole, seconds};
use crate::error::Refusal;
use crate::record::record;
use crate::written;

/// A `callsteer.Report`.
pub(crate) struct Reported(pub(crate) Report);

impl<'a, 'py> FromPyObject<'a, 'py> for Reported {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        if !given.is_instance(CLASS.import(given.py(), "callsteer.records", "Report")?)? {
            let kind = given.get_type().name()?;
            return Err(PyTypeError::new_err(format!("must be a callsteer.Report, not {kind}")));
        }
        Ok(Self(Report {
            score: field(given, "score")?,
            active_calls: field(given, "active_calls")?.map(|Whole(calls)| calls),
            measured_at: field(given, "measured_at")?.map(|at: Seconds| at.time()),
            sequence: field(given, "sequence")?.map(|Whole(sequence)| sequence),
            sustained: field(given, "sustained")?,
            capacity: field(given, "capacity")?.map(|Whole(capacity)| capacity),
            draining: field(given, "draining")?,
        }))
    }
}

/// A field; what is wrong with it says which one it is.
fn field<T>(given: Borrowed<'_, '_, PyAny>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>,
{
    given.getattr(name)?.extract().map_err(|error: PyErr| {
        let message = format!("{name}: {}", error.value(given.py()));
        PyErr::from_type(error.get_type(given.py()), message)
    })
}

/// Reads a report in Callsteer's own JSON: an object of the fields of `Report`.
///
/// Raises:
///     UnreadableReport: not JSON, an unknown field, or a value of another kind; says where.
#[pyfunction]
pub(crate) fn read_report<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    report(py, &Report::from_json(text).map_err(|error| error.raise(py))?)
}

/// Reads the value of a header `endpoint-load-metrics` (ORCA): TEXT, JSON or BIN. Gives an `Orca`.
///
/// Raises:
///     UnreadableReport: another form, or a metric without a name or a finite value; says where.
#[pyfunction]
pub(crate) fn read_orca<'py>(py: Python<'py>, header: &str) -> PyResult<Bound<'py, PyAny>> {
    orca(py, &Orca::parse(header).map_err(|error| error.raise(py))?)
}

/// Reads the value of a header `endpoint-load-metrics-bin` (ORCA): a message in Base64. Gives an `Orca`.
///
/// Raises:
///     UnreadableReport: not Base64, or not such a message; says where.
#[pyfunction]
pub(crate) fn read_orca_bin<'py>(py: Python<'py>, value: &str) -> PyResult<Bound<'py, PyAny>> {
    orca(py, &Orca::from_base64(value).map_err(|error| error.raise(py))?)
}

/// Reads what an HAProxy agent sent, up to the end of its line. Gives an `AgentCheck`.
///
/// Raises:
///     IncompleteReport: the line has not ended: read on.
#[pyfunction]
pub(crate) fn read_agent_check<'py>(py: Python<'py>, line: Text<'_>) -> PyResult<Bound<'py, PyAny>> {
    let answer = AgentCheck::parse(line.0).map_err(|error| error.raise(py))?;
    let name = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    let (percent, weight) = match answer.weight {
        Some(AgentWeight::Percent(percent)) => (Some(percent), None),
        Some(AgentWeight::Absolute(weight)) => (None, Some(weight)),
        None => (None, None),
    };
    record!(py, "records", "AgentCheck" {
        report: report(py, &answer.report())?,
        percent: percent,
        weight: weight,
        maxconn: answer.maxconn,
        admin: answer.admin.map(|admin| name(&admin)),
        operational: answer.operational.map(|operational| name(&operational)),
        description: answer.description,
        unknown: answer.unknown.map(|unknown| (unknown.word, unknown.column)),
    })
}

/// Reads an event HEARTBEAT of FreeSWITCH in the format `plain`. Gives a `Heartbeat`.
///
/// Raises:
///     UnreadableReport: another event, or a value that a field cannot have; says where.
#[pyfunction]
pub(crate) fn read_heartbeat<'py>(py: Python<'py>, event: &str) -> PyResult<Bound<'py, PyAny>> {
    heartbeat(py, &Heartbeat::from_plain(event).map_err(|error| error.raise(py))?)
}

/// Reads an event HEARTBEAT of FreeSWITCH in the format `json`. Gives a `Heartbeat`.
///
/// Raises:
///     UnreadableReport: another event, or a value that a field cannot have; says where.
#[pyfunction]
pub(crate) fn read_heartbeat_json<'py>(py: Python<'py>, event: &str) -> PyResult<Bound<'py, PyAny>> {
    heartbeat(py, &Heartbeat::from_json(event).map_err(|error| error.raise(py))?)
}

/// One score from several measured values, for a `Report`.
///
/// Args:
///     measured: the values by name, {"cpu": 0.5, "event_loop_lag": 0.15}.
///     resources: what they are, [{"name": "cpu", "full": 1.0}, {"name": "event_loop_lag", "full": 0.2,
///         "weight": 3}]: "full" is the value at which the bridge is at its capacity.
///     combine: "max", the greatest share counts, or "weighted_sum".
///
/// Raises:
///     InvalidConfig: resources that cannot work.
///     InvalidReport: a value that is missing or cannot be; says which.
#[pyfunction]
#[pyo3(signature = (measured, resources, *, combine=None))]
pub(crate) fn score(
    py: Python<'_>,
    measured: BTreeMap<String, f64>,
    resources: Bound<'_, PyAny>,
    combine: Option<&str>,
) -> PyResult<f64> {
    let fields = written::options(py, None);
    fields.set_item("resources", resources)?;
    if let Some(combine) = combine {
        fields.set_item("combine", combine)?;
    }
    let resources: Resources = written::read(&fields, "invalid_config")?;
    resources.check().map_err(|error| error.raise(py))?;
    let score = resources.score(measured.iter().map(|(name, value)| (name.as_str(), *value)));
    score.map_err(|error| error.raise(py))
}

/// The algorithm that stands for a number of Kamailio's dispatcher: 4 is "round_robin", 10 "call_load".
///
/// Raises:
///     ValueError: nothing stands for it; says why.
#[pyfunction]
pub(crate) fn algorithm_of_kamailio<'py>(py: Python<'py>, number: Whole<u16>) -> PyResult<Bound<'py, PyAny>> {
    let algorithm = Algorithm::from_kamailio(number.0);
    written::write(py, &algorithm.map_err(|error| PyValueError::new_err(error.to_string()))?)
}

fn report<'py>(py: Python<'py>, said: &Report) -> PyResult<Bound<'py, PyAny>> {
    record!(py, "records", "Report" {
        score: said.score,
        active_calls: said.active_calls,
        measured_at: said.measured_at.map(seconds),
        sequence: said.sequence,
        sustained: said.sustained,
        capacity: said.capacity,
        draining: said.draining,
    })
}

fn orca<'py>(py: Python<'py>, orca: &Orca) -> PyResult<Bound<'py, PyAny>> {
    let metrics: BTreeMap<_, _> = orca.iter().collect();
    record!(py, "records", "Orca" { report: report(py, &orca.report())?, metrics: metrics })
}

fn heartbeat<'py>(py: Python<'py>, said: &Heartbeat) -> PyResult<Bound<'py, PyAny>> {
    record!(py, "records", "Heartbeat" {
        report: report(py, &said.report())?,
        session_count: said.session_count,
        max_sessions: said.max_sessions,
        idle_cpu: said.idle_cpu,
        session_per_sec: said.session_per_sec,
        session_per_sec_last: said.session_per_sec_last,
        session_per_sec_max: said.session_per_sec_max,
        uptime: said.uptime.map(|uptime| seconds(Time::ZERO + uptime)),
        event_sequence: said.event_sequence,
        event_date: said.event_date.map(seconds),
    })
}
