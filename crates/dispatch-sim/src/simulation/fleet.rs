//! The bridges as they really are, and what their load was over time.

use callsteer::{Report, Time};

use super::bridge::Bridge;
use super::figures::{Evenness, Figures, Histogram, Outcome};
use crate::course::{Course, Recorder};
use crate::scenario::{FaultKind, Scenario, Watch};

/// All bridges of a scenario.
pub(super) struct Fleet {
    pub(super) bridges: Vec<Bridge>,
    /// Σ load and Σ capacity over all bridges, since then.
    load: u64,
    capacity: u64,
    since: Time,
    /// ∫ Σ capacity dt.
    room: u128,
    /// ∫ max(0, Σ load - Σ capacity) dt.
    excess: u128,
    histogram: Histogram,
    evenness: Evenness,
    watch: Option<Watch>,
    peak: f64,
    recorder: Option<Recorder>,
}

impl Fleet {
    /// Idle bridges at time 0.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let bridges: Vec<_> = scenario.capacities().into_iter().map(Bridge::new).collect();
        Self {
            load: 0,
            capacity: bridges.iter().map(|bridge| bridge.capacity).sum(),
            since: Time::ZERO,
            room: 0,
            excess: 0,
            histogram: Histogram::new(),
            evenness: Evenness::default(),
            watch: scenario.watch,
            peak: 0.0,
            recorder: None,
            bridges,
        }
    }

    /// From now on keeps the load of each bridge over time.
    pub(super) fn record(&mut self, scenario: &Scenario) {
        self.recorder = Some(Recorder::new(self.bridges.len(), scenario.window));
    }

    /// The load of each bridge over time and its spread over all bridges, as shares of capacity.
    pub(super) fn course(&self) -> Option<Course> {
        self.recorder.as_ref().map(|recorder| recorder.course(|share| self.histogram.quantile(share)))
    }

    /// A call joins a bridge; it costs nothing yet.
    pub(super) fn begin(&mut self, bridge: usize, expected: u32, now: Time) {
        self.advance(bridge, now);
        self.bridges[bridge].calls += 1;
        self.bridges[bridge].expected += u64::from(expected);
    }

    /// The cost of a call changes.
    pub(super) fn change(&mut self, bridge: usize, from: u32, to: u32, now: Time) {
        self.advance(bridge, now);
        self.advance_all(now);
        for load in [&mut self.bridges[bridge].load, &mut self.load] {
            *load = *load + u64::from(to) - u64::from(from);
        }
    }

    /// A call leaves a bridge.
    pub(super) fn end(&mut self, bridge: usize, cost: u32, expected: u32, now: Time) {
        self.change(bridge, cost, 0, now);
        self.bridges[bridge].calls -= 1;
        self.bridges[bridge].expected -= u64::from(expected);
    }

    /// Something goes wrong with a bridge, or is well again.
    pub(super) fn fault(&mut self, bridge: usize, kind: FaultKind, begins: bool, now: Time) {
        self.advance(bridge, now);
        self.advance_all(now);
        self.bridges[bridge].fault(kind, begins);
        let there = self.bridges.iter().filter(|bridge| !bridge.absent);
        self.capacity = there.map(|bridge| bridge.capacity).sum();
    }

    /// Looks at how even the load is.
    pub(super) fn look(&mut self) {
        let taking = self.bridges.iter().filter(|bridge| bridge.takes_calls());
        self.evenness.look(taking.map(|bridge| (bridge.load as f64, bridge.capacity as f64)));
    }

    /// What a bridge reports, where its measuring error is `error` (0.05: 5 % too much).
    pub(super) fn report(&mut self, bridge: usize, error: f64, now: Time) -> Option<Report> {
        self.advance(bridge, now);
        self.bridges[bridge].report(error, now)
    }

    /// What was until now does not count.
    pub(super) fn forget(&mut self, now: Time) {
        self.finish(now);
        self.bridges.iter_mut().for_each(Bridge::forget);
        (self.room, self.excess) = (0, 0);
        self.histogram = Histogram::new();
    }

    /// Accounts for the time up to `now`.
    pub(super) fn finish(&mut self, now: Time) {
        (0..self.bridges.len()).for_each(|bridge| self.advance(bridge, now));
        self.advance_all(now);
    }

    pub(super) fn figures(&self, outcome: Outcome) -> Figures {
        let sum = |of: fn(&Bridge) -> u128| self.bridges.iter().map(of).sum::<u128>() as f64;
        let work = sum(|bridge| bridge.work);
        let share = |excess: f64| if work > 0.0 { excess / work } else { 0.0 };
        let (max_over_mean, max_over_mean_p99, cv) = self.evenness.figures();
        Figures {
            excess: share(sum(|bridge| bridge.excess)),
            bound: share(self.excess as f64),
            load: work / self.room as f64,
            p99_load: self.histogram.quantile(0.99),
            overloaded: sum(|bridge| bridge.overloaded) / 1e6,
            max_over_mean,
            max_over_mean_p99,
            cv,
            peak: self.watch.map(|_| self.peak),
            outcome,
        }
    }

    /// Accounts for the time since the last change of this bridge.
    fn advance(&mut self, number: usize, now: Time) {
        let bridge = &mut self.bridges[number];
        let since = bridge.since;
        let micros = bridge.advance(now);
        if micros == 0 || bridge.absent {
            return;
        }
        self.histogram.add(bridge.load, bridge.capacity, micros);
        if let Some(recorder) = &mut self.recorder {
            recorder.hold(number, bridge.load as f64 / bridge.capacity.max(1) as f64, since, now);
        }
        let watched = self.watch.filter(|watch| watch.bridge == number);
        if watched.is_some_and(|watch| since < watch.until && now > watch.from) {
            self.peak = self.peak.max(bridge.load as f64 / bridge.capacity as f64);
        }
    }

    /// Accounts for the time since the last change of any bridge.
    fn advance_all(&mut self, now: Time) {
        let span = u128::from(now.as_micros() - self.since.as_micros());
        self.since = now;
        self.room += u128::from(self.capacity) * span;
        self.excess += u128::from(self.load.saturating_sub(self.capacity)) * span;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Class, embedded};

    const SECOND: fn(u64) -> Time = Time::from_secs;

    /// Idle bridges of capacity 2, which is 2000 thousandths.
    fn fleet(bridges: usize, watch: Option<Watch>) -> Fleet {
        let scenario = embedded::named("base16").unwrap();
        let plain = Class { cost: 1.0, extra: 0.0, ..scenario.classes[0].clone() };
        Fleet::new(&Scenario {
            weights: vec![1; bridges],
            classes: vec![plain],
            concurrent: 2.0 * bridges as f64,
            load: 1.0,
            watch,
            ..scenario
        })
    }

    fn begin(fleet: &mut Fleet, bridge: usize, cost: u32, now: Time) {
        fleet.begin(bridge, cost, now);
        fleet.change(bridge, 0, cost, now);
    }

    #[test]
    fn excess_is_the_work_above_capacity_computed_by_hand() {
        // Bridge 1: load 3 for 10 s. Bridge 2: load 1, and 5 from 2 s to 4 s. Capacity 2 each.
        let mut fleet = fleet(2, None);
        begin(&mut fleet, 0, 3_000, SECOND(0));
        begin(&mut fleet, 1, 1_000, SECOND(0));
        fleet.change(1, 1_000, 5_000, SECOND(2));
        fleet.change(1, 5_000, 1_000, SECOND(4));
        fleet.finish(SECOND(10));
        let figures = fleet.figures(Outcome::default());
        // Work 30 + 8 + 10 = 48; above capacity (3 - 2) 10 + (5 - 2) 2 = 16; together (8 - 4) 2 = 8.
        assert_eq!((figures.excess, figures.bound, figures.load), (16.0 / 48.0, 8.0 / 48.0, 48.0 / 40.0));
        // One call for 10 s and one for 2 s above capacity.
        assert_eq!(figures.overloaded, 12.0);
        // Bridge 2 has its 2.5 in 2 of 20 bridge-seconds.
        assert_eq!((figures.p99_load, figures.peak), (2.5, None));
    }

    #[test]
    fn warm_up_does_not_count_and_an_idle_fleet_has_no_excess() {
        let mut fleet = fleet(1, None);
        begin(&mut fleet, 0, 9_000, SECOND(0));
        fleet.end(0, 9_000, 9_000, SECOND(5));
        fleet.forget(SECOND(7));
        fleet.finish(SECOND(9));
        let figures = fleet.figures(Outcome::default());
        assert_eq!((figures.excess, figures.bound, figures.load, figures.p99_load), (0.0, 0.0, 0.0, 0.0));
    }

    #[test]
    fn a_peak_is_over_the_capacity_of_the_moment_and_only_while_watched() {
        let peak = |from, until| {
            let mut fleet = fleet(1, Some(Watch { bridge: 0, from: SECOND(from), until: SECOND(until) }));
            begin(&mut fleet, 0, 1_000, SECOND(0));
            fleet.fault(0, FaultKind::Capacity(0.25), true, SECOND(2));
            fleet.fault(0, FaultKind::Capacity(0.25), false, SECOND(4));
            fleet.finish(SECOND(10));
            fleet.figures(Outcome::default()).peak.unwrap()
        };
        assert_eq!([peak(0, 10), peak(0, 2), peak(3, 4), peak(5, 6)], [2.0, 0.5, 2.0, 0.5]);
    }

    #[test]
    fn a_report_is_the_mean_since_the_one_before_over_capacity() {
        let mut fleet = fleet(1, None);
        let score =
            |fleet: &mut Fleet, at| fleet.report(0, 0.0, SECOND(at)).map(|report| report.score.unwrap());
        begin(&mut fleet, 0, 1_000, SECOND(1));
        assert_eq!(score(&mut fleet, 5), Some(0.4), "1 of 2 in 4 of 5 s");
        fleet.forget(SECOND(6));
        fleet.change(0, 1_000, 4_000, SECOND(8));
        assert_eq!(score(&mut fleet, 10), Some(1.1), "warm-up or not: (3 x 1 + 2 x 4) / 5 s of 2");
        fleet.fault(0, FaultKind::Frozen(0.02), true, SECOND(11));
        begin(&mut fleet, 0, 1_000, SECOND(12));
        let frozen = fleet.report(0, 0.5, SECOND(15)).unwrap();
        assert_eq!((frozen.score, frozen.active_calls), (Some(0.02), Some(1)));
        fleet.fault(0, FaultKind::Silent, true, SECOND(16));
        assert_eq!(score(&mut fleet, 20), None);
    }
}
