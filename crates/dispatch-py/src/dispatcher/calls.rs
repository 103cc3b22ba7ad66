//! Commands on calls, and what is said about them.

use callsteer::{Blame, Lease, Time};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::Dispatcher;
use crate::argument::{Reply, Seconds, Text, Whole};
use crate::call::{Call, Picked, Placed, Request, described};
use crate::destination::Destination;
use crate::error::Refusal;

#[pymethods]
impl Dispatcher {
    /// Chooses a destination for a call and counts it there, in one step. A Call-ID that is in
    /// progress already (a retransmitted INVITE) gets the same answer again and counts once.
    ///
    /// Args:
    ///     call_id: SIP's Call-ID, or whatever else identifies the call; only a keyed hash is kept.
    ///     set: where the call wants to go.
    ///     key: what "call_id_hash" hashes in place of the Call-ID: a caller, a conversation.
    ///     cls: what kind of call it is: "load_score" learns what each kind costs.
    ///     cost: what it adds to the load of its destination, 1 to 65535.
    ///     tenant: whose call it is, for limits.
    ///     now: seconds; default: what the clock says.
    ///
    /// Raises:
    ///     Full, AllDown, NoSuchSet, TenantFull, TooFast: no destination takes the call; `status` and
    ///         `retry_after` say what to answer its caller.
    ///     InvalidCall: a value that no call can have.
    #[pyo3(signature = (call_id, *, set=None, key=None, cls=None, cost=None, tenant=None, now=None))]
    fn begin(
        &self,
        py: Python<'_>,
        call_id: Text<'_>,
        set: Option<Whole<u32>>,
        key: Option<Text<'_>>,
        cls: Option<&str>,
        cost: Option<Whole<u32>>,
        tenant: Option<&str>,
        now: Option<Seconds>,
    ) -> PyResult<Py<Placed>> {
        let call = described(call_id.0, set, key, cls, cost, tenant);
        self.place(py, now, |core, now| core.begin(&call, now))
    }

    /// A call for a `with` statement: it begins there and ends on any exit.
    ///
    ///     with dispatcher.call("a84b4c76e66710@pc33", cls="healthcare") as call:
    ///         reply = invite(call.destination.uri)
    ///         while reply >= 300 and call.failed(reply):
    ///             reply = invite(call.destination.uri)
    ///         call.confirm()
    ///
    /// Arguments and errors are those of `begin`, where the statement begins.
    #[pyo3(signature = (call_id, *, set=None, key=None, cls=None, cost=None, tenant=None))]
    fn call(
        slf: Bound<'_, Self>,
        call_id: Bound<'_, PyAny>,
        set: Option<Whole<u32>>,
        key: Option<Text<'_>>,
        cls: Option<&str>,
        cost: Option<Whole<u32>>,
        tenant: Option<&str>,
    ) -> PyResult<Call> {
        let text: Text<'_> = call_id.extract()?;
        let request = Request::new(&described(text.0, set, key, cls, cost, tenant));
        Ok(Call::new(slf.unbind(), call_id.unbind(), request))
    }

    /// Chooses as `begin` does, and counts nothing: for what is no call, or is counted elsewhere.
    ///
    /// Arguments and errors are those of `begin`.
    #[pyo3(signature = (call_id, *, set=None, key=None, cls=None, cost=None, tenant=None, now=None))]
    fn pick(
        &self,
        py: Python<'_>,
        call_id: Text<'_>,
        set: Option<Whole<u32>>,
        key: Option<Text<'_>>,
        cls: Option<&str>,
        cost: Option<Whole<u32>>,
        tenant: Option<&str>,
        now: Option<Seconds>,
    ) -> PyResult<Py<Picked>> {
        let call = described(call_id.0, set, key, cls, cost, tenant);
        let picked = self.at_tick(py, now, |state, now| {
            let picked = state.core.pick(&call, now);
            picked.map(|picked| (picked, state.objects.find_picked(py, picked.destination, picked.panic)))
        })?;
        match picked {
            Ok((_, Some(known))) => Ok(known),
            Ok((picked, None)) => self.picked_anew(py, picked),
            Err(error) => Err(error.raise(py)),
        }
    }

    /// Moves a call to a destination where it has not been; set-up begins anew there.
    ///
    /// Raises:
    ///     NoSuchCall: the call has ended, or never was.
    ///     Exhausted: every destination that could take it has been tried; answer the caller and
    ///         `end` it.
    #[pyo3(signature = (lease, *, now=None))]
    fn next(&self, py: Python<'_>, lease: Handle, now: Option<Seconds>) -> PyResult<Py<Placed>> {
        self.place(py, now, |core, now| core.next(lease.0, now))
    }

    /// `next`, by Call-ID.
    #[pyo3(signature = (call_id, *, now=None))]
    fn next_call(&self, py: Python<'_>, call_id: Text<'_>, now: Option<Seconds>) -> PyResult<Py<Placed>> {
        self.place(py, now, |core, now| core.next_call(call_id.0, now))
    }

    /// The call was answered: from now on it ends by `max_duration`. Saying it again changes nothing.
    ///
    /// Raises:
    ///     NoSuchCall: the call has ended, or never was.
    #[pyo3(signature = (lease, *, now=None))]
    fn confirm(&self, py: Python<'_>, lease: Handle, now: Option<Seconds>) -> PyResult<()> {
        self.confirm_lease(py, lease.0, now)
    }

    /// `confirm`, by Call-ID.
    #[pyo3(signature = (call_id, *, now=None))]
    fn confirm_call(&self, py: Python<'_>, call_id: Text<'_>, now: Option<Seconds>) -> PyResult<()> {
        let confirmed = self.at_tick(py, now, |state, now| state.core.confirm_call(call_id.0, now))?;
        confirmed.map_err(|error| error.raise(py))
    }

    /// The call failed at its destination; it stays counted there until `next` or `end`.
    ///
    /// Args:
    ///     lease: which call.
    ///     reply: a SIP status from 300 to 699, "timeout" or "unreachable".
    ///     retry_after: the Retry-After that came with the reply, in seconds.
    ///
    /// Returns:
    ///     Whom it counts against: "destination" or "busy", try `next`; or "caller", `end` it.
    ///
    /// Raises:
    ///     NoSuchCall: the call has ended, or never was.
    ///     InvalidReply: not a failure's status.
    #[pyo3(signature = (lease, reply, *, retry_after=None, now=None))]
    fn fail(
        &self,
        py: Python<'_>,
        lease: Handle,
        reply: Reply,
        retry_after: Option<Seconds>,
        now: Option<Seconds>,
    ) -> PyResult<&'static str> {
        self.fail_lease(py, lease.0, reply, retry_after, now).map(blame)
    }

    /// `fail`, by Call-ID.
    #[pyo3(signature = (call_id, reply, *, retry_after=None, now=None))]
    fn fail_call(
        &self,
        py: Python<'_>,
        call_id: Text<'_>,
        reply: Reply,
        retry_after: Option<Seconds>,
        now: Option<Seconds>,
    ) -> PyResult<&'static str> {
        let failure = reply.failure(retry_after);
        let failed = self.at_tick(py, now, |state, now| state.core.fail_call(call_id.0, failure, now))?;
        failed.map(blame).map_err(|error| error.raise(py))
    }

    /// The call is over, however it ended. False where it had ended before: saying it again does no
    /// harm.
    #[pyo3(signature = (lease, *, now=None))]
    fn end(&self, py: Python<'_>, lease: Handle, now: Option<Seconds>) -> PyResult<bool> {
        self.end_lease(py, lease.0, now)
    }

    /// `end`, by Call-ID.
    #[pyo3(signature = (call_id, *, now=None))]
    fn end_call(&self, py: Python<'_>, call_id: Text<'_>, now: Option<Seconds>) -> PyResult<bool> {
        self.at_tick(py, now, |state, now| state.core.end_call(call_id.0, now))
    }
}

/// A call and the object of where it is.
type At = (callsteer::Placed, Py<Destination>);

impl Dispatcher {
    pub(crate) fn begin_call(
        &self,
        py: Python<'_>,
        call: &callsteer::Call<'_>,
        now: Option<Seconds>,
    ) -> PyResult<At> {
        let placed = self.at_tick(py, now, |state, now| state.core.begin(call, now))?;
        let placed = placed.map_err(|error| error.raise(py))?;
        Ok((placed, self.object(py, placed.destination)?))
    }

    pub(crate) fn next_lease(&self, py: Python<'_>, lease: Lease, now: Option<Seconds>) -> PyResult<At> {
        let moved = self.at_tick(py, now, |state, now| state.core.next(lease, now))?;
        let moved = moved.map_err(|error| error.raise(py))?;
        Ok((moved, self.object(py, moved.destination)?))
    }

    pub(crate) fn confirm_lease(&self, py: Python<'_>, lease: Lease, now: Option<Seconds>) -> PyResult<()> {
        let confirmed = self.at_tick(py, now, |state, now| state.core.confirm(lease, now))?;
        confirmed.map_err(|error| error.raise(py))
    }

    pub(crate) fn fail_lease(
        &self,
        py: Python<'_>,
        lease: Lease,
        reply: Reply,
        retry_after: Option<Seconds>,
        now: Option<Seconds>,
    ) -> PyResult<Blame> {
        let failure = reply.failure(retry_after);
        let failed = self.at_tick(py, now, |state, now| state.core.fail(lease, failure, now))?;
        failed.map_err(|error| error.raise(py))
    }

    pub(crate) fn end_lease(&self, py: Python<'_>, lease: Lease, now: Option<Seconds>) -> PyResult<bool> {
        self.at_tick(py, now, |state, now| state.core.end(lease, now))
    }

    /// Finds a place for a call.
    #[inline]
    fn place<E: Refusal>(
        &self,
        py: Python<'_>,
        now: Option<Seconds>,
        place: impl FnOnce(&mut callsteer::Dispatcher, Time) -> Result<callsteer::Placed, E>,
    ) -> PyResult<Py<Placed>> {
        let placed = self.at_tick(py, now, |state, now| {
            place(&mut state.core, now).map(|placed| (placed, state.objects.find_placed(py, &placed)))
        })?;
        match placed {
            Ok((_, Some(known))) => Ok(known),
            Ok((placed, None)) => self.placed_anew(py, placed),
            Err(error) => Err(error.raise(py)),
        }
    }

    #[cold]
    fn picked_anew(&self, py: Python<'_>, picked: callsteer::Picked) -> PyResult<Py<Picked>> {
        Py::new(py, Picked::new(self.object(py, picked.destination)?, picked.panic))
    }

    #[cold]
    fn placed_anew(&self, py: Python<'_>, placed: callsteer::Placed) -> PyResult<Py<Placed>> {
        Py::new(py, Placed::of(placed, self.object(py, placed.destination)?))
    }
}

/// A lease: an integer that `begin` gave.
pub(crate) struct Handle(pub(crate) Lease);

impl<'a, 'py> FromPyObject<'a, 'py> for Handle {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let Whole(number) = Whole::<u64>::extract(given)?;
        let lease = Lease::from_u64(number);
        lease.map(Self).ok_or_else(|| PyValueError::new_err(format!("{number} cannot be a lease")))
    }
}

const fn blame(blame: Blame) -> &'static str {
    match blame {
        Blame::Destination => "destination",
        Blame::Busy => "busy",
        Blame::Caller => "caller",
    }
}
