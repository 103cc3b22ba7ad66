//! Lints for the weights of a set: what Kamailio makes of them.

use alloc::format;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::lint::{FIRST_WITHOUT_WEIGHT, Lints, RWEIGHTS_ROUNDED, Row, WEIGHT_MISSING, WEIGHTS_NOT_100};

/// Lints the weights of a set, or its rweights where it has no weights.
pub(super) fn lint(members: &[&Row<'_>], lints: &mut Lints) {
    let used = ["weight", "rweight"].into_iter().find(|attr| members.iter().any(|row| row.has(attr)));
    let Some(attr) = used else { return };
    // Kamailio's order: priority first, then the last line first.
    let mut order: Vec<&Row<'_>> = members.iter().rev().copied().collect();
    order.sort_by_key(|row| Reverse(row.fields.priority));
    let weights: Vec<u64> = order.iter().map(|row| u64::from(row.kamailio(attr))).collect();

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

fn lint_shares(attr: &str, order: &[&Row<'_>], weights: &[u64], lints: &mut Lints) {
    let sum: u64 = weights.iter().sum();
    let (slots, algorithm, code, fix) = if attr == "weight" {
        let fix = "write weights that add up to 100, or rweight, for Kamailio; Callsteer takes any sum";
        (slots_by_weight(weights), 9, WEIGHTS_NOT_100, fix)
    } else {
        let fix = "fewer hosts, or weights that divide 100, for Kamailio; Callsteer keeps to any weights";
        (slots_by_rweight(weights), 11, RWEIGHTS_ROUNDED, fix)
    };
    let off = |slots: u64, weight: u64| (slots * sum).abs_diff(SLOTS * weight);
    let worst =
        order.iter().zip(weights).zip(&slots).max_by_key(|((_, weight), slots)| off(**slots, **weight));
    if let Some(((row, weight), slots)) = worst
        && off(*slots, *weight) > TOLERANCE * sum
    {
        let (set, share) = (row.entry.set(), (SLOTS * weight + sum / 2) / sum);
        let message = format!(
            "the {attr}s of set {set} add up to {sum}: of 100 calls Kamailio's algorithm {algorithm} sends {slots} here, where {share} are due"
        );
        lints.add(row, row.place(attr), code, message, fix);
    }
}

/// Algorithm 9, in Kamailio's order: each takes its weight of the slots that are left, the last one
/// what nobody took. Recorded: 10, 8, 10, 10 becomes 10, 8, 10, 72; 30, 60, 60 becomes 30, 60, 10.
fn slots_by_weight(weights: &[u64]) -> Vec<u64> {
    let mut left = SLOTS;
    let take = |weight: &u64| {
        let taken = left.min(*weight);
        left -= taken;
        taken
    };
    let slots = weights.iter().map(take).collect();
    give_last(slots)
}

/// Algorithm 11, in Kamailio's order: each takes its share, rounded down, the last one what is
/// left. Recorded: 26 equal hosts become 3 each and 25; 40 become 2 each and 22.
fn slots_by_rweight(weights: &[u64]) -> Vec<u64> {
    let sum: u64 = weights.iter().sum();
    give_last(weights.iter().map(|weight| SLOTS * weight / sum.max(1)).collect())
}

fn give_last(mut slots: Vec<u64>) -> Vec<u64> {
    let taken: u64 = slots.iter().sum();
    if let Some(last) = slots.last_mut() {
        *last += SLOTS.saturating_sub(taken);
    }
    slots
}

const SLOTS: u64 = 100;
/// Of 100 calls, by how many a share may be off before it is worth a lint.
const TOLERANCE: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn slots_are_those_that_were_recorded() {
        assert_eq!(slots_by_weight(&[10, 8, 10, 10]), [10, 8, 10, 72]);
        assert_eq!(slots_by_weight(&[30, 60, 60]), [30, 60, 10]);
        assert_eq!(slots_by_weight(&[10, 20, 70]), [10, 20, 70]);
        assert_eq!(slots_by_weight(&[50, 50]), [50, 50]);
        assert_eq!(slots_by_rweight(&[1, 2, 1]), [25, 50, 25]);
        let check = |hosts: usize, each: u64, last: u64| {
            let slots = slots_by_rweight(&vec![1; hosts]);
            assert_eq!(slots, [vec![each; hosts - 1], vec![last]].concat());
        };
        check(26, 3, 25);
        check(40, 2, 22);
    }
}
