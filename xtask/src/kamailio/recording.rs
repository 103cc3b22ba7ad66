//! A recording: a list, what was asked, and what was answered. `testdata/README.md` has its format.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `modparam("dispatcher", name, value)`.
pub(super) type ModParams = BTreeMap<String, Value>;

/// Without its answers it is a script: what is to be asked.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Recording {
    pub(super) name: String,
    #[serde(default)]
    pub(super) oracle: String,
    #[serde(default)]
    pub(super) flavour: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) note: String,
    pub(super) list: String,
    pub(super) modparams: ModParams,
    #[serde(default)]
    pub(super) children: u32,
    #[serde(default)]
    pub(super) order: Vec<String>,
    /// What older recordings say besides.
    #[serde(flatten)]
    pub(super) more: Map<String, Value>,
    pub(super) events: Vec<Event>,
}

/// What is asked, and after a blank line what is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", deny_unknown_fields)]
pub(super) enum Event {
    #[serde(rename = "select")]
    Select(Select),
    #[serde(rename = "INVITE")]
    Invite(Select),
    #[serde(rename = "BYE")]
    Bye(CallId),
    #[serde(rename = "CANCEL")]
    Cancel(CallId),
    #[serde(rename = "loads")]
    Loads {
        #[serde(skip_serializing_if = "Option::is_none")]
        t: Option<f64>,

        #[serde(default)]
        loads: BTreeMap<String, u32>,
    },
    #[serde(rename = "set_state")]
    SetState {
        #[serde(skip_serializing_if = "Option::is_none")]
        set: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        uri: Option<String>,
        state: String,

        #[serde(default, skip_serializing_if = "Option::is_none")]
        states: Option<States>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flags: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probing_count: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<Value>,
    },
    #[serde(rename = "reload")]
    Reload {
        #[serde(skip_serializing_if = "Option::is_none")]
        list: Option<String>,

        #[serde(default, skip_serializing_if = "Option::is_none")]
        states: Option<States>,
    },
    #[serde(rename = "add")]
    Add {
        set: u32,
        uri: String,
        flags: u32,
        priority: i32,
        attrs: String,

        #[serde(default)]
        states: States,
    },
    #[serde(rename = "remove")]
    Remove {
        set: u32,
        uri: String,

        #[serde(default)]
        states: States,
    },
    #[serde(rename = "window100")]
    Window {
        alg: u16,

        #[serde(default)]
        counts: BTreeMap<String, u32>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        failover: BTreeMap<String, Vec<String>>,
    },
    #[serde(rename = "sequence")]
    Sequence {
        n: usize,

        #[serde(default)]
        periodic_100: bool,
        #[serde(default)]
        first100: Vec<String>,
    },
    #[serde(rename = "sequence_after_reload_equal_to_before")]
    SequenceAfterReload {
        #[serde(default)]
        equal: bool,
    },
    #[serde(rename = "mark")]
    Mark {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alg: Option<u16>,
        state: String,

        #[serde(default)]
        selected: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        states: Option<States>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flags: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probing_count: Option<u32>,
    },
    #[serde(rename = "marks")]
    Marks {
        seq: Vec<String>,

        #[serde(default)]
        flags: String,
        #[serde(default)]
        probing_count: Option<u32>,
    },
    #[serde(rename = "overload")]
    Overload {
        set: u32,
        uri: String,
        rate: u32,
        ms: u64,
        sequence: u32,

        #[serde(default)]
        accepted: bool,
    },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Select {
    pub(super) alg: u16,
    pub(super) set: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) callid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) frm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ruri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,

    #[serde(default)]
    pub(super) code: u16,
    #[serde(default)]
    pub(super) dst: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) failover: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) branches: Option<Vec<String>>,
    /// Where each `ds_next_dst` went; a script says how many, with `null` for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) next: Vec<Option<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallId {
    pub(super) callid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

/// URIs and their states, in index order.
pub(super) type States = Vec<(String, String)>;

impl Recording {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is no recording of decisions", path.display()))
    }

    /// Writes it into a folder, one event on a line.
    pub(super) fn write(mut self, folder: &Path) -> anyhow::Result<()> {
        let events = std::mem::take(&mut self.events);
        let head = serde_json::to_string_pretty(&self)?;
        let head = head.strip_suffix("[]\n}").context("a recording ends with its events")?;
        let events: Vec<String> = events.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let text = format!("{head}[\n    {}\n  ]\n}}\n", events.join(",\n    "));
        let path = folder.join(format!("{}.{}.json", self.name, self.flavour));
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// How many decisions by each algorithm it has.
    pub(super) fn decisions(&self) -> BTreeMap<u16, usize> {
        let mut decisions = BTreeMap::new();
        for event in &self.events {
            let (alg, count) = match event {
                Event::Select(select) | Event::Invite(select) => (select.alg, 1),
                Event::Window { alg, .. } => (*alg, 100),
                Event::Mark { alg, .. } => (alg.unwrap_or(8), 1),
                _ => continue,
            };
            *decisions.entry(alg).or_default() += count;
        }
        decisions
    }
}
