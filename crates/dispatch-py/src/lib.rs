//! The Python package `callsteer`: it converts arguments, calls the core, and converts answers.
//!
//! No decision and no default is made here. Documentation of what Python sees stands in the
//! comments of `pymethods`, where `help()` finds it.

#![deny(unsafe_code)]
#![allow(clippy::too_many_arguments, reason = "they are Python's keyword arguments")]

mod argument;
mod attached;
mod bench;
mod call;
mod clock;
mod destination;
mod dispatcher;
mod erlang;
mod error;
mod event;
mod list;
mod objects;
mod plan;
mod record;
mod report;
mod sweep;
mod watched;
mod written;

/// What the package `callsteer` is made of; its documentation is that of the package.
#[pyo3::pymodule(gil_used = false)]
mod _callsteer {
    #[pymodule_export]
    use crate::bench::run_bench;
    #[pymodule_export]
    use crate::call::{Call, Picked, Placed};
    #[pymodule_export]
    use crate::destination::Destination;
    #[pymodule_export]
    use crate::dispatcher::Dispatcher;
    #[pymodule_export]
    use crate::erlang::{erlang_b, slots_for};
    #[pymodule_export]
    use crate::list::{List, parse_list};
    #[pymodule_export]
    use crate::plan::Plan;
    #[pymodule_export]
    use crate::report::{
        algorithm_of_kamailio, read_agent_check, read_heartbeat, read_heartbeat_json, read_orca,
        read_orca_bin, read_report, score,
    };
    #[pymodule_export]
    use crate::sweep::{Sweep, run_task};

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        crate::error::define(module)?;
        // What is exported is for the package to say.
        pyo3::types::PyAnyMethods::delattr(module.as_any(), "__all__")
    }
}
