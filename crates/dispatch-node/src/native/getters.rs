//! Getters: they never change anything.

use callsteer::Call;
use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Result};
use napi_derive::napi;
use serde_json::Value;

use super::Native;
use crate::answers;
use crate::session::{destination, lease};

#[napi]
impl Native {
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
    pub fn replicas(&self, env: Env) -> Result<Vec<Value>> {
        self.with(env, |dispatcher| Ok(dispatcher.replicas().map(|other| answers::replica(&other)).collect()))
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
}
