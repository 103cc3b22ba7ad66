//! How a set's destination is chosen: the algorithms by name, and how they are written.

use super::refuse;
use crate::error::ConfigError;

/// How a set's destination is chosen.
///
/// Candidates go in, one of them comes out: limits, health and the operator's will have already
/// taken out everyone who must not be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields))]
#[non_exhaustive]
pub enum Algorithm {
    /// Each candidate in turn, in the order in which they joined the set.
    RoundRobin,
    /// By a keyed hash of the call's key: the same key finds the same destination, a failure
    /// moves only the failed destination's calls and spreads them over the others.
    CallIdHash {
        /// Nobody above this multiple of the mean load (1.25, say); `None` is no bound. At least 1.
        #[cfg_attr(feature = "serde", serde(default))]
        bound: Option<f64>,
    },
    /// In turn by weight: over any Σ weight / gcd picks each gets exactly its weight.
    Weighted,
    /// The least (load + the call's cost) / weight; a tie goes to the one whose load changed
    /// the longest ago.
    #[default]
    CallLoad,
    /// The highest priority first; equal ones in turn.
    Priority,
    /// Any candidate, evenly.
    Random,
    /// The better of two different candidates drawn evenly, compared as `CallLoad` does.
    PowerOfTwo,
    /// The least (estimated load + expected cost of the call) / weight, where the estimate is live
    /// counts times learned costs, corrected by the bridges' reports. Without reports, `CallLoad`.
    LoadScore,
    /// As Kamailio's dispatcher would choose among the candidates, bit for bit, with its own order
    /// of failover: for a migration, and to compare. [`kamailio`](crate::kamailio) says what that is.
    ///
    /// Destinations have the order in which they joined as lines have that of the file; who takes
    /// a vacant seat takes its place in the order. `weight` is both its weight and its rweight.
    Kamailio {
        /// Kamailio's number: 0 to 11, 14 or 15. 0 to 3, 5 and 7 hash the call's key, which is the
        /// Call-ID unless another one is given: [`uri_key`](crate::kamailio::uri_key) makes that of 1 to 3,
        /// [`username_key`](crate::kamailio::username_key) that of 5. 15 shares its slots whenever somebody joins.
        alg: u16,
        /// The last one of the order is spare. Default false.
        #[cfg_attr(feature = "serde", serde(default))]
        use_default: bool,
        /// Hash as Kamailio does where C's `char` has no sign, as on ARM. Default false.
        #[cfg_attr(feature = "serde", serde(default))]
        unsigned_bytes: bool,
    },
}

impl Algorithm {
    pub(super) fn check(self, field: &'static str) -> Result<(), ConfigError> {
        match self {
            Self::CallIdHash { bound: Some(bound) } if !(bound.is_finite() && bound >= 1.0) => {
                refuse(field, "the bound of call_id_hash is a number of at least 1")
            }
            Self::Kamailio { alg: 0..=11 | 14 | 15, .. } => Ok(()),
            Self::Kamailio { .. } => refuse(field, "the alg of kamailio is 0 to 11, 14 or 15"),
            _ => Ok(()),
        }
    }

    /// Whether it looks at the hash of a call's key.
    pub(crate) const fn hashes(self) -> bool {
        matches!(self, Self::CallIdHash { .. } | Self::Kamailio { .. })
    }

    /// Whether whom it chooses depends neither on the call nor on loads.
    #[cfg(feature = "std")]
    pub(crate) const fn takes_turns(self) -> bool {
        matches!(self, Self::RoundRobin | Self::Weighted | Self::Priority | Self::Random)
    }
}

/// The written form: a name, or `{"name": {option: value}}`. Where every option has its default the
/// name alone will do, which serde does not know of a variant with fields.
#[cfg(feature = "serde")]
mod written {
    use core::fmt;

    use serde::de::value::{MapAccessDeserializer, StrDeserializer};
    use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
    use serde::ser::{Serialize, Serializer};

    use super::Algorithm;

    impl Serialize for Algorithm {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            Self::serialize(self, to)
        }
    }

    impl<'de> Deserialize<'de> for Algorithm {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            if from.is_human_readable() { from.deserialize_any(Written) } else { Self::deserialize(from) }
        }
    }

    struct Written;

    impl<'de> Visitor<'de> for Written {
        type Value = Algorithm;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name of an algorithm, or a map from it to its options")
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<Algorithm, E> {
            match name {
                "call_id_hash" => Ok(Algorithm::CallIdHash { bound: None }),
                _ => Algorithm::deserialize(StrDeserializer::new(name)),
            }
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Algorithm, A::Error> {
            Algorithm::deserialize(MapAccessDeserializer::new(map))
        }
    }
}
