//! Errors of JSON as errors of this crate.

use alloc::string::{String, ToString};

use crate::error::ReadError;

/// What serde_json found wrong, with the place said once.
pub(super) fn unreadable(error: &serde_json::Error) -> ReadError {
    let message = error.to_string();
    let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
    let (line, column) = (error.line(), error.column());
    ReadError::Unreadable { field: String::new(), what: String::from(what).into(), line, column }
}
