//! A plan: what a new list of destinations would change.

use callsteer::Change;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::destination::Destination;
use crate::error::refused;
use crate::record::record;

/// What a new list would change. Made by `Dispatcher.plan`, carried out by `Dispatcher.apply`.
///
/// `str(plan)` is one line per change; `len(plan)` is how many there are, so that an empty one is
/// false.
#[pyclass(frozen, module = "callsteer")]
pub(crate) struct Plan {
    owner: u64,
    plan: callsteer::Plan,
}

#[pymethods]
impl Plan {
    /// The changes: removals, then updates and additions in the order of the list.
    #[getter]
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let changes: Vec<_> =
            self.plan.changes().iter().map(|change| record(py, change)).collect::<PyResult<_>>()?;
        PyTuple::new(py, changes)
    }

    /// How many destinations stay as they are.
    #[getter]
    fn kept(&self) -> usize {
        self.plan.kept()
    }

    fn __len__(&self) -> usize {
        self.plan.changes().len()
    }

    fn __str__(&self) -> String {
        self.plan.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Plan: {} changes, {} kept>", self.plan.changes().len(), self.plan.kept())
    }
}

impl Plan {
    pub(crate) fn new(owner: u64, plan: callsteer::Plan) -> Self {
        Self { owner, plan }
    }

    /// The plan, if it is this dispatcher's.
    pub(crate) fn plan_of(&self, py: Python<'_>, owner: u64) -> PyResult<callsteer::Plan> {
        if self.owner == owner {
            Ok(self.plan.clone())
        } else {
            Err(refused(py, "stale_plan", "the plan is another dispatcher's"))
        }
    }
}

fn record<'py>(py: Python<'py>, change: &Change) -> PyResult<Bound<'py, PyAny>> {
    let object = |set: u32, description: &callsteer::Destination| {
        Py::new(py, Destination::described(py, description.clone(), Some(set), None))
    };
    let (kind, set, id, before, after, calls) = match change {
        Change::Add { set, destination } => {
            ("add", *set, &destination.id, None, Some(object(*set, destination)?), None)
        }
        Change::Update { set, from, to, .. } => {
            ("update", *set, &to.id, Some(object(*set, from)?), Some(object(*set, to)?), None)
        }
        Change::Remove { set, name, calls, .. } => ("remove", *set, name, None, None, Some(*calls)),
        other => return Err(refused(py, "stale_plan", &format!("a change of an unknown kind: {other:?}"))),
    };
    record!(py, "records", "Change" {
        kind: kind, set: set, id: id, before: before, after: after, calls: calls,
    })
}
