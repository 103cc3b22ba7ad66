//! Lints for the weights of a set: what Kamailio makes of them.

use alloc::format;
use alloc::vec::Vec;

use super::lint::{FIRST_WITHOUT_WEIGHT, Lints, RWEIGHTS_ROUNDED, Row, WEIGHT_MISSING, WEIGHTS_NOT_100};
use crate::kamailio::{SLOTS, index_order, slots_by_rweight, slots_by_weight};

/// Lints the weights of a set, or its rweights where it has no weights.
pub(super) fn lint(members: &[&Row<'_>], lints: &mut Lints) {
    let used = ["weight", "rweight"].into_iter().find(|attr| members.iter().any(|row| row.has(attr)));
    let Some(attr) = used else { return };
    let priorities: Vec<i32> = members.iter().map(|row| row.fields.priority).collect();
    let order = index_order(&priorities).into_iter().filter_map(|line| members.get(line).copied());
    let order: Vec<&Row<'_>> = order.collect();
    let weights: Vec<u32> = order.iter().map(|row| row.kamailio(attr)).collect();

    for (place, row) in order.iter().enumerate() {
        let set = row.entry.set();
        if place == 0 && attr == "weight" && row.kamailio(attr) == 0 {
            let message = format!(
                "Kamailio's algorithm 9 sends every call of set {set} here: the last line of the highest priority has no weight of 1 to 100"
            );
            lints.add(row, row.place(attr), FIRST_WITHOUT_WEIGHT, message, "write weight=1 to weight=100");
        } else if !row.has(attr) {
            let here = row.entry.destination().weight;
            let message = format!(
                "no {attr}, which others of set {set} have: it counts as {here} here, as 0 in Kamailio"
            );
            lints.add(
                row,
                row.fields.uri.at,
                WEIGHT_MISSING,
                message,
                format!("write {attr}={here}, or what you mean"),
            );
        }
    }
    // What is missing or ignored has been said; the sum means nothing then.
    if !weights.contains(&0) {
        lint_shares(attr, &order, &weights, lints);
    }
}

fn lint_shares(attr: &str, order: &[&Row<'_>], weights: &[u32], lints: &mut Lints) {
    let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let (slots, algorithm, code, fix) = if attr == "weight" {
        let fix = "write weights that add up to 100, or rweight, for Kamailio; Callsteer takes any sum";
        (slots_by_weight(weights), 9, WEIGHTS_NOT_100, fix)
    } else {
        let fix = "fewer hosts, or weights that divide 100, for Kamailio; Callsteer keeps to any weights";
        (slots_by_rweight(weights), 11, RWEIGHTS_ROUNDED, fix)
    };
    let due = |weight: u32| u64::from(SLOTS) * u64::from(weight);
    let off = |slots: u32, weight: u32| (u64::from(slots) * sum).abs_diff(due(weight));
    let worst =
        order.iter().zip(weights).zip(&slots).max_by_key(|((_, weight), slots)| off(**slots, **weight));
    if let Some(((row, weight), slots)) = worst
        && off(*slots, *weight) > TOLERANCE * sum
    {
        let (set, share) = (row.entry.set(), (due(*weight) + sum / 2) / sum);
        let message = format!(
            "the {attr}s of set {set} add up to {sum}: of 100 calls Kamailio's algorithm {algorithm} sends {slots} here, where {share} are due"
        );
        lints.add(row, row.place(attr), code, message, fix);
    }
}

/// Of 100 calls, by how many a share may be off before it is worth a lint.
const TOLERANCE: u64 = 2;
