//! What can be asked; nothing here changes anything.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::Dispatcher;
use super::calls::Handle;
use crate::argument::{Text, Whole};
use crate::call::described;
use crate::destination::Destination;
use crate::error::Refusal;
use crate::record::{self, record};
use crate::written;

#[pymethods]
impl Dispatcher {
    /// The configuration: a new dict of every option with its value.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let config = self.read(py, |state| state.core.config().clone());
        written::write(py, &config)
    }

    /// The numbers of all sets that have or had destinations, in ascending order.
    fn sets(&self, py: Python<'_>) -> Vec<u32> {
        self.read(py, |state| state.core.sets().collect())
    }

    /// A destination by its id, also one that was removed and still has calls; or None.
    #[pyo3(signature = (id, *, set=None))]
    fn find(&self, py: Python<'_>, id: &str, set: Option<Whole<u32>>) -> Option<Py<Destination>> {
        self.read(py, |state| {
            let found = state.core.find(set_or_default(set), id)?;
            state.objects.find(py, found)
        })
    }

    /// Where a call is; None where it has ended, or never was.
    fn destination_of(&self, py: Python<'_>, lease: Handle) -> Option<Py<Destination>> {
        self.read(py, |state| {
            let at = state.core.destination_of(lease.0)?;
            state.objects.find(py, at)
        })
    }

    /// The lease of the call in progress with this Call-ID, or None.
    fn call_of(&self, py: Python<'_>, call_id: Text<'_>) -> Option<u64> {
        self.read(py, |state| state.core.call_of(call_id.0)).map(callsteer::Lease::to_u64)
    }

    /// How a destination is, as of the last time seen: a `Status`; None for one that is gone.
    fn status<'py>(
        &self,
        py: Python<'py>,
        destination: &Bound<'_, Destination>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let id = self.handle(destination)?;
        let status = self.read(py, |state| state.core.status(id));
        status.map(|status| record::status(py, &status)).transpose()
    }

    /// Counts of everything so far: `Stats`.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        record::stats(py, &self.read(py, |state| state.core.stats()))
    }

    /// Calls of a tenant in progress.
    fn tenant_calls(&self, py: Python<'_>, tenant: &str) -> u32 {
        self.read(py, |state| state.core.tenant_calls(tenant))
    }

    /// Every destination with its `Status`, also those that were removed and still have calls.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all: Vec<_> = self.read(py, |state| {
            let (core, objects) = (&state.core, &state.objects);
            core.iter().filter_map(|(id, _, status)| Some((objects.find(py, id)?, status))).collect()
        });
        let pairs: Vec<_> = all
            .into_iter()
            .map(|(destination, status)| Ok((destination, record::status(py, &status)?)))
            .collect::<PyResult<_>>()?;
        Ok(PyList::new(py, pairs)?.try_iter()?.into_any())
    }

    /// How full a set is, and how large it should be: a `Capacity`; None where nobody says what its
    /// destinations can carry.
    #[pyo3(signature = (*, set=None))]
    fn capacity<'py>(&self, py: Python<'py>, set: Option<Whole<u32>>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let capacity = self.read(py, |state| state.core.capacity(set_or_default(set)));
        capacity.map(|capacity| record::capacity(py, &capacity)).transpose()
    }

    /// The destinations of a set to drain first, at most `count`: those with the fewest calls left.
    #[pyo3(signature = (count, *, set=None))]
    fn drain_candidates(
        &self,
        py: Python<'_>,
        count: Whole<u32>,
        set: Option<Whole<u32>>,
    ) -> Vec<Py<Destination>> {
        self.read(py, |state| {
            let first = state.core.drain_candidates(set_or_default(set), count.0 as usize);
            first.into_iter().filter_map(|id| state.objects.find(py, id)).collect()
        })
    }

    /// What `begin` would do with a call, and why, as of the last time seen: an `Explanation`.
    #[pyo3(signature = (call_id, *, set=None, key=None, cls=None, cost=None, tenant=None))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        call_id: Text<'_>,
        set: Option<Whole<u32>>,
        key: Option<Text<'_>>,
        cls: Option<&str>,
        cost: Option<Whole<u32>>,
        tenant: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = described(call_id.0, set, key, cls, cost, tenant);
        let (outcome, rows) = self.read(py, |state| {
            let explained = state.core.explain(&call);
            let object = |id| state.objects.find(py, id);
            let rows: Vec<_> = explained.rows.into_iter().map(|row| (object(row.destination), row)).collect();
            (explained.outcome.map(object), rows)
        });
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(destination, row)| {
                record!(py, "records", "Row" {
                    route: row.route,
                    algorithm: written::write(py, &row.algorithm)?,
                    destination: destination,
                    standing: row.standing.as_str(),
                    key: row.key,
                    estimate: record::estimate(py, &row.estimate)?,
                })
            })
            .collect::<PyResult<_>>()?;
        let (destination, error) = match outcome {
            Ok(destination) => (destination, None),
            Err(error) => (None, Some(error.raise(py).into_value(py))),
        };
        record!(py, "records", "Explanation" {
            destination: destination, error: error, rows: PyTuple::new(py, rows)?,
        })
    }

    /// All metrics in the Prometheus text format 0.0.4.
    fn metrics(&self, py: Python<'_>) -> String {
        self.read(py, |state| callsteer::metrics::prometheus(&state.core))
    }
}

fn set_or_default(set: Option<Whole<u32>>) -> u32 {
    set.map_or(callsteer::Call::new(b"").set, |set| set.0)
}
