//! A slab whose keys are never valid again: index plus generation.

use alloc::vec::Vec;

/// A key into [`Slots`]: a 32-bit index and a 21-bit generation that starts at 1.
///
/// As one number it is below 2^53 (exact in a float64) and never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "u64", try_from = "u64"))]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// Finds nothing.
    pub(crate) const NOWHERE: Self = Self { index: NONE, generation: 0 };

    /// Whether it is [`NOWHERE`](Self::NOWHERE): no other key has its generation.
    #[inline]
    pub(crate) const fn is_nowhere(self) -> bool {
        self.generation == 0
    }

    pub(crate) const fn index(self) -> u32 {
        self.index
    }

    pub(crate) const fn to_u64(self) -> u64 {
        ((self.generation as u64) << 32) | self.index as u64
    }

    pub(crate) const fn from_u64(number: u64) -> Option<Self> {
        let generation = number >> 32;
        if generation == 0 || generation > MAX_GENERATION as u64 {
            return None;
        }
        Some(Self { index: number as u32, generation: generation as u32 })
    }
}

#[cfg(feature = "serde")]
impl From<Key> for u64 {
    fn from(key: Key) -> Self {
        key.to_u64()
    }
}

#[cfg(feature = "serde")]
impl TryFrom<u64> for Key {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        Self::from_u64(number).ok_or("a number that is no key")
    }
}

/// Values under keys; a removed value's key finds nothing, for ever.
///
/// A slot whose generations are used up is not used again, so that no key ever comes back: one
/// slot is given up per 2,097,151 uses.
#[derive(Clone, Debug)]
pub(crate) struct Slots<T> {
    /// Full pages, and a last one that fills up: growing never moves more than one page.
    pages: Vec<Vec<Line<T>>>,
    free: u32,
    len: u32,
}

/// Starts on a line of the cache: a value of up to 60 bytes costs one miss.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Line<T>(Slot<T>);

#[derive(Clone, Debug)]
enum Slot<T> {
    Taken { generation: u32, value: T },
    Free { generation: u32, next: u32 },
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { pages: Vec::new(), free: NONE, len: 0 }
    }

    /// Puts a value in; gives it back where all 2^32 - 1 indexes are taken.
    pub(crate) fn insert(&mut self, value: T) -> Result<Key, T> {
        let index = self.free;
        if let Some(slot) = self.slot_mut(index)
            && let Slot::Free { generation, next } = *slot
        {
            *slot = Slot::Taken { generation, value };
            self.free = next;
            self.len += 1;
            return Ok(Key { index, generation });
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::new());
        }
        let before = (self.pages.len() - 1) * PAGE;
        let Some(page) = self.pages.last_mut() else { return Err(value) };
        let index = u32::try_from(before + page.len()).unwrap_or(NONE);
        if index == NONE {
            return Err(value);
        }
        page.push(Line(Slot::Taken { generation: 1, value }));
        self.len += 1;
        Ok(Key { index, generation: 1 })
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let free = self.free;
        let slot = self.slot_mut(key.index)?;
        if !matches!(slot, Slot::Taken { generation, .. } if *generation == key.generation) {
            return None;
        }
        let ends = key.generation == MAX_GENERATION;
        let next = if ends { NONE } else { free };
        let empty = Slot::Free { generation: key.generation + 1, next };
        let Slot::Taken { value, .. } = core::mem::replace(slot, empty) else { return None };
        if !ends {
            self.free = key.index;
        }
        self.len -= 1;
        Some(value)
    }

    pub(crate) fn find(&self, key: Key) -> Option<&T> {
        match self.slot(key.index)? {
            Slot::Taken { generation, value } if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    pub(crate) fn find_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.slot_mut(key.index)? {
            Slot::Taken { generation, value } if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// The value at an index, whatever its generation.
    pub(crate) fn at(&self, index: u32) -> Option<&T> {
        match self.slot(index)? {
            Slot::Taken { value, .. } => Some(value),
            Slot::Free { .. } => None,
        }
    }

    pub(crate) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        match self.slot_mut(index)? {
            Slot::Taken { value, .. } => Some(value),
            Slot::Free { .. } => None,
        }
    }

    /// The key under which the value at an index is found now.
    pub(crate) fn key_at(&self, index: u32) -> Option<Key> {
        match self.slot(index)? {
            Slot::Taken { generation, .. } => Some(Key { index, generation: *generation }),
            Slot::Free { .. } => None,
        }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// All values in index order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.pages.iter().flatten().zip(0u32..).filter_map(|(line, index)| match &line.0 {
            Slot::Taken { generation, value } => Some((Key { index, generation: *generation }, value)),
            Slot::Free { .. } => None,
        })
    }

    /// The keys that are given next, in order, and the indexes that are given up.
    #[cfg(feature = "serde")]
    pub(crate) fn vacant(&self) -> (Vec<Key>, Vec<u32>) {
        let free = |index: u32| match *self.slot(index)? {
            Slot::Free { generation, next } => Some((Key { index, generation }, next)),
            Slot::Taken { .. } => None,
        };
        let chain = core::iter::successors(free(self.free), |(_, next)| free(*next)).map(|(key, _)| key);
        let given_up = |index: &u32| matches!(self.slot(*index), Some(Slot::Free { generation, .. }) if *generation > MAX_GENERATION);
        let slots = self.pages.iter().map(Vec::len).sum::<usize>() as u32;
        (chain.collect(), (0..slots).filter(given_up).collect())
    }

    /// These values under these keys, and the vacant ones as [`vacant`](Self::vacant) gives them;
    /// `None` where they are not one slot after another, each once.
    #[cfg(feature = "serde")]
    pub(crate) fn restored(
        taken: impl Iterator<Item = (Key, T)>,
        vacant: &[Key],
        given_up: &[u32],
    ) -> Option<Self> {
        let end = |generation| Slot::Free { generation, next: NONE };
        let nexts = vacant.iter().skip(1).map(|key| key.index).chain([NONE]);
        let free = vacant
            .iter()
            .zip(nexts)
            .map(|(key, next)| (key.index, Slot::Free { generation: key.generation, next }));
        let given_up = given_up.iter().map(|index| (*index, end(MAX_GENERATION + 1)));
        let taken = taken.map(|(key, value)| (key.index, Slot::Taken { generation: key.generation, value }));
        let mut slots: Vec<_> = taken.chain(free).chain(given_up).collect();
        slots.sort_unstable_by_key(|(index, _)| *index);
        let mut restored = Self { free: vacant.first().map_or(NONE, |key| key.index), ..Self::new() };
        for (expected, (index, slot)) in (0u32..NONE).zip(slots) {
            if index != expected {
                return None;
            }
            if (expected as usize).is_multiple_of(PAGE) {
                restored.pages.push(Vec::with_capacity(PAGE));
            }
            restored.len += u32::from(matches!(slot, Slot::Taken { .. }));
            restored.pages.last_mut()?.push(Line(slot));
        }
        Some(restored)
    }

    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        self.pages.get(index as usize / PAGE)?.get(index as usize % PAGE).map(|line| &line.0)
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<T>> {
        self.pages.get_mut(index as usize / PAGE)?.get_mut(index as usize % PAGE).map(|line| &mut line.0)
    }
}

/// The end of a chain of indexes.
pub(crate) const NONE: u32 = u32::MAX;
const MAX_GENERATION: u32 = (1 << 21) - 1;
const PAGE: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_key_finds_nothing_when_its_slot_is_used_again() {
        let mut slots = Slots::new();
        let old = slots.insert('a').unwrap();
        assert_eq!(slots.remove(old), Some('a'));
        let new = slots.insert('b').unwrap();
        assert_eq!(new.index(), old.index());
        assert_eq!(slots.find(old), None);
        assert_eq!(slots.remove(old), None);
        assert_eq!(slots.find(new), Some(&'b'));
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn a_slot_without_generations_left_is_given_up() {
        let mut slots = Slots::new();
        let mut last = slots.insert(()).unwrap();
        for _ in 1..MAX_GENERATION {
            slots.remove(last).unwrap();
            last = slots.insert(()).unwrap();
            assert_eq!(last.index(), 0);
        }
        assert!(last.to_u64() < 1 << 53);
        slots.remove(last).unwrap();
        assert_eq!(slots.insert(()).unwrap().index(), 1);
    }

    #[test]
    fn a_call_takes_one_line_of_the_cache() {
        assert_eq!(size_of::<Line<crate::calls::Record>>(), 64);
    }

    #[test]
    fn keys_are_good_on_every_page() {
        let mut slots = Slots::new();
        let keys: Vec<_> = (0..2 * PAGE + 3).map(|value| slots.insert(value).unwrap()).collect();
        assert!(keys.iter().map(|key| key.index()).eq(0..2 * PAGE as u32 + 3));
        for (value, key) in keys.iter().enumerate().step_by(2) {
            assert_eq!(slots.remove(*key), Some(value));
        }
        let left: Vec<_> = keys.iter().copied().enumerate().skip(1).step_by(2).collect();
        assert!(slots.iter().map(|(key, value)| (*value, key)).eq(left.iter().copied()));
        for (value, key) in left {
            assert_eq!((slots.find(key), slots.key_at(key.index())), (Some(&value), Some(key)));
        }
        // The free ones are used before a page is added.
        let again = (0..=PAGE).map(|value| slots.insert(value).unwrap().index());
        assert!(again.max() < Some(2 * PAGE as u32 + 3));
    }

    #[test]
    fn only_possible_keys_are_read_back() {
        let key = Slots::new().insert(()).unwrap();
        assert_eq!(Key::from_u64(key.to_u64()), Some(key));
        for impossible in [0, 1, u64::from(u32::MAX), 1 << 53, u64::MAX] {
            assert_eq!(Key::from_u64(impossible), None, "{impossible}");
        }
    }
}
