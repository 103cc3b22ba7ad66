//! The state machine of one destination: what probes observed.
//!
//! ```text
//!            failure                 failure (probing_threshold in a row)
//!   Active ----------> Trying(1..) ---------------------------------------> Inactive
//!     ^                    |                                                   |
//!     |      success       |       inactive_threshold successes in a row       |
//!     +--------------------+---------------------------------------------------+
//! ```
//!
//! Trying still takes calls. What the operator wants and what calls do there are kept elsewhere,
//! so that a probe never undoes either. "Busy" (503 with Retry-After) is not down.

pub(crate) mod eject;
pub(crate) mod probe;
pub(crate) mod slow_start;

use core::time::Duration;

use crate::config::HealthConfig;
use crate::time::Time;

/// What probes observed of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Observed {
    /// Up.
    Active,
    /// Still up, after this many failed probes in a row.
    Trying(u32),
    /// Down.
    Inactive,
}

/// What one observation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observation {
    Success,
    Failure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Health {
    observed: Observed,
    /// Successes in a row while inactive.
    successes: u32,
    busy_until: Option<Time>,
}

impl Health {
    pub(crate) const fn new(observed: Observed) -> Self {
        Self { observed, successes: 0, busy_until: None }
    }

    /// Takes one observation; the new state where it changed.
    pub(crate) fn observe(&mut self, seen: Observation, config: &HealthConfig) -> Option<Observed> {
        let before = self.observed;
        self.observed = match (before, seen) {
            (Observed::Inactive, Observation::Success) => {
                self.successes += 1;
                if self.successes < config.inactive_threshold { before } else { Observed::Active }
            }
            (_, Observation::Success) => Observed::Active,
            (Observed::Inactive, Observation::Failure) => {
                self.successes = 0;
                before
            }
            (Observed::Active, Observation::Failure) => trying(1, config),
            (Observed::Trying(failures), Observation::Failure) => trying(failures + 1, config),
        };
        if self.observed == before {
            return None;
        }
        self.successes = 0;
        Some(self.observed)
    }

    /// Believes a Retry-After of `after`, up to the cap; the end of the wait.
    pub(crate) fn wait(&mut self, after: Duration, config: &HealthConfig, now: Time) -> Time {
        let until = now + after.min(config.max_retry_after);
        self.busy_until = Some(until);
        until
    }

    /// Whether probes can have led here.
    #[cfg(feature = "serde")]
    pub(crate) const fn is_sound(&self, config: &HealthConfig) -> bool {
        let tried = match self.observed {
            Observed::Trying(failures) => failures >= 1 && failures <= config.probing_threshold,
            Observed::Active | Observed::Inactive => true,
        };
        tried && self.successes < config.inactive_threshold
    }

    pub(crate) const fn observed(&self) -> Observed {
        self.observed
    }

    pub(crate) const fn is_up(&self) -> bool {
        !matches!(self.observed, Observed::Inactive)
    }

    pub(crate) const fn busy_until(&self) -> Option<Time> {
        self.busy_until
    }
}

fn trying(failures: u32, config: &HealthConfig) -> Observed {
    if failures < config.probing_threshold { Observed::Trying(failures) } else { Observed::Inactive }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Observed::{Active, Inactive, Trying};

    fn check(start: Observed, probes: &str, expected: &[Observed]) {
        let mut health = Health::new(start);
        let config = HealthConfig::default();
        let states: alloc::vec::Vec<_> = probes
            .chars()
            .map(|probe| {
                let seen = if probe == '+' { Observation::Success } else { Observation::Failure };
                let before = health.observed();
                let change = health.observe(seen, &config);
                assert_eq!(change, (before != health.observed()).then_some(health.observed()));
                health.observed()
            })
            .collect();
        assert_eq!(states, expected, "{probes}");
    }

    #[test]
    fn three_failures_in_a_row_are_down_and_two_successes_in_a_row_are_up() {
        check(Active, "---", &[Trying(1), Trying(2), Inactive]);
        check(Active, "--+--", &[Trying(1), Trying(2), Active, Trying(1), Trying(2)]);
        check(Inactive, "++", &[Inactive, Active]);
        check(Inactive, "+-+-++", &[Inactive, Inactive, Inactive, Inactive, Inactive, Active]);
        check(Trying(1), "--", &[Trying(2), Inactive]);
    }

    #[test]
    fn a_retry_after_is_believed_up_to_the_cap() {
        let mut health = Health::new(Active);
        let config = HealthConfig::default();
        let now = Time::from_secs(1);
        assert_eq!(health.wait(Duration::from_secs(7), &config, now), Time::from_secs(8));
        assert_eq!(health.wait(Duration::from_secs(9_999), &config, now), Time::from_secs(301));
        assert!(health.is_up());
    }
}
