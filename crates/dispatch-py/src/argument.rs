//! What Python gives as an argument: integers, seconds, texts, replies.

use std::time::Duration;

use callsteer::{Failure, ProbeResult, Time};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyString};

/// An integer, which `True` is not, although Python says so.
pub(crate) struct Whole<T>(pub(crate) T);

impl<'a, 'py, T> FromPyObject<'a, 'py> for Whole<T>
where
    T: TryFrom<u64> + TryFrom<i64>,
{
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyBool>() {
            return Err(PyTypeError::new_err("must be an integer, not bool"));
        }
        let small = match given.extract::<i64>() {
            Ok(number) => T::try_from(number).ok(),
            Err(error) if error.is_instance_of::<PyTypeError>(given.py()) => return Err(error),
            Err(_) => given.extract::<u64>().ok().and_then(|number| T::try_from(number).ok()),
        };
        small.map(Self).ok_or_else(|| PyValueError::new_err(format!("{} is out of range", &*given)))
    }
}

/// Seconds, whole or not; never negative, never NaN, never endless.
#[derive(Clone, Copy)]
pub(crate) struct Seconds(f64);

impl Seconds {
    pub(crate) fn time(&self) -> Time {
        // The whole seconds apart: their product with 1e6 would round a second time.
        let whole = self.0.trunc();
        let micros = ((self.0 - whole) * 1e6).round();
        Time::from_micros((whole as u64).saturating_mul(1_000_000).saturating_add(micros as u64))
    }

    pub(crate) fn span(&self) -> Duration {
        self.time().since(Time::ZERO)
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Seconds {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyBool>() {
            return Err(PyTypeError::new_err("must be a number of seconds, not bool"));
        }
        let seconds = match given.cast::<PyFloat>() {
            Ok(float) => float.value(),
            Err(_) => given.extract::<f64>()?,
        };
        if (0.0..u64::MAX as f64 / 1e6).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(PyValueError::new_err(format!("a time is a number of seconds from 0 on, not {}", &*given)))
        }
    }
}

/// A point in time as Python has it.
pub(crate) fn seconds(time: Time) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// A text that is only hashed: a str as UTF-8, or bytes.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a>(pub(crate) &'a [u8]);

impl<'a, 'py> FromPyObject<'a, 'py> for Text<'a> {
    type Error = PyErr;

    // Every call has one, almost always a str.
    #[inline(always)]
    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match <&str>::extract(given) {
            Ok(text) => Ok(Self(text.as_bytes())),
            Err(error) => Self::other(given, error),
        }
    }
}

impl<'a> Text<'a> {
    /// What is no str of whole characters.
    #[cold]
    fn other(given: Borrowed<'a, '_, PyAny>, error: PyErr) -> PyResult<Self> {
        if given.is_instance_of::<PyBytes>() {
            return Ok(Self(<&[u8]>::extract(given)?));
        }
        // Half a character.
        if given.is_instance_of::<PyString>() {
            return Err(error);
        }
        let kind = given.get_type().name()?;
        Err(PyTypeError::new_err(format!("must be str or bytes, not {kind}")))
    }
}

/// What came back for a call or a probe: a status code, `"timeout"` or `"unreachable"`.
pub(crate) enum Reply {
    Code(u16),
    Timeout,
    Unreachable,
}

impl Reply {
    pub(crate) fn failure(self, retry_after: Option<Seconds>) -> Failure {
        match self {
            Self::Code(code) => Failure::Reply { code, retry_after: retry_after.map(|wait| wait.span()) },
            Self::Timeout => Failure::Timeout,
            Self::Unreachable => Failure::Unreachable,
        }
    }

    pub(crate) fn probe_result(self, retry_after: Option<Seconds>) -> ProbeResult {
        match self {
            Self::Code(code) => ProbeResult::Reply { code, retry_after: retry_after.map(|wait| wait.span()) },
            Self::Timeout | Self::Unreachable => ProbeResult::Timeout,
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Reply {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyString>() {
            return match <&str>::extract(given)? {
                "timeout" => Ok(Self::Timeout),
                "unreachable" => Ok(Self::Unreachable),
                _ => {
                    let given = given.repr()?;
                    let message =
                        format!("a reply is a status code, 'timeout' or 'unreachable', not {given}");
                    Err(PyValueError::new_err(message))
                }
            };
        }
        Whole::extract(given).map(|Whole(code)| Self::Code(code))
    }
}
