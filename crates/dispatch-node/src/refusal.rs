//! What JavaScript catches: errors of the core with their codes, and arguments that are none.

use std::time::Duration;

use callsteer::list::ParseError;
use callsteer::{
    AddError, BeginError, ConfigError, DeltaError, FailError, NextError, NoSuchCall, NoSuchDestination,
    PlanError, ProbeError, ReadError, ReportError, ScoreError, SnapshotError, StalePlan, UpdateError,
};
use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, Unknown};
use napi::{Env, Error};
use napi_derive::napi;
use serde_json::{Value, json};
use serde_path_to_error::Path;

use crate::answers::millis;

/// An error on its way to JavaScript; one word, so that what is not refused costs little.
pub(crate) struct Refusal(Box<Said>);

struct Said {
    code: &'static str,
    message: String,
    details: Value,
}

impl Refusal {
    /// What is refused with this code, in one's own words.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::with(code, message.into(), Value::Null)
    }

    #[cold]
    fn with(code: &'static str, message: String, details: Value) -> Self {
        Self(Box::new(Said { code, message, details }))
    }

    /// An argument of another type than the command takes.
    pub(crate) fn wrong_type(message: impl Into<String>) -> Self {
        Self::new("ERR_INVALID_ARG_TYPE", message)
    }

    /// A number that the command cannot take.
    pub(crate) fn out_of_range(message: impl Into<String>) -> Self {
        Self::new("ERR_OUT_OF_RANGE", message)
    }

    /// The dispatcher is not there any more.
    pub(crate) fn disposed() -> Self {
        Self::new("ERR_DISPOSED", "the dispatcher has been disposed of")
    }

    /// JavaScript that ran in the middle of a command gave another one.
    pub(crate) fn busy() -> Self {
        Self::new("ERR_BUSY", "the dispatcher is in the middle of a command")
    }

    /// A bug.
    pub(crate) fn panicked() -> Self {
        Self::new("ERR_INTERNAL", "callsteer has a bug: please report it, with what was asked")
    }

    /// A value that has not the shape of what a command of this code takes, and where in it.
    pub(crate) fn unfit(code: &'static str, at: &Path, error: &impl ToString) -> Self {
        let at = if at.iter().len() == 0 { String::new() } else { at.to_string() };
        Self::with(code, error.to_string(), json!({ "at": at }))
    }

    /// A configuration file that cannot be read; the message names fields and places as the file does.
    pub(crate) fn unreadable_config(error: &serde_json::Error) -> Self {
        let details = json!({ "line": error.line(), "column": error.column() });
        Self::with("invalid_config", error.to_string(), details)
    }

    /// The error as JavaScript sees it.
    pub(crate) fn into_error(self, env: Env) -> Error {
        let Said { code, message, details } = *self.0;
        let factory = match env.get_instance_data::<ErrorFactory>() {
            Ok(Some(factory)) => factory,
            _ => return Error::from_reason(message),
        };
        let made = factory
            .borrow_back(&env)
            .and_then(|function| function.call(FnArgs::from((code.to_string(), message, details))));
        made.map_or_else(|error| error, Error::from)
    }
}

/// Makes errors of the classes that JavaScript knows: code, message, and what else is said.
type ErrorFactory = FunctionRef<FnArgs<(String, String, Value)>, Unknown<'static>>;

/// Says how errors are made in this thread; called once, before anything else.
#[napi]
pub fn set_error_factory(
    env: Env,
    factory: Function<'_, FnArgs<(String, String, Value)>, Unknown<'static>>,
) -> napi::Result<()> {
    env.set_instance_data(factory.create_ref()?, (), |_| ())
}

/// The code of every error of the core, with its meaning.
#[napi]
pub fn codes() -> Value {
    callsteer::CODES.iter().map(|(code, meaning)| ((*code).to_string(), json!(meaning))).collect()
}

impl From<BeginError> for Refusal {
    #[cold]
    fn from(error: BeginError) -> Self {
        let (status, seconds) = error.answer();
        let retry_after: Option<Duration> = match error {
            BeginError::Full { retry_after }
            | BeginError::AllDown { retry_after }
            | BeginError::TenantFull { retry_after }
            | BeginError::TooFast { retry_after } => Some(retry_after),
            _ => None,
        };
        let details = json!({
            "status": status, "retryAfterMs": retry_after.map(millis), "retryAfterSeconds": seconds,
        });
        Self::with(error.code(), error.to_string(), details)
    }
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        let details = json!({ "line": error.line, "column": error.column });
        Self::with(error.code(), error.to_string(), details)
    }
}

macro_rules! refusals {
    ($($error:ty),+) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::new(error.code(), error.to_string())
            }
        })+
    };
}

refusals!(AddError, ConfigError, FailError, NextError, NoSuchCall, NoSuchDestination, PlanError);
refusals!(DeltaError, ProbeError, ReadError, ReportError, ScoreError, SnapshotError, StalePlan, UpdateError);
