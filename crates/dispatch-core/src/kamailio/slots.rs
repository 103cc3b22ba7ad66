//! The 100 slots that algorithms 9 and 11 share among the members of a set.

use alloc::vec;
use alloc::vec::Vec;

use crate::rng::Rng;

/// Algorithm 9: how many of 100 calls each gets, from the weights in index order, 0 where there is
/// none. Each takes its weight of what is left, and the last one what nobody took; where the first
/// has no weight, it gets every call.
///
/// ```
/// use callsteer::kamailio::slots_by_weight;
/// assert_eq!(slots_by_weight(&[10, 8, 10, 10]), [10, 8, 10, 72]);
/// ```
#[must_use]
pub fn slots_by_weight(weights: &[u32]) -> Vec<u32> {
    if weights.first() == Some(&0) {
        let mut slots = vec![0; weights.len()];
        give(&mut slots, 0);
        return slots;
    }
    let mut left = SLOTS;
    let take = |weight: &u32| {
        let taken = left.min(*weight);
        left -= taken;
        taken
    };
    let mut slots: Vec<u32> = weights.iter().map(take).collect();
    give(&mut slots, weights.len().saturating_sub(1));
    slots
}

/// Algorithm 11: how many of 100 calls each gets, from the rweights in index order, 0 for one that
/// is inactive or disabled. Each takes its share, rounded down, and the last one that got a slot takes
/// what is left; where nobody got one, the last one that has an rweight.
///
/// ```
/// use callsteer::kamailio::slots_by_rweight;
/// assert_eq!(slots_by_rweight(&[1; 26])[24..], [3, 25]);
/// assert_eq!(slots_by_rweight(&[1; 101])[99..], [0, 100]);
/// ```
#[must_use]
pub fn slots_by_rweight(rweights: &[u32]) -> Vec<u32> {
    let sum: u64 = rweights.iter().map(|weight| u64::from(*weight)).sum();
    let share = |weight: &u32| (u64::from(SLOTS) * u64::from(*weight) / sum.max(1)) as u32;
    let mut slots: Vec<u32> = rweights.iter().map(share).collect();
    let last = |of: &[u32]| of.iter().rposition(|some| *some > 0);
    let last = last(&slots).or_else(|| last(rweights)).unwrap_or(0);
    give(&mut slots, last);
    slots
}

/// Algorithm 15: how many of 100 calls each gets, from priorities and weights in index order, `None`
/// for one that is inactive or disabled. The lowest number is the best priority, as in DNS SRV; its
/// members share by weight, or evenly where none has one. Kamailio shares when a list is loaded: who goes
/// down later keeps its slots, and leaves them to the next one, unlike what the manual says.
#[must_use]
pub fn slots_by_rank(ranks: &[Option<(i32, u32)>]) -> Vec<u32> {
    let best = ranks.iter().flatten().map(|(priority, _)| *priority).min();
    let of_best = |rank: &Option<(i32, u32)>| rank.filter(|rank| Some(rank.0) == best);
    let has_weights = ranks.iter().filter_map(of_best).any(|(_, weight)| weight > 0);
    let share = |rank| of_best(rank).map_or(0, |(_, weight)| if has_weights { weight } else { 1 });
    slots_by_rweight(&ranks.iter().map(share).collect::<Vec<u32>>())
}

/// The slots in the order in which calls use them: shuffled, again at every change.
pub(crate) fn shuffled(slots: &[u32], rng: &mut Rng) -> Vec<usize> {
    let owners = slots.iter().enumerate();
    let mut table: Vec<usize> =
        owners.flat_map(|(index, slots)| core::iter::repeat_n(index, *slots as usize)).collect();
    for last in (1..table.len()).rev() {
        table.swap(last, rng.below(last as u32 + 1) as usize);
    }
    table
}

/// Gives the slots that are left to one of them.
fn give(slots: &mut [u32], index: usize) {
    let taken: u32 = slots.iter().sum();
    if let Some(slots) = slots.get_mut(index) {
        *slots += SLOTS.saturating_sub(taken);
    }
}

/// In how many parts Kamailio divides the calls of a set.
pub const SLOTS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_that_were_recorded() {
        assert_eq!(slots_by_weight(&[10, 8, 10, 10]), [10, 8, 10, 72]);
        assert_eq!(slots_by_weight(&[30, 60, 60]), [30, 60, 10]);
        assert_eq!(slots_by_weight(&[10, 20, 70]), [10, 20, 70]);
        assert_eq!(slots_by_weight(&[50, 50]), [50, 50]);
        assert_eq!(slots_by_weight(&[0, 50, 50]), [100, 0, 0]);
        assert_eq!(slots_by_rweight(&[1, 2, 1]), [25, 50, 25]);
        assert_eq!(slots_by_rweight(&[0, 2, 1]), [0, 66, 34]);
        assert_eq!(slots_by_rweight(&[47, 47, 14, 1]), [43, 43, 14, 0]);
        assert_eq!(slots_by_rweight(&[0, 0]), [100, 0]);
        let check = |hosts: usize, each: u32, last: u32| {
            let slots = slots_by_rweight(&vec![1; hosts]);
            assert_eq!(slots, [vec![each; hosts - 1], vec![last]].concat());
        };
        check(26, 3, 25);
        check(40, 2, 22);
    }

    #[test]
    fn ranks_are_those_of_the_manual() {
        let ranks = [(10, 70), (10, 30), (20, 50), (20, 50)].map(Some);
        assert_eq!(slots_by_rank(&ranks), [70, 30, 0, 0]);
        assert_eq!(slots_by_rank(&[None, None, ranks[2], ranks[3]]), [0, 0, 50, 50]);
        assert_eq!(slots_by_rank(&[Some((1, 0)), Some((1, 0)), Some((2, 9))]), [50, 50, 0]);
    }

    #[test]
    fn a_shuffled_table_keeps_the_counts() {
        let table = shuffled(&[10, 0, 72, 18], &mut Rng::new(3));
        let counts = [0, 1, 2, 3].map(|index| table.iter().filter(|owner| **owner == index).count());
        assert_eq!(counts, [10, 0, 72, 18]);
        assert!(!table.is_sorted());
    }
}
