//! From the hash of a Call-ID to the index of its record, in a table that grows a little per call.
//!
//! Of the hash its leading half counts here. A line of the cache holds twelve calls, each as a byte
//! of that and its index; the leading bits say in which line a call is at home. Where that is full it
//! goes on to the next one with room, and every line that it passes counts it, so that who looks for
//! a call knows when to stop, and what ends leaves nothing behind. When four fifths are taken, a table
//! with twice the lines takes over from the first to the last, one with every call that begins, so
//! that no call ever waits for all others to be moved. The table allocates only when more calls are
//! in progress than ever before.

use alloc::boxed::Box;
use alloc::vec::Vec;

#[derive(Clone, Debug, Default)]
pub(super) struct ById {
    table: Table,
    /// The table before, whose lines from `moved` on have not been taken over.
    before: Option<Table>,
    moved: usize,
    len: usize,
}

impl ById {
    /// The index under this hash that `is_it`.
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.table_of(hash).find(hash, is_it).map(|(_, _, index)| index)
    }

    /// Adds an index that is not there; `hash_of` gives the hash of one that is.
    pub(super) fn insert(&mut self, hash: u32, index: u32, hash_of: impl Fn(u32) -> u32) {
        if self.before.is_some() {
            self.take_over(hash_of);
        }
        self.len += 1;
        self.table_of_mut(hash).insert(hash, index);
        let full = 5 * self.len > 4 * WIDTH * self.table.homes();
        if full && self.before.is_none() && self.table.bits < MOST_BITS {
            let twice = Table { bits: self.table.bits + 1, ..Table::default() };
            self.before = Some(core::mem::replace(&mut self.table, twice));
            self.moved = 0;
        }
    }

    /// Takes out the index under this hash that `is_it`.
    pub(super) fn take(&mut self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let taken = self.table_of_mut(hash).take(hash, is_it)?;
        self.len -= 1;
        Some(taken)
    }

    fn table_of(&self, hash: u32) -> &Table {
        self.before.as_ref().filter(|table| table.home(hash) >= self.moved).unwrap_or(&self.table)
    }

    fn table_of_mut(&mut self, hash: u32) -> &mut Table {
        let moved = self.moved;
        self.before.as_mut().filter(|table| table.home(hash) >= moved).unwrap_or(&mut self.table)
    }

    /// Moves a line on to the larger table, and those behind it up to one that nobody passed: whoever
    /// stands before that has its home before that.
    #[inline(never)]
    fn take_over(&mut self, hash_of: impl Fn(u32) -> u32) {
        let Some(before) = &mut self.before else { return };
        let mut passed = true;
        while passed {
            let line = before.line(self.moved).copied().unwrap_or(Line::EMPTY);
            for index in line.calls() {
                self.table.insert(hash_of(index), index);
            }
            passed = line.is_passed();
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

/// Calls in 2^bits lines, and a few behind them.
#[derive(Clone, Debug)]
struct Table {
    /// Lines by the hundred, where they have been used.
    segments: Vec<Option<Box<[Line; SEGMENT]>>>,
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

    /// The line in which a hash is at home.
    const fn home(&self, hash: u32) -> usize {
        (hash >> (u32::BITS - self.bits)) as usize
    }

    /// The line, the place there and the index of the call under this hash that `is_it`.
    fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<(usize, usize, u32)> {
        let mut at = self.home(hash);
        loop {
            let line = self.line(at)?;
            if let Some((place, index)) = line.find(tag(hash), &is_it) {
                return Some((at, place, index));
            }
            if !line.is_passed() {
                return None;
            }
            at += 1;
        }
    }

    fn insert(&mut self, hash: u32, index: u32) {
        let mut at = self.home(hash);
        while let Some(line) = self.line_mut(at) {
            if line.put(tag(hash), index) {
                return;
            }
            line.tags += PASSED;
            at += 1;
        }
    }

    fn take(&mut self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (at, place, index) = self.find(hash, is_it)?;
        for passed in self.home(hash)..at {
            if let Some(line) = self.line_mut(passed) {
                line.tags -= PASSED;
            }
        }
        if let Some(line) = self.line_mut(at) {
            line.vacate(place);
        }
        Some(index)
    }

    #[inline]
    fn line(&self, at: usize) -> Option<&Line> {
        self.segments.get(at / SEGMENT)?.as_ref()?.get(at % SEGMENT)
    }

    #[inline]
    fn line_mut(&mut self, at: usize) -> Option<&mut Line> {
        if !matches!(self.segments.get(at / SEGMENT), Some(Some(_))) {
            self.add(at / SEGMENT);
        }
        self.segments.get_mut(at / SEGMENT)?.as_mut()?.get_mut(at % SEGMENT)
    }

    #[cold]
    fn add(&mut self, segment: usize) {
        if self.segments.len() <= segment {
            self.segments.resize(segment + 1, None);
        }
        if let Some(place) = self.segments.get_mut(segment) {
            *place = Some(Box::new([Line::EMPTY; SEGMENT]));
        }
    }

    fn free(&mut self, segment: usize) {
        if let Some(segment) = self.segments.get_mut(segment) {
            *segment = None;
        }
    }
}

/// A line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line {
    /// A byte of the hash per place, [`VACANT`] where nobody is. The four bytes that are left count
    /// who went on from here, since it was full.
    tags: u128,
    indexes: [u32; WIDTH],
}

impl Line {
    const EMPTY: Self = Self { tags: 0, indexes: [0; WIDTH] };

    /// The place and the index of the one with this tag that `is_it`.
    #[inline]
    fn find(&self, tag: u8, is_it: impl Fn(u32) -> bool) -> Option<(usize, u32)> {
        let mut places = self.places(tag);
        loop {
            let place = places.trailing_zeros() as usize / 8;
            let index = *self.indexes.get(place)?;
            if is_it(index) {
                return Some((place, index));
            }
            places &= places - 1;
        }
    }

    /// Puts one in where there is room.
    #[inline]
    fn put(&mut self, tag: u8, index: u32) -> bool {
        let place = self.places(VACANT).trailing_zeros() as usize / 8;
        let Some(vacant) = self.indexes.get_mut(place) else { return false };
        *vacant = index;
        self.tags |= u128::from(tag) << (8 * place);
        true
    }

    const fn vacate(&mut self, place: usize) {
        self.tags &= !(0xff << (8 * place));
    }

    /// The leading bit of every place with this tag. All at once (Warren: Hacker's Delight, 6-1): which
    /// it is cannot be foreseen, so that each branch would be taken wrongly.
    #[inline]
    const fn places(&self, tag: u8) -> u128 {
        const REST: u128 = EACH * 0x7f;
        let differ = self.tags ^ (EACH * tag as u128);
        !(((differ & REST) + REST) | differ) & (EACH * 0x80)
    }

    fn calls(&self) -> impl Iterator<Item = u32> {
        let taken = move |place: &usize| (self.tags >> (8 * place)) as u8 != VACANT;
        (0..WIDTH).filter(taken).filter_map(|place| self.indexes.get(place).copied())
    }

    const fn is_passed(&self) -> bool {
        self.tags >= PASSED
    }
}

/// The trailing bits of a hash, which are never [`VACANT`].
const fn tag(hash: u32) -> u8 {
    if hash as u8 == VACANT { 1 } else { hash as u8 }
}

const VACANT: u8 = 0;
/// So many calls, with a byte each for a tag and four for the count, are 64 bytes.
const WIDTH: usize = 12;
/// One who passed.
const PASSED: u128 = 1 << (8 * WIDTH);
/// 1 in the byte of every place.
const EACH: u128 = (PASSED - 1) / 0xff;
/// Lines per allocation: 8 KiB.
const SEGMENT: usize = 128;
/// The first table has this many bits of lines, one segment.
const LEAST_BITS: u32 = SEGMENT.ilog2();
/// Lines for more calls than there are indexes.
const MOST_BITS: u32 = 29;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Random hashes, of which the first `crowd` bits are 0.
    fn check(calls: usize, steps: usize, crowd: u32) {
        let mut rng = Rng::new(calls as u64);
        let mut table = ById::default();
        let mut known: Vec<Option<u32>> = alloc::vec![None; calls];
        for step in 0..steps {
            let index = rng.below(calls as u32);
            let place = &mut known[index as usize];
            match place.take() {
                Some(hash) => assert_eq!(table.take(hash, |known| known == index), Some(index)),
                None => {
                    let hash = rng.next() as u32 >> crowd;
                    *place = Some(hash);
                    table.insert(hash, index, |index| known[index as usize].unwrap());
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
                table.take(*hash, |known| known == index);
                assert_eq!(table.find(*hash, |other| other == index), None);
            }
        }
        let left = [Some(&table.table), table.before.as_ref()].into_iter().flatten();
        let mut lines =
            left.flat_map(|table| table.segments.iter().flatten()).flat_map(|segment| segment.iter());
        assert!(lines.all(|line| line.tags == 0), "nothing is left behind");
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
        check(300, 3_000, 24);
    }

    #[test]
    fn calls_with_the_same_half_of_the_hash_are_told_apart() {
        let mut table = ById::default();
        for index in 0..100 {
            table.insert(u32::MAX, index, |_| u32::MAX);
        }
        for index in 0..100 {
            assert_eq!(table.find(u32::MAX, |other| other == index), Some(index));
        }
        assert_eq!(table.take(u32::MAX, |known| known == 50), Some(50));
        assert_eq!(table.find(u32::MAX, |other| other == 50), None);
        assert_eq!(table.find(u32::MAX, |other| other == 99), Some(99), "behind the last line");
    }

    #[test]
    fn places_are_those_with_the_tag_and_no_others() {
        let mut line = Line::EMPTY;
        for (index, tag) in (0u32..).zip([1, 0x80, 0xff, 0x81, 1, 0x7f, 2, 1, 0x80, 0xfe, 1, 0xff]) {
            assert!(line.put(tag, index), "{index}");
        }
        assert!(!line.put(3, 12), "it is full");
        line.tags += 7 * PASSED;
        let bits = (0..WIDTH).map(|place| 8 * place + 7);
        for (tag, expected) in
            [(1, &[0, 4, 7, 10][..]), (0x80, &[1, 8]), (0xff, &[2, 11]), (0, &[]), (3, &[])]
        {
            let places = bits.clone().filter(|bit| line.places(tag) >> bit & 1 > 0).map(|bit| bit / 8);
            assert!(places.eq(expected.iter().copied()), "{tag}");
        }
        assert_eq!(line.find(1, |index| index > 4), Some((7, 7)));
        line.vacate(7);
        assert_eq!((line.calls().count(), line.is_passed()), (11, true));
        assert!(line.put(9, 70) && line.find(9, |_| true) == Some((7, 70)));
    }

    #[test]
    fn a_line_is_one_of_the_cache() {
        assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
    }

    #[test]
    fn a_call_moves_a_line_or_a_few_and_no_more() {
        let mut rng = Rng::new(3);
        let mut table = ById::default();
        let mut hashes = Vec::new();
        let mut most = 0;
        for index in 0..200_000 {
            let moved = table.moved;
            hashes.push(rng.next() as u32);
            table.insert(hashes[index as usize], index, |index| hashes[index as usize]);
            if table.before.is_some() {
                most = most.max(table.moved.saturating_sub(moved));
            }
        }
        assert!((1..30).contains(&most), "{most}");
        let lines = table.table.segments.iter().flatten().count() * SEGMENT;
        assert!(lines * WIDTH <= 2 * 200_000 * 5 / 4 + SEGMENT * WIDTH, "{lines}");
    }
}
