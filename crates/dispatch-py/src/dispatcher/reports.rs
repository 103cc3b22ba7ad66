//! Reports from outside about destinations, and what is polled.

use callsteer::Inventory;
use pyo3::prelude::*;

use super::Dispatcher;
use crate::argument::{Reply, Seconds, Text, Whole, seconds};
use crate::destination::Destination;
use crate::error::Refusal;
use crate::report::Reported;
use crate::{event, record};

#[pymethods]
impl Dispatcher {
    /// What a probe of a destination brought, whether `poll_probe` asked for it or not.
    ///
    /// Args:
    ///     destination: which.
    ///     reply: a SIP status from 100 to 699, "timeout" or "unreachable".
    ///     retry_after: the Retry-After that came with it, in seconds. 503 with it means alive, but
    ///         full until then.
    ///
    /// Raises:
    ///     NoSuchDestination: it left, or never was this dispatcher's.
    ///     InvalidReply: not a status.
    #[pyo3(signature = (destination, reply, *, retry_after=None, now=None))]
    fn probe_result(
        &self,
        py: Python<'_>,
        destination: &Bound<'_, Destination>,
        reply: Reply,
        retry_after: Option<Seconds>,
        now: Option<Seconds>,
    ) -> PyResult<()> {
        let id = self.handle(destination)?;
        let result = reply.probe_result(retry_after);
        let taken = self.at(py, now, |state, now| state.core.probe_result(id, result, now))?;
        taken.map_err(|error| error.raise(py))
    }

    /// Takes what a bridge says of its load. "load_score" decides by it, and so does `capacity`.
    ///
    /// Raises:
    ///     NoSuchDestination: it left, or never was this dispatcher's.
    ///     InvalidReport: a value that no bridge can have; the message names the field.
    ///     LateReport, DuplicateReport, FutureReport: nothing of it counts.
    #[pyo3(signature = (destination, report, *, now=None))]
    fn report(
        &self,
        py: Python<'_>,
        destination: &Bound<'_, Destination>,
        report: Reported,
        now: Option<Seconds>,
    ) -> PyResult<()> {
        let id = self.handle(destination)?;
        let taken = self.at(py, now, |state, now| state.core.report(id, report.0, now))?;
        taken.map_err(|error| error.raise(py))
    }

    /// Compares the calls counted at a destination with those that it has by its own account.
    ///
    /// Args:
    ///     destination: which.
    ///     calls: the Call-IDs of all its calls, or how many they are.
    ///
    /// Returns:
    ///     `Reconciled`: confirmed calls that ended there are ended here; calls that nobody counts
    ///     are counted.
    ///
    /// Raises:
    ///     NoSuchDestination: it left, or never was this dispatcher's.
    #[pyo3(signature = (destination, calls, *, now=None))]
    fn reconcile<'py>(
        &self,
        py: Python<'py>,
        destination: &Bound<'_, Destination>,
        calls: &Bound<'_, PyAny>,
        now: Option<Seconds>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let id = self.handle(destination)?;
        let done = if let Ok(Whole(count)) = calls.extract() {
            self.at(py, now, |state, now| state.core.reconcile(id, Inventory::Count(count), now))?
        } else {
            let listed: Vec<Bound<'_, PyAny>> = calls.try_iter()?.collect::<PyResult<_>>()?;
            let texts: Vec<Text<'_>> = listed.iter().map(|call| call.extract()).collect::<PyResult<_>>()?;
            let there: Vec<&[u8]> = texts.iter().map(|text| text.0).collect();
            self.at(py, now, |state, now| state.core.reconcile(id, Inventory::Calls(&there), now))?
        };
        record::reconciled(py, done.map_err(|error| error.raise(py))?)
    }

    /// The next destination to probe, or None if none is due. Its time-out starts now; say what came
    /// by `probe_result`. `for bridge in iter(dispatcher.poll_probe, None)` gives all that are due.
    #[pyo3(signature = (*, now=None))]
    fn poll_probe(&self, py: Python<'_>, now: Option<Seconds>) -> PyResult<Option<Py<Destination>>> {
        let probe = self.at(py, now, |state, now| state.core.poll_probe(now))?;
        probe.map(|probe| self.object(py, probe.destination)).transpose()
    }

    /// The oldest event that was not polled yet, or None; see `callsteer.events`.
    /// `for event in iter(dispatcher.poll_event, None)` gives all there are.
    #[pyo3(signature = (*, now=None))]
    fn poll_event<'py>(&self, py: Python<'py>, now: Option<Seconds>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (polled, _departed) = self.at(py, now, |state, now| match state.core.poll_event(now) {
            Some(event) => {
                let who = event::whose(&event).map(|id| (id, state.objects.find(py, id)));
                (Some((event, who)), None)
            }
            None => (None, Some(state.objects.forget_departed())),
        })?;
        let Some((event, who)) = polled else { return Ok(None) };
        let who = who.and_then(|(id, known)| known.or_else(|| self.object(py, id).ok()));
        event::record(py, &event, who).map(Some)
    }

    /// When to poll again at the latest, in seconds of the clock; None while nothing can be due.
    fn next_deadline(&self, py: Python<'_>) -> Option<f64> {
        self.read(py, |state| state.core.next_deadline()).map(seconds)
    }
}
