//! What other replicas are told, and what they say.

use callsteer::replica::Delta;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::Dispatcher;
use crate::argument::{Seconds, Text, Whole};
use crate::call::described;
use crate::destination::Destination;
use crate::error::Refusal;
use crate::record;

#[pymethods]
impl Dispatcher {
    /// What changed here since the delta before, for the other replicas, as JSON; everything where it is
    /// `full`. To be called every interval, also while nothing happens: it is the sign of life, and lets
    /// go of replicas that were not heard for `lost_after`. None without the option `replicas`.
    #[pyo3(signature = (*, full=false, now=None))]
    fn delta(&self, py: Python<'_>, full: bool, now: Option<Seconds>) -> PyResult<Option<String>> {
        let delta = self.at(py, now, |state, now| state.core.delta(full, now))?;
        Ok(delta.map(|delta| delta.to_json()))
    }

    /// Takes what another replica says, in any order, also twice.
    ///
    /// Returns:
    ///     Whether anything of it was new.
    ///
    /// Raises:
    ///     InvalidDelta: a text that is no delta; the message says where.
    #[pyo3(signature = (delta, *, now=None))]
    fn merge(&self, py: Python<'_>, delta: &str, now: Option<Seconds>) -> PyResult<bool> {
        let delta = Delta::from_json(delta).map_err(|error| error.raise(py))?;
        self.at(py, now, |state, now| state.core.merge(&delta, now))
    }

    /// Counts a call that a replica placed which is gone: it goes on here, as one being set up.
    ///
    /// Args:
    ///     destination: where it is.
    ///     call_id, set, key, cls, cost, tenant: as of `begin`.
    ///
    /// Returns:
    ///     Its lease; that of a call in progress here already.
    ///
    /// Raises:
    ///     NoSuchDestination: it left, or never was this dispatcher's.
    #[pyo3(signature = (destination, call_id, *, set=None, key=None, cls=None, cost=None, tenant=None, now=None))]
    fn take_over(
        &self,
        py: Python<'_>,
        destination: &Bound<'_, Destination>,
        call_id: Text<'_>,
        set: Option<Whole<u32>>,
        key: Option<Text<'_>>,
        cls: Option<&str>,
        cost: Option<Whole<u32>>,
        tenant: Option<&str>,
        now: Option<Seconds>,
    ) -> PyResult<u64> {
        let id = self.handle(destination)?;
        let call = described(call_id.0, set, key, cls, cost, tenant);
        let adopted = self.at(py, now, |state, now| state.core.take_over(id, &call, now))?;
        adopted.map(callsteer::Lease::to_u64).map_err(|error| error.raise(py))
    }

    /// The other replicas, as far as they were heard, by name.
    fn replicas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let heard: Vec<_> = self.read(py, |state| state.core.replicas().collect());
        let records: Vec<_> =
            heard.iter().map(|other| record::replica(py, other)).collect::<PyResult<_>>()?;
        PyList::new(py, records)
    }
}
