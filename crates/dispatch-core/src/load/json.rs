//! JSON of other programs: objects, numbers that may stand in quotes, and where an error is.

use alloc::string::{String, ToString};

use serde_json::{Map, Value};

use crate::error::ReadError;

/// Reads an object, which begins after `start` bytes of the line that it is in.
pub(super) fn object(text: &str, start: usize) -> Result<Map<String, Value>, ReadError> {
    serde_json::from_str(text).map_err(|error| match unreadable(&error) {
        ReadError::Unreadable { field, what, line: 1, column } => {
            ReadError::Unreadable { field, what, line: 1, column: column + start }
        }
        error => error,
    })
}

/// A number, as such or in quotes.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// What serde_json found wrong, with the place said once.
pub(super) fn unreadable(error: &serde_json::Error) -> ReadError {
    let message = error.to_string();
    let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
    let (line, column) = (error.line(), error.column());
    ReadError::Unreadable { field: String::new(), what: String::from(what).into(), line, column }
}
