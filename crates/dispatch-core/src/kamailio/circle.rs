//! The order of a set, and the walk over it.

use core::cmp::Reverse;

use alloc::vec::Vec;

/// The index order of a set from its priorities in the order of the file: the highest priority
/// first, and of equal ones the *last* line first.
///
/// ```
/// assert_eq!(callsteer::kamailio::index_order(&[5, 10, 0, 10, 5]), [3, 1, 4, 0, 2]);
/// ```
#[must_use]
pub fn index_order(priorities: &[i32]) -> Vec<usize> {
    let mut order: Vec<(Reverse<i32>, Reverse<usize>)> =
        priorities.iter().enumerate().map(|(line, priority)| (Reverse(*priority), Reverse(line))).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, Reverse(line))| line).collect()
}

/// The walk over a set in index order, from any start. With `use_default` the last one of more than
/// one is spare: it takes no turns, and comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    turns: usize,
    spare: Option<usize>,
}

impl Circle {
    pub(crate) const fn new(members: usize, use_default: bool) -> Self {
        if use_default && members > 1 {
            Self { turns: members - 1, spare: Some(members - 1) }
        } else {
            Self { turns: members, spare: None }
        }
    }

    pub(crate) fn is_spare(self, index: usize) -> bool {
        self.spare == Some(index)
    }

    /// Whose turn a number means: a hash, a counter, a random draw.
    pub(crate) fn turn(self, number: u32) -> usize {
        number.checked_rem(self.turns as u32).unwrap_or(0) as usize
    }

    /// Everyone once: from `start` on, around, then the spare one. Whoever is left out of it, its
    /// follower takes all of its calls.
    pub(crate) fn from(self, start: usize) -> impl Iterator<Item = usize> {
        let turns = self.turns;
        let (first, around) = if start < turns { (None, start) } else { (self.spare, 0) };
        let spare = self.spare.filter(|_| first.is_none());
        let round = (around..turns).chain(0..around.min(turns));
        first.into_iter().chain(round).chain(spare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_passes_everyone_once_and_the_spare_one_last() {
        let walk = |members, use_default, start| {
            Circle::new(members, use_default).from(start).collect::<Vec<usize>>()
        };
        assert_eq!(walk(4, false, 2), [2, 3, 0, 1]);
        assert_eq!(walk(4, true, 2), [2, 0, 1, 3]);
        assert_eq!(walk(4, true, 3), [3, 0, 1, 2]);
        assert_eq!(walk(1, true, 0), [0]);
        assert!(walk(0, true, 0).is_empty());
        assert_eq!([0, 3, 4, 7].map(|n| Circle::new(4, false).turn(n)), [0, 3, 0, 3]);
        assert_eq!([0, 3, 4, 7].map(|n| Circle::new(4, true).turn(n)), [0, 0, 1, 1]);
        assert_eq!(Circle::new(0, false).turn(9), 0);
    }
}
