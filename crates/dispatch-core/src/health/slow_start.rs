//! Slow start: the weight of one that is new, or comes back, ramps up in tenths.

use core::time::Duration;

use crate::time::Time;

/// How far a destination is warmed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct WarmUp {
    /// When it began; `None` once it is over.
    since: Option<Time>,
    tenths: u32,
}

impl WarmUp {
    /// Warm from the start.
    pub(crate) const WARM: Self = Self { since: None, tenths: FULL };

    /// Begins to warm up; does nothing where that takes no time.
    pub(crate) fn begin(&mut self, span: Duration, now: Time) {
        if span > Duration::ZERO {
            *self = Self { since: Some(now), tenths: 1 };
        }
    }

    /// Goes on to where it is now; whether the weight changed.
    pub(crate) fn advance(&mut self, span: Duration, now: Time) -> bool {
        let Some(since) = self.since else { return false };
        let before = self.tenths;
        let passed = now.since(since).as_micros() * u128::from(FULL - 1);
        let tenths = 1 + passed / span.as_micros().max(1);
        self.tenths = u32::try_from(tenths).unwrap_or(FULL).min(FULL);
        if self.tenths == FULL {
            self.since = None;
        }
        self.tenths != before
    }

    /// When the weight changes next.
    pub(crate) fn next_step(&self, span: Duration) -> Option<Time> {
        // Rounded up to whole microseconds: at that time the step has been reached.
        let passed = (span.as_micros() * u128::from(self.tenths)).div_ceil(u128::from(FULL - 1));
        let passed = Duration::from_micros(u64::try_from(passed).unwrap_or(u64::MAX));
        self.since.map(|since| since + passed)
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn is_sound(&self) -> bool {
        self.tenths >= 1 && self.tenths <= FULL
    }

    /// The share of the weight that counts, in tenths.
    pub(crate) const fn tenths(&self) -> u32 {
        self.tenths
    }
}

/// Tenths of a warm destination.
const FULL: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_goes_from_one_tenth_to_ten_in_the_time_given() {
        for span in [Duration::from_secs(120), Duration::from_micros(7), Duration::from_millis(333)] {
            let start = Time::from_secs(50);
            let mut warm_up = WarmUp::WARM;
            warm_up.begin(span, start);
            let mut tenths = alloc::vec![warm_up.tenths()];
            let mut last = start;
            while let Some(step) = warm_up.next_step(span) {
                assert!(step > last || span < Duration::from_micros(9));
                assert!(warm_up.advance(span, step));
                tenths.push(warm_up.tenths());
                last = step;
            }
            assert_eq!(last, start + span);
            assert!(tenths.is_sorted() && tenths.first() == Some(&1) && tenths.last() == Some(&10));
        }
    }

    #[test]
    fn no_time_to_warm_up_is_warm_at_once() {
        let mut warm_up = WarmUp::WARM;
        warm_up.begin(Duration::ZERO, Time::ZERO);
        assert_eq!((warm_up.tenths(), warm_up.next_step(Duration::ZERO)), (10, None));
    }
}
