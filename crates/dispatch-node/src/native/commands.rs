//! Commands: destinations join, leave and change; calls move on.

use callsteer::Destination;
use napi::bindgen_prelude::{Uint8Array, Unknown};
use napi::{Either, Env, Result};
use napi_derive::napi;

use super::{Native, Plan, in_progress, known, read, span};
use crate::session::time;

#[napi]
impl Native {
    #[napi]
    pub fn add(&self, env: Env, set: u32, said: Unknown<'_>, now: f64) -> Result<f64> {
        let destination: Destination = read(env, said, "invalid_destination")?;
        self.with(env, |dispatcher| Ok(dispatcher.add(set, destination, time(now)?)?.to_u64() as f64))
    }

    #[napi]
    pub fn update(&self, env: Env, who: f64, said: Unknown<'_>, now: f64) -> Result<()> {
        let said: Destination = read(env, said, "invalid_destination")?;
        self.with(env, |dispatcher| Ok(dispatcher.update(known(who)?, said, time(now)?)?))
    }

    #[napi]
    pub fn remove(&self, env: Env, who: f64, now: f64) -> Result<()> {
        self.with(env, |dispatcher| Ok(dispatcher.remove(known(who)?, time(now)?)?))
    }

    #[napi]
    pub fn set_enabled(&self, env: Env, who: f64, enabled: bool, now: f64) -> Result<()> {
        self.with(env, |dispatcher| Ok(dispatcher.set_enabled(known(who)?, enabled, time(now)?)?))
    }

    #[napi]
    pub fn drain(&self, env: Env, who: f64, deadline: Option<f64>, now: f64) -> Result<()> {
        self.with(env, |dispatcher| Ok(dispatcher.drain(known(who)?, span(deadline)?, time(now)?)?))
    }

    #[napi]
    pub fn plan(&self, env: Env, list: Unknown<'_>) -> Result<Plan> {
        let list: Vec<(u32, Destination)> = read(env, list, "invalid_destination")?;
        self.with(env, |dispatcher| Ok(Plan(dispatcher.plan(&list)?)))
    }

    #[napi]
    pub fn apply(&self, env: Env, plan: &Plan, now: f64) -> Result<()> {
        self.with(env, |dispatcher| Ok(dispatcher.apply(plan.0.clone(), time(now)?)?))
    }

    /// As the raw `begin`: out the place.
    #[napi]
    pub fn next(&self, env: Env, which: Either<f64, Uint8Array>, now: f64) -> Result<()> {
        self.with_session(env, |session| {
            let (dispatcher, now) = (session.dispatcher()?, time(now)?);
            let placed = match which {
                Either::A(number) => dispatcher.next(in_progress(number)?, now)?,
                Either::B(call_id) => dispatcher.next_call(&call_id, now)?,
            };
            session.place(placed);
            Ok(())
        })
    }
}
