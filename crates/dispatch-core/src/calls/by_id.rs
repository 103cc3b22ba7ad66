//! From the hash of a Call-ID to the index of its record, in a table that grows a little per call.
//!
//! Open addressing in the order of the hashes: a call's home is given by the leading bits of its
//! hash, and it stands there or soon after. When three quarters are taken, a table with twice the
//! homes takes over from the first home to the last, a few with every call that begins, so that no
//! call ever waits for all others to be moved. What ends leaves nothing behind, so that the table
//! allocates only when more calls are in progress than ever before.

use alloc::boxed::Box;
use alloc::vec::Vec;

#[derive(Clone, Debug, Default)]
pub(super) struct ById {
    table: Table,
    /// The table before, whose homes from `moved` on have not been taken over.
    before: Option<Table>,
    moved: usize,
    len: usize,
}

impl ById {
    /// The index under this hash that `is_it`.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let table = self.table_of(hash);
        table.find(hash, is_it).map(|slot| index(table.at(slot)))
    }

    /// Adds an index that is not there.
    pub(super) fn insert(&mut self, hash: u64, index: u32) {
        self.take_over();
        self.len += 1;
        self.table_of_mut(hash).insert(hash >> 32 << 32 | (u64::from(index) + 1));
        if self.before.is_none() && 4 * self.len > 3 * self.table.homes() && self.table.bits < MOST_BITS {
            let twice = Table { bits: self.table.bits + 1, ..Table::default() };
            self.before = Some(core::mem::replace(&mut self.table, twice));
            self.moved = 0;
        }
    }

    /// Takes an index out.
    pub(super) fn remove(&mut self, hash: u64, gone: u32) {
        let table = self.table_of_mut(hash);
        if let Some(slot) = table.find(hash, |index| index == gone) {
            table.remove(slot);
            self.len -= 1;
        }
    }

    fn table_of(&self, hash: u64) -> &Table {
        self.before.as_ref().filter(|table| table.home(hash) >= self.moved).unwrap_or(&self.table)
    }

    fn table_of_mut(&mut self, hash: u64) -> &mut Table {
        let moved = self.moved;
        self.before.as_mut().filter(|table| table.home(hash) >= moved).unwrap_or(&mut self.table)
    }

    /// Moves a few homes on to the larger table, up to an empty slot: whoever stands before that has
    /// its home before that.
    fn take_over(&mut self) {
        let Some(before) = &mut self.before else { return };
        let enough = self.moved + STEP;
        while self.moved < enough || before.at(self.moved) != EMPTY {
            let entry = before.at(self.moved);
            if entry != EMPTY {
                self.table.insert(entry);
            }
            self.moved += 1;
            if self.moved.is_multiple_of(SEGMENT) {
                before.free(self.moved / SEGMENT - 1);
            }
        }
        if self.moved >= before.segments.len() * SEGMENT {
            self.before = None;
        }
    }
}

/// Entries of 2^bits homes: the leading half of the hash, and the index + 1.
#[derive(Clone, Debug)]
struct Table {
    /// Slots by the thousand, where they have been used; the last ones are behind the last home.
    segments: Vec<Option<Box<[u64; SEGMENT]>>>,
    bits: u32,
}

impl Default for Table {
    fn default() -> Self {
        Self { segments: Vec::new(), bits: LEAST_BITS }
    }
}

impl Table {
    const fn homes(&self) -> usize {
        1 << self.bits
    }

    /// The home of a hash, or of an entry.
    const fn home(&self, hash: u64) -> usize {
        (hash >> (u64::BITS - self.bits)) as usize
    }

    fn at(&self, slot: usize) -> u64 {
        let segment = self.segments.get(slot / SEGMENT).and_then(Option::as_ref);
        segment.and_then(|segment| segment.get(slot % SEGMENT)).copied().unwrap_or(EMPTY)
    }

    #[inline]
    fn set(&mut self, slot: usize, entry: u64) {
        let segment = match self.segments.get_mut(slot / SEGMENT) {
            Some(Some(segment)) => segment,
            _ => match self.new_segment(slot / SEGMENT) {
                Some(segment) => segment,
                None => return,
            },
        };
        if let Some(place) = segment.get_mut(slot % SEGMENT) {
            *place = entry;
        }
    }

    #[cold]
    fn new_segment(&mut self, at: usize) -> Option<&mut Box<[u64; SEGMENT]>> {
        if self.segments.len() <= at {
            self.segments.resize(at + 1, None);
        }
        Some(self.segments.get_mut(at)?.insert(Box::new([EMPTY; SEGMENT])))
    }

    fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        let mut slot = self.home(hash);
        loop {
            let entry = self.at(slot);
            if entry == EMPTY {
                return None;
            }
            if entry >> 32 == hash >> 32 && is_it(index(entry)) {
                return Some(slot);
            }
            slot += 1;
        }
    }

    fn insert(&mut self, entry: u64) {
        let mut slot = self.home(entry);
        while self.at(slot) != EMPTY {
            slot += 1;
        }
        self.set(slot, entry);
    }

    /// Empties a slot, and moves up who would not be found behind it.
    fn remove(&mut self, slot: usize) {
        let (mut hole, mut slot) = (slot, slot + 1);
        loop {
            let entry = self.at(slot);
            if entry == EMPTY {
                break;
            }
            if self.home(entry) <= hole {
                self.set(hole, entry);
                hole = slot;
            }
            slot += 1;
        }
        self.set(hole, EMPTY);
    }

    fn free(&mut self, segment: usize) {
        if let Some(segment) = self.segments.get_mut(segment) {
            *segment = None;
        }
    }
}

const fn index(entry: u64) -> u32 {
    (entry as u32).wrapping_sub(1)
}

const EMPTY: u64 = 0;
/// Slots per allocation: 8 KiB.
const SEGMENT: usize = 1_024;
/// The first table has this many bits of homes, one segment.
const LEAST_BITS: u32 = SEGMENT.ilog2();
/// An entry keeps half of the hash.
const MOST_BITS: u32 = 32;
/// Slots that every call moves while a larger table takes over.
const STEP: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Hashes by index; `crowd` leaves only so many leading bits to differ.
    fn check(calls: usize, steps: usize, crowd: u32) {
        let mut rng = Rng::new(calls as u64);
        let mut table = ById::default();
        let mut known: Vec<Option<u64>> = alloc::vec![None; calls];
        for step in 0..steps {
            let index = rng.below(calls as u32);
            let place = &mut known[index as usize];
            match place.take() {
                Some(hash) => table.remove(hash, index),
                None => {
                    let hash = rng.next() << crowd >> crowd;
                    table.insert(hash, index);
                    *place = Some(hash);
                }
            }
            if step % (steps / 100) == 0 {
                for (index, hash) in (0u32..).zip(&known) {
                    if let Some(hash) = hash {
                        assert_eq!(table.find(*hash, |other| other == index), Some(index), "step {step}");
                    }
                }
                assert_eq!(table.len, known.iter().flatten().count());
            }
        }
        for (index, hash) in (0u32..).zip(&known) {
            if let Some(hash) = hash {
                table.remove(*hash, index);
                assert_eq!(table.find(*hash, |other| other == index), None);
            }
        }
        let left = [Some(&table.table), table.before.as_ref()].into_iter().flatten();
        let slots = left.flat_map(|table| table.segments.iter().flatten()).flat_map(|segment| segment.iter());
        assert!(slots.copied().all(|entry| entry == EMPTY), "nothing is left behind");
    }

    #[test]
    fn every_call_is_found_while_the_table_grows_and_nothing_is_left_behind() {
        for (calls, steps) in [(5, 1_000), (1_000, 20_000), (9_000, 20_000), (60_000, 120_000)] {
            check(calls, steps, 0);
        }
    }

    #[test]
    fn hashes_that_crowd_at_the_first_homes_run_over_and_are_found() {
        check(3_000, 12_000, 8);
        check(300, 3_000, 40);
    }

    #[test]
    fn calls_with_the_same_half_of_the_hash_are_told_apart() {
        let mut table = ById::default();
        for index in 0..100 {
            table.insert(u64::MAX << 32 | u64::from(index), index);
        }
        for index in 0..100 {
            assert_eq!(table.find(u64::MAX, |other| other == index), Some(index));
        }
        table.remove(u64::MAX, 50);
        assert_eq!(table.find(u64::MAX, |other| other == 50), None);
        assert_eq!(table.find(u64::MAX, |other| other == 99), Some(99), "behind the last home");
    }

    #[test]
    fn a_call_moves_a_few_slots_and_no_more() {
        let mut rng = Rng::new(3);
        let mut table = ById::default();
        let mut most = 0;
        for index in 0..200_000 {
            let moved = table.moved;
            table.insert(rng.next(), index);
            if table.before.is_some() {
                most = most.max(table.moved.saturating_sub(moved));
            }
        }
        assert!((STEP..STEP + 400).contains(&most), "{most}");
        let slots = table.table.segments.iter().flatten().count() * SEGMENT;
        assert!(slots <= 2 * 200_000 * 4 / 3, "{slots}");
    }
}
