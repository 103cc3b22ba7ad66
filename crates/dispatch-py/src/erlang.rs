//! Erlang B.

use pyo3::prelude::*;

use crate::argument::Whole;

/// The share of calls that find no room, 0 to 1, where `erlangs` are offered to `slots` (Erlang B).
///
/// A negative load counts as none; one that is NaN or infinite blocks every call.
#[pyfunction]
pub(crate) fn erlang_b(erlangs: f64, slots: Whole<u32>) -> f64 {
    callsteer::erlang::blocking(erlangs, slots.0)
}

/// The fewest slots of which at most the share `target` of the calls finds none free; None where no
/// number is enough, or `target` is not above 0 and below 1.
#[pyfunction]
pub(crate) fn slots_for(erlangs: f64, target: f64) -> Option<u32> {
    callsteer::erlang::slots_for(erlangs, target)
}
