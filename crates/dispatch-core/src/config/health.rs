//! What the user decides about probes and ejection.

use alloc::vec::Vec;
use core::time::Duration;

use super::{check_times, refuse};
use crate::error::ConfigError;

/// When probes take a destination down and bring it back.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct HealthConfig {
    /// Failed probes in a row that take a destination down. Default 3.
    pub probing_threshold: u32,
    /// Answered probes in a row that bring it back. Default 2.
    pub inactive_threshold: u32,
    /// The longest Retry-After that is believed. Default 300 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub max_retry_after: Duration,
    /// Below this share of healthy ones among those in service, a set ignores health and says so
    /// with every call that it places: better a doubtful destination than an overloaded one.
    /// Default 0, which is never.
    pub panic_threshold: f64,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            probing_threshold: 3,
            inactive_threshold: 2,
            max_retry_after: Duration::from_secs(300),
            panic_threshold: 0.0,
        }
    }
}

impl HealthConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        check_times(&[("health.max_retry_after", self.max_retry_after)])?;
        if self.probing_threshold == 0 || self.inactive_threshold == 0 {
            return refuse("health", "a threshold is at least 1");
        }
        if !(0.0..=1.0).contains(&self.panic_threshold) {
            return refuse("health.panic_threshold", "is 0 to 1");
        }
        Ok(())
    }
}

/// When calls that fail take a destination out for a while, whatever probes say.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct EjectionConfig {
    /// Whether anybody is ejected at all. Default true.
    pub enabled: bool,
    /// Failed calls in a row that eject. Default 3.
    pub consecutive_failures: u32,
    /// Share of failed calls in the window that ejects, 0..=1. Default 0.4.
    pub failure_share: f64,
    /// Calls in the window before their share counts. Default 5.
    pub min_attempts: u32,
    /// How far back failures count. Default 60 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub window: Duration,
    /// The first ejection lasts this long, the n-th one in a row 2^(n-1) times as long. Default 30 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub base_time: Duration,
    /// No ejection lasts longer. Default 300 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub max_time: Duration,
    /// The largest share of a set that may be out at a time, 0..=1. Default 0.5.
    pub max_share: f64,
}

impl Default for EjectionConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            consecutive_failures: 3,
            failure_share: 0.4,
            min_attempts: 5,
            window: Duration::from_secs(60),
            base_time: Duration::from_secs(30),
            max_time: Duration::from_secs(300),
            max_share: 0.5,
        }
    }
}

impl EjectionConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        check_times(&[
            ("ejection.window", self.window),
            ("ejection.base_time", self.base_time),
            ("ejection.max_time", self.max_time),
        ])?;
        if self.consecutive_failures == 0 || self.min_attempts == 0 {
            return refuse("ejection", "a number of calls is at least 1");
        }
        if !(self.failure_share > 0.0 && self.failure_share <= 1.0) {
            return refuse("ejection.failure_share", "is above 0 and at most 1");
        }
        if !(0.0..=1.0).contains(&self.max_share) {
            return refuse("ejection.max_share", "is 0 to 1");
        }
        Ok(())
    }
}

/// Which destinations are probed; the numbers are those of Kamailio's `ds_probing_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ProbingMode {
    /// None: nobody polls for probes (Kamailio's `ds_ping_interval = 0`).
    Off,
    /// 0: those under suspicion (a call failed there, or a probe did), until a probe is answered.
    Suspects,
    /// 1: all.
    #[default]
    All,
    /// 2: those that are down.
    Inactive,
    /// 3: those flagged in their list entry (flag 8), always; nobody else.
    Flagged,
}

/// How destinations are probed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ProbingConfig {
    /// Who is probed. Default: all.
    pub mode: ProbingMode,
    /// From one probe of a destination to its next, ± 10 % drawn from the seed. Default 10 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub interval: Duration,
    /// A probe without result for this long has failed. Default 5 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub timeout: Duration,
    /// The reply codes that mean "alive". Default: class 2.
    pub accepted: ReplyCodes,
}

impl Default for ProbingConfig {
    fn default() -> Self {
        Self {
            mode: ProbingMode::default(),
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            accepted: ReplyCodes { classes: alloc::vec![2], codes: Vec::new() },
        }
    }
}

impl ProbingConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        check_times(&[("probing.interval", self.interval), ("probing.timeout", self.timeout)])?;
        let accepted = &self.accepted;
        if accepted.classes.iter().any(|class| !(1..=6).contains(class)) {
            return refuse("probing.accepted.classes", "a class of reply codes is 1 to 6");
        }
        if accepted.codes.iter().any(|code| !(100..=699).contains(code)) {
            return refuse("probing.accepted.codes", "a reply code is 100 to 699");
        }
        if accepted.classes.is_empty() && accepted.codes.is_empty() {
            return refuse("probing.accepted", "no reply would ever count as alive");
        }
        Ok(())
    }
}

/// Reply codes, by class (2 is 200-299) and one by one, as `ds_ping_reply_codes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ReplyCodes {
    /// Whole classes, 1..=6.
    pub classes: Vec<u8>,
    /// Single codes, 100..=699.
    pub codes: Vec<u16>,
}

impl ReplyCodes {
    /// Whether `code` is one of these.
    #[must_use]
    pub fn contains(&self, code: u16) -> bool {
        self.classes.iter().any(|class| u16::from(*class) == code / 100) || self.codes.contains(&code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_codes_are_accepted_by_class_or_one_by_one() {
        let accepted = ReplyCodes { classes: alloc::vec![2, 3], codes: alloc::vec![405] };
        let codes = [199, 200, 299, 302, 400, 405, 503];
        assert_eq!(codes.map(|code| accepted.contains(code)), [false, true, true, true, false, true, false]);
    }
}
