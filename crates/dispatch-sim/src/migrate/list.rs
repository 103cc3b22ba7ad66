//! Lines of the list: what is not the same here.

use std::collections::BTreeMap;

use callsteer::{Algorithm, Route, SetId};

use super::{Fate, Migration};
use crate::script::Script;

pub(super) fn carry(script: &Script, file: &str, migration: &mut Migration) {
    let skipped: Vec<_> = migration.list.skipped().to_vec();
    for error in skipped {
        let place = format!("{file}:{}:{}", error.line, error.column);
        migration.say(&place, Fate::Lost, format!("{}; the line is left out", error.message));
    }
    rweights(script, file, migration);
    weights(file, migration);
    let kept: Vec<_> = migration
        .list
        .entries()
        .flat_map(|entry| {
            let place = format!("{file}:{}", entry.line());
            let attrs = entry.destination().attrs.iter().filter(|(name, _)| *name != "rweight");
            attrs.map(move |(name, value)| {
                (place.clone(), format!("{name}={value}: kept in `attrs`, which Callsteer does not read"))
            })
        })
        .collect();
    for (place, what) in kept {
        migration.say(&place, Fate::Outside, what);
    }
    let missing: Vec<SetId> =
        routes(migration).filter(|route| !has_set(migration, route.set)).map(|route| route.set).collect();
    for set in missing {
        migration.say(
            &file.to_owned(),
            Fate::Lost,
            format!("set {set} is selected, and the list does not have it"),
        );
    }
}

/// Where algorithm 11 selects, rweight is the weight, also where there is another one.
fn rweights(script: &Script, file: &str, migration: &mut Migration) {
    let by_rweight: Vec<SetId> = script
        .selections()
        .into_iter()
        .filter(|selection| selection.algorithm == Ok(11))
        .filter_map(|selection| selection.set.ok())
        .collect();
    let both: Vec<_> = migration
        .list
        .entries()
        .filter(|entry| entry.destination().attrs.contains_key("rweight"))
        .map(|entry| (entry.line(), entry.set(), entry.destination().clone(), entry.kamailio().rweight))
        .collect();
    for (line, set, mut destination, rweight) in both {
        let place = format!("{file}:{line}");
        if by_rweight.contains(&set) && rweight > 0 {
            destination.attrs.remove("rweight");
            destination.weight = rweight;
            let changed = migration.list.update(set, destination);
            let what = match changed {
                Ok(()) => {
                    "weight and rweight: rweight is the weight here, as algorithm 11 selects from the set"
                        .into()
                }
                Err(error) => format!("weight and rweight: weight counts here: {error}"),
            };
            migration.say(&place, Fate::Differs, what);
        } else {
            migration.say(
                &place,
                Fate::Differs,
                "weight and rweight: weight counts here, rweight is kept in `attrs`",
            );
        }
    }
}

/// What goes by weight here, and not in Kamailio.
fn weights(file: &str, migration: &mut Migration) {
    let mut weighing: BTreeMap<SetId, &str> = BTreeMap::new();
    for route in routes(migration) {
        let name = match route.algorithm {
            Algorithm::CallLoad => "call_load",
            Algorithm::CallIdHash { .. } => "call_id_hash",
            _ => continue,
        };
        weighing.insert(route.set, name);
    }
    let weighed: Vec<_> = migration
        .list
        .entries()
        .filter(|entry| entry.destination().weight != 1)
        .filter_map(|entry| weighing.get(&entry.set()).map(|name| (entry, *name)))
        .map(|(entry, name)| {
            let weight = entry.destination().weight;
            (
                format!("{file}:{}", entry.line()),
                format!("weight {weight}: {name} goes by it, Kamailio's algorithm does not"),
            )
        })
        .collect();
    for (place, what) in weighed {
        migration.say(&place, Fate::Differs, what);
    }
}

fn routes(migration: &Migration) -> impl Iterator<Item = &Route> {
    migration.config.policies.values().flatten()
}

fn has_set(migration: &Migration, set: SetId) -> bool {
    migration.list.entries().any(|entry| entry.set() == set)
}
