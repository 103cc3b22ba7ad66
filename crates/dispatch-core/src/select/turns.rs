//! Turns in proportion to weight: the earliest deadline first.
//!
//! Who has had `k` turns is due at (2k + 1) / 2w, which is the divisor method of Webster and
//! Sainte-Laguë: after Σw/gcd turns each one has had exactly w/gcd, whichever way one cuts the
//! endless sequence, and in between nobody is far ahead or behind.

use alloc::collections::{BTreeMap, BinaryHeap};
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};

use super::tournament::Tournament;
#[cfg(feature = "serde")]
use crate::snapshot::state::Turn;

/// Seats that take turns by weight.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns {
    /// Weight and turns taken per seat; weight 0 where nobody sits.
    seats: Vec<(u32, u64)>,
    order: Tournament,
    /// When the last turn was due, as a fraction: nobody who comes back is due before it.
    last: (u64, u64),
}

impl Turns {
    /// These seats with these weights, all of them present, none with a turn taken.
    pub(crate) fn new(seats: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut turns = Self { last: (0, 1), ..Self::default() };
        for (seat, weight) in seats {
            if turns.seats.len() <= seat as usize {
                turns.seats.resize(seat as usize + 1, (0, 0));
            }
            if let Some(entry) = turns.seats.get_mut(seat as usize) {
                *entry = (weight, 0);
            }
        }
        let Self { seats, order, .. } = &mut turns;
        *order = Tournament::new(seats.len());
        for seat in (0u32..).zip(seats.iter()).filter(|(_, (weight, _))| *weight > 0).map(|(seat, _)| seat) {
            order.set(seat, true, |a, b| due_before(seats, a, b));
        }
        turns
    }

    #[cfg(feature = "serde")]
    pub(super) fn turn(&self) -> Turn {
        Turn::WeightedTurns { taken: self.seats.iter().map(|(_, taken)| *taken).collect(), last: self.last }
    }

    /// Goes on with these turns taken; whether it can.
    #[cfg(feature = "serde")]
    pub(super) fn resume(&mut self, taken: &[u64], last: (u64, u64)) -> bool {
        if taken.len() != self.seats.len() || !(1..MOST).contains(&last.1) || last.0 >= MOST {
            return false;
        }
        for (seat, taken) in (0u32..).zip(taken) {
            if let Some((_, before)) = self.seats.get_mut(seat as usize).filter(|_| *taken < MOST) {
                *before = *taken;
            } else {
                return false;
            }
        }
        self.last = last;
        let Self { seats, order, .. } = self;
        for seat in 0..seats.len() as u32 {
            order.set(seat, order.contains(seat), |a, b| due_before(seats, a, b));
        }
        true
    }

    /// The one who is due first.
    pub(crate) fn first(&self) -> Option<u32> {
        self.order.winner()
    }

    /// Of these, the one who is due first.
    pub(crate) fn first_of(&self, seats: impl Iterator<Item = u32>) -> Option<u32> {
        seats.reduce(|best, seat| if due_before(&self.seats, seat, best) { seat } else { best })
    }

    /// A seat takes its turn.
    pub(crate) fn take(&mut self, seat: u32) {
        let Some((weight, taken)) = self.seats.get_mut(seat as usize) else { return };
        self.last = (2 * *taken + 1, 2 * u64::from(*weight));
        *taken += 1;
        let Self { seats, order, .. } = self;
        order.set(seat, true, |a, b| due_before(seats, a, b));
    }

    /// A seat leaves the order, or comes back to it with no turns to make up for.
    pub(crate) fn present(&mut self, seat: u32, present: bool) {
        let Some((weight, taken)) = self.seats.get_mut(seat as usize) else { return };
        if present {
            let (due, of) = self.last;
            let missed = (2 * u128::from(*weight) * u128::from(due)).div_ceil(u128::from(of)) as u64;
            *taken = (*taken).max(missed / 2);
        }
        let Self { seats, order, .. } = self;
        order.set(seat, present, |a, b| due_before(seats, a, b));
    }

    pub(crate) fn is_present(&self, seat: u32) -> bool {
        self.order.contains(seat)
    }

    /// When a seat is due, in turns of a seat of weight 1.
    pub(crate) fn due(&self, seat: u32) -> Option<f64> {
        let (weight, taken) = self.seats.get(seat as usize)?;
        (*weight > 0).then(|| (2 * taken + 1) as f64 / (2.0 * f64::from(*weight)))
    }
}

/// So many turns of these seats with these weights from the beginning, all of them present: what
/// [`Turns`] gives one by one, in the time of a walk. Seats of one weight are due together, and so are
/// again and again those of the same few weights.
pub(crate) fn in_order(seats: impl Iterator<Item = (u32, u32)>, count: usize) -> Vec<u32> {
    let mut by_weight: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (seat, weight) in seats.filter(|(_, weight)| *weight > 0) {
        by_weight.entry(weight).or_default().push(seat);
    }
    by_weight.values_mut().for_each(|seats| seats.sort_unstable());
    let mut dues: BinaryHeap<Reverse<Due>> =
        by_weight.keys().map(|weight| Reverse(Due { taken: 0, weight: *weight })).collect();
    let mut ties: BTreeMap<Vec<u32>, Vec<u32>> = BTreeMap::new();
    let (mut turns, mut weights) = (Vec::with_capacity(count), Vec::new());
    while turns.len() < count {
        let Some(Reverse(first)) = dues.peek().copied() else { break };
        weights.clear();
        while let Some(mut due) = dues.peek_mut().filter(|due| due.0 == first) {
            weights.push(due.0.weight);
            due.0.taken += 1;
        }
        let seats = match weights.as_slice() {
            [only] => by_weight.get(only),
            several => {
                if !ties.contains_key(several) {
                    let of_all = several.iter().filter_map(|weight| by_weight.get(weight));
                    let mut seats: Vec<u32> = of_all.flatten().copied().collect();
                    seats.sort_unstable();
                    ties.insert(several.to_vec(), seats);
                }
                ties.get(several)
            }
        };
        let seats = seats.map_or(&[][..], Vec::as_slice);
        turns.extend_from_slice(seats.get(..count - turns.len()).unwrap_or(seats));
    }
    turns
}

/// When all seats of a weight are due: (2k + 1) / 2w.
#[derive(Clone, Copy)]
struct Due {
    taken: u64,
    weight: u32,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        let due = |a: &Self, b: &Self| (2 * u128::from(a.taken) + 1) * u128::from(b.weight);
        due(self, other).cmp(&due(other, self))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

/// More turns than anybody takes.
#[cfg(feature = "serde")]
const MOST: u64 = 1 << 53;

/// (2k + 1) / 2w of `a` against `b`; equal ones in seat order.
fn due_before(seats: &[(u32, u64)], a: u32, b: u32) -> bool {
    let (Some((w_a, k_a)), Some((w_b, k_b))) = (seats.get(a as usize), seats.get(b as usize)) else {
        return false;
    };
    let due_a = (2 * u128::from(*k_a) + 1) * u128::from(*w_b);
    let due_b = (2 * u128::from(*k_b) + 1) * u128::from(*w_a);
    (due_a, a) < (due_b, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picks(weights: &[u32], count: usize) -> Vec<u32> {
        let mut turns = Turns::new((0u32..).zip(weights.iter().copied()));
        (0..count)
            .map(|_| {
                let seat = turns.first().unwrap();
                turns.take(seat);
                seat
            })
            .collect()
    }

    #[test]
    fn every_window_of_a_whole_round_gives_each_its_weight() {
        for weights in [&[10u32, 10, 8, 10][..], &[1], &[7, 1, 1], &[1, 2, 3, 4, 5], &[100, 1, 50, 3]] {
            let round = weights.iter().sum::<u32>() as usize;
            let picks = picks(weights, 3 * round);
            for window in picks.windows(round) {
                for (seat, weight) in (0u32..).zip(weights) {
                    let got = window.iter().filter(|pick| **pick == seat).count();
                    assert_eq!(got, *weight as usize, "seat {seat} of {weights:?}");
                }
            }
        }
    }

    #[test]
    fn turns_in_order_are_those_taken_one_by_one() {
        for weights in
            [&[10u32, 10, 8, 10][..], &[1], &[], &[7, 1, 1], &[3, 0, 1, 9, 3, 5, 1], &[655_350, 10, 7, 7]]
        {
            let seats = (0u32..).zip(weights.iter().copied());
            let count = if weights.is_empty() { 0 } else { 3_000 };
            assert!(in_order(seats, 3_000) == picks(weights, count), "{weights:?}");
        }
    }

    #[test]
    fn equal_weights_take_turns_in_seat_order() {
        assert_eq!(picks(&[4, 4, 4], 6), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn who_comes_back_has_nothing_to_make_up_for() {
        let mut turns = Turns::new([(0, 3), (1, 3), (2, 1)].into_iter());
        turns.present(1, false);
        for _ in 0..400 {
            let seat = turns.first().unwrap();
            assert_ne!(seat, 1);
            turns.take(seat);
        }
        turns.present(1, true);
        let mut seen = [0; 3];
        for _ in 0..70 {
            let seat = turns.first().unwrap();
            turns.take(seat);
            seen[seat as usize] += 1;
        }
        assert!((29..=31).contains(&seen[0]) && (29..=31).contains(&seen[1]), "{seen:?}");
    }
}
