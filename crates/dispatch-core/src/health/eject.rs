//! Passive ejection: what the calls to one destination came to.

use crate::config::EjectionConfig;
use crate::time::Time;

/// Why a destination is ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Cause {
    /// So many calls failed in a row.
    InARow(u32),
    /// Too large a share of the calls in the window failed.
    Share {
        /// Failed calls.
        failed: u32,
        /// All calls.
        of: u32,
    },
}

/// The latest calls to a destination, and its ejections.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Attempts {
    failed_in_a_row: u32,
    buckets: [Bucket; BUCKETS as usize],
    /// Ejections that are not forgotten yet.
    ejections: u32,
    ejected: Option<(Time, Time)>,
    /// Why, where calls of this dispatcher found out; `None` where another replica says so.
    cause: Option<Cause>,
    returned: Time,
    /// Ejections so far.
    count: u64,
}

/// Calls in one part of the window.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Bucket {
    /// Which part of time it counts.
    number: u64,
    failed: u32,
    of: u32,
}

impl Attempts {
    /// A call came to something.
    pub(crate) fn record(&mut self, failed: bool, config: &EjectionConfig, now: Time) {
        self.failed_in_a_row = if failed { self.failed_in_a_row.saturating_add(1) } else { 0 };
        let number = number(config, now);
        let Some(bucket) = self.buckets.get_mut((number % BUCKETS) as usize) else { return };
        if bucket.number != number {
            *bucket = Bucket { number, failed: 0, of: 0 };
        }
        bucket.failed += u32::from(failed);
        bucket.of += 1;
    }

    /// Whether it should be ejected, and why.
    pub(crate) fn cause(&self, config: &EjectionConfig, now: Time) -> Option<Cause> {
        if self.failed_in_a_row >= config.consecutive_failures {
            return Some(Cause::InARow(self.failed_in_a_row));
        }
        let (failed, of) = self.window(config, now);
        let enough = of >= config.min_attempts && self.fails(config, now);
        enough.then_some(Cause::Share { failed, of })
    }

    /// Whether calls came to something in the window.
    pub(crate) fn is_tried(&self, config: &EjectionConfig, now: Time) -> bool {
        self.window(config, now).1 > 0
    }

    /// Whether too large a share of the calls in the window failed, however few they were.
    pub(crate) fn fails(&self, config: &EjectionConfig, now: Time) -> bool {
        let (failed, of) = self.window(config, now);
        failed > 0 && f64::from(failed) >= config.failure_share * f64::from(of)
    }

    /// Ejects it; until when.
    pub(crate) fn eject(&mut self, cause: Cause, config: &EjectionConfig, now: Time) -> Time {
        let well = now.since(self.returned).as_micros() / config.max_time.as_micros().max(1);
        let before = self.ejections.saturating_sub(u32::try_from(well).unwrap_or(u32::MAX));
        self.ejections = before + 1;
        let long = config.base_time.saturating_mul(1 << before.min(20));
        let until = now + long.min(config.max_time);
        self.ejected = Some((now, until));
        self.cause = Some(cause);
        self.count += 1;
        until
    }

    /// Ejects it as another replica did.
    pub(crate) const fn follow(&mut self, until: Time, now: Time) {
        self.ejected = Some((now, until));
        self.cause = None;
        self.count += 1;
    }

    /// Why and until when it is ejected, if calls of this dispatcher found out.
    pub(crate) fn own(&self) -> Option<(Cause, Time)> {
        self.cause.zip(self.until())
    }

    /// Lets it back, with a clean slate but for the number of its ejections.
    pub(crate) fn let_back(&mut self, now: Time) {
        self.ejected = None;
        self.cause = None;
        self.returned = now;
        self.failed_in_a_row = 0;
        self.buckets = [Bucket::default(); BUCKETS as usize];
    }

    /// Takes an ejection back. Its failures still count: they are what says that most fail.
    pub(crate) fn pardon(&mut self, now: Time) {
        let failures = self.buckets;
        self.ejections = self.ejections.saturating_sub(1);
        self.let_back(now);
        self.buckets = failures;
    }

    /// Whether calls can have led here.
    #[cfg(feature = "serde")]
    pub(crate) fn is_sound(&self, config: &EjectionConfig, now: Time) -> bool {
        let now = number(config, now);
        let calls = self.buckets.iter().map(|bucket| u64::from(bucket.of)).sum::<u64>();
        let sound = |bucket: &Bucket| bucket.number <= now && bucket.failed <= bucket.of;
        self.buckets.iter().all(sound)
            && calls < u64::from(u32::MAX)
            && u64::from(self.ejections) <= self.count
            && self.ejections < u32::MAX
    }

    /// How often it has been ejected.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    pub(crate) const fn is_ejected(&self) -> bool {
        self.ejected.is_some()
    }

    /// Since when it is ejected.
    pub(crate) fn since(&self) -> Option<Time> {
        self.ejected.map(|(since, _)| since)
    }

    /// Until when it is ejected.
    pub(crate) fn until(&self) -> Option<Time> {
        self.ejected.map(|(_, until)| until)
    }

    /// Failed calls and all calls in the window.
    fn window(&self, config: &EjectionConfig, now: Time) -> (u32, u32) {
        let number = number(config, now);
        let recent = self.buckets.iter().filter(|bucket| bucket.number + BUCKETS > number);
        recent.fold((0, 0), |(failed, of), bucket| (failed + bucket.failed, of + bucket.of))
    }
}

/// The part of time that `now` is in.
fn number(config: &EjectionConfig, now: Time) -> u64 {
    let window = u64::try_from(config.window.as_micros()).unwrap_or(u64::MAX);
    // From BUCKETS on, so that an empty bucket is of no recent part.
    BUCKETS + now.as_micros() / (window / BUCKETS).max(1)
}

/// The window slides in so many steps.
const BUCKETS: u64 = 6;

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn after(calls: &str) -> Option<Cause> {
        let config = EjectionConfig::default();
        let mut attempts = Attempts::default();
        for (second, call) in (1_000..).zip(calls.chars()) {
            attempts.record(call == '-', &config, Time::from_secs(second));
        }
        attempts.cause(&config, Time::from_secs(1_000 + calls.len() as u64))
    }

    #[test]
    fn three_in_a_row_or_two_fifths_of_five_are_a_cause() {
        assert_eq!(after("--"), None);
        assert_eq!(after("---"), Some(Cause::InARow(3)));
        assert_eq!(after("+-+-"), None, "four are too few");
        assert_eq!(after("+-+-+"), Some(Cause::Share { failed: 2, of: 5 }));
        assert_eq!(after("+-++++-+"), None);
        assert_eq!(after("--+--+"), Some(Cause::Share { failed: 4, of: 6 }));
    }

    #[test]
    fn failures_are_forgotten_when_the_window_has_passed() {
        let config = EjectionConfig::default();
        let mut attempts = Attempts::default();
        for call in 0..5 {
            attempts.record(call % 2 == 0, &config, Time::from_secs(60));
        }
        assert!(attempts.fails(&config, Time::from_secs(60 + 59)));
        assert!(!attempts.fails(&config, Time::from_secs(60 + 60)));
        assert!(!attempts.is_tried(&config, Time::from_secs(60 + 60)));
    }

    #[test]
    fn each_ejection_in_a_row_is_twice_as_long_up_to_the_cap_and_time_forgets_them() {
        let config = EjectionConfig::default();
        let mut attempts = Attempts::default();
        let mut now = Time::from_secs(1_000);
        let mut lengths = alloc::vec::Vec::new();
        for _ in 0..6 {
            let until = attempts.eject(Cause::InARow(3), &config, now);
            lengths.push(until.since(now).as_secs());
            now = until;
            attempts.let_back(now);
        }
        assert_eq!(lengths, [30, 60, 120, 240, 300, 300]);
        now = now + Duration::from_secs(4 * 300);
        assert_eq!(attempts.eject(Cause::InARow(3), &config, now).since(now).as_secs(), 120);
    }
}
