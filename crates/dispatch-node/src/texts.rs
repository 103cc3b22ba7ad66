//! Functions without a dispatcher: reports of load in their wire forms, scores, metrics, Erlang B.

use std::collections::BTreeMap;

use callsteer::{AgentCheck, Algorithm, Config, Heartbeat, Orca, Report, Resources, erlang};
use napi::bindgen_prelude::{Uint8Array, Unknown};
use napi::{Env, Result};
use napi_derive::napi;
use serde_json::{Map, Value, json};

use crate::answers::{instant, millis};
use crate::native::read;
use crate::refusal::Refusal;

/// Reads a report in this form; gives the report and what the text says besides.
#[napi]
pub fn read_report(env: Env, form: String, text: Uint8Array) -> Result<Value> {
    let utf8 = || std::str::from_utf8(&text).map_err(|_| Refusal::wrong_type("the text is not UTF-8"));
    let read = || -> std::result::Result<Value, Refusal> {
        Ok(match form.as_str() {
            "orca" => metrics(&Orca::parse(utf8()?)?),
            "orca_bin" => metrics(&Orca::from_base64(utf8()?)?),
            "agent_check" => agent_check(&AgentCheck::parse(&text)?),
            "heartbeat" => heartbeat(&Heartbeat::from_plain(utf8()?)?),
            "heartbeat_json" => heartbeat(&Heartbeat::from_json(utf8()?)?),
            _ => report(&Report::from_json(utf8()?)?),
        })
    };
    read().map_err(|refusal| refusal.into_error(env))
}

/// Reads a configuration file; gives it with every default.
#[napi]
pub fn read_config(env: Env, json: Uint8Array) -> Result<Value> {
    // Serde would read a list, too: values without names.
    if json.trim_ascii_start().first() == Some(&b'[') {
        return Err(
            Refusal::new("invalid_config", "a configuration is an object, not a list").into_error(env)
        );
    }
    let config: Config =
        serde_json::from_slice(&json).map_err(|error| Refusal::unreadable_config(&error).into_error(env))?;
    Ok(json!(config))
}

/// One score of several measured values.
#[napi]
pub fn score(env: Env, resources: Unknown<'_>, measured: Unknown<'_>) -> Result<f64> {
    let resources: Resources = read(env, resources, "invalid_config")?;
    let measured: BTreeMap<String, f64> = read(env, measured, "invalid_report")?;
    let measured = measured.iter().map(|(name, value)| (name.as_str(), *value));
    let score = || -> std::result::Result<f64, Refusal> {
        resources.check()?;
        Ok(resources.score(measured)?)
    };
    score().map_err(|refusal| refusal.into_error(env))
}

/// Every metric: name, help, kind and labels.
#[napi]
pub fn metric_table() -> Value {
    let row = |metric: callsteer::metrics::Metric| {
        json!({
            "name": metric.name, "help": metric.help, "kind": metric.kind.as_str(), "labels": metric.labels,
        })
    };
    callsteer::metrics::table().map(row).collect()
}

#[napi]
pub fn blocking(erlangs: f64, slots: u32) -> f64 {
    erlang::blocking(erlangs, slots)
}

#[napi]
pub fn slots_for(erlangs: f64, target: f64) -> Option<u32> {
    erlang::slots_for(erlangs, target)
}

#[napi]
pub fn erlangs_for(slots: u32, target: f64) -> Option<f64> {
    erlang::erlangs_for(slots, target)
}

#[napi]
pub fn highest_utilisation(slots: u32, target: f64) -> Option<f64> {
    erlang::highest_utilisation(slots, target)
}

/// The algorithm that stands for a number of Kamailio's.
#[napi]
pub fn algorithm_from_kamailio(env: Env, number: u32) -> Result<Value> {
    let algorithm = Algorithm::from_kamailio(u16::try_from(number).unwrap_or(u16::MAX));
    let algorithm = algorithm.map_err(|error| Refusal::out_of_range(error.to_string()).into_error(env))?;
    Ok(json!(algorithm))
}

fn metrics(orca: &Orca) -> Value {
    json!({ "report": report(&orca.report()), "metrics": orca.iter().collect::<BTreeMap<_, _>>() })
}

fn agent_check(answer: &AgentCheck) -> Value {
    let unknown = answer.unknown.as_ref();
    said(json!({
        "report": report(&answer.report()),
        "operational": answer.operational.map(|found| format!("{found:?}").to_lowercase()),
        "description": answer.description,
        "unknown": unknown.map(|unknown| json!({ "word": unknown.word, "column": unknown.column })),
    }))
}

fn heartbeat(heartbeat: &Heartbeat) -> Value {
    said(json!({
        "report": report(&heartbeat.report()), "sessionCount": heartbeat.session_count,
        "maxSessions": heartbeat.max_sessions, "idleCpu": heartbeat.idle_cpu,
        "sessionPerSec": heartbeat.session_per_sec, "sessionPerSecLast": heartbeat.session_per_sec_last,
        "sessionPerSecMax": heartbeat.session_per_sec_max, "uptime": heartbeat.uptime.map(millis),
        "eventSequence": heartbeat.event_sequence, "eventDate": heartbeat.event_date.map(instant),
    }))
}

fn report(report: &Report) -> Value {
    said(json!({
        "score": report.score, "activeCalls": report.active_calls,
        "measuredAt": report.measured_at.map(instant), "sequence": report.sequence,
        "sustained": report.sustained, "capacity": report.capacity, "draining": report.draining,
    }))
}

/// Only the fields that are there.
fn said(fields: Value) -> Value {
    let fields = fields.as_object().cloned().unwrap_or_default();
    Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
}
