//! What is measured in a replay: how even the load is over time, and what became of the calls.
//!
//! The load ℓ of a bridge is Σ cost of its calls in progress · w̄ / w, where w is its weight and w̄
//! the mean weight; unit: average calls. At each moment, over the bridges that take calls:
//!
//! ```text
//! m = Σ w·ℓ / Σ w             the mean, which every bridge would carry if the load were even
//! M = max ℓ                   the busiest bridge
//! s = √(Σ w·(ℓ-m)² / Σ w)     the deviation
//! ```
//!
//! `max_over_mean` = ∫M dt / ∫m dt, `cv` = ∫s dt / ∫m dt, and `busiest_p99` is the load that M does
//! not pass in 99 % of the time. A bridge in an outage is left out, as nobody can balance it.

use std::collections::BTreeMap;
use std::time::Duration;

use callsteer::Time;

use crate::course::{Course, Recorder};
use crate::workload::{Bridge, COST_UNIT, Window};

/// What one replay showed, within its window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// How even the load was.
    pub balance: Balance,
    /// What became of the calls that came.
    pub outcome: Outcome,
}

/// How even the load was over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// Load of the busiest bridge over the mean load, >= 1; 1 is even.
    pub max_over_mean: f64,
    /// Coefficient of variation of the load over the bridges; 0 is even.
    pub cv: f64,
    /// The load that the busiest bridge does not pass in 99 % of the time, in average calls.
    pub busiest_p99: f64,
}

/// What became of the calls that came: `calls` = placed at once + `moved` + `refused`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Calls that came.
    pub calls: u64,
    /// Calls that no bridge took.
    pub refused: u64,
    /// Calls that a bridge took after another one had not.
    pub moved: u64,
}

/// The loads of a fleet, and what they were over time.
#[derive(Clone, Debug)]
pub struct LoadMeter {
    window: Window,
    /// w / w̄ of each bridge.
    weights: Vec<f64>,
    loads: Vec<u64>,
    takes_calls: Vec<bool>,
    now: Time,
    mean: f64,
    max: f64,
    deviation: f64,
    /// Microseconds for which the busiest bridge had this load, in hundredths of an average call.
    busiest: BTreeMap<u64, u64>,
    recorder: Option<Recorder>,
}

impl LoadMeter {
    /// Idle bridges that all take calls, at time 0.
    #[must_use]
    pub fn new(bridges: &[Bridge], window: Window) -> Self {
        let total: f64 = bridges.iter().map(|bridge| f64::from(bridge.weight)).sum();
        let mean_weight = total / bridges.len() as f64;
        Self {
            window,
            weights: bridges.iter().map(|bridge| f64::from(bridge.weight) / mean_weight).collect(),
            loads: vec![0; bridges.len()],
            takes_calls: vec![true; bridges.len()],
            now: Time::ZERO,
            mean: 0.0,
            max: 0.0,
            deviation: 0.0,
            busiest: BTreeMap::new(),
            recorder: None,
        }
    }

    /// From now on keeps the load of each bridge over time, for [`course`](Self::course).
    pub fn record(&mut self) {
        self.recorder = Some(Recorder::new(self.loads.len(), self.window));
    }

    /// The load of each bridge over time, up to the last change, and the spread of the busiest one's, in
    /// average calls; `None` unless it was recorded.
    #[must_use]
    pub fn course(&self) -> Option<Course> {
        let busiest = |share| quantile(&self.busiest, share) as f64 / 100.0;
        self.recorder.as_ref().map(|recorder| recorder.course(busiest))
    }

    /// A call of this cost begins.
    pub fn begin(&mut self, bridge: usize, cost: u32, now: Time) {
        self.advance(now);
        self.loads[bridge] += u64::from(cost);
    }

    /// A call of this cost ends.
    pub fn end(&mut self, bridge: usize, cost: u32, now: Time) {
        self.advance(now);
        self.loads[bridge] -= u64::from(cost);
    }

    /// From now on the bridge takes calls, or does not.
    pub fn switch(&mut self, bridge: usize, takes_calls: bool, now: Time) {
        self.advance(now);
        self.takes_calls[bridge] = takes_calls;
    }

    /// The load of a bridge, in [`COST_UNIT`]s.
    #[must_use]
    pub fn load(&self, bridge: usize) -> u64 {
        self.loads[bridge]
    }

    /// Whether a bridge takes calls.
    #[must_use]
    pub fn takes_calls(&self, bridge: usize) -> bool {
        self.takes_calls[bridge]
    }

    /// How even the load was, up to the last change. A fleet that was idle all the time was even.
    #[must_use]
    pub fn balance(&self) -> Balance {
        if self.mean == 0.0 {
            return Balance::default();
        }
        Balance {
            max_over_mean: self.max / self.mean,
            cv: self.deviation / self.mean,
            busiest_p99: quantile(&self.busiest, 0.99) as f64 / 100.0,
        }
    }

    /// Accounts for the time since the last change, in which the loads were what they are.
    fn advance(&mut self, now: Time) {
        let span = self.window.overlap(self.now, now);
        if let Some(recorder) = &mut self.recorder {
            for (bridge, (load, weight)) in self.loads.iter().zip(&self.weights).enumerate() {
                recorder.hold(bridge, *load as f64 / weight / f64::from(COST_UNIT), self.now, now);
            }
        }
        self.now = self.now.max(now);
        if span > Duration::ZERO {
            self.account(span);
        }
    }

    fn account(&mut self, span: Duration) {
        let bridges = || {
            let taking = self.takes_calls.iter().zip(&self.weights).zip(&self.loads);
            taking.filter(|((takes, _), _)| **takes).map(|((_, weight), load)| (*weight, *load as f64))
        };
        let (weight, load) = bridges().fold((0.0, 0.0), |sum, (w, load)| (sum.0 + w, sum.1 + load));
        if weight == 0.0 {
            return;
        }
        let mean = load / weight;
        let (max, squares) = bridges().fold((0.0, 0.0), |(max, squares), (weight, load)| {
            let level = load / weight;
            (level.max(max), squares + weight * (level - mean) * (level - mean))
        });
        let seconds = span.as_secs_f64();
        self.mean += seconds * mean;
        self.max += seconds * max;
        self.deviation += seconds * (squares / weight).sqrt();
        let hundredths = (max * 100.0 / f64::from(COST_UNIT)).round() as u64;
        *self.busiest.entry(hundredths).or_default() += span.as_micros() as u64;
    }
}

impl Default for Balance {
    fn default() -> Self {
        Self { max_over_mean: 1.0, cv: 0.0, busiest_p99: 0.0 }
    }
}

/// The smallest value that is not passed in a share `p` of the time.
fn quantile(times: &BTreeMap<u64, u64>, p: f64) -> u64 {
    let total: u64 = times.values().sum();
    let wanted = (total as f64 * p).ceil() as u64;
    let mut seen = 0;
    let reached = times.iter().find(|(_, time)| {
        seen += **time;
        seen >= wanted
    });
    reached.map_or(0, |(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: fn(u64) -> Time = Time::from_secs;

    fn meter(weights: &[u32], from: u64, until: u64) -> LoadMeter {
        let bridges: Vec<_> = weights.iter().map(|weight| Bridge::new(*weight)).collect();
        LoadMeter::new(&bridges, Window { from: SECOND(from), until: SECOND(until) })
    }

    fn check(meter: &LoadMeter, max_over_mean: f64, cv: f64, busiest_p99: f64) {
        let expected = Balance { max_over_mean, cv, busiest_p99 };
        let balance = meter.balance();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(
            close(balance.max_over_mean, max_over_mean)
                && close(balance.cv, cv)
                && close(balance.busiest_p99, busiest_p99),
            "{balance:?}, not {expected:?}"
        );
    }

    #[test]
    fn one_call_on_two_bridges_is_as_uneven_as_it_can_be() {
        let mut meter = meter(&[1, 1], 0, 10);
        meter.begin(0, 1_000, SECOND(0));
        meter.end(0, 1_000, SECOND(10));
        check(&meter, 2.0, 1.0, 1.0);
    }

    #[test]
    fn moments_count_by_their_length_and_their_load() {
        // 0..4 s: loads 3 and 1 (M 3, m 2, s 1). 4..10 s: loads 1 and 1. Integrals: M 18, m 14, s 4.
        let mut meter = meter(&[1, 1], 0, 10);
        meter.begin(0, 3_000, SECOND(0));
        meter.begin(1, 1_000, SECOND(0));
        meter.end(0, 2_000, SECOND(4));
        meter.end(0, 1_000, SECOND(10));
        check(&meter, 18.0 / 14.0, 4.0 / 14.0, 3.0);
    }

    #[test]
    fn a_load_that_is_there_for_one_percent_of_the_time_does_not_move_the_p99() {
        let mut meter = meter(&[1], 0, 100);
        meter.begin(0, 1_000, SECOND(0));
        meter.begin(0, 4_000, SECOND(50));
        meter.end(0, 4_000, SECOND(51));
        meter.end(0, 1_000, SECOND(100));
        check(&meter, 1.0, 0.0, 1.0);
    }

    #[test]
    fn a_bridge_of_twice_the_weight_is_even_with_twice_the_load() {
        let mut meter = meter(&[2, 1], 0, 10);
        meter.begin(0, 4_000, SECOND(0));
        meter.begin(1, 2_000, SECOND(0));
        meter.end(1, 2_000, SECOND(10));
        check(&meter, 1.0, 0.0, 3.0);
    }

    #[test]
    fn a_bridge_in_an_outage_is_left_out_and_so_is_the_warm_up() {
        let mut meter = meter(&[1, 1, 1], 10, 20);
        meter.begin(0, 9_000, SECOND(0));
        meter.begin(1, 1_000, SECOND(0));
        meter.begin(2, 1_000, SECOND(0));
        meter.switch(0, false, SECOND(10));
        meter.switch(0, true, SECOND(20));
        meter.end(0, 9_000, SECOND(30));
        check(&meter, 1.0, 0.0, 1.0);
    }

    #[test]
    fn an_idle_fleet_is_even() {
        check(&meter(&[1, 1], 0, 10), 1.0, 0.0, 0.0);
    }
}
