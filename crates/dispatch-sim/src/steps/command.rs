//! The commands of steps and their arguments.

use std::collections::BTreeMap;

use callsteer::{Call, Config, Destination, Failure, ProbeResult, Resources, SetId};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::format::span;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Command {
    New { config: Box<Config> },
    Add { set: Option<SetId>, destination: Destination },
    Update { who: String, destination: Destination },
    Remove { who: String },
    SetEnabled { who: String, enabled: bool },
    Drain { who: String, deadline: Option<f64> },
    Plan { list: Vec<(SetId, Destination)> },
    Apply {},
    Begin(Ask),
    Repeat(Ask),
    Pick(Ask),
    Explain(Ask),
    Estimates(Ask),
    Picks { calls: Vec<String>, replies: Option<Vec<Reply>> },
    Confirm { call: Handle },
    Fail { call: Handle, reply: Reply, retry_after: Option<f64> },
    Next { call: Handle },
    End { call: Handle },
    ConfirmCall { call: String },
    FailCall { call: String, reply: Reply, retry_after: Option<f64> },
    NextCall { call: String },
    EndCall { call: String },
    ProbeResult { who: String, reply: Reply, retry_after: Option<f64> },
    Report { who: String, report: Map<String, Value> },
    Reconcile { who: String, calls: Option<Vec<String>>, count: Option<u32> },
    ReadReport { form: Form, text: String },
    Score { resources: Resources, measured: BTreeMap<String, f64> },
    Capacity { set: Option<SetId> },
    DrainCandidates { set: Option<SetId>, count: usize },
    Blocking { erlangs: f64, slots: u32 },
    SlotsFor { erlangs: f64, target: f64 },
    PollProbes {},
    PollEvents {},
    NextDeadline {},
    DestinationOf { call: Handle },
    CallOf { call: String },
    TenantCalls { tenant: String },
    Delta { full: Option<bool> },
    Merge { delta: Value },
    Replicas {},
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    pub(crate) call: String,
    set: Option<SetId>,
    key: Option<String>,
    class: Option<String>,
    cost: Option<u32>,
    tenant: Option<String>,
}

/// A lease: by the call that has or had it, or a number that no call ever had.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Handle {
    Call(String),
    Number(u64),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(crate) enum Reply {
    Code(u16),
    Nothing(Nothing),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Nothing {
    Timeout,
    Unreachable,
}

/// In which form a bridge says what it says about itself.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    Orca,
    OrcaBin,
    AgentCheck,
    Heartbeat,
    HeartbeatJson,
    Json,
}

impl Command {
    /// The call for which it chooses, the first one of several.
    pub(crate) fn call(&self) -> Option<Call<'_>> {
        match self {
            Self::Begin(ask)
            | Self::Repeat(ask)
            | Self::Pick(ask)
            | Self::Explain(ask)
            | Self::Estimates(ask) => Some(ask.call()),
            Self::Picks { calls, .. } => calls.first().map(|call| Call::new(call.as_bytes())),
            _ => None,
        }
    }
}

impl Ask {
    pub(crate) fn call(&self) -> Call<'_> {
        let plain = Call::new(self.call.as_bytes());
        Call {
            set: self.set.unwrap_or(plain.set),
            key: self.key.as_ref().map(|key| key.as_bytes()),
            class: self.class.as_deref(),
            cost: self.cost.unwrap_or(plain.cost),
            tenant: self.tenant.as_deref(),
            ..plain
        }
    }
}

impl Reply {
    pub(crate) fn failure(self, retry_after: Option<f64>) -> Failure {
        match self {
            Self::Code(code) => Failure::Reply { code, retry_after: retry_after.map(span) },
            Self::Nothing(Nothing::Timeout) => Failure::Timeout,
            Self::Nothing(Nothing::Unreachable) => Failure::Unreachable,
        }
    }

    pub(crate) fn probe_result(self, retry_after: Option<f64>) -> ProbeResult {
        match self {
            Self::Code(code) => ProbeResult::Reply { code, retry_after: retry_after.map(span) },
            Self::Nothing(_) => ProbeResult::Timeout,
        }
    }
}
