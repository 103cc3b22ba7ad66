//! The benchmark on calls of a data frame.

use callsteer_sim::bench::{Options, bench};
use callsteer_sim::policy;
use callsteer_sim::recorded::{Recorder, Recording};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::argument::Whole;
use crate::watched::watched;
use crate::written;

/// Runs `callsteer.bench`, which has read the columns; gives the report as its JSON has it.
#[pyfunction]
#[pyo3(signature = (start, duration, cls, cost, *, bridges=None, weights=None, max_calls=None, capacity=None,
                    policies=None, replays=None, seed=None, progress=None))]
pub(crate) fn run_bench<'py>(
    py: Python<'py>,
    start: Vec<f64>,
    duration: Vec<f64>,
    cls: Vec<String>,
    cost: Vec<f64>,
    bridges: Option<Whole<usize>>,
    weights: Option<Vec<u32>>,
    max_calls: Option<Whole<u32>>,
    capacity: Option<f64>,
    policies: Option<Vec<String>>,
    replays: Option<Whole<u16>>,
    seed: Option<Whole<u64>>,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut calls = Recorder::default();
    let columns = start.iter().zip(duration).zip(cls).zip(cost).zip(1..);
    for ((((start, duration), cls), cost), row) in columns {
        let call = Recording { start: *start, duration, class: &cls, cost };
        calls.record(&call).map_err(|error| {
            PyValueError::new_err(format!("row {row}, {}: {}", error.field, error.problem))
        })?;
    }
    let named = |name: String| {
        policy::named(&name).ok_or_else(|| PyValueError::new_err(format!("there is no policy {name:?}")))
    };
    let policies: Option<Vec<_>> =
        policies.map(|names| names.into_iter().map(named).collect::<PyResult<_>>()).transpose()?;
    let usual = Options::default();
    let options = Options {
        bridges: bridges.map_or(usual.bridges, |Whole(bridges)| bridges),
        weights: weights.unwrap_or(usual.weights),
        max_calls: max_calls.map_or(usual.max_calls, |Whole(most)| most),
        capacity: capacity.or(usual.capacity),
        policies: policies.unwrap_or(usual.policies),
        replays: replays.map_or(usual.replays, |Whole(replays)| replays),
        seed: seed.map_or(usual.seed, |Whole(seed)| seed),
    };
    let report = watched(py, progress.as_ref(), |progress| bench(calls, &options, progress))?;
    written::write(py, &report)
}
