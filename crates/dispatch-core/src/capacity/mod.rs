//! How much more a fleet can carry, how large it should be, and who leaves first.

pub mod erlang;
mod scaler;

use alloc::vec::Vec;
use core::cmp::Ordering;

#[cfg(feature = "serde")]
pub(crate) use scaler::Seen;
pub use scaler::{ScaleEvent, Scaler, Usage};

/// The `count` members to drain first: those with the least that remains to be ended, calls or load.
/// Of equal ones, the lesser id. A remainder that is NaN comes last.
pub fn drain_candidates<Id: Ord>(members: impl IntoIterator<Item = (Id, f64)>, count: usize) -> Vec<Id> {
    let mut members: Vec<_> = members.into_iter().map(|(id, left)| ((left.is_nan(), left), id)).collect();
    members.sort_unstable_by(|(left, id), (other_left, other)| {
        left.partial_cmp(other_left).unwrap_or(Ordering::Equal).then_with(|| id.cmp(other))
    });
    members.into_iter().map(|(_, id)| id).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_with_the_least_left_are_drained_first() {
        let check = |count, expected: &[&str]| {
            let members = [("d", f64::NAN), ("c", 2.0), ("a", 7.5), ("b", 2.0), ("e", 0.0), ("f", -0.0)];
            assert_eq!(drain_candidates(members, count), expected, "{count}");
        };
        check(0, &[]);
        check(1, &["e"]);
        check(3, &["e", "f", "b"]);
        check(9, &["e", "f", "b", "c", "a", "d"]);
    }
}
