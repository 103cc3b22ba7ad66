//! A destination as its owner describes it.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use crate::error::DestinationError;
use crate::health::probe::Probing;
use crate::slots::Key;

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

/// Names a destination in a dispatcher; never names another one later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
