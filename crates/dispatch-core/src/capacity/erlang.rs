//! Erlang B: how many calls find no room where calls arrive at random and nobody waits.
//!
//! A. K. Erlang, 1917. With `a` the offered load in erlangs (calls per second times their mean length in
//! seconds) and `n` the slots, calls that one can carry at a time, the share of calls that is blocked is
//!
//! ```text
//! B(0) = 1,   B(n) = a B(n-1) / (n + a B(n-1))
//! ```
//!
//! It holds for any distribution of the lengths of calls. No function here returns NaN.

/// The share of calls, 0 to 1, that finds all `slots` taken where `erlangs` are offered.
///
/// Below about 1e-308 it is 0. A negative load counts as none; one that is NaN or infinite blocks
/// every call. Takes about 50 √`slots` steps at most.
///
/// ```
/// use callsteer::erlang;
/// assert!((erlang::blocking(10.0, 10) - 0.214582).abs() < 1e-6);
/// ```
#[must_use]
pub fn blocking(erlangs: f64, slots: u32) -> f64 {
    if erlangs.is_nan() || slots == 0 {
        return 1.0;
    }
    if erlangs <= 0.0 {
        return 0.0;
    }
    // The recursion for 1/B, unrolled from its end: 1/B(n) = 1 + n/a (1 + (n-1)/a (1 + ...)). So the
    // terms rise while the factor is above 1, then fall, and from some point on can be left out.
    let (mut term, mut sum) = (1.0, 1.0);
    for slot in (1..=slots).rev() {
        let slot = f64::from(slot);
        term *= slot / erlangs;
        sum += term;
        if sum == f64::INFINITY || term < sum * NEGLIGIBLE {
            break;
        }
    }
    1.0 / sum
}

/// The fewest slots that block no more than the share `target` of the calls.
///
/// `None` where there is no such number: a target that is not above 0 and below 1, a load that is
/// negative, NaN or infinite, or one for which 4,294,967,295 slots do not suffice.
///
/// ```
/// use callsteer::erlang;
/// assert_eq!(erlang::slots_for(50.0, 0.01), Some(64));
/// ```
#[must_use]
pub fn slots_for(erlangs: f64, target: f64) -> Option<u32> {
    if !is_target(target) || !(0.0..f64::INFINITY).contains(&erlangs) {
        return None;
    }
    if erlangs == 0.0 {
        return Some(0);
    }
    let suffices = |slots| blocking(erlangs, slots) <= target;
    let (mut too_few, mut enough) = (0, u32::MAX);
    if !suffices(enough) {
        return None;
    }
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        if suffices(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Some(enough)
}

/// The load in erlangs of which `slots` block the share `target`; to 12 digits.
///
/// `None` for a target that is not above 0 and below 1.
#[must_use]
pub fn erlangs_for(slots: u32, target: f64) -> Option<f64> {
    if !is_target(target) {
        return None;
    }
    // What is carried, a (1 - B), is never more than the slots.
    let (mut low, mut high) = (0.0, f64::from(slots) / (1.0 - target));
    while high - low > high * PRECISION {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if blocking(middle, slots) <= target {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low)
}

/// The utilisation, calls in progress per slot, at which `slots` block the share `target`: a (1 - B) / n.
///
/// Larger pools can be used more: at a target of 1 %, 10 slots to 44 %, 100 to 83 %. `None` for no
/// slots, or a target that is not above 0 and below 1.
#[must_use]
pub fn highest_utilisation(slots: u32, target: f64) -> Option<f64> {
    let erlangs = erlangs_for(slots, target).filter(|_| slots > 0)?;
    Some(erlangs * (1.0 - target) / f64::from(slots))
}

fn is_target(share: f64) -> bool {
    share > 0.0 && share < 1.0
}

/// A term of this share of the sum, and all after it, change no digit that counts.
const NEGLIGIBLE: f64 = 1e-18;
const PRECISION: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn recursion(erlangs: f64, slots: u32) -> f64 {
        (1..=slots).fold(1.0, |b, n| erlangs * b / (f64::from(n) + erlangs * b))
    }

    #[test]
    fn blocking_is_that_of_the_tables() {
        let check = |erlangs, slots, expected: f64| {
            let blocked = blocking(erlangs, slots);
            assert!((blocked - expected).abs() < 5e-7, "B({erlangs}, {slots}) = {blocked}");
        };
        check(10.0, 10, 0.214582);
        check(100.0, 100, 0.075700);
        check(1.0, 1, 0.5);
        check(1.0, 0, 1.0);
        check(2.0, 2, 0.4);
    }

    #[test]
    fn slots_are_those_of_the_tables() {
        let check = |erlangs, one_percent, two_percent| {
            assert_eq!(slots_for(erlangs, 0.01), Some(one_percent), "{erlangs} E at 1 %");
            assert_eq!(slots_for(erlangs, 0.02), Some(two_percent), "{erlangs} E at 2 %");
        };
        check(5.0, 11, 10);
        check(10.0, 18, 17);
        check(20.0, 30, 28);
        check(30.0, 42, 39);
        check(50.0, 64, 61);
        check(100.0, 117, 113);
        check(0.0, 0, 0);
    }

    #[test]
    fn a_larger_pool_can_be_used_more() {
        let check = |slots, percent: f64| {
            let utilisation = highest_utilisation(slots, 0.01).expect("a target");
            assert!((utilisation * 100.0 - percent).abs() < 0.5, "{slots}: {utilisation}");
        };
        check(10, 44.0);
        check(40, 72.0);
        check(100, 83.0);
        check(200, 89.0);
    }

    #[test]
    fn inputs_that_mean_nothing_have_an_answer() {
        for slots in [0, 1, 10, u32::MAX] {
            assert_eq!(blocking(f64::NAN, slots), 1.0, "{slots}");
            assert_eq!(blocking(f64::INFINITY, slots), 1.0, "{slots}");
            let none = if slots == 0 { 1.0 } else { 0.0 };
            assert_eq!(
                [-1.0, f64::NEG_INFINITY, 0.0, -0.0].map(|a| blocking(a, slots)),
                [none; 4],
                "{slots}"
            );
        }
        assert_eq!([f64::NAN, f64::INFINITY, -1.0].map(|erlangs| slots_for(erlangs, 0.01)), [None; 3]);
        for target in [f64::NAN, 0.0, -0.1, 1.0, f64::INFINITY] {
            assert_eq!(slots_for(10.0, target), None, "{target}");
            assert_eq!(erlangs_for(10, target), None, "{target}");
            assert_eq!(highest_utilisation(10, target), None, "{target}");
        }
        assert_eq!(erlangs_for(0, 0.01), Some(0.0));
        assert_eq!(highest_utilisation(0, 0.01), None);
        assert_eq!(slots_for(1e11, 0.01), None);
    }

    #[test]
    fn huge_pools_are_computed_in_a_moment() {
        let all = f64::from(u32::MAX);
        // At a = n, B is near sqrt(2 / (pi n)).
        let expected = libm::sqrt(2.0 / (core::f64::consts::PI * all));
        assert!((blocking(all, u32::MAX) / expected - 1.0).abs() < 1e-4);
        assert_eq!(blocking(all / 2.0, u32::MAX), 0.0);
        assert!((blocking(all * 2.0, u32::MAX) - 0.5).abs() < 1e-6);
        assert!(slots_for(4e9, 0.01).is_some_and(|slots| (3.9e9..4e9).contains(&f64::from(slots))));
        assert!(highest_utilisation(u32::MAX, 0.01).is_some_and(|used| used > 0.999 && used <= 1.0));
    }

    proptest! {
        #[test]
        fn blocking_is_that_of_the_recursion(erlangs in 0.0..3e3, slots in 0_u32..3_000) {
            let (b, expected) = (blocking(erlangs, slots), recursion(erlangs, slots));
            prop_assert!((b - expected).abs() <= 1e-11 * expected + 1e-300, "{b}, not {expected}");
        }

        #[test]
        fn slots_and_erlangs_are_the_inverse_of_blocking(erlangs in 1e-3..2e3, target in 1e-6..0.9) {
            let slots = slots_for(erlangs, target).expect("a target");
            prop_assert!(recursion(erlangs, slots) <= target);
            prop_assert!(slots == 0 || recursion(erlangs, slots - 1) > target);
            let most = erlangs_for(slots, target).expect("a target");
            prop_assert!((recursion(most, slots) - target).abs() <= 1e-9 * target.max(recursion(most, slots)));
        }

        #[test]
        fn no_numbers_make_it_hang_or_return_nan(erlangs: f64, slots in 0_u32..1_000_000, target: f64) {
            prop_assert!((0.0..=1.0).contains(&blocking(erlangs, slots)));
            let _: Option<u32> = slots_for(erlangs, target);
            prop_assert!(erlangs_for(slots, target).is_none_or(f64::is_finite));
        }
    }
}
