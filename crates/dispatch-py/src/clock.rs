//! What time it is where nobody says `now`: by `time.monotonic`, or by the user's own clock.

use callsteer::Time;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

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
            Self::Monotonic => {
                use rustix::time::{ClockId, clock_gettime};
                let now = clock_gettime(ClockId::Monotonic);
                // Rounded up: what Python read before, rounded to the microsecond, is never later.
                let micros = now.tv_sec as u64 * 1_000_000 + (now.tv_nsec as u64).div_ceil(1_000);
                Ok(Time::from_micros(micros))
            }
            Self::Callable(clock) => Ok(clock.bind(py).call0()?.extract::<Seconds>()?.time()),
        }
    }
}
