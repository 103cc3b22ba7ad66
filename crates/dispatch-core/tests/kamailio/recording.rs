//! A recording as it is written; a key that is not here is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use callsteer::kamailio::{Dispatcher, Params, Release};
use callsteer::list::{List, Mode, parse};
use callsteer::{Destination, SetId, kamailio};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recording {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "oracle")]
    _oracle: String,
    pub(crate) flavour: String,
    pub(crate) list: String,
    pub(crate) modparams: ModParams,
    #[serde(default, rename = "children")]
    _children: u32,
    /// The index order, as `dispatcher.list` prints it.
    #[serde(default)]
    pub(crate) order: Vec<String>,
    #[serde(default, rename = "note")]
    _note: String,
    /// These three repeat the list.
    #[serde(default, rename = "maxload")]
    _maxload: Value,
    #[serde(default, rename = "weights")]
    _weights: Value,
    #[serde(default, rename = "rweights")]
    _rweights: Value,
    /// How long a probe waits for its answer.
    #[serde(default, rename = "tm")]
    _tm: Value,
    /// By port, what the destination was told to answer from when on; `null` where nobody listened.
    #[serde(default)]
    pub(crate) plans: BTreeMap<String, Option<Value>>,
    /// The event routes that ran, with the URI.
    pub(crate) event_routes: Option<Vec<(String, String)>>,
    pub(crate) events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModParams {
    flags: u32,
    #[serde(default)]
    use_default: u32,
    ds_hash_size: Option<u32>,
    ds_hash_initexpire: Option<u64>,
    ds_hash_check_interval: Option<u64>,
    ds_hash_expire: Option<u64>,
    ds_ping_interval: Option<u32>,
    ds_probing_threshold: Option<u32>,
    ds_inactive_threshold: Option<u32>,
    ds_probing_mode: Option<u8>,
    #[serde(rename = "ds_ping_latency_stats")]
    _ds_ping_latency_stats: Option<u32>,
    #[serde(rename = "ds_ping_from")]
    _ds_ping_from: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "op", deny_unknown_fields)]
pub(crate) enum Event {
    #[serde(rename = "select", alias = "INVITE")]
    Select(Select),
    #[serde(rename = "BYE", alias = "CANCEL")]
    Bye {
        callid: String,
        #[serde(default, rename = "note")]
        _note: String,
    },
    #[serde(rename = "loads")]
    Loads { loads: BTreeMap<String, u32>, t: Option<f64> },
    #[serde(rename = "set_state")]
    SetState {
        t: Option<f64>,
        set: Option<SetId>,
        uri: Option<String>,
        port: Option<u16>,
        state: String,
        states: Option<States>,
        flags: Option<String>,
        probing_count: Option<u32>,
        reply: Option<Value>,
    },
    #[serde(rename = "reload")]
    Reload { list: Option<String>, states: Option<States> },
    #[serde(rename = "add")]
    Add { set: SetId, uri: String, flags: u32, priority: i32, attrs: String, states: States },
    #[serde(rename = "remove")]
    Remove { set: SetId, uri: String, states: States },
    #[serde(rename = "window100")]
    Window {
        alg: u16,
        counts: BTreeMap<String, u32>,
        #[serde(default)]
        failover: BTreeMap<String, Vec<String>>,
    },
    #[serde(rename = "sequence")]
    Sequence { n: usize, periodic_100: bool, first100: Vec<String> },
    #[serde(rename = "sequence_after_reload_equal_to_before")]
    SequenceAfterReload { equal: bool },
    #[serde(rename = "mark")]
    Mark {
        #[serde(default = "serial")]
        alg: u16,
        state: String,
        selected: Option<String>,
        flags: Option<String>,
        states: Option<States>,
        probing_count: Option<u32>,
    },
    #[serde(rename = "marks")]
    Marks { seq: Vec<String>, flags: String, probing_count: Option<u32> },
    #[serde(rename = "state")]
    State { t: f64, port: u16, idx: usize, flags: String, probing_count: Option<u32> },
    #[serde(rename = "states")]
    States { t: f64, states: Vec<(String, Option<u32>)> },
    /// `ds_oc_set_attrs`.
    #[serde(rename = "overload")]
    Overload { set: SetId, uri: String, rate: u32, ms: u64, sequence: u32, accepted: bool },
    /// An OPTIONS, and what was answered; 0 is nothing.
    #[serde(rename = "ping")]
    Ping { t: f64, port: u16, retransmission: bool, answer: u16 },
}

/// A request, and where it went; texts are latin-1 views of bytes.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Select {
    pub(crate) alg: u16,
    pub(crate) set: SetId,
    #[serde(default)]
    pub(crate) callid: String,
    #[serde(default)]
    pub(crate) frm: String,
    #[serde(default)]
    pub(crate) to: String,
    #[serde(default)]
    pub(crate) ruri: String,
    pub(crate) username: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) code: u16,
    pub(crate) dst: Option<String>,
    #[serde(default)]
    pub(crate) failover: Vec<String>,
    /// Algorithm 12: who was called besides.
    pub(crate) branches: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) next: Vec<Option<String>>,
    #[serde(default, rename = "note")]
    pub(crate) _note: String,
}

/// URIs and their states, in index order.
pub(crate) type States = Vec<(String, String)>;

const fn serial() -> u16 {
    8
}

impl Recording {
    pub(crate) fn params(&self) -> Params {
        let of = &self.modparams;
        let seconds = |value: Option<u64>, default: u64| Duration::from_secs(value.unwrap_or(default));
        let defaults = Params::default();
        Params {
            release: if self.flavour == "deb" { Release::V5 } else { Release::V6 },
            user_only: of.flags & 1 != 0,
            failover: of.flags & 2 != 0,
            use_default: of.use_default != 0,
            counts_calls: of.counts_calls(),
            setup_expires: seconds(of.ds_hash_initexpire, 7_200),
            call_expires: seconds(of.ds_hash_expire, 7_200),
            expiry_interval: seconds(of.ds_hash_check_interval, 30),
            pings: of.ds_ping_interval.is_some_and(|seconds| seconds > 0),
            probing_threshold: of.ds_probing_threshold.unwrap_or(defaults.probing_threshold),
            inactive_threshold: of.ds_inactive_threshold.unwrap_or(defaults.inactive_threshold),
            probing_mode: of.ds_probing_mode.unwrap_or(defaults.probing_mode),
            ..defaults
        }
    }

    pub(crate) fn dispatcher(&self) -> Dispatcher {
        Dispatcher::new(theirs(&self.list), self.params(), 7)
    }
}

impl ModParams {
    /// Whether algorithm 10 is used: each recording has one kind of algorithms.
    pub(crate) fn counts_calls(&self) -> bool {
        self.ds_hash_size.is_some_and(|size| size > 0)
    }
}

/// A list as Kamailio reads it.
pub(crate) fn theirs(list: &str) -> Vec<(SetId, kamailio::Destination)> {
    parsed(list).entries().map(|entry| (entry.set(), entry.kamailio())).collect()
}

/// A list as we read it.
pub(crate) fn ours(list: &str) -> Vec<(SetId, Destination)> {
    parsed(list).destinations()
}

fn parsed(list: &str) -> List {
    // To Kamailio a weight of 0 is none; here it is refused.
    parse(list.replace(" weight=0\n", "\n").as_bytes(), Mode::Strict).unwrap()
}

/// Recorded texts are latin-1 views of the bytes on the wire.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect()
}

/// The URIs of a set in index order.
pub(crate) fn uris(kamailio: &Dispatcher, set: SetId) -> Vec<String> {
    (0..kamailio.len(set)).map(|index| kamailio.uri(set, index).unwrap().to_owned()).collect()
}

/// The URIs and states of a set in index order.
pub(crate) fn states(kamailio: &Dispatcher, set: SetId) -> States {
    let state = |index| kamailio.state(set, index).unwrap().to_string();
    uris(kamailio, set).into_iter().enumerate().map(|(index, uri)| (uri, state(index))).collect()
}

/// An error that says what differs.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: T, recorded: T) -> Result<(), String> {
    if ours == recorded { Ok(()) } else { Err(format!("{what}: {ours:?} here, {recorded:?} recorded")) }
}
