//! How many bridges a demand needs, by simulation and by Erlang's formula, and when to add one.

use callsteer::erlang;
use serde::Serialize;

use super::needed::{Target, needed};
use super::policy::{ALL, Policy};
use crate::estimate::Estimate;
use crate::progress::{Cancelled, Progress};
use crate::scenario::{Class, Scenario, embedded};

/// What is to be carried, and by what bridges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Demand {
    /// Calls in progress on average.
    pub calls: f64,
    /// Mean length of a call in seconds.
    pub mean_length: f64,
    /// Calls of average cost that a bridge carries at a time.
    pub calls_per_bridge: f64,
    /// Seconds from the wish for another bridge until it carries calls.
    pub lead_time: f64,
}

/// What a demand needs. Its keys are described in `docs/plan.md`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The version of these keys: 1. New keys may be added to a version.
    pub schema: u32,
    /// The version of Callsteer.
    pub callsteer: String,
    /// What is to be carried.
    pub demand: Demand,
    /// What is to stay below which value.
    pub target: Target,
    /// One search per policy and seed.
    pub seeds: Vec<u64>,
    /// Calls that come within the lead time and are still there at its end.
    pub spare_calls: f64,
    /// One pool of places without bursts or bridges, as a lower bound.
    pub erlang: Erlang,
    /// The policies.
    pub policies: Vec<PlanRow>,
}

/// What Erlang's formula B says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Erlang {
    /// The share of calls that finds no place.
    pub blocking: f64,
    /// The places that this takes.
    pub slots: Option<u32>,
    /// As bridges.
    pub bridges: Option<f64>,
}

/// What one policy needs; `None` where the largest fleet tried does not do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanRow {
    /// Its name.
    pub policy: String,
    /// Bridges with which the target is just met.
    pub bridges: Option<Estimate>,
    /// Bridges to run: with room for the spare calls, rounded up.
    pub with_spare: Option<u32>,
    /// Calls in progress / calls that the bridges carry, above which there are too few bridges: a
    /// [`callsteer::Threshold::Fixed`] for a [`callsteer::Scaler`] that knows the lead time.
    pub scale_up_at: Option<f64>,
}

impl Demand {
    /// Those calls on calls of `base16`: its classes, bursts and reports, with lengths in proportion.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        let base = embedded::named("base16").expect("it is embedded");
        let stretch = self.mean_length * base.rate() / base.concurrent;
        let longer = |class: &Class| Class { length: class.length * stretch, ..class.clone() };
        let bridges = (self.calls / self.calls_per_bridge / base.load).ceil().max(1.0);
        Scenario {
            name: "plan".into(),
            about: "base16 with other calls and bridges".into(),
            classes: base.classes.iter().map(longer).collect(),
            weights: vec![1; bridges as usize],
            concurrent: self.calls,
            load: self.calls / self.calls_per_bridge / bridges,
            ..base
        }
    }

    /// Calls that come within the lead time and are still there at its end, as [`callsteer::Scaler`]
    /// counts them: rate · length · (1 - exp(-lead time / length)).
    #[must_use]
    pub fn spare_calls(&self) -> f64 {
        -self.calls * libm::expm1(-self.lead_time / self.mean_length)
    }

    /// Calls that come per hour. Little's law: calls / length.
    #[must_use]
    pub fn calls_per_hour(&self) -> f64 {
        3_600.0 * self.calls / self.mean_length
    }
}

/// Plans for this demand, with each of [`policies`].
///
/// # Errors
/// `progress` did not want to go on.
pub fn plan(
    demand: Demand,
    target: Target,
    seeds: &[u64],
    progress: Progress<'_>,
) -> Result<Plan, Cancelled> {
    let needed = needed(&demand.scenario(), &policies(), seeds, target, progress)?;
    let blocking = match target {
        Target::P99Load(_) => ONE_PERCENT,
        Target::Excess(share) => share,
    };
    let slots = erlang::slots_for(demand.calls, blocking);
    let row = |row: super::needed::NeededRow| PlanRow {
        with_spare: row.bridges.as_ref().map(|bridges| with_spare(&demand, bridges.mean)),
        scale_up_at: row
            .bridges
            .as_ref()
            .map(|bridges| demand.calls / demand.calls_per_bridge / bridges.mean),
        policy: row.policy,
        bridges: row.bridges,
    };
    Ok(Plan {
        schema: 1,
        callsteer: needed.callsteer,
        demand,
        target,
        seeds: seeds.into(),
        spare_calls: demand.spare_calls(),
        erlang: Erlang {
            blocking,
            slots,
            bridges: slots.map(|slots| f64::from(slots) / demand.calls_per_bridge),
        },
        policies: needed.policies.into_iter().map(row).collect(),
    })
}

/// The policies that are planned for: algorithms, and the oracle as a bound.
#[must_use]
pub fn policies() -> Vec<Policy> {
    ALL.into_iter().filter(|policy| PLANNED.contains(&policy.name)).collect()
}

fn with_spare(demand: &Demand, bridges: f64) -> u32 {
    (bridges * (1.0 + demand.spare_calls() / demand.calls)).ceil() as u32
}

const PLANNED: [&str; 6] = ["load_score", "call_load", "power_of_two", "round_robin", "random", "oracle"];
const ONE_PERCENT: f64 = 0.01;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use callsteer::{Scaler, ScalingConfig, Threshold, Time, Usage};

    use super::*;

    const DEMAND: Demand =
        Demand { calls: 300.0, mean_length: 240.0, calls_per_bridge: 25.0, lead_time: 90.0 };

    #[test]
    fn the_workload_has_the_calls_the_length_and_the_bridges_asked_for() {
        let scenario = DEMAND.scenario();
        assert!((scenario.concurrent / scenario.rate() - 240.0).abs() < 1e-9);
        assert!((DEMAND.calls_per_hour() - 4_500.0).abs() < 1e-9);
        let capacity = scenario.capacities()[0] as f64 / 1_000.0;
        assert!((capacity / scenario.mean_cost() - 25.0).abs() < 1e-2, "{capacity}");
    }

    #[test]
    fn a_scaler_with_the_threshold_and_the_lead_time_wants_the_same_fleet() {
        for bridges in [14.3, 16.0, 22.9] {
            let threshold = Threshold::Fixed(DEMAND.calls / DEMAND.calls_per_bridge / bridges);
            let lead_time = Duration::from_secs(90);
            let config = ScalingConfig { threshold, lead_time, ..ScalingConfig::default() };
            let mut scaler = Scaler::new(config).unwrap();
            let usage = Usage {
                load: DEMAND.calls,
                capacity: DEMAND.calls_per_bridge,
                members: 1,
                slots: 25,
                arrival_rate: DEMAND.calls / DEMAND.mean_length,
                mean_duration: Some(Duration::from_secs(240)),
                busiest: None,
            };
            scaler.observe(&usage, Time::ZERO);
            assert_eq!(scaler.desired(), Some(with_spare(&DEMAND, bridges)), "{bridges}");
        }
    }
}
