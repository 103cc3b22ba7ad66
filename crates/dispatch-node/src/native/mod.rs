//! A dispatcher as a class: commands, reports, polls, getters, in the order of the core.
//!
//! Calls that are counted in thousands per second have raw functions (`raw`).

mod commands;
mod getters;
mod reports;
mod saved;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use callsteer::{Config, DestinationId, Dispatcher, Lease, Snapshot};
use napi::bindgen_prelude::{Either, Float64Array, Object, Uint8Array, Unknown};
use napi::{De, Env, JsValue, Result};
use napi_derive::napi;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answers;
use crate::raw::{self, Exchange};
use crate::refusal::Refusal;
use crate::session::{Session, Shared, destination, lease};

/// A dispatcher.
#[napi]
pub struct Native(Shared);

/// What a new list would change.
#[napi]
pub struct Plan(callsteer::Plan);

#[napi]
impl Native {
    /// A dispatcher that exchanges numbers through this array.
    #[napi(constructor)]
    pub fn new(env: Env, config: Value, exchange: Float64Array) -> Result<Self> {
        let config: Config = serde_path_to_error::deserialize(config)
            .map_err(|error| Refusal::unfit("invalid_config", error.path(), error.inner()).into_error(env))?;
        let dispatcher = Dispatcher::new(config).map_err(|error| Refusal::from(error).into_error(env))?;
        Ok(Self(Rc::new(RefCell::new(Session::new(dispatcher, Exchange::new(exchange))))))
    }

    /// The dispatcher that a snapshot was made of, as bytes or as JSON.
    #[napi(factory)]
    pub fn restore(env: Env, data: Either<String, Uint8Array>, exchange: Float64Array) -> Result<Self> {
        let snapshot = match &data {
            Either::A(json) => Snapshot::from_json(json),
            Either::B(bytes) => Snapshot::from_bytes(bytes),
        };
        let dispatcher = snapshot.and_then(|snapshot| Dispatcher::restore(&snapshot));
        let dispatcher = dispatcher.map_err(|error| Refusal::from(error).into_error(env))?;
        Ok(Self(Rc::new(RefCell::new(Session::new(dispatcher, Exchange::new(exchange))))))
    }

    /// Its hot functions.
    #[napi]
    pub fn functions<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        raw::functions(env, &self.0)
    }

    /// Gives back its memory.
    #[napi]
    pub fn dispose(&self) {
        if let Ok(mut session) = self.0.try_borrow_mut() {
            session.dispose();
        }
    }

    fn with<T>(
        &self,
        env: Env,
        work: impl FnOnce(&mut Dispatcher) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        self.with_session(env, |session| work(session.dispatcher()?))
    }

    fn with_session<T>(
        &self,
        env: Env,
        work: impl FnOnce(&mut Session) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        let done = match self.0.try_borrow_mut() {
            Ok(mut session) => catch_unwind(AssertUnwindSafe(|| work(&mut session))),
            Err(_) => Ok(Err(Refusal::busy())),
        };
        done.unwrap_or_else(|_| Err(Refusal::panicked())).map_err(|refusal| refusal.into_error(env))
    }
}

#[napi]
impl Plan {
    /// Its changes, how many stay, and its text.
    #[napi]
    pub fn said(&self) -> Value {
        answers::plan(&self.0)
    }
}

/// Reads an object whose names are those of the core.
pub(crate) fn read<T: DeserializeOwned>(env: Env, said: Unknown<'_>, code: &'static str) -> Result<T> {
    let said = Object::from_raw(env.raw(), said.raw());
    serde_path_to_error::deserialize(&mut De::new(&said))
        .map_err(|error| Refusal::unfit(code, error.path(), &error.inner().reason).into_error(env))
}

fn known(who: f64) -> std::result::Result<DestinationId, Refusal> {
    destination(who).ok_or_else(|| callsteer::NoSuchDestination.into())
}

fn in_progress(number: f64) -> std::result::Result<Lease, Refusal> {
    lease(number).ok_or_else(|| callsteer::NoSuchCall.into())
}

fn span(millis: Option<f64>) -> std::result::Result<Option<Duration>, Refusal> {
    let span = millis.map(|millis| Duration::try_from_secs_f64(millis / 1e3)).transpose();
    span.map_err(|_| Refusal::out_of_range("a duration is a number of milliseconds from 0 on"))
}
