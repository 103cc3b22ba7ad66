//! Sets and algorithms: what Kamailio's numbers mean, and what each of them does that one may not expect.

use callsteer::SetId;
use callsteer::kamailio::numbers;
use callsteer::list::List;

use super::{
    ALGORITHM_WITHOUT_WEIGHTS, HASH_HAS_HOST, HASH_PVAR_MISSING, LATENCY_MISSING, Lints,
    MISNUMBERED_ALGORITHM, NEWER_ALGORITHM, NOT_UNDERSTOOD, SET_NOT_IN_LIST, SHARE_TO_NEIGHBOUR,
    UNKNOWN_ALGORITHM, members,
};
use crate::script::{Place, Script};

pub(super) fn lint(script: &Script, list: Option<&List>, lints: &mut Lints) {
    for selection in script.selections() {
        let place = &selection.call.place;
        for unknown in
            [selection.set.as_ref().err(), selection.algorithm.as_ref().err()].into_iter().flatten()
        {
            lints.add(place, NOT_UNDERSTOOD, unknown.clone(), "look at what it can be");
        }
        let set = selection.set.ok();
        if let (Some(set), Some(list)) = (set, list)
            && members(list, set).is_empty()
        {
            let message = format!("the list has no set {set}: nobody is ever selected");
            lints.add(place, SET_NOT_IN_LIST, message, "name a set of the list, or add it");
        }
        if let Ok(algorithm) = selection.algorithm {
            lint_algorithm(script, algorithm, set.zip(list), place, lints);
        }
    }
}

fn lint_algorithm(
    script: &Script,
    algorithm: u16,
    set: Option<(SetId, &List)>,
    place: &Place,
    lints: &mut Lints,
) {
    let Some(known) = numbers::number(algorithm) else {
        let message =
            format!("{algorithm} is no algorithm: Kamailio sends every call to the first of its order");
        return lints.add(place, UNKNOWN_ALGORITHM, message, all_numbers());
    };
    let has =
        |attr: &str| set.map(|(set, list)| members(list, set).iter().any(|entry| has_attr(entry, attr)));
    match algorithm {
        0..=5 | 7 => {
            let message = format!(
                "algorithm {algorithm}, {}: the calls of one that is down all go to the one behind it, which then has twice as many",
                known.kamailio
            );
            let fix = "keep room for it; Callsteer spreads them over all others";
            lints.add(place, SHARE_TO_NEIGHBOUR, message, fix);
        }
        8 | 9 => {
            let evident =
                if algorithm == 8 { has("weight") == Some(false) } else { has("weight") == Some(true) };
            if let Some(mistaken) = known.mistaken.filter(|_| !evident) {
                lints.add(place, MISNUMBERED_ALGORITHM, mistaken, all_numbers());
            }
        }
        14 | 15 | 64 => {
            let message = format!(
                "Kamailio 5.6 has no algorithm {algorithm}: it sends every call to the first of its order"
            );
            lints.add(place, NEWER_ALGORITHM, message, "use it with a newer Kamailio only");
        }
        _ => {}
    }
    for (number, attr) in [(9, "weight"), (11, "rweight")] {
        if algorithm == number && has(attr) == Some(false) {
            let message = format!(
                "algorithm {number} goes by {attr}, which no destination of the set has: every call goes to one"
            );
            lints.add(place, ALGORITHM_WITHOUT_WEIGHTS, message, format!("write {attr}=... in the list"));
        }
    }
    if algorithm == 3 && script.number("flags").unwrap_or(0) & 1 == 0 {
        let message = "algorithm 3 hashes user and host of the Request-URI, not the user as the manual says";
        lints.add(place, HASH_HAS_HOST, message, "set flags 1 (3 with failing over) to hash the user");
    }
    if algorithm == 7 && script.param("dispatcher", "hash_pvar").is_none() {
        let message = "algorithm 7 hashes hash_pvar, which is not set: nobody is selected";
        lints.add(place, HASH_PVAR_MISSING, message, r#"modparam("dispatcher", "hash_pvar", "$fU")"#);
    }
    if algorithm == 13 && script.number("ds_ping_latency_stats").unwrap_or(0) == 0 {
        let message = "algorithm 13 goes by latencies, which nobody measures: it goes by priority alone";
        let fix = r#"modparam("dispatcher", "ds_ping_latency_stats", 1), and a ds_ping_interval"#;
        lints.add(place, LATENCY_MISSING, message, fix);
    }
}

/// Whether a line has an attribute.
fn has_attr(entry: &callsteer::list::Entry, attr: &str) -> bool {
    let line = entry.kamailio();
    if attr == "weight" { line.weight > 0 } else { line.rweight > 0 }
}

fn all_numbers() -> String {
    "Kamailio's numbers: 0-3, 5, 7 hashes, 4 round robin, 6 random, 8 priority, 9 weight, 10 call load, 11 relative weight, 12 parallel, 13 latency".into()
}
