//! One score from several resources: processor, GPU, memory, event-loop lag, provider slots and so on.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{ConfigError, ScoreError};

/// How several measured resources become one score.
///
/// Of each resource its share is taken, measured value / [`full`](Resource::full); [`Combine`] makes
/// one number of the shares.
///
/// ```
/// use callsteer::{Combine, Resource, Resources};
/// let resources = Resources {
///     resources: vec![
///         Resource::new("cpu", 1.0),
///         Resource::new("event_loop_lag", 0.2), // seconds
///         Resource::new("provider_slots", 100.0),
///     ],
///     combine: Combine::Max,
/// };
/// let score = resources.score([("cpu", 0.5), ("event_loop_lag", 0.15), ("provider_slots", 20.0)])?;
/// assert!((score - 0.75).abs() < 1e-12, "the event loop is what runs out first");
/// # Ok::<(), callsteer::ScoreError>(())
/// ```
///
/// The metrics of an [`Orca`](crate::Orca) header are scored by `resources.score(orca.iter())`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Resources {
    /// Each of them must be measured.
    pub resources: Vec<Resource>,
    /// What is made of their shares. Default: the greatest.
    #[cfg_attr(feature = "serde", serde(default))]
    pub combine: Combine,
}

/// One resource of a bridge.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Resource {
    /// What its measured value is called.
    pub name: String,
    /// The value at which the bridge is at its capacity, in the unit of the measured value: 1.0 for a
    /// processor's share, 0.2 for an event-loop lag in seconds, 100 for a provider's slots.
    pub full: f64,
    /// How much it counts in [`Combine::WeightedSum`], against the others. Default 1.
    #[cfg_attr(feature = "serde", serde(default = "one"))]
    pub weight: f64,
}

/// What is made of the shares of several resources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Combine {
    /// The greatest share: the resource that runs out first is the load.
    #[default]
    Max,
    /// Σ weight · share / Σ weight: one that is full may be outweighed by others that are idle.
    WeightedSum,
}

impl Resource {
    /// A resource of weight 1.
    #[must_use]
    pub fn new(name: impl Into<String>, full: f64) -> Self {
        Self { name: name.into(), full, weight: 1.0 }
    }
}

impl Resources {
    /// Says what is wrong, and where.
    ///
    /// # Errors
    /// The first field found with a value that cannot work.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, rule| Err(ConfigError { field, rule });
        if self.resources.is_empty() {
            return refuse("resources", "are at least one");
        }
        for (index, resource) in self.resources.iter().enumerate() {
            if resource.name.is_empty() {
                return refuse("resources.name", "is not empty");
            }
            if self.resources.iter().take(index).any(|other| other.name == resource.name) {
                return refuse("resources.name", "is another one for each resource");
            }
            if !(resource.full.is_finite() && resource.full > 0.0) {
                return refuse("resources.full", "is a number above 0");
            }
            if !(resource.weight.is_finite() && resource.weight > 0.0) {
                return refuse("resources.weight", "is a number above 0");
            }
        }
        Ok(())
    }

    /// The score of a bridge with these measured values, by name and in any order. Values of resources
    /// that are not configured are passed over.
    ///
    /// # Errors
    /// The name of the first resource that was not measured, or whose value is not a number, infinite,
    /// negative or given twice: a score of less than all would look idle. An empty name if the
    /// configuration is one that [`check`](Self::check) refuses.
    pub fn score<'a>(&self, measured: impl IntoIterator<Item = (&'a str, f64)>) -> Result<f64, ScoreError> {
        let mut shares: Vec<Option<f64>> = self.resources.iter().map(|_| None).collect();
        for (name, value) in measured {
            let known = self.resources.iter().zip(&mut shares).find(|(resource, _)| resource.name == name);
            let Some((resource, share)) = known else { continue };
            if !(value.is_finite() && value >= 0.0) {
                return refuse(name, "is not a number from 0 on");
            }
            if share.replace(value / resource.full).is_some() {
                return refuse(name, "is given twice");
            }
        }
        let (mut greatest, mut sum, mut weights) = (0.0_f64, 0.0, 0.0);
        for (resource, share) in self.resources.iter().zip(&shares) {
            let Some(share) = share else { return refuse(&resource.name, "was not measured") };
            greatest = if *share <= greatest { greatest } else { *share };
            sum += resource.weight * share;
            weights += resource.weight;
        }
        let score = match self.combine {
            Combine::Max => greatest,
            Combine::WeightedSum => sum / weights,
        };
        if (0.0..=f64::MAX).contains(&score) && !shares.is_empty() {
            return Ok(score);
        }
        refuse("", "has a configuration that cannot work")
    }
}

fn refuse(resource: &str, what: &'static str) -> Result<f64, ScoreError> {
    Err(ScoreError { resource: resource.into(), what })
}

#[cfg(feature = "serde")]
const fn one() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    fn resources(combine: Combine) -> Resources {
        let lag = Resource { weight: 3.0, ..Resource::new("lag", 0.2) };
        Resources { resources: vec![Resource::new("cpu", 1.0), lag, Resource::new("slots", 100.0)], combine }
    }

    #[test]
    fn the_shares_become_one_score() {
        let check = |cpu, lag, slots, max: f64, weighted: f64| {
            let measured = [("slots", slots), ("other", f64::NAN), ("cpu", cpu), ("lag", lag)];
            for (combine, expected) in [(Combine::Max, max), (Combine::WeightedSum, weighted)] {
                let score = resources(combine).score(measured).expect("all are measured");
                assert!((score - expected).abs() < 1e-12, "{combine:?}: {score}, not {expected}");
            }
        };
        check(0.0, 0.0, 0.0, 0.0, 0.0);
        check(1.0, 0.2, 100.0, 1.0, 1.0);
        check(0.5, 0.05, 20.0, 0.5, (0.5 + 3.0 * 0.25 + 0.2) / 5.0);
        check(0.1, 0.5, 0.0, 2.5, (0.1 + 3.0 * 2.5) / 5.0);
    }

    #[test]
    fn a_value_that_is_missing_or_cannot_be_is_refused_by_name() {
        let check = |measured: &[(&str, f64)], expected: &str| {
            for combine in [Combine::Max, Combine::WeightedSum] {
                let error = resources(combine).score(measured.iter().copied()).expect_err(expected);
                assert_eq!(error.to_string(), expected, "{measured:?}");
            }
        };
        check(&[], "\"cpu\" was not measured");
        check(&[("cpu", 0.5), ("slots", 1.0)], "\"lag\" was not measured");
        check(&[("cpu", 0.5), ("cpu", 0.5)], "\"cpu\" is given twice");
        for wrong in [f64::NAN, f64::INFINITY, -0.1] {
            check(&[("cpu", 0.5), ("slots", wrong)], "\"slots\" is not a number from 0 on");
        }
    }

    #[test]
    fn a_configuration_that_cannot_work_is_refused_by_field() {
        let check = |change: fn(&mut Resources), field: Option<&str>| {
            let mut resources = resources(Combine::Max);
            change(&mut resources);
            assert_eq!(resources.check().err().map(|error| error.field), field);
        };
        check(|_| (), None);
        check(|r| r.resources.clear(), Some("resources"));
        check(|r| r.resources[1].name.clear(), Some("resources.name"));
        check(|r| r.resources[2].name = "cpu".into(), Some("resources.name"));
        check(|r| r.resources[1].full = 0.0, Some("resources.full"));
        check(|r| r.resources[1].full = f64::NAN, Some("resources.full"));
        check(|r| r.resources[1].full = f64::INFINITY, Some("resources.full"));
        check(|r| r.resources[1].weight = -1.0, Some("resources.weight"));
        check(|r| r.resources[1].weight = f64::NAN, Some("resources.weight"));
        check(|r| r.resources[1].weight = 0.0, Some("resources.weight"));
        assert!(Resources::default().score([]).is_err());
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_configuration_needs_no_more_than_names_and_values() {
        let read: Resources =
            serde_json::from_str(r#"{"resources": [{"name": "cpu", "full": 1}], "combine": "weighted_sum"}"#)
                .expect("a configuration");
        let expected =
            Resources { resources: vec![Resource::new("cpu", 1.0)], combine: Combine::WeightedSum };
        assert_eq!(read, expected);
    }

    proptest! {
        #[test]
        fn no_configuration_makes_a_score_that_is_no_number(full: f64, weight: f64, value: f64, sum: bool) {
            let resources = Resources {
                resources: vec![Resource { name: "a".into(), full, weight }, Resource::new("b", 1.0)],
                combine: if sum { Combine::WeightedSum } else { Combine::Max },
            };
            let score = resources.score([("a", value), ("b", 0.5)]);
            prop_assert!(score.is_err() || score.is_ok_and(|score| score.is_finite() && score >= 0.0));
        }
    }
}
