//! Parts of a configuration are read by the names of their fields. Who reads a format that has lists would otherwise take
//! `[3]` for a part whose first field is 3.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Named::deserialize(from).map(|Named(part)| part)
}

/// As `deserialize`, where the part may be absent.
pub(super) fn optional<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::deserialize(from)?.map(|Named(part)| part))
}

/// As `deserialize`, one per key.
pub(super) fn each<'de, K: Deserialize<'de> + Ord, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<K, T>, D::Error> {
    let parts = BTreeMap::<K, Named<T>>::deserialize(from)?;
    Ok(parts.into_iter().map(|(key, Named(part))| (key, part)).collect())
}

/// As `deserialize`, some per key.
pub(super) fn lists<'de, K: Deserialize<'de> + Ord, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<K, Vec<T>>, D::Error> {
    let lists = BTreeMap::<K, Vec<Named<T>>>::deserialize(from)?;
    let list = |parts: Vec<Named<T>>| parts.into_iter().map(|Named(part)| part).collect();
    Ok(lists.into_iter().map(|(key, parts)| (key, list(parts))).collect())
}

struct Named<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // A snapshot in bytes has no names.
        let part = if from.is_human_readable() {
            from.deserialize_map(Fields(PhantomData))
        } else {
            T::deserialize(from)
        };
        part.map(Self)
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its fields by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}
