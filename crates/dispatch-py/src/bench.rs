//! The benchmark on calls of a data frame, run on a thread of its own.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use callsteer_sim::bench::{Options, bench};
use callsteer_sim::policy;
use callsteer_sim::recorded::{Recorder, Recording};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::argument::Whole;
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
    let report = watched(py, calls, options, progress)?;
    written::write(py, &report)
}

/// Runs the bench elsewhere, so that this thread can look at signals and tell of the progress.
fn watched(
    py: Python<'_>,
    calls: Recorder,
    options: Options,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<callsteer_sim::report::Report> {
    let (done, of, cancelled) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let this = thread::current();
    thread::scope(|scope| {
        let running = scope.spawn(|| {
            let report = bench(calls, &options, &|now, all| {
                done.fetch_max(now, Ordering::Relaxed);
                of.store(all, Ordering::Relaxed);
                let on = !cancelled.load(Ordering::Relaxed);
                if on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            this.unpark();
            report
        });
        let (mut told, mut failed) = (0, None);
        while failed.is_none() {
            py.detach(|| thread::park_timeout(LOOK));
            let over = running.is_finished();
            let now = done.load(Ordering::Relaxed);
            failed = py.check_signals().err();
            if let (Some(progress), None, true) = (&progress, &failed, now != told) {
                failed = progress.call1((now, of.load(Ordering::Relaxed))).err();
                told = now;
            }
            if over {
                break;
            }
        }
        cancelled.store(failed.is_some(), Ordering::Relaxed);
        let report = py.detach(|| running.join());
        match (failed, report) {
            (Some(error), _) => Err(error),
            (None, Ok(report)) => report.map_err(|error| PyValueError::new_err(error.to_string())),
            (None, Err(_)) => Err(PyRuntimeError::new_err("the bench ended without a report")),
        }
    })
}

/// So often signals are looked at, and the progress is told.
const LOOK: Duration = Duration::from_millis(50);
