//! A winner tree over seats: the best one at the root, one path to the root per change.

use alloc::vec;
use alloc::vec::Vec;

use crate::slots::NONE;

/// Winners of every match, the root first; the leaves are the seats themselves, [`NONE`] if absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tournament {
    nodes: Vec<u32>,
    leaves: usize,
}

impl Tournament {
    /// Room for this many seats, all of them absent.
    pub(crate) fn new(seats: usize) -> Self {
        let leaves = seats.next_power_of_two();
        Self { nodes: vec![NONE; 2 * leaves], leaves }
    }

    /// Puts a seat in, out, or anew after its key changed; `beats(a, b)` compares two seats.
    pub(crate) fn set(&mut self, seat: u32, present: bool, beats: impl Fn(u32, u32) -> bool) {
        let mut node = self.leaves + seat as usize;
        let Some(leaf) = self.nodes.get_mut(node) else { return };
        *leaf = if present { seat } else { NONE };
        while node > 1 {
            let winner = match (self.node(node & !1), self.node(node | 1)) {
                (NONE, other) | (other, NONE) => other,
                (left, right) => {
                    if beats(right, left) {
                        right
                    } else {
                        left
                    }
                }
            };
            node /= 2;
            if let Some(parent) = self.nodes.get_mut(node) {
                *parent = winner;
            }
        }
    }

    pub(crate) fn winner(&self) -> Option<u32> {
        let root = self.node(1);
        (root != NONE).then_some(root)
    }

    pub(crate) fn contains(&self, seat: u32) -> bool {
        self.node(self.leaves + seat as usize) != NONE
    }

    fn node(&self, node: usize) -> u32 {
        self.nodes.get(node).copied().unwrap_or(NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_winner_is_the_minimum_after_every_change() {
        for seats in 1..=9u32 {
            let mut keys = vec![0u64; seats as usize];
            let mut present = vec![false; seats as usize];
            let mut tree = Tournament::new(seats as usize);
            let mut rng = crate::rng::Rng::new(u64::from(seats));
            for _ in 0..500 {
                let seat = rng.below(seats);
                keys[seat as usize] = u64::from(rng.below(5));
                present[seat as usize] = rng.below(3) > 0;
                tree.set(seat, present[seat as usize], |a, b| (keys[a as usize], a) < (keys[b as usize], b));
                let expected = (0..seats)
                    .filter(|seat| present[*seat as usize])
                    .min_by_key(|seat| (keys[*seat as usize], *seat));
                assert_eq!(tree.winner(), expected);
            }
        }
    }
}
