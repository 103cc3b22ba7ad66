//! A slab whose keys are never valid again: index plus generation.

use alloc::vec::Vec;

/// A key into [`Slots`]: a 32-bit index and a 21-bit generation that starts at 1.
///
/// As one number it is below 2^53 (exact in a float64) and never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
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

/// Values under keys; a removed value's key finds nothing, for ever.
///
/// A slot whose generations are used up is not used again, so that no key ever comes back: one
/// slot is given up per 2,097,151 uses.
#[derive(Clone, Debug)]
pub(crate) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    len: u32,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    next_free: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: NONE, len: 0 }
    }

    /// Puts a value in; gives it back where all 2^32 - 1 indexes are taken.
    pub(crate) fn insert(&mut self, value: T) -> Result<Key, T> {
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let key = Key { index: self.free, generation: slot.generation };
            self.free = slot.next_free;
            slot.value = Some(value);
            self.len += 1;
            return Ok(key);
        }
        let Ok(index) = u32::try_from(self.slots.len()) else { return Err(value) };
        if index == NONE {
            return Err(value);
        }
        self.slots.push(Slot { generation: 1, next_free: NONE, value: Some(value) });
        self.len += 1;
        Ok(Key { index, generation: 1 })
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let value = slot.value.take()?;
        self.len -= 1;
        if slot.generation < MAX_GENERATION {
            slot.generation += 1;
            slot.next_free = self.free;
            self.free = key.index;
        }
        Some(value)
    }

    pub(crate) fn find(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        if slot.generation == key.generation { slot.value.as_ref() } else { None }
    }

    pub(crate) fn find_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation == key.generation { slot.value.as_mut() } else { None }
    }

    /// The value at an index, whatever its generation.
    pub(crate) fn at(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.value.as_ref()
    }

    pub(crate) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.value.as_mut()
    }

    /// The key under which the value at an index is found now.
    pub(crate) fn key_at(&self, index: u32) -> Option<Key> {
        let slot = self.slots.get(index as usize)?;
        slot.value.as_ref()?;
        Some(Key { index, generation: slot.generation })
    }

    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// All values in index order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().zip(0u32..).filter_map(|(slot, index)| {
            let value = slot.value.as_ref()?;
            Some((Key { index, generation: slot.generation }, value))
        })
    }
}

/// The end of a chain of indexes.
pub(crate) const NONE: u32 = u32::MAX;
const MAX_GENERATION: u32 = (1 << 21) - 1;

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
    fn only_possible_keys_are_read_back() {
        let key = Slots::new().insert(()).unwrap();
        assert_eq!(Key::from_u64(key.to_u64()), Some(key));
        for impossible in [0, 1, u64::from(u32::MAX), 1 << 53, u64::MAX] {
            assert_eq!(Key::from_u64(impossible), None, "{impossible}");
        }
    }
}
