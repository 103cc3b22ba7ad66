//! What the core reads and writes by serde, as Python's plain values: dicts, lists, strings, numbers.
//!
//! JSON stands between them, so that both sides spell everything as the files of all languages do.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::refused;

/// Reads a value; what is wrong with it is refused with this code, and says where it stands.
pub(crate) fn read<T: DeserializeOwned>(value: &Bound<'_, PyAny>, code: &str) -> PyResult<T> {
    let text: String = value.py().import("json")?.call_method1("dumps", (value,))?.extract()?;
    let mut json = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let what = error.inner().to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        match error.path().to_string().as_str() {
            "." => refused(value.py(), code, what),
            path => refused(value.py(), code, &format!("{path}: {what}")),
        }
    })
}

/// The value as Python has it.
pub(crate) fn write<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(value).unwrap_or_default();
    py.import("json")?.call_method1("loads", (text,))
}

/// Keyword arguments, which may be none.
pub(crate) fn options<'py>(py: Python<'py>, given: Option<Bound<'py, PyDict>>) -> Bound<'py, PyAny> {
    given.unwrap_or_else(|| PyDict::new(py)).into_any()
}
