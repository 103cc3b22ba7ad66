//! A dispatcher as a class: commands, reports, polls, getters, in the order of the core.
//!
//! Calls that are counted in thousands per second have raw functions (`raw`).

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use callsteer::{
    Call, Config, Destination, DestinationId, Dispatcher, Failure, Inventory, Lease, ProbeResult,
};
use napi::bindgen_prelude::{Float64Array, Object, Uint8Array, Unknown};
use napi::{Either, Env, Error, Result};
use napi_derive::napi;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answers;
use crate::raw::{self, Exchange};
use crate::refusal::Refusal;
use crate::session::{Session, Shared, destination, lease, time};

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
        let config = serde_json::from_value(config);
        let config: Config =
            config.map_err(|error| Refusal::unfit("invalid_config", &error).into_error(env))?;
        let dispatcher = Dispatcher::new(config).map_err(|error| Refusal::from(error).into_error(env))?;
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

    /// `reply` is a status, 0 for a time-out and 1 for unreachable.
    #[napi]
    pub fn fail(
        &self,
        env: Env,
        which: Either<f64, Uint8Array>,
        reply: u32,
        retry_after: Option<f64>,
        now: f64,
    ) -> Result<Value> {
        self.with(env, |dispatcher| {
            let (now, retry_after) = (time(now)?, span(retry_after)?);
            let failure = match reply {
                TIMEOUT => Failure::Timeout,
                UNREACHABLE => Failure::Unreachable,
                code => Failure::Reply { code: u16::try_from(code).unwrap_or(u16::MAX), retry_after },
            };
            let blame = match which {
                Either::A(number) => dispatcher.fail(in_progress(number)?, failure, now)?,
                Either::B(call_id) => dispatcher.fail_call(&call_id, failure, now)?,
            };
            Ok(serde_json::json!(blame))
        })
    }

    /// `reply` as of `fail`.
    #[napi]
    pub fn probe_result(
        &self,
        env: Env,
        who: f64,
        reply: u32,
        retry_after: Option<f64>,
        now: f64,
    ) -> Result<()> {
        self.with(env, |dispatcher| {
            let (now, retry_after) = (time(now)?, span(retry_after)?);
            let result = match reply {
                TIMEOUT | UNREACHABLE => ProbeResult::Timeout,
                code => ProbeResult::Reply { code: u16::try_from(code).unwrap_or(u16::MAX), retry_after },
            };
            Ok(dispatcher.probe_result(known(who)?, result, now)?)
        })
    }

    #[napi]
    pub fn report(&self, env: Env, who: f64, said: Unknown<'_>, now: f64) -> Result<()> {
        let report = read(env, said, "invalid_report")?;
        self.with(env, |dispatcher| Ok(dispatcher.report(known(who)?, report, time(now)?)?))
    }

    #[napi]
    pub fn reconcile(
        &self,
        env: Env,
        who: f64,
        there: Either<u32, Vec<Uint8Array>>,
        now: f64,
    ) -> Result<Value> {
        self.with(env, |dispatcher| {
            let (who, now) = (known(who)?, time(now)?);
            let done = match there {
                Either::A(count) => dispatcher.reconcile(who, Inventory::Count(count), now)?,
                Either::B(calls) => {
                    let calls: Vec<&[u8]> = calls.iter().map(|call| &**call).collect();
                    dispatcher.reconcile(who, Inventory::Calls(&calls), now)?
                }
            };
            Ok(serde_json::json!(done))
        })
    }

    #[napi]
    pub fn poll_probe(&self, env: Env, now: f64) -> Result<Option<f64>> {
        self.with(env, |dispatcher| {
            Ok(dispatcher.poll_probe(time(now)?).map(|probe| probe.destination.to_u64() as f64))
        })
    }

    #[napi]
    pub fn poll_event(&self, env: Env, now: f64) -> Result<Option<Value>> {
        self.with(env, |dispatcher| Ok(dispatcher.poll_event(time(now)?).map(|event| answers::event(&event))))
    }

    #[napi]
    pub fn next_deadline(&self, env: Env) -> Result<Option<f64>> {
        self.with(env, |dispatcher| Ok(dispatcher.next_deadline().map(answers::instant)))
    }

    #[napi]
    pub fn config(&self, env: Env) -> Result<Value> {
        self.with(env, |dispatcher| Ok(serde_json::json!(dispatcher.config())))
    }

    #[napi]
    pub fn sets(&self, env: Env) -> Result<Vec<u32>> {
        self.with(env, |dispatcher| Ok(dispatcher.sets().collect()))
    }

    #[napi]
    pub fn find(&self, env: Env, set: u32, id: String) -> Result<Option<f64>> {
        self.with(env, |dispatcher| Ok(dispatcher.find(set, &id).map(|id| id.to_u64() as f64)))
    }

    #[napi]
    pub fn destination(&self, env: Env, who: f64) -> Result<Option<Value>> {
        self.with(env, |dispatcher| Ok(destination(who).and_then(|id| answers::destination(dispatcher, id))))
    }

    #[napi]
    pub fn destination_of(&self, env: Env, number: f64) -> Result<Option<f64>> {
        self.with(env, |dispatcher| {
            let id = lease(number).and_then(|lease| dispatcher.destination_of(lease));
            Ok(id.map(|id| id.to_u64() as f64))
        })
    }

    #[napi]
    pub fn call_of(&self, env: Env, call_id: Uint8Array) -> Result<Option<f64>> {
        self.with(env, |dispatcher| Ok(dispatcher.call_of(&call_id).map(|lease| lease.to_u64() as f64)))
    }

    #[napi]
    pub fn status(&self, env: Env, who: f64) -> Result<Option<Value>> {
        self.with(env, |dispatcher| {
            let status = destination(who).and_then(|id| dispatcher.status(id));
            Ok(status.map(|status| answers::status(&status)))
        })
    }

    #[napi]
    pub fn stats(&self, env: Env) -> Result<Value> {
        self.with(env, |dispatcher| Ok(serde_json::json!(dispatcher.stats())))
    }

    #[napi]
    pub fn tenant_calls(&self, env: Env, tenant: String) -> Result<u32> {
        self.with(env, |dispatcher| Ok(dispatcher.tenant_calls(&tenant)))
    }

    #[napi]
    pub fn keys(&self, env: Env) -> Result<Vec<f64>> {
        self.with(env, |dispatcher| Ok(dispatcher.iter().map(|(id, ..)| id.to_u64() as f64).collect()))
    }

    #[napi]
    #[allow(clippy::too_many_arguments, reason = "an object would cost more than it tells")]
    pub fn explain(
        &self,
        env: Env,
        call_id: Uint8Array,
        set: Option<u32>,
        key: Option<Uint8Array>,
        class: Option<String>,
        cost: Option<u32>,
        tenant: Option<String>,
    ) -> Result<Value> {
        let plain = Call::new(&call_id);
        let call = Call {
            set: set.unwrap_or(plain.set),
            key: key.as_deref(),
            class: class.as_deref(),
            cost: cost.unwrap_or(plain.cost),
            tenant: tenant.as_deref(),
            ..plain
        };
        self.with(env, |dispatcher| Ok(answers::explanation(&dispatcher.explain(&call))))
    }

    #[napi]
    pub fn capacity(&self, env: Env, set: u32) -> Result<Option<Value>> {
        self.with(env, |dispatcher| Ok(dispatcher.capacity(set).map(|capacity| answers::capacity(&capacity))))
    }

    #[napi]
    pub fn drain_candidates(&self, env: Env, set: u32, count: u32) -> Result<Vec<f64>> {
        self.with(env, |dispatcher| {
            let candidates = dispatcher.drain_candidates(set, count as usize);
            Ok(candidates.into_iter().map(|id| id.to_u64() as f64).collect())
        })
    }

    #[napi]
    pub fn prometheus(&self, env: Env) -> Result<String> {
        self.with(env, |dispatcher| Ok(callsteer::metrics::prometheus(dispatcher)))
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
    env.from_js_value(said).map_err(|error: Error| Refusal::unfit(code, &error.reason).into_error(env))
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

const TIMEOUT: u32 = 0;
const UNREACHABLE: u32 = 1;
