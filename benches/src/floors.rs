//! What no implementation can be faster than: the single steps that all are made of.

use std::sync::atomic::{AtomicU64, Ordering};

use siphasher::sip::SipHasher13;

use crate::measure::{Case, Numbers};

/// One addition that other threads see.
pub(crate) const FETCH_ADD: &str = "floor: fetch_add";
/// One SipHash-1-3 of a Call-ID of 48 bytes.
pub(crate) const SIPHASH: &str = "floor: SipHash-1-3 of 48 bytes";
/// A counter per member: one is added to by turns, one is taken from at random.
pub(crate) const COUNTERS: &str = "floor: pick + two counters";
/// One access to what lies in the second cache.
pub(crate) const L2: &str = "floor: an L2 access";
/// One access to what lies in no cache.
pub(crate) const DRAM: &str = "floor: a DRAM access";

pub(crate) fn fetch_add<'a>() -> Case<'a> {
    let counter = AtomicU64::new(0);
    Case::new(FETCH_ADD, move || counter.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn siphash<'a>() -> Case<'a> {
    let hasher = SipHasher13::new_with_keys(1, 2);
    let ids = call_ids(CALL_IDS);
    let mut next = 0;
    Case::new(SIPHASH, move || {
        next = (next + 1) % CALL_IDS;
        hasher.hash(&ids[next])
    })
}

pub(crate) fn counters<'a>(members: usize) -> Case<'a> {
    let mut calls = vec![8u64; members];
    let mut live = crate::suites::live(members);
    let (mut next, mut numbers) = (0, Numbers::new(1));
    Case::new(COUNTERS, move || {
        next = if next + 1 == members { 0 } else { next + 1 };
        calls[next] += 1;
        let call = numbers.below(live.len());
        let ended = std::mem::replace(&mut live[call], next as u64);
        calls[ended as usize] -= 1;
    })
}

/// Follows a chain through so many bytes, one line of the cache after another, in random order.
pub(crate) fn access<'a>(name: &str, bytes: usize) -> Case<'a> {
    const LINE: usize = 8;
    let lines = bytes / 64;
    let mut order: Vec<usize> = (0..lines).collect();
    let mut numbers = Numbers::new(7);
    for line in (1..lines).rev() {
        order.swap(line, numbers.below(line + 1));
    }
    let mut chain = vec![0usize; lines * LINE];
    for pair in order.windows(2) {
        chain[pair[0] * LINE] = pair[1] * LINE;
    }
    if let (Some(first), Some(last)) = (order.first(), order.last()) {
        chain[last * LINE] = first * LINE;
    }
    let mut here = 0;
    Case::new(name, move || {
        here = chain[here];
        here
    })
}

/// Call-IDs as user agents write them: 48 bytes.
pub(crate) fn call_ids(count: usize) -> Vec<[u8; 48]> {
    let mut numbers = Numbers::new(48);
    (0..count).map(|_| call_id(numbers.next(), numbers.next())).collect()
}

/// A Call-ID made of two numbers.
pub(crate) fn call_id(a: u64, b: u64) -> [u8; 48] {
    let mut text = *b"0000000000000000-0000000000000000@pc33.bank.test";
    for (place, digit) in text.iter_mut().zip(digits(a)) {
        *place = digit;
    }
    for (place, digit) in text.iter_mut().skip(17).zip(digits(b)) {
        *place = digit;
    }
    text
}

fn digits(number: u64) -> impl Iterator<Item = u8> {
    (0..16).map(move |digit| b"0123456789abcdef"[(number >> (4 * digit)) as usize & 15])
}

/// So many that the processor cannot learn them, and few enough for the first cache.
pub(crate) const CALL_IDS: usize = 256;
