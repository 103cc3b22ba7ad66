//! The façade: the core's dispatcher for one thread at a time, with a clock.

mod calls;
mod destinations;
mod getters;
mod replicate;
mod reports;
mod saved;

use std::sync::atomic::{AtomicU64, Ordering};

use callsteer::{Config, DestinationId, Time};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use crate::argument::Seconds;
use crate::attached::Attached;
use crate::clock::Clock;
use crate::destination::Destination;
use crate::error::{Refusal, refused};
use crate::objects::Objects;
use crate::written;

/// Decides which destination takes the next call, and keeps track of calls and destinations.
///
/// It opens no socket and starts no thread: tell it what happens, ask it what to do, do the I/O
/// yourself. All methods may be called from any thread. Times are seconds as numbers, by
/// `time.monotonic()` where `now` is not given; a `now` before the last one seen counts as the last
/// one seen. A command that is refused raises a `CallsteerError` and changes nothing.
///
/// All options have defaults and are those of the configuration file; durations are in seconds.
///
/// Args:
///     clock: another clock, a callable that gives seconds. It must not be slow, and not run back.
///     seed: drives every random choice. Give each dispatcher over the same fleet another one.
///     hash_key: the secret key of "call_id_hash". Dispatchers that must agree share it.
///     algorithm: "call_load", "load_score", "round_robin", "weighted", "call_id_hash",
///         "priority", "power_of_two" or "random"; with an option as a dict, for example
///         {"call_id_hash": {"bound": 1.25}}.
///     policies: per set the routes to try in order, {1: [{"set": 1, "algorithm": "call_load"}, ...]}.
///     setup_timeout: a call that is not confirmed for so long ends.
///     max_duration: a confirmed call ends after so long.
///     max_calls_total: calls in progress at most; bounds the memory.
///     retry_after: what a refused caller is told to wait where nothing better is known.
///     tenants: limits by name, {"sales": {"max_calls": 10, "max_rate": 2}}.
///     tenant_default: the limits of every other tenant.
///     dispatchers: how many dispatchers are over the same fleet.
///     replicas: who this one is among them, where they share what they know; see `ReplicasConfig`.
///     warm_up: how long one that joins or comes back takes to its full weight; 0 is off.
///     health: when probes take a destination down and bring it back; see `HealthConfig`.
///     ejection: when failed calls take a destination out for a while; see `EjectionConfig`.
///     probing: which destinations are probed, and how often; see `ProbingConfig`.
///     scaling: when a set should grow or shrink; see `ScalingConfig`.
///     max_events: events kept for `poll_event`.
///
/// Raises:
///     InvalidConfig: an unknown option, or a value that cannot work; the message names it.
#[pyclass(frozen, module = "callsteer")]
pub(crate) struct Dispatcher {
    /// Tells its destinations from those of others.
    owner: u64,
    clock: Clock,
    state: Attached<State>,
}

/// How many dispatchers were made.
static OWNERS: AtomicU64 = AtomicU64::new(0);

/// What one thread at a time changes. Nothing of Python's is made, dropped or called meanwhile, so that no
/// thread waits for itself.
pub(crate) struct State {
    pub(crate) core: callsteer::Dispatcher,
    pub(crate) objects: Objects,
}

#[pymethods]
impl Dispatcher {
    #[new]
    #[pyo3(
        signature = (*, clock=None, **options),
        text_signature = "(*, clock=None, seed=..., hash_key=..., algorithm=..., policies=..., setup_timeout=..., max_duration=..., max_calls_total=..., retry_after=..., tenants=..., tenant_default=..., dispatchers=..., replicas=..., warm_up=..., health=..., ejection=..., probing=..., scaling=..., max_events=...)"
    )]
    fn new(py: Python<'_>, clock: Option<Py<PyAny>>, options: Option<Bound<'_, PyDict>>) -> PyResult<Self> {
        let config: Config = written::read(&written::options(py, options), "invalid_config")?;
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        let objects = Objects::new(py, config.max_events)?;
        let core = callsteer::Dispatcher::new(config).map_err(|error| error.raise(py))?;
        Ok(Self { owner, clock: Clock::new(py, clock)?, state: Attached::new(State { core, objects }) })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.clock.traverse(visit)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let (calls, destinations) =
            self.read(py, |state| (state.core.stats().calls, state.core.iter().count()));
        format!("<Dispatcher: {calls} calls on {destinations} destinations>")
    }
}

impl Dispatcher {
    /// Does something at a time: the one given, or what the clock says.
    pub(crate) fn at<T>(
        &self,
        py: Python<'_>,
        now: Option<Seconds>,
        act: impl FnOnce(&mut State, Time) -> T,
    ) -> PyResult<T> {
        let now = now.map_or_else(|| self.clock.now(py), |now| Ok(now.time()))?;
        Ok(self.read(py, |state| act(state, now)))
    }

    /// `at`, for calls: to the tick.
    #[inline]
    pub(crate) fn at_tick<T>(
        &self,
        py: Python<'_>,
        now: Option<Seconds>,
        act: impl FnOnce(&mut State, Time) -> T,
    ) -> PyResult<T> {
        let now = now.map_or_else(|| self.clock.tick(py), |now| Ok(now.time()))?;
        Ok(self.read(py, |state| act(state, now)))
    }

    /// Does something that needs no time.
    pub(crate) fn read<T>(&self, py: Python<'_>, act: impl FnOnce(&mut State) -> T) -> T {
        self.state.with(py, act)
    }

    /// The object of a destination that is there.
    pub(crate) fn object(&self, py: Python<'_>, id: DestinationId) -> PyResult<Py<Destination>> {
        if let Some(known) = self.read(py, |state| state.objects.find(py, id)) {
            return Ok(known);
        }
        self.renew(py, |_| vec![id])?;
        let made = self.read(py, |state| state.objects.find(py, id));
        made.ok_or_else(|| refused(py, "no_such_destination", "the destination left meanwhile"))
    }

    /// Makes the objects of destinations that joined or were described anew.
    fn renew(
        &self,
        py: Python<'_>,
        which: impl FnOnce(&callsteer::Dispatcher) -> Vec<DestinationId>,
    ) -> PyResult<()> {
        let missing: Vec<_> = self.read(py, |state| {
            let ids = which(&state.core).into_iter();
            ids.filter_map(|id| state.objects.missing(&state.core, id)).collect()
        });
        for missing in missing {
            let made = missing.make(py, self.owner)?;
            drop(self.read(py, |state| state.objects.put(&state.core, made)));
        }
        Ok(())
    }

    /// The handle of a destination of this dispatcher.
    fn handle(&self, destination: &Bound<'_, Destination>) -> PyResult<DestinationId> {
        destination.get().handle(destination.py(), self.owner)
    }
}
