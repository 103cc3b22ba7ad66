//! When a fleet should grow or shrink.

use core::time::Duration;

use super::LONGEST;
use crate::error::ConfigError;

/// When a fleet should grow or shrink; for a [`Scaler`](crate::Scaler).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ScalingConfig {
    /// A fleet above this should grow. Default: a utilisation of 0.9.
    pub threshold: Threshold,
    /// A fleet should grow, too, when its busiest bridges are above this share of their capacity. Even
    /// at the same mean, small bridges are overloaded more often. Default: they do not matter.
    pub busiest: Option<f64>,
    /// A fleet should shrink to where it is below this share of the thresholds, 0 to below 1. The gap
    /// up to 1 keeps it from growing again at once; 0 never shrinks. Default 0.7.
    pub low_share: f64,
    /// How long a fleet must be above a threshold before it grows. Default 30 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub hold: Duration,
    /// How long it must be below before it shrinks: a bridge is drained slowly and missed soon.
    /// Default 300 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub hold_down: Duration,
    /// How long a new bridge takes until it carries calls: room for the calls that arrive in that time
    /// is kept. Default 0 s, no spare room.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub lead_time: Duration,
    /// Never fewer bridges. Default 1.
    pub min_members: u32,
    /// Never more bridges; 0 is no limit. Default 0.
    pub max_members: u32,
}

/// How full a fleet may be.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Threshold {
    /// To this utilisation, load divided by capacity: above 0, at most 1. Whatever the size.
    Fixed(f64),
    /// Until this share of calls would find no room, by [Erlang B](crate::erlang): above 0, below 1.
    /// So a large fleet may be fuller than a small one.
    TargetBlocking(f64),
}

impl Default for ScalingConfig {
    fn default() -> Self {
        Self {
            threshold: Threshold::Fixed(0.9),
            busiest: None,
            low_share: 0.7,
            hold: Duration::from_secs(30),
            hold_down: Duration::from_secs(300),
            lead_time: Duration::ZERO,
            min_members: 1,
            max_members: 0,
        }
    }
}

impl ScalingConfig {
    /// Says what is wrong, and where.
    ///
    /// # Errors
    /// The first field found with a value that cannot work.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, rule| Err(ConfigError { field, rule });
        match self.threshold {
            Threshold::Fixed(utilisation) if !(utilisation > 0.0 && utilisation <= 1.0) => {
                return refuse("scaling.threshold", "a utilisation is above 0 and at most 1");
            }
            Threshold::TargetBlocking(share) if !(share > 0.0 && share < 1.0) => {
                return refuse("scaling.threshold", "a target of blocking is above 0 and below 1");
            }
            _ => {}
        }
        if self.busiest.is_some_and(|share| !(share.is_finite() && share > 0.0)) {
            return refuse("scaling.busiest", "is a number above 0");
        }
        if !(0.0..1.0).contains(&self.low_share) {
            return refuse("scaling.low_share", "is from 0 to below 1");
        }
        let times = [
            ("scaling.hold", self.hold),
            ("scaling.hold_down", self.hold_down),
            ("scaling.lead_time", self.lead_time),
        ];
        if let Some((field, _)) = times.iter().find(|(_, span)| *span > LONGEST) {
            return refuse(field, "is at most 10 years");
        }
        if self.max_members != 0 && self.max_members < self.min_members {
            return refuse("scaling.max_members", "is 0 or at least min_members");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_that_cannot_work_is_refused_by_field() {
        let check = |change: fn(&mut ScalingConfig), field: Option<&str>| {
            let mut config = ScalingConfig::default();
            change(&mut config);
            let refused = config.check().err().map(|error| error.field.trim_start_matches("scaling."));
            assert_eq!(refused, field, "{config:?}");
        };
        check(|_| (), None);
        check(|c| c.threshold = Threshold::Fixed(1.0), None);
        check(|c| c.threshold = Threshold::Fixed(0.0), Some("threshold"));
        check(|c| c.threshold = Threshold::Fixed(1.01), Some("threshold"));
        check(|c| c.threshold = Threshold::Fixed(f64::NAN), Some("threshold"));
        check(|c| c.threshold = Threshold::TargetBlocking(0.01), None);
        check(|c| c.threshold = Threshold::TargetBlocking(0.0), Some("threshold"));
        check(|c| c.threshold = Threshold::TargetBlocking(1.0), Some("threshold"));
        check(|c| c.threshold = Threshold::TargetBlocking(f64::NAN), Some("threshold"));
        check(|c| c.busiest = Some(1.2), None);
        check(|c| c.busiest = Some(0.0), Some("busiest"));
        check(|c| c.busiest = Some(f64::INFINITY), Some("busiest"));
        check(|c| c.low_share = 0.0, None);
        check(|c| c.low_share = 1.0, Some("low_share"));
        check(|c| c.low_share = f64::NAN, Some("low_share"));
        check(|c| c.hold = Duration::MAX, Some("hold"));
        check(|c| c.hold_down = Duration::MAX, Some("hold_down"));
        check(|c| c.lead_time = Duration::MAX, Some("lead_time"));
        check(|c| (c.min_members, c.max_members) = (3, 2), Some("max_members"));
        check(|c| (c.min_members, c.max_members) = (3, 3), None);
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_configuration_is_written_in_seconds() {
        let read: ScalingConfig =
            serde_json::from_str(r#"{"threshold": {"target_blocking": 0.02}, "lead_time": 90}"#)
                .expect("a configuration");
        let expected = ScalingConfig {
            threshold: Threshold::TargetBlocking(0.02),
            lead_time: Duration::from_secs(90),
            ..ScalingConfig::default()
        };
        assert_eq!(read, expected);
    }
}
