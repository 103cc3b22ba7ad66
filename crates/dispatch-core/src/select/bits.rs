//! A growing set of seat numbers: one bit each.

use alloc::vec::Vec;

#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: u32,
}

impl Bits {
    /// The bits below `len`, all of them on.
    #[cfg(test)]
    pub(crate) fn full(len: u32) -> Self {
        let mut bits = Self::default();
        (0..len).for_each(|bit| bits.set(bit, true));
        bits
    }

    pub(crate) fn set(&mut self, bit: u32, on: bool) {
        let word = bit as usize / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let Some(word) = self.words.get_mut(word) else { return };
        let mask = 1 << (bit % 64);
        match (*word & mask != 0, on) {
            (false, true) => {
                *word |= mask;
                self.len += 1;
            }
            (true, false) => {
                *word &= !mask;
                self.len -= 1;
            }
            _ => {}
        }
    }

    #[inline]
    pub(crate) fn contains(&self, bit: u32) -> bool {
        self.words.get(bit as usize / 64).is_some_and(|word| word & (1 << (bit % 64)) != 0)
    }

    /// How many bits are on.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// The first bit that is on from `start` upwards, or else the first one.
    pub(crate) fn next_from(&self, start: u32) -> Option<u32> {
        self.from(start).next().or_else(|| self.from(0).next())
    }

    /// The bits that are on, from `start` upwards.
    pub(crate) fn from(&self, start: u32) -> impl Iterator<Item = u32> {
        let first = start as usize / 64;
        let head = self.words.get(first).map_or(0, |word| word & (u64::MAX << (start % 64)));
        let tail = self.words.iter().skip(first + 1).copied();
        core::iter::once(head)
            .chain(tail)
            .enumerate()
            .flat_map(move |(offset, word)| Ones { word, base: (first + offset) as u32 * 64 })
    }

    /// All bits that are on, each once: from `start` upwards, then from 0.
    pub(crate) fn cycle_from(&self, start: u32) -> impl Iterator<Item = u32> {
        self.from(start).chain(self.from(0).take_while(move |bit| *bit < start))
    }
}

struct Ones {
    word: u64,
    base: u32,
}

impl Iterator for Ones {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.word == 0 {
            return None;
        }
        let bit = self.word.trailing_zeros();
        self.word &= self.word - 1;
        Some(self.base + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_walked_in_a_circle_from_any_start() {
        let mut bits = Bits::default();
        for bit in [0, 3, 63, 64, 200] {
            bits.set(bit, true);
            bits.set(bit, true);
        }
        bits.set(3, false);
        bits.set(3, false);
        assert_eq!(bits.len(), 4);
        let walk = |start| bits.cycle_from(start).collect::<Vec<_>>();
        assert_eq!(walk(0), [0, 63, 64, 200]);
        assert_eq!(walk(64), [64, 200, 0, 63]);
        assert_eq!(walk(201), [0, 63, 64, 200]);
        assert_eq!(walk(9_999), [0, 63, 64, 200]);
        assert_eq!([0, 1, 63, 200, 9_999].map(|bit| bits.contains(bit)), [true, false, true, true, false]);
    }
}
