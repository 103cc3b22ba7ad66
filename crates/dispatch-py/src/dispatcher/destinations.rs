//! Commands on destinations.

use pyo3::prelude::*;

use super::Dispatcher;
use crate::argument::{Seconds, Whole};
use crate::destination::Destination;
use crate::error::Refusal;
use crate::plan::Plan;

#[pymethods]
impl Dispatcher {
    /// Adds a destination to a set and gives the dispatcher's own `Destination`, for other commands.
    ///
    /// One that was removed and still has calls comes back with them.
    ///
    /// Raises:
    ///     InvalidDestination: a value that cannot work.
    ///     Duplicate: the set has a destination with this id.
    #[pyo3(signature = (destination, *, set=None, now=None))]
    fn add(
        &self,
        py: Python<'_>,
        destination: &Bound<'_, Destination>,
        set: Option<Whole<u32>>,
        now: Option<Seconds>,
    ) -> PyResult<Py<Destination>> {
        let set = set.map_or(callsteer::Call::new(b"").set, |set| set.0);
        let description = destination.get().description.clone();
        let added = self.at(py, now, |state, now| state.core.add(set, description, now))?;
        let id = added.map_err(|error| error.raise(py))?;
        self.renew(py, |_| vec![id])?;
        self.object(py, id)
    }

    /// Takes a destination out of its set at once. Its calls go on; when the last one has ended, an
    /// event says so.
    ///
    /// Raises:
    ///     NoSuchDestination: it left, or never was this dispatcher's.
    #[pyo3(signature = (destination, *, now=None))]
    fn remove(
        &self,
        py: Python<'_>,
        destination: &Bound<'_, Destination>,
        now: Option<Seconds>,
    ) -> PyResult<()> {
        let id = self.handle(destination)?;
        self.at(py, now, |state, now| state.core.remove(id, now))?.map_err(|error| error.raise(py))
    }

    /// Replaces the description of a destination, and gives it as it is now. Load, health, the
    /// operator's will and calls stay. `update(bridge, bridge.replace(weight=20))` changes one field.
    ///
    /// Raises:
    ///     NoSuchDestination: it left, or never was this dispatcher's.
    ///     InvalidDestination: a value that cannot work.
    ///     IdChanged: the description has another id.
    #[pyo3(signature = (destination, description, *, now=None))]
    fn update(
        &self,
        py: Python<'_>,
        destination: &Bound<'_, Destination>,
        description: &Bound<'_, Destination>,
        now: Option<Seconds>,
    ) -> PyResult<Py<Destination>> {
        let id = self.handle(destination)?;
        let description = description.get().description.clone();
        let updated = self.at(py, now, |state, now| state.core.update(id, description, now))?;
        updated.map_err(|error| error.raise(py))?;
        self.renew(py, |_| vec![id])?;
        self.object(py, id)
    }

    /// Switches a destination on, which also ends a drain, or off: it gets no new calls.
    ///
    /// Raises:
    ///     NoSuchDestination: it left, or never was this dispatcher's.
    #[pyo3(signature = (destination, enabled, *, now=None))]
    fn set_enabled(
        &self,
        py: Python<'_>,
        destination: &Bound<'_, Destination>,
        enabled: bool,
        now: Option<Seconds>,
    ) -> PyResult<()> {
        let id = self.handle(destination)?;
        let switched = self.at(py, now, |state, now| state.core.set_enabled(id, enabled, now))?;
        switched.map_err(|error| error.raise(py))
    }

    /// Gives a destination no new calls, and says once, by an event, when its calls have ended or
    /// `deadline` seconds from now have passed. Without a deadline it waits for its last call.
    ///
    /// Raises:
    ///     NoSuchDestination: it left, or never was this dispatcher's.
    #[pyo3(signature = (destination, *, deadline=None, now=None))]
    fn drain(
        &self,
        py: Python<'_>,
        destination: &Bound<'_, Destination>,
        deadline: Option<Seconds>,
        now: Option<Seconds>,
    ) -> PyResult<()> {
        let id = self.handle(destination)?;
        let deadline = deadline.map(|span| span.span());
        let drains = self.at(py, now, |state, now| state.core.drain(id, deadline, now))?;
        drains.map_err(|error| error.raise(py))
    }

    /// What would change if these pairs of set and destination were all there is. Changes nothing
    /// yet: look at the plan, and give it to `apply`. A `List` has such pairs: `list.destinations()`.
    ///
    /// Raises:
    ///     InvalidDestination: an entry that cannot work.
    ///     Duplicate: two entries of a set have the same id.
    fn plan(&self, py: Python<'_>, destinations: &Bound<'_, PyAny>) -> PyResult<Plan> {
        let mut listed = Vec::new();
        for pair in destinations.try_iter()? {
            let (set, destination): (Whole<u32>, Bound<'_, Destination>) = pair?.extract()?;
            listed.push((set.0, destination.get().description.clone()));
        }
        let plan = self.read(py, |state| state.core.plan(&listed));
        plan.map(|plan| Plan::new(self.owner, plan)).map_err(|error| error.raise(py))
    }

    /// Carries out a plan, all of it or nothing.
    ///
    /// Raises:
    ///     StalePlan: destinations joined, left or were updated after the plan was made.
    #[pyo3(signature = (plan, *, now=None))]
    fn apply(&self, py: Python<'_>, plan: &Bound<'_, Plan>, now: Option<Seconds>) -> PyResult<()> {
        let plan = plan.get().plan_of(py, self.owner)?;
        let applied = self.at(py, now, |state, now| state.core.apply(plan, now))?;
        applied.map_err(|error| error.raise(py))?;
        self.renew(py, |core| core.iter().map(|(id, ..)| id).collect())
    }
}
