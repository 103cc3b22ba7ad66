//! How many bridges a policy needs so that a figure stays below its target.
//!
//! The same calls on fleets of other sizes; a bridge has the capacity that it has in the scenario. Per
//! seed and policy, two sizes next to each other are searched for, of which the smaller misses the
//! target and the larger does not, and the size in between at which a straight line meets it.

use rayon::prelude::*;
use serde::Serialize;

use super::figures::Figures;
use super::policy::{BASELINE, Policy, ROUND_ROBIN};
use super::simulate;
use crate::estimate::Estimate;
use crate::progress::{Cancelled, Meter, Progress};
use crate::scenario::Scenario;

/// What must stay below which value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The load that bridges do not pass in 99 % of their time, as a share of their capacity.
    P99Load(f64),
    /// The share of the work above the capacity of its bridge.
    Excess(f64),
}

/// How many bridges each policy needs. Its keys are described in `docs/simulation.md`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Needed {
    /// The version of these keys: 1. New keys may be added to a version.
    pub schema: u32,
    /// The version of Callsteer.
    pub callsteer: String,
    /// The name of the scenario.
    pub scenario: String,
    /// What it shows, in one line.
    pub about: String,
    /// One search per policy and seed.
    pub seeds: Vec<u64>,
    /// What is to stay below which value.
    pub target: Target,
    /// The bridges that the scenario has.
    pub bridges: usize,
    /// Calls of average cost that a bridge of average capacity carries.
    pub calls_per_bridge: f64,
    /// The most bridges that were tried.
    pub most: usize,
    /// The policies, in the order asked for.
    pub policies: Vec<NeededRow>,
}

/// The bridges that one policy needs; `None` where for some seed the most that were tried did not do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NeededRow {
    /// Its name.
    pub policy: String,
    /// How many.
    pub bridges: Option<Estimate>,
    /// Its ratio to `call_load`, paired by seed.
    pub call_load_ratio: Option<Estimate>,
    /// Its ratio to `round_robin`, paired by seed.
    pub round_robin_ratio: Option<Estimate>,
}

impl Target {
    /// The value below which it is met.
    #[must_use]
    pub fn value(self) -> f64 {
        let (Self::P99Load(value) | Self::Excess(value)) = self;
        value
    }

    fn of(self, figures: &Figures) -> f64 {
        match self {
            Self::P99Load(_) => figures.p99_load,
            Self::Excess(_) => figures.excess,
        }
    }
}

/// Searches the number of bridges for each policy and seed.
///
/// The result does not depend on the number of threads.
///
/// # Errors
/// `progress` did not want to go on.
pub fn needed(
    scenario: &Scenario,
    policies: &[Policy],
    seeds: &[u64],
    target: Target,
    progress: Progress<'_>,
) -> Result<Needed, Cancelled> {
    let most = MOST_TIMES * scenario.weights.len();
    let meter = Meter::new(policies.len() * seeds.len(), progress);
    let found: Vec<Vec<Option<f64>>> = policies
        .par_iter()
        .map(|policy| {
            let one = |seed: &u64| {
                let figure = |bridges| {
                    meter.pulse()?;
                    Ok(target.of(&simulate(&resized(scenario, bridges), policy, *seed)) / target.value())
                };
                let size = search(figure, scenario.weights.len(), most)?;
                meter.advance()?;
                Ok(size)
            };
            seeds.par_iter().map(one).collect()
        })
        .collect::<Result<_, Cancelled>>()?;
    let bridges = |number: usize| -> Option<Estimate> {
        found[number].iter().copied().collect::<Option<Vec<_>>>().map(Estimate::new)
    };
    let base = |name| policies.iter().position(|policy| policy.name == name).and_then(bridges);
    let (call_load, round_robin) = (base(BASELINE), base(ROUND_ROBIN));
    let row = |(number, policy): (usize, &Policy)| {
        let bridges = bridges(number);
        let ratio = |base: &Option<Estimate>| bridges.as_ref()?.ratio_to(base.as_ref()?);
        NeededRow {
            policy: policy.name.into(),
            call_load_ratio: ratio(&call_load),
            round_robin_ratio: ratio(&round_robin),
            bridges,
        }
    };
    let n = scenario.weights.len();
    Ok(Needed {
        schema: 1,
        callsteer: env!("CARGO_PKG_VERSION").into(),
        scenario: scenario.name.clone(),
        about: scenario.about.clone(),
        seeds: seeds.into(),
        target,
        bridges: n,
        calls_per_bridge: scenario.concurrent / scenario.load / n as f64,
        most,
        policies: policies.iter().enumerate().map(row).collect(),
    })
}

/// The scenario on so many bridges, whose weights are those of its own over and over, each with the
/// capacity that its weight has there. Of its faults only those of bridges that there are.
#[must_use]
pub fn resized(scenario: &Scenario, bridges: usize) -> Scenario {
    let sum = |weights: &[u32]| weights.iter().map(|weight| f64::from(*weight)).sum::<f64>();
    let weights: Vec<u32> = scenario.weights.iter().copied().cycle().take(bridges).collect();
    Scenario {
        load: scenario.load * sum(&scenario.weights) / sum(&weights),
        faults: scenario.faults.iter().copied().filter(|fault| fault.bridge < bridges).collect(),
        watch: scenario.watch.filter(|watch| watch.bridge < bridges),
        weights,
        ..scenario.clone()
    }
}

/// The size, at least 1, at which `figure`, which falls with the size, falls to 1.
fn search(
    figure: impl Fn(usize) -> Result<f64, Cancelled>,
    first: usize,
    most: usize,
) -> Result<Option<f64>, Cancelled> {
    // The greatest size that misses the target so far, and the smallest that meets it.
    let (mut short, mut enough) = (None, None);
    let mut size = first;
    loop {
        let value = figure(size)?;
        *(if value < 1.0 { &mut enough } else { &mut short }) = Some((size, value));
        size = match (short, enough) {
            (Some((low, above)), Some((high, below))) if high == low + 1 => {
                return Ok(Some(low as f64 + (above - 1.0) / (above - below)));
            }
            (None, Some((1, _))) => return Ok(Some(1.0)),
            (Some((low, _)), None) if low >= most => return Ok(None),
            // Where the straight line through both meets it,
            (Some((low, above)), Some((high, below))) => {
                let share = (above - 1.0) / (above - below);
                (low + (share * (high - low) as f64).round() as usize).clamp(low + 1, high - 1)
            }
            // or, with one of them, as if load were all that counted.
            (Some((low, above)), None) => {
                ((low as f64 * above).round() as usize).clamp(low + 1, 2 * low).min(most)
            }
            (None, Some((high, below))) => {
                ((high as f64 * below).round() as usize).clamp(high.div_ceil(2), high - 1)
            }
            (None, None) => return Ok(None),
        };
    }
}

/// Sizes are tried up to this many times that of the scenario.
const MOST_TIMES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::embedded;

    #[test]
    fn a_search_ends_between_the_two_sizes_around_the_target() {
        let check = |figure: fn(f64) -> f64, first, wanted: Option<f64>| {
            let found = search(|size| Ok(figure(size as f64)), first, 128).unwrap();
            let close = found.zip(wanted).is_some_and(|(found, wanted)| (found - wanted).abs() < 1e-9);
            assert!(close || found == wanted, "{found:?}, not {wanted:?}");
        };
        for first in [1, 16, 100] {
            check(|size| 1.0 + (20.5 - size) / 40.0, first, Some(20.5));
            check(|size| if size < 77.0 { 1.5 } else { 0.5 }, first, Some(76.5));
            check(|_| 2.0, first, None);
            check(|_| 0.5, first, Some(1.0));
        }
    }

    #[test]
    fn a_fleet_of_another_size_has_bridges_of_the_same_capacity() {
        let scenario = embedded::named("mixed-1-2-4").unwrap();
        let (own, more) = (scenario.capacities(), resized(&scenario, 15).capacities());
        for (number, capacity) in more.iter().enumerate() {
            assert!(capacity.abs_diff(own[number % 12]) <= 1, "{more:?}");
        }
        let fewer = resized(&embedded::named("no-reports").unwrap(), 3);
        assert_eq!((fewer.weights.len(), fewer.faults.len()), (3, 3));
    }
}
