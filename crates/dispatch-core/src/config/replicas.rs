//! What a dispatcher is among several that share what they know.

use alloc::string::String;
use core::time::Duration;

use crate::error::ConfigError;

/// What a dispatcher is among several over one fleet that tell each other what they know.
///
/// `Config::dispatchers` says how many they are at most.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct ReplicasConfig {
    /// Its name, which no other replica has at the same time: the name of a host, of a pod. A control
    /// plane finds one where a file has none.
    #[cfg_attr(feature = "serde", serde(default))]
    pub id: String,
    /// Greater each time that it starts: what was said of its calls before means nothing then. The time
    /// of the start will do.
    #[cfg_attr(feature = "serde", serde(default))]
    pub epoch: u64,
    /// How `max_calls` is kept. Default `shares`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub limits: Limits,
    /// What a replica said that has not been heard for so long counts no more. Default 10 s.
    #[cfg_attr(feature = "serde", serde(default = "lost_after", with = "crate::time::seconds"))]
    pub lost_after: Duration,
}

/// How several dispatchers keep one `max_calls`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Limits {
    /// Fast: nobody is asked. Each places at most its own share, `max_calls` / R rounded up, and none
    /// where it knows of `max_calls` calls. R replicas pass a limit by R - 1 calls at most, whatever they
    /// hear of each other; a share that one does not use is not there for the others.
    #[default]
    Shares,
    /// Strict: whoever runs the dispatcher leases each place of the engine, and moves a call on where
    /// there is none. Here only what is known counts, which may be late.
    Leases,
}

impl ReplicasConfig {
    /// A replica with every default.
    #[must_use]
    pub fn new(id: impl Into<String>, epoch: u64) -> Self {
        Self { id: id.into(), epoch, limits: Limits::default(), lost_after: lost_after() }
    }

    pub(super) fn check(&self, dispatchers: u32) -> Result<(), ConfigError> {
        let refuse = |field, rule| Err(ConfigError { field, rule });
        if self.id.is_empty() {
            return refuse("replicas.id", "is not empty");
        }
        if dispatchers < 2 {
            return refuse("dispatchers", "is how many replicas there are at most: 2 or more");
        }
        super::check_times(&[("replicas.lost_after", self.lost_after)])
    }

    /// The most calls that this replica itself places where at most `max_calls` may be.
    pub(crate) fn share(&self, max_calls: u32, dispatchers: u32) -> u32 {
        match self.limits {
            Limits::Shares => max_calls.div_ceil(dispatchers.max(1)),
            Limits::Leases => max_calls,
        }
    }
}

const fn lost_after() -> Duration {
    Duration::from_secs(10)
}
