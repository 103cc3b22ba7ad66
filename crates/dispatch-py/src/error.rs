//! One exception class per error, made from the core's table of codes.

use std::collections::HashMap;

use callsteer::list::ParseError;
use callsteer::{
    AddError, BeginError, CODES, ConfigError, DeltaError, DestinationError, FailError, NextError, NoSuchCall,
    NoSuchDestination, PlanError, ProbeError, ReadError, ReportError, ScoreError, SnapshotError, StalePlan,
    UpdateError,
};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// The classes by code; the parse error of a list, which has many codes, by its own name.
static CLASSES: PyOnceLock<HashMap<String, Py<PyType>>> = PyOnceLock::new();

const PARSE_ERROR: &str = "parse_error";
const BASE_DOC: &str = "\
What Callsteer refuses. Nothing was changed.

Attributes:
    code: what it is, the same in every language: \"full\", \"all_down\" ...
    status: the SIP status to answer a refused call with, or None.
    retry_after: the whole seconds of the Retry-After to answer with, or None.";
const PARSE_DOC: &str = "\
A line of a dispatcher.list cannot be read.

Attributes:
    line: the line, from 1.
    column: the character of the line, from 1.
    code: what it is: \"invalid_flags\", \"missing_uri\" ...";

/// Makes the classes and adds them to the module.
pub(crate) fn define(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let value_error = py.get_type::<PyValueError>();
    let base = class(py, "CallsteerError", &[&py.get_type::<PyException>()], BASE_DOC, None)?;
    module.add("CallsteerError", &base)?;
    let mut classes = HashMap::new();
    for (code, meaning) in CODES {
        let bases = if is_about_a_value(code) { &[&base, &value_error][..] } else { &[&base] };
        let name = name(code);
        let class = class(py, &name, bases, &sentence(meaning), Some(code))?;
        module.add(name.as_str(), &class)?;
        classes.insert((*code).to_owned(), class.unbind());
    }
    let parse = class(py, "ParseError", &[&base, &value_error], PARSE_DOC, None)?;
    module.add("ParseError", &parse)?;
    classes.insert(PARSE_ERROR.to_owned(), parse.unbind());
    let _set_before = CLASSES.set(py, classes);
    Ok(())
}

/// An exception with this code.
pub(crate) fn refused(py: Python<'_>, code: &str, message: &str) -> PyErr {
    match CLASSES.get(py).and_then(|classes| classes.get(code)) {
        Some(class) => PyErr::from_type(class.bind(py).clone(), (message.to_owned(),)),
        None => PyException::new_err(format!("{code}: {message}")),
    }
}

/// A refusal of the core as an exception.
pub(crate) trait Refusal {
    fn raise(self, py: Python<'_>) -> PyErr;
}

macro_rules! refusals {
    ($($error:ty),+) => {
        $(impl Refusal for $error {
            #[cold]
            fn raise(self, py: Python<'_>) -> PyErr {
                refused(py, self.code(), &self.to_string())
            }
        })+
    };
}

refusals!(
    AddError,
    ConfigError,
    DeltaError,
    DestinationError,
    FailError,
    NextError,
    NoSuchCall,
    NoSuchDestination
);
refusals!(PlanError, ProbeError, ReadError, ReportError, ScoreError, SnapshotError, StalePlan, UpdateError);

impl Refusal for BeginError {
    #[cold]
    fn raise(self, py: Python<'_>) -> PyErr {
        let (status, retry_after) = self.answer();
        let error = refused(py, self.code(), &self.to_string());
        with(py, error, |value| {
            value.setattr("status", status)?;
            value.setattr("retry_after", retry_after)
        })
    }
}

impl Refusal for ParseError {
    fn raise(self, py: Python<'_>) -> PyErr {
        let error = refused(py, PARSE_ERROR, &self.to_string());
        with(py, error, |value| {
            value.setattr("code", self.code())?;
            value.setattr("line", self.line)?;
            value.setattr("column", self.column)
        })
    }
}

fn with(py: Python<'_>, error: PyErr, set: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<()>) -> PyErr {
    match set(error.value(py)) {
        Ok(()) => error,
        Err(other) => other,
    }
}

fn class<'py>(
    py: Python<'py>,
    name: &str,
    bases: &[&Bound<'py, PyType>],
    doc: &str,
    code: Option<&str>,
) -> PyResult<Bound<'py, PyType>> {
    let fields = PyDict::new(py);
    fields.set_item("__module__", "callsteer")?;
    fields.set_item("__doc__", doc)?;
    match code {
        Some(code) => fields.set_item("code", code)?,
        None => {
            for field in ["code", "status", "retry_after"] {
                fields.set_item(field, py.None())?;
            }
        }
    }
    let bases = pyo3::types::PyTuple::new(py, bases)?;
    Ok(py.get_type::<PyType>().call1((name, bases, fields))?.cast_into()?)
}

/// Errors that a wrong value makes are also Python's `ValueError`.
fn is_about_a_value(code: &str) -> bool {
    ["invalid_", "unreadable_", "incomplete_"].iter().any(|start| code.starts_with(start))
        || code.contains("snapshot")
}

/// `all_down` is `AllDown`.
fn name(code: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    };
    code.split('_').map(capital).collect()
}

fn sentence(meaning: &str) -> String {
    let (first, rest) = meaning.split_at(meaning.len().min(1));
    format!("{}{rest}.", first.to_uppercase())
}
