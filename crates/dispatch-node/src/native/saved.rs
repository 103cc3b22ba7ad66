//! Everything that a dispatcher knows, saved, and a clock that begins anew.

use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Result};
use napi_derive::napi;

use super::{Native, span};
use crate::session::time;

#[napi]
impl Native {
    #[napi]
    pub fn resume(&self, env: Env, away: Option<f64>, now: f64) -> Result<()> {
        self.with(env, |dispatcher| {
            dispatcher.resume(time(now)?, span(away)?.unwrap_or_default());
            Ok(())
        })
    }

    #[napi]
    pub fn snapshot(&self, env: Env) -> Result<Uint8Array> {
        self.with(env, |dispatcher| Ok(dispatcher.snapshot().to_bytes().into()))
    }

    #[napi]
    pub fn snapshot_json(&self, env: Env) -> Result<String> {
        self.with(env, |dispatcher| Ok(dispatcher.snapshot().to_json()))
    }
}
