//! Several scenarios together: the geometric mean of what each policy leaves, and where the favourite
//! does not win.

use serde::Serialize;

use super::compare::{Comparison, Row};
use super::needed::Needed;
use super::policy::{BASELINE, FAVOURITE, ORACLE};
use crate::estimate::Estimate;

/// What scenarios showed. Its keys are described in `docs/simulation.md`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scenarios {
    /// The version of these keys: 1. New keys may be added to a version.
    pub schema: u32,
    /// The version of Callsteer.
    pub callsteer: String,
    /// All together.
    pub summary: Summary,
    /// Each.
    pub scenarios: Vec<Comparison>,
    /// The bridges that each needs, where that was asked for.
    pub bridges_needed: Vec<Needed>,
}

/// What several scenarios showed together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Excess / that of `call_load` of each policy: the geometric mean over the scenarios.
    pub excess_ratio: Vec<Together>,
    /// Max/mean load of the favourite, `load_score`, / that of the oracle.
    pub max_over_mean_of_oracle: Option<Together>,
    /// CV of its load / that of the oracle.
    pub cv_of_oracle: Option<Together>,
    /// Where the favourite, `load_score`, does not win: no reason, no entry.
    pub not_ahead: Vec<NotAhead>,
}

/// A geometric mean over scenarios.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Together {
    /// The name of the policy.
    pub policy: String,
    /// The geometric mean.
    pub mean: f64,
    /// Half the width of its 95 % interval; `None` for one seed.
    pub ci95: Option<f64>,
    /// Over how many scenarios: those in which neither figure was 0.
    pub scenarios: usize,
}

/// A scenario in which the favourite does not win in one figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NotAhead {
    /// The scenario.
    pub scenario: String,
    /// The key of the figure.
    pub figure: &'static str,
    /// Who has a lower one, clearly; `call_load` where nobody is clearly ahead of it.
    pub policy: String,
    /// The favourite's figure.
    pub favourite: f64,
    /// The other one's.
    pub other: f64,
}

impl Scenarios {
    /// Of these comparisons and searches.
    #[must_use]
    pub fn new(scenarios: Vec<Comparison>, bridges_needed: Vec<Needed>) -> Self {
        Self {
            schema: 1,
            callsteer: env!("CARGO_PKG_VERSION").into(),
            summary: Summary::new(&scenarios),
            scenarios,
            bridges_needed,
        }
    }
}

impl Summary {
    /// Of these comparisons, which have the same seeds.
    #[must_use]
    pub fn new(comparisons: &[Comparison]) -> Self {
        let mut policies: Vec<&str> = Vec::new();
        for row in comparisons.iter().flat_map(|comparison| &comparison.policies) {
            let everywhere = comparisons.iter().all(|comparison| comparison.row(&row.policy).is_some());
            if everywhere && !policies.contains(&&*row.policy) {
                policies.push(&row.policy);
            }
        }
        let excess = |policy: &&str| together(comparisons, policy, BASELINE, |row| &row.excess);
        let of_oracle = |figure| together(comparisons, FAVOURITE, ORACLE, figure);
        Self {
            excess_ratio: policies.iter().filter_map(excess).collect(),
            max_over_mean_of_oracle: of_oracle(|row| &row.max_over_mean),
            cv_of_oracle: of_oracle(|row| &row.cv),
            not_ahead: comparisons.iter().flat_map(not_ahead).collect(),
        }
    }

    /// The geometric mean of a policy.
    #[must_use]
    pub fn of(&self, policy: &str) -> Option<&Together> {
        self.excess_ratio.iter().find(|together| together.policy == policy)
    }
}

/// exp(mean of ln R_s) over scenarios s, where R_s = Σx / Σy over the seeds i. Its interval takes the scenarios
/// as given and is over the seeds, which they share: to first order, seed i moves ln R_s by
/// (x_si - R_s·y_si) / (R_s·ȳ_s) (delta method), and the mean over s is one number per seed.
fn together(
    comparisons: &[Comparison],
    policy: &str,
    base: &str,
    figure: fn(&Row) -> &Estimate,
) -> Option<Together> {
    let pairs: Vec<_> = comparisons
        .iter()
        .filter_map(|comparison| {
            let (own, base) = (figure(comparison.row(policy)?), figure(comparison.row(base)?));
            let ratio = own.ratio_to(base)?.mean;
            (ratio > 0.0).then_some((own, base, ratio))
        })
        .collect();
    let n = pairs.len() as f64;
    let seeds = pairs.iter().map(|(x, ..)| x.values.len()).min()?;
    let mean = libm::exp(pairs.iter().map(|(.., ratio)| libm::log(*ratio)).sum::<f64>() / n);
    let moved = |seed: usize| {
        let by = |(x, y, ratio): &(&Estimate, &Estimate, f64)| {
            (x.values[seed] - ratio * y.values[seed]) / (ratio * y.mean)
        };
        mean * pairs.iter().map(by).sum::<f64>() / n
    };
    let ci95 = Estimate::new((0..seeds).map(moved).collect()).ci95;
    Some(Together { policy: policy.into(), mean, ci95, scenarios: pairs.len() })
}

/// In which figures of a scenario the favourite does not win. The oracle cannot be chosen, and variants of
/// a policy are not others.
fn not_ahead(comparison: &Comparison) -> Vec<NotAhead> {
    let Some(favourite) = comparison.row(FAVOURITE) else { return Vec::new() };
    let others: Vec<&Row> = comparison
        .policies
        .iter()
        .filter(|row| ![FAVOURITE, ORACLE].contains(&&*row.policy) && !row.policy.contains(':'))
        .collect();
    let figures: [(&'static str, Figure); 3] = [
        ("excess", |row| Some(&row.excess)),
        ("peak", |row| row.peak.as_ref()),
        ("failed_first", |row| Some(&row.failed_first)),
    ];
    let entry = |figure: &'static str, row: &Row, own: &Estimate, other: &Estimate| NotAhead {
        scenario: comparison.scenario.clone(),
        figure,
        policy: row.policy.clone(),
        favourite: own.mean,
        other: other.mean,
    };
    let mut found: Vec<NotAhead> = figures
        .into_iter()
        .filter_map(|(name, figure)| {
            let own = figure(favourite)?;
            let (row, best) = others
                .iter()
                .filter_map(|row| Some((*row, figure(row)?)))
                .min_by(|a, b| a.1.mean.total_cmp(&b.1.mean))?;
            is_clearly_below(best, own).then(|| entry(name, row, own, best))
        })
        .collect();
    let base = others.iter().find(|row| row.policy == BASELINE);
    let wins = favourite.excess_ratio.as_ref().is_some_and(is_clearly_below_1);
    if let Some(base) = base.filter(|_| !wins && found.iter().all(|entry| entry.figure != "excess")) {
        found.insert(0, entry("excess", base, &favourite.excess, &base.excess));
    }
    found
}

/// One figure of a policy.
type Figure = fn(&Row) -> Option<&Estimate>;

/// By pairing seeds: the interval of the difference does not reach 0.
fn is_clearly_below(low: &Estimate, high: &Estimate) -> bool {
    let difference =
        Estimate::new(high.values.iter().zip(&low.values).map(|(high, low)| high - low).collect());
    difference.mean > difference.ci95.unwrap_or(0.0)
}

/// Whether a ratio is, by more than its interval.
pub(crate) fn is_clearly_below_1(ratio: &Estimate) -> bool {
    ratio.mean + ratio.ci95.unwrap_or(0.0) < 1.0
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::progress::unwatched;
    use crate::scenario::embedded;
    use crate::simulation::compare::compare;
    use crate::simulation::policy;

    /// A comparison of these policies, of whose excess is said what these tests need.
    pub(crate) fn comparison(excess: &[(&str, &[f64])]) -> Comparison {
        let policies: Vec<_> = excess.iter().map(|(name, _)| policy::named(name).unwrap()).collect();
        let mut comparison = compare(&embedded::named("4x12").unwrap(), &policies, &[], &unwatched).unwrap();
        let estimate = |name: &str| {
            let of = excess.iter().find(|(policy, _)| *policy == name);
            of.map(|(_, values)| Estimate::new(values.to_vec()))
        };
        for row in &mut comparison.policies {
            row.excess = estimate(&row.policy).unwrap();
            row.excess_ratio = estimate(BASELINE).and_then(|base| row.excess.ratio_to(&base));
        }
        comparison
    }

    #[test]
    fn a_geometric_mean_is_over_the_ratios_and_its_interval_over_the_seeds() {
        let base: (&str, &[f64]) = ("call_load", &[0.04, 0.04]);
        let quarter = comparison(&[base, ("load_score", &[0.01, 0.01])]);
        let same = comparison(&[base, ("load_score", &[0.04, 0.04])]);
        let summary = Summary::new(&[quarter.clone(), same]);
        let of = summary.of("load_score").unwrap();
        assert!((of.mean - 0.5).abs() < 1e-12 && of.ci95.unwrap() < 1e-12 && of.scenarios == 2, "{of:?}");
        assert!((summary.of("call_load").unwrap().mean - 1.0).abs() < 1e-12);

        // One scenario: the interval of its ratio.
        let noisy = comparison(&[("call_load", &[0.03, 0.05, 0.07]), ("load_score", &[0.02, 0.04, 0.04])]);
        let of = |comparison| Summary::new(&[comparison]).of("load_score").unwrap().clone();
        let (alone, ratio) =
            (of(noisy.clone()), noisy.row("load_score").unwrap().excess_ratio.clone().unwrap());
        assert!(
            (alone.mean - ratio.mean).abs() < 1e-12
                && (alone.ci95.unwrap() - ratio.ci95.unwrap()).abs() < 1e-12
        );

        let nothing = comparison(&[base, ("load_score", &[0.0, 0.0])]);
        let both = Summary::new(&[quarter, nothing]);
        assert_eq!(both.of("load_score").unwrap().scenarios, 1, "the logarithm of 0 is no number");
    }

    #[test]
    fn the_favourite_does_not_win_where_another_is_clearly_ahead_or_nobody_is() {
        let check = |excess: &[(&str, &[f64])], expected: &[(&str, &str)]| {
            let found = Summary::new(&[comparison(excess)]).not_ahead;
            let found: Vec<_> = found.iter().map(|entry| (entry.figure, &*entry.policy)).collect();
            assert_eq!(found, expected);
        };
        let base: (&str, &[f64]) = ("call_load", &[0.04, 0.04]);
        check(&[base, ("load_score", &[0.03, 0.03]), ("oracle", &[0.02, 0.02])], &[]);
        check(&[base, ("load_score", &[0.03, 0.05])], &[("excess", "call_load")]);
        check(&[base, ("load_score", &[0.03, 0.03]), ("random", &[0.02, 0.021])], &[("excess", "random")]);
        check(&[base], &[]);
    }
}
