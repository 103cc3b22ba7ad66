//! Call rate limits: the generic cell rate algorithm (ITU-T I.371, annex A) on one timestamp.

use core::time::Duration;

use crate::time::Time;

/// When the next call would be due if calls came evenly at the limit.
///
/// At most one second's worth of calls is taken at once; after that, calls come evenly spaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Rate(Time);

impl Rate {
    /// Whether a call at `now` keeps to `per_second`; 0 is no limit.
    pub(crate) fn allows(self, per_second: u32, now: Time) -> bool {
        per_second == 0 || self.allows_from(per_second) <= now
    }

    /// Counts a call at `now`.
    pub(crate) fn count(&mut self, per_second: u32, now: Time) {
        if per_second > 0 {
            self.0 = self.0.max(now) + gap(per_second);
        }
    }

    /// Whether nothing of the past matters any more.
    pub(crate) fn is_idle(self, now: Time) -> bool {
        self.0 <= now
    }

    /// From when on the next call keeps to `per_second` (> 0).
    pub(crate) fn allows_from(self, per_second: u32) -> Time {
        self.0 + gap(per_second) - BURST
    }
}

/// Rounded up to whole microseconds, so that the limit is kept.
fn gap(per_second: u32) -> Duration {
    Duration::from_micros(1_000_000u64.div_ceil(u64::from(per_second.max(1))))
}

const BURST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_second_s_worth_at_once_and_then_evenly() {
        let mut rate = Rate::default();
        let mut now = Time::from_secs(100);
        let burst = (0..50).take_while(|_| {
            let allowed = rate.allows(10, now);
            rate.count(10, now);
            allowed
        });
        assert_eq!(burst.count(), 10);
        let mut rate = Rate::default();
        let mut taken = 0;
        for _ in 0..2_000 {
            now = now + Duration::from_millis(5);
            if rate.allows(10, now) {
                rate.count(10, now);
                taken += 1;
            }
        }
        assert_eq!(taken, 10 + 99, "10 s at 10 per second after a full second's worth");
    }

    #[test]
    fn no_limit_is_no_limit_even_in_a_microsecond() {
        let mut rate = Rate::default();
        rate.count(0, Time::from_secs(5));
        assert!(rate.allows(0, Time::ZERO));
        assert!(rate.allows(1, Time::from_secs(1)));
    }
}
