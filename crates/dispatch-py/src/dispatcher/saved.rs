//! Everything that a dispatcher knows, saved and restored, and a clock that begins anew.

use std::sync::atomic::Ordering;

use callsteer::Snapshot;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::{Dispatcher, OWNERS, State};
use crate::argument::{Seconds, Text};
use crate::attached::Attached;
use crate::clock::Clock;
use crate::error::Refusal;
use crate::objects::Objects;

#[pymethods]
impl Dispatcher {
    /// Everything that it knows, as bytes for `restore`, with a version and a checksum. Calls are in it
    /// by keyed hashes of their Call-IDs, with the key: it is as secret as the configuration.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let snapshot = self.read(py, |state| state.core.snapshot());
        PyBytes::new(py, &py.detach(|| snapshot.to_bytes()))
    }

    /// The same as JSON, for people; `restore` reads it, too.
    fn snapshot_json(&self, py: Python<'_>) -> String {
        let snapshot = self.read(py, |state| state.core.snapshot());
        py.detach(|| snapshot.to_json())
    }

    /// The dispatcher that a snapshot was made of, in this process or another one: the same leases mean
    /// the same calls, and whatever comes next, it decides the same. `Destination` objects are new ones.
    ///
    /// Args:
    ///     data: what `snapshot` gave, or as a str what `snapshot_json` gave.
    ///     clock: as for a new dispatcher. It may have begun anew: spans go on where they were.
    ///     away: how many seconds passed since the last time that the snapshot's dispatcher saw.
    ///     now: what the clock shows, where it is not to be asked.
    ///
    /// Raises:
    ///     DamagedSnapshot: it is no snapshot, or not a whole one, or was changed.
    ///     SnapshotVersion: a release that keeps other things has made it.
    ///     InconsistentSnapshot: what it says cannot be; the message says of what.
    #[staticmethod]
    #[pyo3(signature = (data, *, clock=None, away=None, now=None))]
    fn restore(
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        clock: Option<Py<PyAny>>,
        away: Option<Seconds>,
        now: Option<Seconds>,
    ) -> PyResult<Self> {
        let text = data.extract::<Text<'_>>()?;
        let is_json = data.is_instance_of::<PyString>();
        let core = py.detach(|| {
            let snapshot = match str::from_utf8(text.0) {
                Ok(json) if is_json => Snapshot::from_json(json),
                _ => Snapshot::from_bytes(text.0),
            };
            callsteer::Dispatcher::restore(&snapshot?)
        });
        let core = core.map_err(|error| error.raise(py))?;
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        let objects = Objects::new(py, core.config().max_events)?;
        let restored =
            Self { owner, clock: Clock::new(py, clock)?, state: Attached::new(State { core, objects }) };
        restored.renew(py, |core| core.iter().map(|(id, ..)| id).collect())?;
        restored.resume(py, away, now)?;
        Ok(restored)
    }

    /// Goes on by a clock that begins anew: it shows `now`, when `away` seconds have passed since the last
    /// time seen. Spans go on where they were, and what is over by now is done.
    #[pyo3(signature = (*, away=None, now=None))]
    fn resume(&self, py: Python<'_>, away: Option<Seconds>, now: Option<Seconds>) -> PyResult<()> {
        let away = away.map_or_else(Default::default, |away| away.span());
        self.at(py, now, |state, now| state.core.resume(now, away))
    }
}
