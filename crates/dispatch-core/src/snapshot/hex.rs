//! 64 bits that mean nothing as a number: hexadecimal digits for people, 8 bytes for machines.

use alloc::format;
use alloc::string::String;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(bits: &u64, to: S) -> Result<S::Ok, S::Error> {
    if to.is_human_readable() {
        format!("{bits:016x}").serialize(to)
    } else {
        bits.to_le_bytes().serialize(to)
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    if from.is_human_readable() {
        let digits = String::deserialize(from)?;
        u64::from_str_radix(&digits, 16).map_err(|_| D::Error::custom("not hexadecimal digits"))
    } else {
        <[u8; 8]>::deserialize(from).map(u64::from_le_bytes)
    }
}

#[derive(Serialize, Deserialize)]
struct Hex(#[serde(with = "super::hex")] u64);

pub(super) mod optional {
    use super::{Deserialize, Deserializer, Hex, Serialize, Serializer};

    pub(in crate::snapshot) fn serialize<S: Serializer>(
        bits: &Option<u64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        bits.map(Hex).serialize(to)
    }

    pub(in crate::snapshot) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Hex>::deserialize(from)?.map(|bits| bits.0))
    }
}

pub(super) mod non_zero {
    use core::num::NonZeroU64;

    use super::{Deserializer, Error, Serializer};

    pub(in crate::snapshot) fn serialize<S: Serializer>(bits: &NonZeroU64, to: S) -> Result<S::Ok, S::Error> {
        super::serialize(&bits.get(), to)
    }

    pub(in crate::snapshot) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<NonZeroU64, D::Error> {
        NonZeroU64::new(super::deserialize(from)?).ok_or_else(|| D::Error::custom("0 is no hash"))
    }
}
