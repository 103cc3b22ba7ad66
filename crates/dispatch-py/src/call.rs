//! A call: what is said of it, where it was placed, and as a `with` statement.

use std::sync::atomic::{AtomicU64, Ordering};

use callsteer::{Blame, Lease, SetId};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::argument::{Reply, Seconds, Text, Whole};
use crate::attached::Attached;
use crate::destination::Destination;
use crate::dispatcher::Dispatcher;

/// A call that has a destination and is counted there.
#[pyclass(frozen, module = "callsteer")]
pub(crate) struct Placed {
    /// It changes only while nobody has the object but the dispatcher.
    lease: AtomicU64,
    /// Where it goes.
    #[pyo3(get)]
    destination: Py<Destination>,
    /// So few destinations are healthy that health was ignored.
    #[pyo3(get)]
    panic: bool,
}

#[pymethods]
impl Placed {
    #[new]
    pub(crate) fn new(lease: Whole<u64>, destination: Py<Destination>, panic: bool) -> Self {
        Self { lease: lease.0.into(), destination, panic }
    }

    /// The call's handle, an integer, for `confirm`, `fail`, `next` and `end`.
    #[getter]
    fn lease(&self) -> u64 {
        self.lease.load(Ordering::Relaxed)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let panic = if self.panic { "True" } else { "False" };
        let destination = self.destination.bind(py).repr()?;
        Ok(format!("Placed(lease={}, destination={destination}, panic={panic})", self.lease()))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(other) = other.cast::<Self>() else { return Ok(false) };
        let (py, other) = (other.py(), other.get());
        let same = self.lease() == other.lease() && self.panic == other.panic;
        Ok(same && self.destination.bind(py).eq(&other.destination)?)
    }

    fn __hash__(&self) -> u64 {
        self.lease()
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> (Bound<'py, pyo3::types::PyType>, (u64, Py<Destination>, bool)) {
        let this = slf.get();
        (slf.get_type(), (this.lease(), this.destination.clone_ref(slf.py()), this.panic))
    }
}

impl Placed {
    pub(crate) fn of(placed: callsteer::Placed, destination: Py<Destination>) -> Self {
        Self { lease: placed.lease.to_u64().into(), destination, panic: placed.panic }
    }

    /// Makes it another call's, at the same destination.
    pub(crate) fn renew(&self, lease: Lease) {
        self.lease.store(lease.to_u64(), Ordering::Relaxed);
    }
}

/// A destination that was chosen and not counted.
#[pyclass(frozen, module = "callsteer")]
pub(crate) struct Picked {
    /// The destination.
    #[pyo3(get)]
    destination: Py<Destination>,
    /// So few destinations are healthy that health was ignored.
    #[pyo3(get)]
    panic: bool,
}

#[pymethods]
impl Picked {
    #[new]
    pub(crate) fn new(destination: Py<Destination>, panic: bool) -> Self {
        Self { destination, panic }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let panic = if self.panic { "True" } else { "False" };
        Ok(format!("Picked(destination={}, panic={panic})", self.destination.bind(py).repr()?))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(other) = other.cast::<Self>() else { return Ok(false) };
        let same = self.panic == other.get().panic;
        Ok(same && self.destination.bind(other.py()).eq(&other.get().destination)?)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.destination.bind(py).hash()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, pyo3::types::PyType>, (Py<Destination>, bool)) {
        let this = slf.get();
        (slf.get_type(), (this.destination.clone_ref(slf.py()), this.panic))
    }
}

/// A call for a `with` statement: it begins there and ends on any exit. Made by `Dispatcher.call`.
#[pyclass(frozen, module = "callsteer")]
pub(crate) struct Call {
    dispatcher: Py<Dispatcher>,
    /// What identifies the call.
    #[pyo3(get)]
    call_id: Py<PyAny>,
    request: Request,
    /// Its lease and where it is; `None` outside of the statement.
    placed: Attached<Option<(Lease, Py<Destination>, bool)>>,
}

#[pymethods]
impl Call {
    /// The call's handle, an integer; None outside of the `with` statement.
    #[getter]
    fn lease(&self, py: Python<'_>) -> Option<u64> {
        self.now_at(py).map(|(lease, ..)| lease.to_u64())
    }

    /// Where the call is; it changes where `failed` moves the call.
    ///
    /// Raises:
    ///     RuntimeError: outside of the `with` statement.
    #[getter]
    fn destination(&self, py: Python<'_>) -> PyResult<Py<Destination>> {
        self.now_at(py).map(|(_, destination, _)| destination).ok_or_else(outside)
    }

    /// So few destinations are healthy that health was ignored.
    #[getter]
    fn panic(&self, py: Python<'_>) -> bool {
        self.now_at(py).is_some_and(|(.., panic)| panic)
    }

    /// The call was answered.
    ///
    /// Raises:
    ///     NoSuchCall: it was over already, by its deadline or by somebody else.
    #[pyo3(signature = (*, now=None))]
    fn confirm(&self, py: Python<'_>, now: Option<Seconds>) -> PyResult<()> {
        let (lease, ..) = self.now_at(py).ok_or_else(outside)?;
        self.dispatcher.get().confirm_lease(py, lease, now)
    }

    /// The call failed at its destination, and moves on where another one may do better.
    ///
    /// Args:
    ///     reply: a SIP status from 300 to 699, "timeout" or "unreachable".
    ///     retry_after: the Retry-After that came with the reply, in seconds.
    ///
    /// Returns:
    ///     The destination to try now; None where the call itself failed (486 ...): answer the caller.
    ///
    /// Raises:
    ///     Exhausted: every destination that could take it has been tried.
    #[pyo3(signature = (reply, *, retry_after=None, now=None))]
    fn failed(
        &self,
        py: Python<'_>,
        reply: Reply,
        retry_after: Option<Seconds>,
        now: Option<Seconds>,
    ) -> PyResult<Option<Py<Destination>>> {
        let dispatcher = self.dispatcher.get();
        let (lease, ..) = self.now_at(py).ok_or_else(outside)?;
        let blame = dispatcher.fail_lease(py, lease, reply, retry_after, now)?;
        if blame == Blame::Caller {
            return Ok(None);
        }
        let (moved, destination) = dispatcher.next_lease(py, lease, now)?;
        self.set(py, Some((lease, destination.clone_ref(py), moved.panic)));
        Ok(Some(destination))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.dispatcher)?;
        visit.call(&self.call_id)
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let (py, this) = (slf.py(), slf.get());
        let (placed, destination) = this.dispatcher.get().begin_call(py, &this.request.call(), None)?;
        this.set(py, Some((placed.lease, destination, placed.panic)));
        Ok(slf)
    }

    /// Ends the call, whatever happened.
    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<bool> {
        if let Some((lease, ..)) = self.set(py, None) {
            self.dispatcher.get().end_lease(py, lease, None)?;
        }
        Ok(false)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let call_id = self.call_id.bind(py).repr()?;
        match self.now_at(py) {
            Some((_, destination, _)) => Ok(format!("<Call {call_id} at {}>", destination.bind(py).repr()?)),
            None => Ok(format!("<Call {call_id}>")),
        }
    }
}

impl Call {
    pub(crate) fn new(dispatcher: Py<Dispatcher>, call_id: Py<PyAny>, request: Request) -> Self {
        Self { dispatcher, call_id, request, placed: Attached::new(None) }
    }

    fn now_at(&self, py: Python<'_>) -> Option<(Lease, Py<Destination>, bool)> {
        self.placed.with(py, |placed| {
            placed.as_ref().map(|(lease, destination, panic)| (*lease, destination.clone_ref(py), *panic))
        })
    }

    /// Sets where it is, and gives where it was.
    fn set(
        &self,
        py: Python<'_>,
        placed: Option<(Lease, Py<Destination>, bool)>,
    ) -> Option<(Lease, Py<Destination>, bool)> {
        self.placed.with(py, |now| std::mem::replace(now, placed))
    }
}

fn outside() -> PyErr {
    PyRuntimeError::new_err("the call is in progress only within its `with` statement")
}

/// A call as its caller described it, kept.
pub(crate) struct Request {
    call_id: Vec<u8>,
    set: SetId,
    key: Option<Vec<u8>>,
    cls: Option<String>,
    cost: u32,
    tenant: Option<String>,
}

impl Request {
    pub(crate) fn new(call: &callsteer::Call<'_>) -> Self {
        Self {
            call_id: call.call_id.to_owned(),
            set: call.set,
            key: call.key.map(<[u8]>::to_owned),
            cls: call.class.map(str::to_owned),
            cost: call.cost,
            tenant: call.tenant.map(str::to_owned),
        }
    }

    fn call(&self) -> callsteer::Call<'_> {
        callsteer::Call {
            call_id: &self.call_id,
            set: self.set,
            key: self.key.as_deref(),
            class: self.cls.as_deref(),
            cost: self.cost,
            tenant: self.tenant.as_deref(),
        }
    }
}

/// A call with the core's defaults for what is not said.
pub(crate) fn described<'a>(
    call_id: &'a [u8],
    set: Option<Whole<SetId>>,
    key: Option<Text<'a>>,
    cls: Option<&'a str>,
    cost: Option<Whole<u32>>,
    tenant: Option<&'a str>,
) -> callsteer::Call<'a> {
    let plain = callsteer::Call::new(call_id);
    callsteer::Call {
        set: set.map_or(plain.set, |set| set.0),
        key: key.map(|key| key.0),
        class: cls,
        cost: cost.map_or(plain.cost, |cost| cost.0),
        tenant,
        ..plain
    }
}
