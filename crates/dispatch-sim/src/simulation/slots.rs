//! Places that are used again.

/// Values by number; a number is used again once its value was taken out.
#[derive(Debug)]
pub(super) struct Slots<T> {
    values: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { values: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// The number that the next value gets.
    pub(super) fn next(&self) -> usize {
        self.free.last().copied().unwrap_or(self.values.len())
    }

    pub(super) fn add(&mut self, value: T) -> usize {
        let slot = self.next();
        match self.free.pop() {
            Some(slot) => self.values[slot] = Some(value),
            None => self.values.push(Some(value)),
        }
        slot
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.values.get_mut(slot)?.as_mut()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.values.iter_mut().enumerate().filter_map(|(slot, value)| Some((slot, value.as_mut()?)))
    }

    pub(super) fn take(&mut self, slot: usize) -> T {
        self.free.push(slot);
        self.values[slot].take().expect("a value is taken out once")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again_once_it_is_free() {
        let mut slots = Slots::default();
        assert_eq!([slots.add('a'), slots.add('b'), slots.next()], [0, 1, 2]);
        assert_eq!((slots.take(0), slots.next(), slots.add('c')), ('a', 0, 0));
        assert_eq!((slots.get_mut(0).copied(), slots.get_mut(7)), (Some('c'), None));
        assert_eq!(
            slots.iter_mut().map(|(slot, value)| (slot, *value)).collect::<Vec<_>>(),
            [(0, 'c'), (1, 'b')]
        );
    }
}
