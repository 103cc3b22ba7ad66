//! What came out, for machines: the JSON report. Its keys are described in `docs/bench.md`.

use std::time::Duration;

use callsteer::Time;
use serde::Serialize;

use crate::estimate::Estimate;
use crate::simulation::summary::Scenarios;
use crate::workload::{Bridge, COST_UNIT, Outage, Workload};

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of these keys: 1. New keys may be added to a version.
    pub schema: u32,
    /// The version of Callsteer.
    pub callsteer: String,
    /// The result in one sentence.
    pub answer: String,
    /// What was replayed.
    pub workload: WorkloadSummary,
    /// One replay per policy and seed.
    pub seeds: Vec<u64>,
    /// The policies, the most even one first.
    pub policies: Vec<Row>,
    /// What scenarios of bursts, reports and faults showed, where they were simulated too.
    pub scenarios: Option<Scenarios>,
}

/// What was replayed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkloadSummary {
    /// Its name.
    pub name: String,
    /// Where its figures come from and what is assumed.
    pub notes: Vec<String>,
    /// How long is measured per replay, in seconds.
    pub measured_seconds: f64,
    /// Calls in progress on average while measured.
    pub calls_in_progress: f64,
    /// The bridges.
    pub bridges: Vec<BridgeSummary>,
    /// When a bridge took no new calls.
    pub outages: Vec<OutageSummary>,
    /// The classes of calls.
    pub classes: Vec<ClassSummary>,
}

/// One bridge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BridgeSummary {
    /// Its weight.
    pub weight: u32,
    /// Concurrent calls at most, known to the dispatcher; `None` is no limit.
    pub max_calls: Option<u32>,
    /// The load that it can carry, in average calls; `None` is no limit.
    pub capacity: Option<f64>,
}

/// One outage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OutageSummary {
    /// Which bridge, counted from 1.
    pub bridge: usize,
    /// Its begin, in seconds since the begin of the workload.
    pub from_seconds: f64,
    /// Its end, likewise.
    pub until_seconds: f64,
}

/// The measured calls of one class, over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassSummary {
    /// Its name.
    pub name: String,
    /// How many calls.
    pub calls: u64,
    /// Their mean length in seconds.
    pub mean_seconds: f64,
    /// Their mean cost, in average calls.
    pub mean_cost: f64,
}

/// The figures of one policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub policy: String,
    /// Load of the busiest bridge over the mean load, >= 1; 1 is even.
    pub max_over_mean: Estimate,
    /// Coefficient of variation of the load over the bridges; 0 is even.
    pub cv: Estimate,
    /// The load that the busiest bridge does not pass in 99 % of the time, in average calls.
    pub busiest_p99: Estimate,
    /// What became of the calls, over all seeds.
    pub totals: Totals,
}

/// What became of the calls, over all seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Calls that came.
    pub calls: u64,
    /// Calls that no bridge took.
    pub refused: u64,
    /// Calls that a bridge took after another one had not.
    pub moved: u64,
}

impl Report {
    pub(crate) fn new(workload: WorkloadSummary, seeds: Vec<u64>, policies: Vec<Row>) -> Self {
        let answer = answer(&policies);
        let callsteer = env!("CARGO_PKG_VERSION").into();
        Self { schema: 1, callsteer, answer, workload, seeds, policies, scenarios: None }
    }

    /// The figures of the policy with this name.
    #[must_use]
    pub fn row(&self, policy: &str) -> Option<&Row> {
        self.policies.iter().find(|row| row.policy == policy)
    }

    /// The report as JSON, with a newline at its end. The same report has the same bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("a report has no maps and no foreign types");
        json.push('\n');
        json
    }
}

impl WorkloadSummary {
    pub(crate) fn new(workload: &Workload, seeds: &[u64]) -> Self {
        let window = workload.window;
        let measured_seconds = window.until.since(window.from).as_secs_f64();
        let replayed = measured_seconds * seeds.len() as f64;
        let mut in_progress = Duration::ZERO;
        let mut sums = vec![(0u64, Duration::ZERO, 0u64); workload.classes.len()];
        for call in seeds.iter().flat_map(|seed| workload.calls(*seed)) {
            in_progress += window.overlap(call.start, call.start + call.length);
            if window.contains(call.start) {
                let (calls, length, cost) = &mut sums[usize::from(call.class)];
                *calls += 1;
                *length += call.length;
                *cost += u64::from(call.cost);
            }
        }
        let class = |(name, (calls, length, cost)): (&String, (u64, Duration, u64))| ClassSummary {
            name: name.clone(),
            calls,
            mean_seconds: length.as_secs_f64() / calls.max(1) as f64,
            mean_cost: cost as f64 / f64::from(COST_UNIT) / calls.max(1) as f64,
        };
        Self {
            name: workload.name.clone(),
            notes: workload.notes.clone(),
            measured_seconds,
            calls_in_progress: if replayed > 0.0 { in_progress.as_secs_f64() / replayed } else { 0.0 },
            bridges: workload.bridges.iter().map(BridgeSummary::from).collect(),
            outages: workload.outages.iter().map(OutageSummary::from).collect(),
            classes: workload.classes.iter().zip(sums).map(class).collect(),
        }
    }
}

impl From<&Bridge> for BridgeSummary {
    fn from(bridge: &Bridge) -> Self {
        Self {
            weight: bridge.weight,
            max_calls: (bridge.max_calls > 0).then_some(bridge.max_calls),
            capacity: bridge.capacity.map(|load| load as f64 / f64::from(COST_UNIT)),
        }
    }
}

impl From<&Outage> for OutageSummary {
    fn from(outage: &Outage) -> Self {
        let seconds = |time: Time| time.since(Time::ZERO).as_secs_f64();
        Self {
            bridge: outage.bridge + 1,
            from_seconds: seconds(outage.from),
            until_seconds: seconds(outage.until),
        }
    }
}

/// Who wins, and by how much against round robin (against the last one where that did not run).
fn answer(rows: &[Row]) -> String {
    let [best, .., last] = rows else {
        let only = |row: &Row| format!("With {} the busiest bridge carries {}.", row.policy, busiest(row));
        return rows.first().map_or_else(|| "Nothing was compared.".into(), only);
    };
    let base = rows.iter().find(|row| row.policy == BASELINE).unwrap_or(last);
    if !is_clearly_below(best, base) {
        return format!(
            "Nobody is clearly more even than {}: its busiest bridge carries {}.",
            base.policy,
            busiest(base)
        );
    }
    let less = |row: &Row| (1.0 - row.max_over_mean.mean / base.max_over_mean.mean) * 100.0;
    let mut answer = format!(
        "{} is the most even: its busiest bridge carries {}, that of {} {}, so {:.0} % less for the same calls.",
        best.policy,
        busiest(best),
        base.policy,
        busiest(base),
        less(best)
    );
    let untold =
        best.policy.strip_suffix("+costs").and_then(|name| rows.iter().find(|row| row.policy == name));
    if let Some(untold) = untold.filter(|row| is_clearly_below(row, base)) {
        answer += &format!(
            " {}, which is not told what a call costs, comes to {}, {:.0} % less.",
            untold.policy,
            busiest(untold),
            less(untold)
        );
    }
    answer
}

fn busiest(row: &Row) -> String {
    format!("{:.2} x the mean load", row.max_over_mean.mean)
}

/// Whether the intervals do not even touch.
fn is_clearly_below(row: &Row, base: &Row) -> bool {
    let margin = row.max_over_mean.ci95.unwrap_or(0.0) + base.max_over_mean.ci95.unwrap_or(0.0);
    row.max_over_mean.mean + margin < base.max_over_mean.mean
}

const BASELINE: &str = "round_robin";

#[cfg(test)]
mod tests {
    use super::*;

    fn row(policy: &str, max_over_mean: &[f64]) -> Row {
        let estimate = || Estimate::new(max_over_mean.to_vec());
        Row {
            policy: policy.into(),
            max_over_mean: estimate(),
            cv: estimate(),
            busiest_p99: estimate(),
            totals: Totals { calls: 0, refused: 0, moved: 0 },
        }
    }

    #[test]
    fn the_answer_names_the_winner_only_where_there_is_one() {
        let check =
            |rows: &[Row], expected: &str| assert!(answer(rows).contains(expected), "{}", answer(rows));
        check(&[], "Nothing");
        check(&[row("random", &[2.0])], "With random the busiest bridge carries 2.00 x");
        check(&[row("call_load", &[1.2]), row("round_robin", &[1.6])], "25 % less for");
        check(
            &[row("call_load+costs", &[1.0]), row("call_load", &[1.2]), row("round_robin", &[1.6])],
            "38 % less for the same calls. call_load, which is not told what a call costs, comes to 1.20 x the mean \
             load, 25 % less.",
        );
        check(&[row("call_load", &[1.0, 1.4]), row("round_robin", &[1.2, 2.0])], "Nobody is clearly");
        check(&[row("round_robin", &[1.2, 1.2]), row("random", &[2.0, 2.0])], "Nobody is clearly");
    }
}
