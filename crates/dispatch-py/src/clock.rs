//! What time it is where nobody says `now`: by `time.monotonic`, or by the user's own clock.

use callsteer::Time;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};

use crate::argument::Seconds;

/// A clock in seconds.
pub(crate) enum Clock {
    /// `time.monotonic`, read without Python.
    #[cfg(unix)]
    Monotonic,
    /// A callable.
    Callable(Py<PyAny>),
}

impl Clock {
    /// The clock that the user wants; by default `time.monotonic`.
    pub(crate) fn new(py: Python<'_>, wanted: Option<Py<PyAny>>) -> PyResult<Self> {
        if let Some(callable) = wanted {
            return Ok(Self::Callable(callable));
        }
        let time = py.import("time")?;
        #[cfg(unix)]
        if time
            .call_method1("get_clock_info", ("monotonic",))?
            .getattr("implementation")?
            .eq("clock_gettime(CLOCK_MONOTONIC)")?
        {
            return Ok(Self::Monotonic);
        }
        Ok(Self::Callable(time.getattr("monotonic")?.unbind()))
    }

    /// Shows the garbage collector what is held.
    pub(crate) fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            #[cfg(unix)]
            Self::Monotonic => Ok(()),
            Self::Callable(clock) => visit.call(clock),
        }
    }

    pub(crate) fn now(&self, py: Python<'_>) -> PyResult<Time> {
        match self {
            #[cfg(unix)]
            Self::Monotonic => Ok(read(ClockId::Monotonic)),
            Self::Callable(clock) => called(clock, py),
        }
    }

    /// `now`, or what it was at the last tick of the kernel's, which takes a fifth of the time to read: 1 to
    /// 10 ms ago. Nobody sees the difference in a call: the core's time never goes back, and a limit of calls
    /// per second, which takes a second's worth at once, allows what it allowed at the tick.
    #[inline]
    pub(crate) fn tick(&self, py: Python<'_>) -> PyResult<Time> {
        match self {
            #[cfg(unix)]
            Self::Monotonic => Ok(read(TICK)),
            Self::Callable(clock) => called(clock, py),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const TICK: ClockId = ClockId::MonotonicCoarse;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const TICK: ClockId = ClockId::Monotonic;

#[cfg(unix)]
fn read(clock: ClockId) -> Time {
    let now = clock_gettime(clock);
    // Rounded up: what Python read before, rounded to the microsecond, is never later.
    Time::from_micros(now.tv_sec as u64 * 1_000_000 + (now.tv_nsec as u64).div_ceil(1_000))
}

fn called(clock: &Py<PyAny>, py: Python<'_>) -> PyResult<Time> {
    Ok(clock.bind(py).call0()?.extract::<Seconds>()?.time())
}
