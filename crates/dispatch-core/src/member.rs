//! A destination as its owner describes it, and as the dispatcher keeps it.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use crate::config::{Config, SetId};
use crate::error::DestinationError;
use crate::health::Health;
use crate::health::probe::{ProbeClock, Probing};
use crate::rate::Rate;
use crate::slots::Key;
use crate::time::Time;

/// A destination (bridge) as its owner describes it.
///
/// ```
/// use callsteer::Destination;
/// let bridge = Destination { weight: 10, max_calls: 50, ..Destination::new("sip:10.0.0.1:5060") };
/// assert_eq!(bridge.id, "sip:10.0.0.1:5060");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "fields::Fields"))]
pub struct Destination {
    /// Where calls are sent. Not interpreted: a SIP URI, an HTTP URL, a name.
    pub uri: String,
    /// What identifies the destination in its set across changes; the URI where nothing else is given.
    pub id: String,
    /// Share of the calls, 1..=65,535; also the capacity that loads are compared by. Default 1.
    pub weight: u32,
    /// Concurrent calls at most; 0 is no limit.
    pub max_calls: u32,
    /// New calls per second at most, with at most one second's worth at once; 0 is no limit.
    pub max_rate: u32,
    /// The higher, the earlier `priority` chooses it.
    pub priority: i32,
    /// Whether it is probed, whatever the probing mode says.
    pub probing: Probing,
    /// The state in which it joins. One that stays through `apply` keeps the state it has.
    pub starts: Starts,
    /// Whatever else the owner wants to find again. Not interpreted.
    pub attrs: BTreeMap<String, String>,
}

impl Destination {
    /// A destination with this URI, which is also its id, and every default.
    #[must_use]
    pub fn new(uri: impl Into<String>) -> Self {
        let uri = uri.into();
        Self {
            id: uri.clone(),
            uri,
            weight: 1,
            max_calls: 0,
            max_rate: 0,
            priority: 0,
            probing: Probing::ByMode,
            starts: Starts::Active,
            attrs: BTreeMap::new(),
        }
    }

    /// Says which field has a value that cannot work.
    ///
    /// # Errors
    /// An empty URI or id, a weight outside 1..=65,535.
    pub fn check(&self) -> Result<(), DestinationError> {
        let refuse = |field, rule, value: &dyn ToString| {
            Err(DestinationError { id: self.id.clone(), field, rule, value: value.to_string() })
        };
        if self.uri.is_empty() {
            return refuse("uri", "is not empty", &self.uri);
        }
        if self.id.is_empty() {
            return refuse("id", "is not empty", &self.id);
        }
        if !(1..=MAX_WEIGHT).contains(&self.weight) {
            return refuse("weight", "is 1 to 65535", &self.weight);
        }
        Ok(())
    }
}

/// The state in which a destination joins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Starts {
    /// Up.
    #[default]
    Active,
    /// Flag 2 of a dispatcher.list: up, with one failed probe.
    Trying,
    /// Flag 1: down until probes are answered.
    Inactive,
    /// Flag 4: switched off until the operator switches it on.
    Disabled,
}

impl Starts {
    pub(crate) const fn will(self) -> Will {
        match self {
            Self::Disabled => Will::Disabled,
            Self::Active | Self::Trying | Self::Inactive => Will::Enabled,
        }
    }
}

/// Names a destination in a dispatcher; never names another one later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationId(pub(crate) Key);

impl DestinationId {
    /// As a number, below 2^53 and never 0.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.0.to_u64()
    }

    /// From such a number; `None` where it cannot be one.
    #[must_use]
    pub const fn from_u64(number: u64) -> Option<Self> {
        match Key::from_u64(number) {
            Some(key) => Some(Self(key)),
            None => None,
        }
    }
}

/// What the operator wants of a destination. Survives probes and new lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Will {
    /// Takes calls.
    #[default]
    Enabled,
    /// Takes no new calls until it is enabled again.
    Disabled,
    /// Takes no new calls; those in progress are waited for, at most until the deadline.
    Draining,
}

/// Whether a destination can take a call, or the first reason why it cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Standing {
    /// It can.
    Candidate,
    /// It left the list and ends its last calls.
    Removed,
    /// The operator switched it off.
    Disabled,
    /// The operator drains it.
    Draining,
    /// Probes fail.
    Inactive,
    /// It said 503 with Retry-After, which is not over.
    Busy,
    /// It has `max_calls`.
    Full,
    /// It had its `max_rate` of new calls.
    TooFast,
}

impl Standing {
    pub(crate) const COUNT: usize = Self::TooFast as usize + 1;

    /// Its name in the field's words, as metrics and vectors spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Removed => "removed",
            Self::Disabled => "disabled",
            Self::Draining => "draining",
            Self::Inactive => "inactive",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::TooFast => "too_fast",
        }
    }
}

/// A destination as the dispatcher keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) destination: Destination,
    pub(crate) set: SetId,
    /// Where its set is kept.
    pub(crate) place: usize,
    /// Its seat in the set; `None` once removed.
    pub(crate) seat: Option<u32>,
    pub(crate) will: Will,
    /// The drain whose end has not been said yet.
    pub(crate) drain: Option<Drain>,
    pub(crate) health: Health,
    pub(crate) probes: ProbeClock,
    /// Its probe is due and waits for the prober.
    pub(crate) probe_queued: bool,
    pub(crate) calls: u32,
    /// Σ cost of its calls.
    pub(crate) load: u64,
    /// Which change of any load was the last one here: the tie-break of `call_load`.
    pub(crate) touched: u64,
    pub(crate) rate: Rate,
    /// The earliest timer armed for it.
    pub(crate) wakes: Option<Time>,
    /// What its set was last told.
    pub(crate) standing: Standing,
}

/// A drain under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drain {
    /// When it is over whether calls are left or not.
    pub(crate) until: Option<Time>,
}

impl Member {
    /// When something is due here whether or not anybody calls.
    pub(crate) fn wake(&self, config: &Config, now: Time) -> Option<Time> {
        let drained = self.drain.and_then(|drain| drain.until);
        if self.seat.is_none() {
            return drained;
        }
        let busy = self.health.busy_until().filter(|until| *until > now);
        let limit = (self.standing == Standing::TooFast).then_some(self.destination.max_rate);
        let rate = limit.map(|per_second| self.rate.allows_from(per_second));
        let probe = self.probe_due(config).filter(|_| !self.probe_queued);
        [busy, rate, drained, probe, self.probes.timeout()].into_iter().flatten().min()
    }

    /// When its next probe leaves, if one is wanted and none is under way.
    pub(crate) fn probe_due(&self, config: &Config) -> Option<Time> {
        let probed = self.seat.is_some() && self.will != Will::Disabled;
        let observed = self.health.observed();
        let due = self.probes.due(observed, self.destination.probing, config.probing.mode);
        due.filter(|_| probed)
    }

    pub(crate) fn standing_at(&self, now: Time) -> Standing {
        let limit = self.destination.max_calls;
        match self.will {
            _ if self.seat.is_none() => Standing::Removed,
            Will::Disabled => Standing::Disabled,
            Will::Draining => Standing::Draining,
            Will::Enabled if !self.health.is_up() => Standing::Inactive,
            Will::Enabled if self.health.busy_until().is_some_and(|until| until > now) => Standing::Busy,
            Will::Enabled if limit > 0 && self.calls >= limit => Standing::Full,
            Will::Enabled if !self.rate.allows(self.destination.max_rate, now) => Standing::TooFast,
            Will::Enabled => Standing::Candidate,
        }
    }
}

const MAX_WEIGHT: u32 = 65_535;

#[cfg(feature = "serde")]
mod fields {
    //! A destination in a file: only the URI must be there.

    use super::{BTreeMap, Destination, Probing, Starts, String};

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Fields {
        uri: String,
        id: Option<String>,
        weight: Option<u32>,
        #[serde(default)]
        max_calls: u32,
        #[serde(default)]
        max_rate: u32,
        #[serde(default)]
        priority: i32,
        #[serde(default)]
        probing: Probing,
        #[serde(default)]
        starts: Starts,
        #[serde(default)]
        attrs: BTreeMap<String, String>,
    }

    impl From<Fields> for Destination {
        fn from(fields: Fields) -> Self {
            let base = Self::new(fields.uri);
            Self {
                id: fields.id.unwrap_or_else(|| base.id.clone()),
                weight: fields.weight.unwrap_or(base.weight),
                max_calls: fields.max_calls,
                max_rate: fields.max_rate,
                priority: fields.priority,
                probing: fields.probing,
                starts: fields.starts,
                attrs: fields.attrs,
                ..base
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_that_cannot_work_is_refused_by_field() {
        let check = |change: fn(&mut Destination), field: Option<&str>| {
            let mut destination = Destination::new("sip:a");
            change(&mut destination);
            assert_eq!(destination.check().err().map(|error| error.field), field);
        };
        check(|_| (), None);
        check(|d| d.weight = 65_535, None);
        check(|d| d.weight = 0, Some("weight"));
        check(|d| d.weight = 65_536, Some("weight"));
        check(|d| d.uri.clear(), Some("uri"));
        check(|d| d.id.clear(), Some("id"));
    }
}
