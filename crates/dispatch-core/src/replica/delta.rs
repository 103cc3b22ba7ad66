//! What one replica says, and how it is written.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::config::SetId;
use crate::health::eject::Cause;
use crate::member::Will;

/// What one replica says: what changed since it spoke before, or everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Delta {
    /// Who says it.
    pub replica: String,
    /// The start of its process.
    pub epoch: u64,
    /// Which of its deltas this is, counted from 1.
    pub beat: u64,
    /// It has all that the replica knows: what is not in it is no more.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub full: bool,
    /// Its own calls and findings per destination.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub counts: Vec<Count>,
    /// What operators want, whoever heard them.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub wishes: Vec<Wish>,
}

/// The own calls of a replica at one destination, and what it found out there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Count {
    /// The set of the destination.
    pub set: SetId,
    /// Its id.
    pub id: String,
    /// The beat with which it changed.
    pub version: u64,
    /// Calls in progress.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub calls: u32,
    /// Σ cost of these calls.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub load: u64,
    /// Of that, by class, where calls have one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "BTreeMap::is_empty"))]
    pub classes: BTreeMap<String, u64>,
    /// Whether its probes find it down.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub down: bool,
    /// Its calls failed there, so that it sends none for a while.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub ejected: Option<Ejection>,
}

/// An ejection by the calls of one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ejection {
    /// Why.
    pub cause: Cause,
    /// How long it still lasts.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub left: Duration,
}

/// What an operator wants of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Wish {
    /// The set of the destination.
    pub set: SetId,
    /// Its id.
    pub id: String,
    /// Greater than of every wish for it that was known.
    pub version: u64,
    /// The replica that was told; decides between two of one version.
    pub author: String,
    /// What is wanted.
    pub will: Will,
    /// How long a drain waits still at most, in seconds.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub left: Option<u64>,
}

#[cfg(feature = "json")]
impl Delta {
    /// Reads a delta written by [`to_json`](Self::to_json). Fields that are not known are passed over, so
    /// that replicas can be renewed one by one.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn from_json(text: &str) -> Result<Self, crate::error::DeltaError> {
        use alloc::string::ToString;
        serde_json::from_str(text)
            .map_err(|error: serde_json::Error| crate::error::DeltaError { what: error.to_string() })
    }

    /// Writes it as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and maps by strings: nothing here can fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(feature = "serde")]
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
