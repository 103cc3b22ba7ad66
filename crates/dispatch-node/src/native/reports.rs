//! Reports from outside, and polls.

use callsteer::replica::Delta;
use callsteer::{Call, Failure, Inventory, ProbeResult};
use napi::bindgen_prelude::{Uint8Array, Unknown};
use napi::{Either, Env, Result};
use napi_derive::napi;
use serde_json::Value;

use super::{Native, in_progress, known, read, span};
use crate::answers;
use crate::session::time;

#[napi]
impl Native {
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
    pub fn delta(&self, env: Env, full: bool, now: f64) -> Result<Option<String>> {
        self.with(env, |dispatcher| Ok(dispatcher.delta(full, time(now)?).map(|delta| delta.to_json())))
    }

    #[napi]
    #[allow(clippy::too_many_arguments, reason = "an object would cost more than it tells")]
    pub fn take_over(
        &self,
        env: Env,
        who: f64,
        call_id: Uint8Array,
        set: Option<u32>,
        key: Option<Uint8Array>,
        class: Option<String>,
        cost: Option<u32>,
        tenant: Option<String>,
        now: f64,
    ) -> Result<f64> {
        let plain = Call::new(&call_id);
        let call = Call {
            set: set.unwrap_or(plain.set),
            key: key.as_deref(),
            class: class.as_deref(),
            cost: cost.unwrap_or(plain.cost),
            tenant: tenant.as_deref(),
            ..plain
        };
        self.with(env, |dispatcher| Ok(dispatcher.take_over(known(who)?, &call, time(now)?)?.to_u64() as f64))
    }

    #[napi]
    pub fn merge(&self, env: Env, delta: String, now: f64) -> Result<bool> {
        self.with(env, |dispatcher| Ok(dispatcher.merge(&Delta::from_json(&delta)?, time(now)?)))
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
}

const TIMEOUT: u32 = 0;
const UNREACHABLE: u32 = 1;
