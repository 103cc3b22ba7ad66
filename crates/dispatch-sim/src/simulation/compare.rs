//! Every policy, every seed, in parallel: the same calls for each, and what came out, for machines.

use rayon::prelude::*;
use serde::Serialize;

use super::figures::Figures;
use super::policy::{BASELINE, Policy};
use super::simulate;
use crate::estimate::Estimate;
use crate::scenario::Scenario;
use crate::scenario::calls::Calls;

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

/// The figures of one policy. Ratios are to `call_load`, paired by seed; `None` where it did not run
/// or its figure is 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub policy: String,
    /// The share of the work above the capacity of its bridge; 0 is best.
    pub excess: Estimate,
    /// Its ratio.
    pub excess_ratio: Option<Estimate>,
    /// The load that bridges do not pass in 99 % of their time, as a share of their capacity.
    pub p99_load: Estimate,
    /// The highest load of the watched bridge, as a share of its capacity of the moment.
    pub peak: Option<Estimate>,
    /// Its ratio.
    pub peak_ratio: Option<Estimate>,
    /// The share of the calls that the first bridge tried did not take.
    pub failed_first: Estimate,
    /// Calls that came, over all seeds.
    pub calls: u64,
    /// Calls that no bridge took, over all seeds.
    pub refused: u64,
}

/// Simulates the scenario once per policy and seed; `done` is called after each simulation.
///
/// The result does not depend on the number of threads.
#[must_use]
pub fn compare(
    scenario: &Scenario,
    policies: &[Policy],
    seeds: &[u64],
    done: &(dyn Fn() + Sync),
) -> Comparison {
    let runs: Vec<Vec<Figures>> = seeds
        .par_iter()
        .map(|seed| {
            let calls = Calls::draw(scenario, *seed);
            let simulate = |policy| {
                let figures = simulate(scenario, &calls, policy, *seed);
                done();
                figures
            };
            policies.par_iter().map(simulate).collect()
        })
        .collect();
    let base = policies.iter().position(|policy| policy.name == BASELINE);
    let row = |number: usize| {
        let of = |number: usize, figure: &dyn Fn(&Figures) -> f64| {
            Estimate::new(runs.iter().map(|policies| figure(&policies[number])).collect())
        };
        let ratio = |figure: &dyn Fn(&Figures) -> f64| of(number, figure).ratio_to(&of(base?, figure));
        let total = |count: fn(&Figures) -> u64| runs.iter().map(|policies| count(&policies[number])).sum();
        let peak = |figures: &Figures| figures.peak.unwrap_or_default();
        let failed =
            |figures: &Figures| figures.outcome.failed_first as f64 / figures.outcome.calls.max(1) as f64;
        Row {
            policy: policies[number].name.into(),
            excess: of(number, &|figures| figures.excess),
            excess_ratio: ratio(&|figures| figures.excess),
            p99_load: of(number, &|figures| figures.p99_load),
            peak: scenario.watch.map(|_| of(number, &peak)),
            peak_ratio: scenario.watch.and_then(|_| ratio(&peak)),
            failed_first: of(number, &failed),
            calls: total(|figures| figures.outcome.calls),
            refused: total(|figures| figures.outcome.refused),
        }
    };
    let fleet = |figure: fn(&Figures) -> f64| {
        Estimate::new(runs.iter().filter_map(|policies| policies.first()).map(figure).collect())
    };
    Comparison {
        schema: 1,
        callsteer: env!("CARGO_PKG_VERSION").into(),
        scenario: scenario.name.clone(),
        about: scenario.about.clone(),
        seeds: seeds.into(),
        measured_seconds: scenario.window.until.since(scenario.window.from).as_secs_f64(),
        watched_bridge: scenario.watch.map(|watch| watch.bridge + 1),
        load: fleet(|figures| figures.load),
        bound: fleet(|figures| figures.bound),
        policies: (0..policies.len()).map(row).collect(),
    }
}

impl Comparison {
    /// The figures of the policy with this name.
    #[must_use]
    pub fn row(&self, policy: &str) -> Option<&Row> {
        self.policies.iter().find(|row| row.policy == policy)
    }
}
