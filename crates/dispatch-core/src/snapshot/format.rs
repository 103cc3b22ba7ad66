//! The written forms of a snapshot.
//!
//! Bytes: `callster`, the version (u32), the length of the rest and its checksum (u64), little-endian,
//! then the state as postcard. JSON: `{"callsteer_snapshot": version, "checksum": "...", "state": {...}}`
//! with the same checksum, that of the state as bytes.

use alloc::vec::Vec;

use super::Snapshot;
use super::state::State;
use crate::error::SnapshotError;
use crate::hash::Hasher;

impl Snapshot {
    /// As bytes, for machines: about 40 per call.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = self.body();
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend(MAGIC);
        bytes.extend(Self::VERSION.to_le_bytes());
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(checksum(&body).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// What is no snapshot, or not a whole one, or was changed; one of another version. Whether what
    /// it says fits together, [`restore`](crate::Dispatcher::restore) finds out.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let damaged = |what: &'static str| SnapshotError::Damaged { what: what.into() };
        let (magic, rest) = bytes.split_first_chunk().ok_or_else(|| damaged("shorter than its header"))?;
        if magic != MAGIC {
            return Err(damaged("the bytes are no snapshot"));
        }
        let (version, rest) = rest.split_first_chunk().ok_or_else(|| damaged("shorter than its header"))?;
        known(u32::from_le_bytes(*version))?;
        let (length, rest) = rest.split_first_chunk().ok_or_else(|| damaged("shorter than its header"))?;
        let (sum, body) = rest.split_first_chunk().ok_or_else(|| damaged("shorter than its header"))?;
        if body.len() as u64 != u64::from_le_bytes(*length) {
            return Err(damaged("not as long as it says: it was cut off, or something was added"));
        }
        if checksum(body) != u64::from_le_bytes(*sum) {
            return Err(damaged(CHECKSUM));
        }
        let (state, rest) = postcard::take_from_bytes::<State>(body)
            .map_err(|error| SnapshotError::Damaged { what: alloc::format!("unreadable: {error}").into() })?;
        if !rest.is_empty() {
            return Err(damaged("unreadable: something follows the state"));
        }
        Ok(Self(state))
    }

    /// As JSON, for people.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn to_json(&self) -> alloc::string::String {
        let checksum = checksum(&self.body());
        let written = json::Written { callsteer_snapshot: Self::VERSION, checksum, state: &self.0 };
        // Plain data with names as keys: it always has a form.
        serde_json::to_string_pretty(&written).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote, however it is spaced.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes).
    #[cfg(feature = "json")]
    pub fn from_json(text: &str) -> Result<Self, SnapshotError> {
        let unreadable = |error: serde_json::Error| SnapshotError::Damaged {
            what: alloc::format!("unreadable: {error}").into(),
        };
        let head: json::Head = serde_json::from_str(text).map_err(unreadable)?;
        known(head.callsteer_snapshot)?;
        let json::Written { checksum: sum, state, .. } =
            serde_json::from_str::<json::Written<State>>(text).map_err(unreadable)?;
        let snapshot = Self(state);
        if checksum(&snapshot.body()) != sum {
            return Err(SnapshotError::Damaged { what: CHECKSUM.into() });
        }
        Ok(snapshot)
    }

    fn body(&self) -> Vec<u8> {
        // Plain data into memory: it always has a form.
        postcard::to_allocvec(&self.0).unwrap_or_default()
    }
}

fn known(version: u32) -> Result<(), SnapshotError> {
    if version == Snapshot::VERSION {
        Ok(())
    } else {
        Err(SnapshotError::Version { found: version, known: Snapshot::VERSION })
    }
}

/// Against accidents: who means harm can compute it, too.
fn checksum(body: &[u8]) -> u64 {
    Hasher::new(u64::from(Snapshot::VERSION)).hash(body)
}

const MAGIC: &[u8; 8] = b"callster";
const HEADER: usize = MAGIC.len() + 4 + 8 + 8;
const CHECKSUM: &str = "the checksum is not that of what it says: it was changed";

#[cfg(feature = "json")]
mod json {
    use serde::{Deserialize, Serialize};

    use crate::snapshot::hex;

    #[derive(Deserialize)]
    pub(super) struct Head {
        pub(super) callsteer_snapshot: u32,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Written<S> {
        pub(super) callsteer_snapshot: u32,
        #[serde(with = "hex")]
        pub(super) checksum: u64,
        pub(super) state: S,
    }
}
