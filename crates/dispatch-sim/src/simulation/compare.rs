//! Every policy, every seed, in parallel: the same calls for each, and what came out, for machines.

use rayon::prelude::*;
use serde::Serialize;

use super::figures::Figures;
use super::policy::{BASELINE, ORACLE, Policy};
use super::simulate;
use crate::estimate::Estimate;
use crate::progress::{Cancelled, Meter, Progress};
use crate::scenario::Scenario;

/// What a scenario showed. Its keys are described in `docs/simulation.md`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The version of these keys: 1. New keys may be added to a version.
    pub schema: u32,
    /// The version of Callsteer.
    pub callsteer: String,
    /// The name of the scenario.
    pub scenario: String,
    /// What it shows, in one line.
    pub about: String,
    /// One simulation per policy and seed.
    pub seeds: Vec<u64>,
    /// How long was measured per simulation, in seconds.
    pub measured_seconds: f64,
    /// The bridge that was watched, counted from 1.
    pub watched_bridge: Option<usize>,
    /// Load of the fleet on average, as a share of its capacity.
    pub load: Estimate,
    /// The excess if every moment's load were shared in proportion to capacity: nobody can do better.
    pub bound: Estimate,
    /// The policies, in the order asked for.
    pub policies: Vec<Row>,
}

/// The figures of one policy. Ratios are to `call_load` or to the oracle, paired by seed; `None` where
/// that did not run or its figure is 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub policy: String,
    /// The share of the work above the capacity of its bridge; 0 is best.
    pub excess: Estimate,
    /// Its ratio to that of `call_load`.
    pub excess_ratio: Option<Estimate>,
    /// Its ratio to that of the oracle.
    pub excess_of_oracle: Option<Estimate>,
    /// Seconds that calls spent on a bridge above its capacity, added up, per seed.
    pub overloaded: Estimate,
    /// Load of the busiest bridge over the mean load, >= 1; 1 is even.
    pub max_over_mean: Estimate,
    /// Its ratio to that of the oracle.
    pub max_over_mean_of_oracle: Option<Estimate>,
    /// What max/mean is not above in 99 % of the seconds.
    pub max_over_mean_p99: Estimate,
    /// Coefficient of variation of the load over the bridges; 0 is even.
    pub cv: Estimate,
    /// Its ratio to that of the oracle.
    pub cv_of_oracle: Option<Estimate>,
    /// The load that bridges do not pass in 99 % of their time, as a share of their capacity.
    pub p99_load: Estimate,
    /// The highest load of the watched bridge, as a share of its capacity of the moment.
    pub peak: Option<Estimate>,
    /// Its ratio to that of `call_load`.
    pub peak_ratio: Option<Estimate>,
    /// The share of the calls that the first bridge tried did not take.
    pub failed_first: Estimate,
    /// The share of the calls that went to another bridge than without any fault; `None` for algorithms
    /// without a hash.
    pub remapped: Option<Estimate>,
    /// Calls that came, over all seeds.
    pub calls: u64,
    /// Calls that no bridge took, over all seeds.
    pub refused: u64,
    /// Calls that were lost with their bridge, over all seeds.
    pub lost: u64,
}

/// Simulates the scenario once per policy and seed.
///
/// The result does not depend on the number of threads.
///
/// # Errors
/// `progress` did not want to go on.
pub fn compare(
    scenario: &Scenario,
    policies: &[Policy],
    seeds: &[u64],
    progress: Progress<'_>,
) -> Result<Comparison, Cancelled> {
    let meter = Meter::new(policies.len() * seeds.len(), progress);
    let runs: Vec<Vec<Figures>> = policies
        .par_iter()
        .map(|policy| {
            let run = |seed: &u64| {
                meter.pulse()?;
                let figures = simulate(scenario, policy, *seed);
                meter.advance()?;
                Ok(figures)
            };
            seeds.par_iter().map(run).collect()
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(Comparison::new(scenario, policies, seeds, &runs))
}

impl Comparison {
    /// Of what each policy showed for each seed.
    #[must_use]
    pub fn new(scenario: &Scenario, policies: &[Policy], seeds: &[u64], runs: &[Vec<Figures>]) -> Self {
        let of = |number: usize, figure: &dyn Fn(&Figures) -> f64| {
            Estimate::new(runs[number].iter().map(figure).collect())
        };
        let base = |name| policies.iter().position(|policy| policy.name == name);
        let row = |number: usize| {
            let ratio = |name, figure: &dyn Fn(&Figures) -> f64| {
                of(number, figure).ratio_to(&of(base(name)?, figure))
            };
            let share = |count: fn(&Figures) -> u64| {
                of(number, &|run| count(run) as f64 / run.outcome.calls.max(1) as f64)
            };
            let total = |count: fn(&Figures) -> u64| runs[number].iter().map(count).sum();
            let peak = |run: &Figures| run.peak.unwrap_or_default();
            Row {
                policy: policies[number].name.into(),
                excess: of(number, &|run| run.excess),
                excess_ratio: ratio(BASELINE, &|run| run.excess),
                excess_of_oracle: ratio(ORACLE, &|run| run.excess),
                overloaded: of(number, &|run| run.overloaded),
                max_over_mean: of(number, &|run| run.max_over_mean),
                max_over_mean_of_oracle: ratio(ORACLE, &|run| run.max_over_mean),
                max_over_mean_p99: of(number, &|run| run.max_over_mean_p99),
                cv: of(number, &|run| run.cv),
                cv_of_oracle: ratio(ORACLE, &|run| run.cv),
                p99_load: of(number, &|run| run.p99_load),
                peak: scenario.watch.map(|_| of(number, &peak)),
                peak_ratio: scenario.watch.and_then(|_| ratio(BASELINE, &peak)),
                failed_first: share(|run| run.outcome.failed_first),
                remapped: policies[number].has_home().then(|| share(|run| run.outcome.remapped)),
                calls: total(|run| run.outcome.calls),
                refused: total(|run| run.outcome.refused),
                lost: total(|run| run.outcome.lost),
            }
        };
        let fleet = |figure: fn(&Figures) -> f64| {
            let first = runs.first().map(Vec::as_slice).unwrap_or_default();
            Estimate::new(first.iter().map(figure).collect())
        };
        Self {
            schema: 1,
            callsteer: env!("CARGO_PKG_VERSION").into(),
            scenario: scenario.name.clone(),
            about: scenario.about.clone(),
            seeds: seeds.into(),
            measured_seconds: scenario.window.until.since(scenario.window.from).as_secs_f64(),
            watched_bridge: scenario.watch.map(|watch| watch.bridge + 1),
            load: fleet(|run| run.load),
            bound: fleet(|run| run.bound),
            policies: (0..policies.len()).map(row).collect(),
        }
    }

    /// The figures of the policy with this name.
    #[must_use]
    pub fn row(&self, policy: &str) -> Option<&Row> {
        self.policies.iter().find(|row| row.policy == policy)
    }
}
