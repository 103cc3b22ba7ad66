//! Numbers that Rust and JavaScript both read and write, one after the other: cheaper than arguments.

use napi::bindgen_prelude::Float64Array;

use super::arguments::Argument;
use crate::refusal::Refusal;

/// The numbers that a session exchanges with JavaScript, and what keeps their memory.
pub(crate) struct Exchange {
    numbers: Numbers,
    _keeps_them: Float64Array,
}

impl Exchange {
    pub(crate) fn new(mut array: Float64Array) -> Self {
        // SAFETY: only the address and the length are taken from it.
        let numbers = unsafe { array.as_mut() };
        // The address is kept beside the array that keeps its memory (3).
        let numbers = Numbers { start: numbers.as_mut_ptr(), length: numbers.len() };
        Self { numbers, _keeps_them: array }
    }

    pub(crate) fn read(&self, at: usize) -> f64 {
        self.numbers.read(at)
    }

    pub(crate) fn write(&self, at: usize, number: f64) {
        self.numbers.write(at, number);
    }
}

/// Numbers in memory that JavaScript sees too: never behind a reference, as it may write there.
pub(super) struct Numbers {
    start: *mut f64,
    length: usize,
}

impl Numbers {
    /// Those of a `Float64Array`, for the present call.
    pub(super) fn of(argument: Argument<'_>) -> Result<Self, Refusal> {
        let (start, length) = argument.numbers()?;
        Ok(Self { start, length })
    }

    fn read(&self, at: usize) -> f64 {
        if at < self.length {
            // SAFETY: within the array, whose memory is there (3, 4).
            unsafe { self.start.add(at).read() }
        } else {
            0.0
        }
    }

    pub(super) fn write(&self, at: usize, number: f64) {
        if at < self.length {
            // SAFETY: as in `read`.
            unsafe { self.start.add(at).write(number) }
        }
    }
}
