//! What a snapshot says, as plain data. Times are microseconds since the epoch of the first clock.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::hex;
use crate::capacity::Seen;
use crate::config::{Algorithm, Config, SetId};
use crate::destination::{Destination, Starts};
use crate::event::Event;
use crate::health::Health;
use crate::health::eject::Attempts;
use crate::health::probe::{ProbeClock, Probing};
use crate::health::slow_start::WarmUp;
use crate::load::costs::saved::Learned;
use crate::load::score::saved::Reported;
use crate::load::traffic::Traffic;
use crate::member::{Drain, Said, Will};
use crate::rate::Rate;
use crate::slots::Key;
use crate::stats::Stats;
use crate::time::Time;

/// A dispatcher.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) config: Config,
    /// The last time seen.
    pub(crate) now: Time,
    #[serde(with = "hex")]
    pub(crate) rng: u64,
    /// Deltas given to other replicas.
    pub(crate) beat: u64,
    pub(crate) counts: Stats,
    pub(crate) fleet: Fleet,
    pub(crate) calls: Calls,
    pub(crate) tenants: Tenants,
    pub(crate) events: Events,
    pub(crate) scaling: Scaling,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fleet {
    pub(crate) members: Vec<Member>,
    pub(crate) vacant: Vacant,
    pub(crate) sets: Vec<Set>,
    /// Wake-ups armed, also those that do not count any more.
    pub(crate) timers: Vec<(Time, Key)>,
    /// Members whose probe is due and not polled yet, also those who left since.
    pub(crate) probes: Vec<Key>,
    pub(crate) changes: u64,
    pub(crate) moves: u64,
    pub(crate) revision: u64,
    pub(crate) costs: Learned,
    /// Classes of calls by their number, from 1 on.
    pub(crate) classes: Vec<String>,
}

/// Keys out of use: those that are given next, in order, and indexes that are never used again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vacant {
    pub(crate) next: Vec<Key>,
    pub(crate) given_up: Vec<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) key: Key,
    pub(crate) set: SetId,
    pub(crate) seat: Option<u32>,
    pub(crate) destination: Described,
    pub(crate) will: Will,
    pub(crate) drain: Option<Drain>,
    pub(crate) health: Health,
    pub(crate) probes: ProbeClock,
    pub(crate) placed: u64,
    pub(crate) touched: u64,
    pub(crate) rate: Rate,
    pub(crate) attempts: Attempts,
    pub(crate) warm_up: WarmUp,
    pub(crate) estimate: Reported,
    pub(crate) said: Said,
    /// The wake-up that counts.
    pub(crate) wakes: Option<Time>,
}

/// A destination with every field: files may leave some out, and so have another form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Described {
    uri: String,
    id: String,
    weight: u32,
    max_calls: u32,
    max_rate: u32,
    priority: i32,
    probing: Probing,
    starts: Starts,
    attrs: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Set {
    pub(crate) set: SetId,
    pub(crate) vacant_seats: Vec<u32>,
    pub(crate) takes_calls: bool,
    pub(crate) panics: bool,
    pub(crate) traffic: Traffic,
    pub(crate) common_cause: Option<Time>,
    /// Something changed since the orders of the algorithms were built.
    pub(crate) stale: bool,
    pub(crate) algorithms: Vec<(Algorithm, Turn)>,
}

/// What an algorithm remembers that cannot be told from the members.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Turn {
    Nothing,
    RoundRobin {
        next_seat: u32,
    },
    /// Where in a round of so many slots it is.
    Weighted {
        next: u32,
        of: u32,
    },
    /// Turns taken per seat, and when the last one was due, as a fraction.
    WeightedTurns {
        taken: Vec<u64>,
        last: (u64, u64),
    },
    /// The next seat per priority.
    Priority {
        next_seats: BTreeMap<i32, u32>,
    },
    Kamailio {
        turn: u32,
        slot: u32,
        slots: Vec<u32>,
        up: Vec<u32>,
        #[serde(with = "hex")]
        rng: u64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Calls {
    /// Calls being set up, and confirmed ones, each in the order of their deadlines.
    pub(crate) setup: Vec<Call>,
    pub(crate) confirmed: Vec<Call>,
    pub(crate) vacant: Vacant,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) lease: Key,
    /// The hash of its Call-ID.
    #[serde(with = "hex")]
    pub(crate) call_id: u64,
    /// The hash of its key, where it has one of its own.
    #[serde(with = "hex::optional")]
    pub(crate) key: Option<u64>,
    pub(crate) since: Time,
    pub(crate) destination: Key,
    pub(crate) set: SetId,
    /// The destinations where it was before, the last one first.
    pub(crate) tried: Vec<Key>,
    /// Which of the tenants, counted from 0.
    pub(crate) tenant: Option<u32>,
    pub(crate) cost: u16,
    pub(crate) class: u16,
    pub(crate) route: u8,
    pub(crate) failed: bool,
    pub(crate) panic: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tenants {
    pub(crate) known: Vec<Tenant>,
    pub(crate) at_most: usize,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Tenant {
    /// The hash of its name.
    #[serde(with = "hex::non_zero")]
    pub(crate) name: NonZeroU64,
    pub(crate) rate: Rate,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Events {
    pub(crate) lost: u64,
    pub(crate) waiting: Vec<Event>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scaling {
    pub(crate) at: Option<Time>,
    pub(crate) seen: u64,
    pub(crate) sets: BTreeMap<SetId, Seen>,
}

impl From<&Destination> for Described {
    fn from(destination: &Destination) -> Self {
        let Destination { uri, id, weight, max_calls, max_rate, priority, probing, starts, attrs } =
            destination.clone();
        Self { uri, id, weight, max_calls, max_rate, priority, probing, starts, attrs }
    }
}

impl From<&Described> for Destination {
    fn from(described: &Described) -> Self {
        let Described { uri, id, weight, max_calls, max_rate, priority, probing, starts, attrs } =
            described.clone();
        Self { uri, id, weight, max_calls, max_rate, priority, probing, starts, attrs }
    }
}
