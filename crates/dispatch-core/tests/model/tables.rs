//! By their definitions: turns by weight, the Maglev table, the keyed hash.

use std::num::Wrapping;

use crate::state::Member;

/// Endless turns by weight: the least (2 turns + 1) / weight is next.
pub(crate) fn turns(weights: &[(u32, u32)]) -> impl Iterator<Item = u32> {
    let mut taken: Vec<(u32, u64, u32)> =
        weights.iter().map(|(seat, weight)| (*seat, u64::from(*weight), 0)).collect();
    std::iter::from_fn(move || {
        let due = |a: &&mut (u32, u64, u32), b: &&mut (u32, u64, u32)| {
            (u64::from(2 * a.2 + 1) * b.1).cmp(&(u64::from(2 * b.2 + 1) * a.1))
        };
        let next = taken.iter_mut().min_by(due)?;
        next.2 += 1;
        Some(next.0)
    })
}

/// The Maglev table by its definition.
pub(crate) fn table(members: &[Member], seed: u64) -> Vec<u32> {
    let mut order: Vec<_> = members.iter().map(|m| (hash(seed, m.destination.id.as_bytes()), m)).collect();
    order.sort_by_key(|(hash, m)| (*hash, m.seat));
    let mut table = vec![u32::MAX; 65_537];
    let slot = |hash: u64, n: u64| ((u128::from(hash) * u128::from(n)) >> 64) as usize;
    let mut walks: Vec<_> =
        order.iter().map(|(h, _)| (slot(*h, 65_537), 1 + slot(mix(*h), 65_536))).collect();
    let weights: Vec<_> = (0u32..).zip(&order).map(|(i, (_, m))| (i, m.destination.weight)).collect();
    for turn in turns(&weights).take(table.len()) {
        let (here, step) = &mut walks[turn as usize];
        while table[*here] != u32::MAX {
            *here = (*here + *step) % 65_537;
        }
        table[*here] = order[turn as usize].1.seat.unwrap();
    }
    table
}

pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    siphasher::sip::SipHasher13::new_with_keys(seed, mix(seed)).hash(bytes)
}

/// SplitMix64.
pub(crate) fn mix(number: u64) -> u64 {
    let z = Wrapping(number) + Wrapping(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)) * Wrapping(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)) * Wrapping(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).0
}

pub(crate) fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
