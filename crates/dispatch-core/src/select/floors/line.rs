//! The floors of the seats of one weight: a winner tree that knows its first seat and the runner-up.

use alloc::vec::Vec;

use crate::slots::NONE;

/// The seats of one weight, in their order, and a winner tree over their floors.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) weight: f64,
    seats: Vec<u32>,
    /// The root at 1, the children of n at 2 n and 2 n + 1, the seats at the end.
    nodes: Vec<Node>,
}

/// The seat with the least floor below a node; of equals, the one whose load changed the longest ago.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) floor: f64,
    pub(super) touched: u64,
    pub(super) seat: u32,
    /// The least floor of all other seats below the node.
    pub(super) others: f64,
}

impl Node {
    pub(super) const NOBODY: Self =
        Self { floor: f64::INFINITY, touched: u64::MAX, seat: NONE, others: f64::INFINITY };

    /// The node above two; where they are equals in all, that of the left one.
    #[inline]
    fn above(left: Self, right: Self) -> Self {
        let right_wins =
            right.floor < left.floor || right.floor == left.floor && right.touched < left.touched;
        let (winner, other) = if right_wins { (right, left) } else { (left, right) };
        // `min` would look for NaN as well, which no estimate is.
        Self { others: if other.floor < winner.others { other.floor } else { winner.others }, ..winner }
    }
}

impl Line {
    pub(super) fn new(weight: f64, seats: Vec<u32>) -> Self {
        let nodes = alloc::vec![Node::NOBODY; 2 * seats.len().next_power_of_two()];
        Self { weight, seats, nodes }
    }

    /// Sets all seats.
    pub(super) fn fill(&mut self, node: impl Fn(u32) -> Node) {
        let width = self.width();
        for (leaf, seat) in self.nodes.iter_mut().skip(width).zip(&self.seats) {
            *leaf = node(*seat);
        }
        for at in (1..width).rev() {
            let above = Node::above(self.node(2 * at), self.node(2 * at + 1));
            if let Some(place) = self.nodes.get_mut(at) {
                *place = above;
            }
        }
    }

    /// Sets a seat, and the nodes above it as far as they change.
    pub(super) fn set(&mut self, leaf: usize, seat: Node) {
        let (mut at, mut node) = (leaf + self.width(), seat);
        while at > 0
            && let Some(place) = self.nodes.get_mut(at).filter(|place| **place != node)
        {
            *place = node;
            let beside = self.node(at ^ 1);
            node = if at.is_multiple_of(2) { Node::above(node, beside) } else { Node::above(beside, node) };
            at /= 2;
        }
    }

    pub(super) fn node(&self, node: usize) -> Node {
        self.nodes.get(node).copied().unwrap_or(Node::NOBODY)
    }

    pub(super) fn floor(&self) -> f64 {
        self.node(1).floor
    }

    /// How many seats there is room for.
    fn width(&self) -> usize {
        self.nodes.len() / 2
    }

    /// The seat at the root.
    pub(super) fn first(&self) -> Option<u32> {
        let seat = self.node(1).seat;
        (seat != NONE).then_some(seat)
    }

    /// Visits the seats below a node whose floors are within a limit.
    pub(super) fn visit(&self, node: usize, limit: f64, visit: &mut impl FnMut(u32)) {
        let Node { floor, seat, .. } = self.node(node);
        if floor > limit || seat == NONE {
            return;
        }
        if node < self.width() {
            self.visit(2 * node, limit, visit);
            self.visit(2 * node + 1, limit, visit);
        } else {
            visit(seat);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn of_equals_in_all_the_first_wins_whoever_was_looked_at_last() {
        let node = |seat| Node { floor: 1.0, touched: 7, seat, ..Node::NOBODY };
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut line = Line::new(1.0, vec![0, 1, 2]);
            order.into_iter().for_each(|seat| line.set(seat as usize, node(seat)));
            assert_eq!((line.first(), line.node(1).others), (Some(0), 1.0), "{order:?}");
        }
    }
}
