//! dispatcher.list: read, checked, changed, written.

use std::sync::{Mutex, MutexGuard, PoisonError};

use callsteer::list::{self, Mode};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyBytes;

use crate::argument::{Text, Whole};
use crate::destination::Destination;
use crate::error::Refusal;
use crate::record::record;

/// Reads a dispatcher.list, Kamailio's file of destinations.
///
/// Args:
///     text: the file, str or bytes.
///     lenient: leave a line out that cannot be read, as Kamailio's `ds_load_mode` 0 does;
///         `List.skipped` says why.
///
/// Raises:
///     ParseError: the first line that cannot be read: `line`, `column` and `code` say what and where.
#[pyfunction]
#[pyo3(signature = (text, *, lenient=false))]
pub(crate) fn parse_list(py: Python<'_>, text: Text<'_>, lenient: bool) -> PyResult<List> {
    let mode = if lenient { Mode::Lenient } else { Mode::Strict };
    let list = list::parse(text.0, mode).map_err(|error| error.raise(py))?;
    Ok(List(Mutex::new(list)))
}

/// A dispatcher.list: every line of it, comments included. `bytes(list)` is the file.
///
/// Made by `parse_list`, or empty by `List()`.
#[pyclass(frozen, module = "callsteer")]
pub(crate) struct List(Mutex<list::List>);

#[pymethods]
impl List {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(list::List::new()))
    }

    /// Adds a destination as a last line.
    ///
    /// Raises:
    ///     Duplicate: the set has this id.
    ///     InvalidDestination: a value that a dispatcher.list cannot hold.
    #[pyo3(signature = (set, destination, /))]
    fn push(&self, py: Python<'_>, set: Whole<u32>, destination: &Bound<'_, Destination>) -> PyResult<()> {
        let destination = destination.get().description.clone();
        self.lock(py).push(set.0, destination).map_err(|error| error.raise(py))
    }

    /// Writes the line of the destination with this id anew; its comment stays.
    ///
    /// Raises:
    ///     NoSuchDestination: the set has no such id.
    ///     InvalidDestination: a value that a dispatcher.list cannot hold.
    #[pyo3(signature = (set, destination, /))]
    fn update(&self, py: Python<'_>, set: Whole<u32>, destination: &Bound<'_, Destination>) -> PyResult<()> {
        let destination = destination.get().description.clone();
        self.lock(py).update(set.0, destination).map_err(|error| error.raise(py))
    }

    /// Takes out the line of a destination and gives what it was; None where there is none.
    #[pyo3(signature = (set, id, /))]
    fn remove(&self, py: Python<'_>, set: Whole<u32>, id: &str) -> Option<Destination> {
        let removed = self.lock(py).remove(set.0, id);
        removed.map(|description| Destination::described(py, description, Some(set.0), None))
    }

    /// Pairs of set and destination in the order of the file, as `Dispatcher.plan` takes them.
    fn destinations(&self, py: Python<'_>) -> Vec<(u32, Destination)> {
        let all = self.lock(py).destinations();
        let object = |set, description| Destination::described(py, description, Some(set), None);
        all.into_iter().map(|(set, description)| (set, object(set, description))).collect()
    }

    /// The lines that are destinations, in the order of the file: `Entry`.
    fn entries<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let entries: Vec<_> = self.lock(py).entries().cloned().collect();
        let record = |entry: list::Entry| {
            let description = entry.destination().clone();
            let destination = Destination::described(py, description, Some(entry.set()), None);
            record!(py, "records", "Entry" {
                line: entry.line(),
                set: entry.set(),
                destination: Py::new(py, destination)?,
                text: entry.text(),
            })
        };
        entries.into_iter().map(record).collect()
    }

    /// The lines that were left out, as the `ParseError` that each of them is.
    fn skipped(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        let skipped = self.lock(py).skipped().to_vec();
        skipped.into_iter().map(|error| error.raise(py).into_value(py).into_any()).collect()
    }

    /// What the list says that its owner may not mean, in the order of the file: `Lint`.
    fn lint<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let lints = list::lint(&self.lock(py));
        let record = |lint: list::Lint| {
            record!(py, "records", "Lint" {
                line: lint.line,
                column: lint.column,
                code: lint.code,
                severity: match lint.severity {
                    list::Severity::Warning => "warning",
                    list::Severity::Error => "error",
                },
                message: lint.message,
                fix: lint.fix,
            })
        };
        lints.into_iter().map(record).collect()
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let file = list::write(&self.lock(py));
        PyBytes::new(py, &file)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.lock(py).entries().count()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<List of {} destinations>", self.__len__(py))
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Self>() else { return false };
        // One lock at a time: the other may be this one.
        let own = self.lock(py).clone();
        own == *other.get().lock(py)
    }
}

impl List {
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, list::List> {
        self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}
