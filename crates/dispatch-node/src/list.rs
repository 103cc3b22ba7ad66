//! A dispatcher.list.

use callsteer::Destination;
use callsteer::list::{self, Mode, Severity};
use napi::bindgen_prelude::{Uint8Array, Unknown};
use napi::{Env, Result};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::answers::description;
use crate::native::read;
use crate::refusal::Refusal;

/// The code of everything that can be wrong with a line, with its meaning.
#[napi]
pub fn list_codes() -> Value {
    list::ERRORS.iter().map(|(code, meaning)| ((*code).to_string(), json!(meaning))).collect()
}

/// A dispatcher.list with every line of it.
#[napi]
pub struct NativeList(list::List);

#[napi]
impl NativeList {
    /// Reads a file; a lenient one leaves out the lines that cannot be read.
    #[napi(constructor)]
    pub fn new(env: Env, file: Uint8Array, lenient: bool) -> Result<Self> {
        let mode = if lenient { Mode::Lenient } else { Mode::Strict };
        let list = list::parse(&file, mode);
        Ok(Self(list.map_err(|error| Refusal::from(error).into_error(env))?))
    }

    #[napi]
    pub fn push(&mut self, env: Env, set: u32, said: Unknown<'_>) -> Result<()> {
        let said: Destination = read(env, said, "invalid_destination")?;
        self.0.push(set, said).map_err(|error| Refusal::from(error).into_error(env))
    }

    #[napi]
    pub fn update(&mut self, env: Env, set: u32, said: Unknown<'_>) -> Result<()> {
        let said: Destination = read(env, said, "invalid_destination")?;
        self.0.update(set, said).map_err(|error| Refusal::from(error).into_error(env))
    }

    #[napi]
    pub fn remove(&mut self, set: u32, id: String) -> bool {
        self.0.remove(set, &id).is_some()
    }

    #[napi]
    pub fn entries(&self) -> Value {
        let entries = self.0.entries().map(|entry| {
            json!({
                "line": entry.line(), "set": entry.set(), "destination": description(entry.destination()),
                "text": entry.text(),
            })
        });
        entries.collect()
    }

    #[napi]
    pub fn skipped(&self) -> Value {
        let skipped = self.0.skipped().iter().map(|error| {
            json!({
                "line": error.line, "column": error.column, "code": error.code(), "message": error.message,
            })
        });
        skipped.collect()
    }

    #[napi]
    pub fn lint(&self) -> Value {
        let lints = list::lint(&self.0).into_iter().map(|lint| {
            let severity = match lint.severity {
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            json!({
                "line": lint.line, "column": lint.column, "code": lint.code, "severity": severity,
                "message": lint.message, "fix": lint.fix,
            })
        });
        lints.collect()
    }

    #[napi]
    pub fn write(&self) -> Uint8Array {
        Uint8Array::new(list::write(&self.0))
    }
}
