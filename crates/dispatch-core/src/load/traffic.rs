//! How many calls come, and how long they last.

use core::time::Duration;

use crate::time::Time;

/// Calls of one kind, smoothed over [`SPAN`] seconds and over [`CALLS`] calls.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Traffic {
    /// Calls per second, as of `at`.
    rate: f64,
    at: Time,
    /// Calls since then: taken in together, as they come faster than the rate need follow.
    fresh: u32,
    /// Seconds per call; 0 before one has ended.
    duration: f64,
}

impl Traffic {
    /// A call came.
    pub(crate) fn came(&mut self, now: Time) {
        if now.since(self.at) >= GRAIN {
            (self.rate, self.at, self.fresh) = (self.rate(now), now, 0);
        }
        self.fresh += 1;
    }

    /// A call ended after this long.
    pub(crate) fn lasted(&mut self, span: Duration) {
        let seconds = span.as_secs_f64();
        let first = self.duration == 0.0;
        self.duration = if first { seconds } else { self.duration + (seconds - self.duration) / CALLS };
    }

    /// Calls per second.
    pub(crate) fn rate(&self, now: Time) -> f64 {
        let rate = self.rate + f64::from(self.fresh) / SPAN;
        rate * libm::exp(-now.since(self.at).as_secs_f64() / SPAN)
    }

    #[cfg(feature = "serde")]
    pub(crate) fn is_sound(&self) -> bool {
        let number = |number: f64| (0.0..=MOST).contains(&number);
        number(self.rate) && number(self.duration) && self.fresh < u32::MAX
    }

    /// How long a call lasts, in the mean.
    pub(crate) fn mean_duration(&self) -> Option<Duration> {
        (self.duration > 0.0).then(|| Duration::from_secs_f64(self.duration))
    }
}

/// s: short enough to follow a rush, long enough to count more than single calls.
const SPAN: f64 = 30.0;
/// Calls of this time count as if they had come together: 1/480 of the span.
const GRAIN: Duration = Duration::from_micros(62_500);
const CALLS: f64 = 200.0;
/// More calls per second, or seconds per call, than anybody has: 10 years are 3e8 s.
#[cfg(feature = "serde")]
const MOST: f64 = 1e12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_a_second_of_ten_seconds_each_are_seen_as_that() {
        let mut traffic = Traffic::default();
        assert_eq!(traffic.mean_duration(), None);
        let mut now = Time::ZERO;
        for call in 0..1_000u64 {
            now = Time::from_millis(500 * call);
            traffic.came(now);
            traffic.lasted(Duration::from_secs(if call % 2 == 0 { 5 } else { 15 }));
        }
        assert!((traffic.rate(now) - 2.0).abs() < 0.05, "{}", traffic.rate(now));
        assert!((traffic.mean_duration().unwrap().as_secs_f64() - 10.0).abs() < 1.0);
        assert!(traffic.rate(now + Duration::from_secs(300)) < 0.001, "nobody calls any more");
    }
}
