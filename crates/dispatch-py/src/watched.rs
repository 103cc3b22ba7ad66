//! What takes long runs on a thread of its own, so that this one can look at signals and tell of the progress.

use std::fmt::Display;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use callsteer_sim::progress::Progress;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// Runs it. A signal, or what `progress` raises, ends it; what it refuses is a `ValueError`.
pub(crate) fn watched<T: Send, E: Display + Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    run: impl FnOnce(Progress<'_>) -> Result<T, E> + Send,
) -> PyResult<T> {
    let (done, of, cancelled) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let this = thread::current();
    thread::scope(|scope| {
        let running = scope.spawn(|| {
            let came_out = run(&|now, all| {
                done.fetch_max(now, Ordering::Relaxed);
                of.store(all, Ordering::Relaxed);
                let on = !cancelled.load(Ordering::Relaxed);
                if on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            this.unpark();
            came_out
        });
        let (mut told, mut failed) = (0, None);
        while failed.is_none() {
            py.detach(|| thread::park_timeout(LOOK));
            let over = running.is_finished();
            let now = done.load(Ordering::Relaxed);
            failed = py.check_signals().err();
            if let (Some(progress), None, true) = (progress, &failed, now != told) {
                failed = progress.call1((now, of.load(Ordering::Relaxed))).err();
                told = now;
            }
            if over {
                break;
            }
        }
        cancelled.store(failed.is_some(), Ordering::Relaxed);
        let came_out = py.detach(|| running.join());
        match (failed, came_out) {
            (Some(error), _) => Err(error),
            (None, Ok(came_out)) => came_out.map_err(|error| PyValueError::new_err(error.to_string())),
            (None, Err(_)) => Err(PyRuntimeError::new_err("it ended without a result")),
        }
    })
}

/// So often signals are looked at, and the progress is told.
const LOOK: Duration = Duration::from_millis(50);
