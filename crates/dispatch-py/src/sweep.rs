//! Sweeps: what `sweeps.py` runs here or on a cluster.

use std::path::PathBuf;

use callsteer_sim::sweep::{self, Outcome, SweepError, Task, Waiting};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::watched::watched;
use crate::written;

/// A grid, its tasks, and the folder where they and their results are.
#[pyclass(module = "callsteer._callsteer", frozen)]
pub(crate) struct Sweep(sweep::Sweep);

#[pymethods]
impl Sweep {
    /// Reads the grid, and writes its tasks into the folder.
    #[new]
    fn new(grid: PathBuf, out: PathBuf) -> PyResult<Self> {
        sweep::Sweep::open(&grid, &out).map(Self).map_err(refused)
    }

    /// The tasks without a result, as JSON, and what is wrong with results that cannot be read.
    fn waiting(&self, py: Python<'_>) -> (Vec<String>, Vec<String>) {
        py.detach(|| {
            let Waiting { tasks, damaged } = self.0.waiting();
            (tasks.into_iter().map(Task::to_json).collect(), damaged)
        })
    }

    /// Runs those on the threads of this process.
    #[pyo3(signature = (progress=None))]
    fn run(&self, py: Python<'_>, progress: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        watched(py, progress, |progress| self.0.run(&self.0.waiting().tasks, progress))
    }

    /// Keeps what `run_task` gave, here or elsewhere.
    fn keep(&self, py: Python<'_>, result: &str) -> PyResult<()> {
        py.detach(|| self.0.keep(&Outcome::parse(result)?)).map_err(refused)
    }

    /// Joins all results, writes what comes of it into the folder, and gives it.
    fn join<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        written::write(py, &py.detach(|| self.0.join()).map_err(refused)?)
    }
}

/// Runs one task, and gives its result as JSON. Other threads of Python run meanwhile.
#[pyfunction]
pub(crate) fn run_task(py: Python<'_>, task: &str) -> PyResult<String> {
    py.detach(|| Task::parse(task)?.run()).map(|outcome| outcome.to_json()).map_err(refused)
}

fn refused(error: SweepError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
