//! `load_score`'s estimate of a bridge's load: live counts times learned costs, corrected by reports.
//!
//! A call count is exact and immediate, but blind to what a call does. A reported score sees all,
//! but late: used raw, everybody runs to whoever looked idle a moment ago. The estimate takes the
//! count for what changes from call to call, and the report for what the count gets wrong in the
//! long run. Loads are in units of `score * weight`: a bridge of weight w is full at load w.
//!
//! ```text
//! c̄    mean cost of a call: Σ load / Σ calls over reports, forgetting exp(-1 / 40 M) per report
//!      (M bridges); 1 before any report
//! ĉ_k  cost of a call of class k, by normalised least mean squares over reports:
//!      ĉ += μ x (y - x·ĉ) / (|x|² + 1), x the calls per class there, y = score * weight
//! P    = Σ ĉ_k n_k + c̄ F            n_k own calls per class, F calls of other dispatchers
//! R    residual: (y - P) / (P + c̄) at measuring time, smoothed over τg, forgotten over τd
//! L    = P + R (P + c̄) exp(-age / τd) + (κ - 1) (P - P at measuring time), within [P / 2, 4 P + c̄ / 2]
//! ```
//!
//! R is a share: a bridge that is cold or throttled is wrong by a factor, and its calls change while
//! reports are on their way.
//!
//! Without reports R is 0, c̄ is 1 and L is the number of calls: `call_load`. With stale reports R
//! decays and L goes back to P.

mod others;
mod sag;
#[cfg(feature = "serde")]
pub(crate) mod saved;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::costs::{Costs, decay};
use crate::time::Time;
pub(crate) use sag::Moment;

/// What is known of the load of one bridge. Starts on a line of the cache, as calls touch all of it.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub(crate) struct Estimate {
    /// Σ cost of own calls per class from 1 on; the others are of class 0.
    classed: Vec<u64>,
    /// F: calls of other dispatchers, at the last report that counted calls.
    foreign: f64,
    /// R, a share, as of `measured`.
    residual: f64,
    /// When the last report was measured, and P then.
    measured: Option<(Time, f64)>,
    /// How often the score contradicted the count, up and down.
    doubt: u8,
    /// What own calls were a short while ago, oldest first; kept from the first report on.
    history: VecDeque<Past>,
}

/// Own calls: how many, and Σ cost. The member counts them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Own {
    pub(crate) calls: u32,
    pub(crate) load: u64,
}

/// Own calls from a point in time on.
#[derive(Clone, Copy, Debug)]
struct Past {
    at: Time,
    own: Own,
}

/// A report, in the units of the estimate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measurement {
    pub(crate) at: Time,
    /// Score * weight, if it reports one.
    pub(crate) load: Option<f64>,
    /// Calls in progress there, of all dispatchers.
    pub(crate) active: Option<u32>,
}

impl Estimate {
    /// A call began, which makes `own` of them. It need not be told of class 0 before a report.
    pub(crate) fn begin(&mut self, class: u16, cost: u32, own: Own, now: Time) {
        if let Some(place) = usize::from(class).checked_sub(1) {
            if self.classed.len() <= place {
                self.classed.resize(place + 1, 0);
            }
            if let Some(load) = self.classed.get_mut(place) {
                *load += u64::from(cost);
            }
        }
        self.remember(own, now);
    }

    /// A call ended, which leaves `own` of them. It need not be told of class 0 before a report.
    pub(crate) fn end(&mut self, class: u16, cost: u32, own: Own, now: Time) {
        let place = usize::from(class).checked_sub(1);
        if let Some(load) = place.and_then(|place| self.classed.get_mut(place)) {
            *load -= u64::from(cost);
        }
        self.remember(own, now);
    }

    /// Takes a report; whether it is trusted, where that changed.
    pub(crate) fn report(
        &mut self,
        report: Measurement,
        own: Own,
        costs: &mut Costs,
        members: u32,
    ) -> Option<bool> {
        let Measurement { at, load, active } = report;
        let interval = self.measured.map_or(FIRST_INTERVAL, |(last, _)| at.since(last));
        let past = self.past(own, at);
        if let Some(active) = active {
            self.foreign = f64::from(active.saturating_sub(past.own.calls));
        }
        let load = load?;
        if self.history.is_empty() {
            // The next change may be younger than the next report.
            self.history.push_back(past);
        }
        let others = self.foreign + past.own.load as f64 - own.load as f64;
        let expected = |this: &Self, costs: &Costs| this.own_load(own, costs) + costs.mean() * others;
        let trusted = self.is_trusted();
        self.judge(load, expected(self, costs), costs);
        self.residual *= decay(interval, FORGET);
        if self.is_trusted() {
            costs.learn(load, self.per_class(own), others, interval, members);
            let base = expected(self, costs);
            let error = (load - base) / (base + costs.mean());
            self.residual += (1.0 - decay(interval, SMOOTH)) * (error - self.residual);
        }
        self.measured = Some((at, expected(self, costs)));
        (self.is_trusted() != trusted).then_some(self.is_trusted())
    }

    /// P: what the calls there should cost.
    pub(crate) fn predicted(&self, own: Own, costs: &Costs) -> f64 {
        self.own_load(own, costs) + costs.mean() * self.foreign
    }

    /// R now: by what share of P + c̄ its reports differ from P.
    pub(crate) fn residual(&self, now: Time) -> f64 {
        self.measured.map_or(0.0, |(at, _)| self.residual * decay(now.since(at), FORGET))
    }

    /// L: the estimate, with `dispatchers` over the fleet.
    pub(crate) fn load(&self, own: Own, costs: &Costs, dispatchers: u32, now: Time) -> f64 {
        let predicted = self.predicted(own, costs);
        let Some((_, base)) = self.measured.filter(|_| self.is_trusted()) else { return predicted };
        // The others have begun about as many calls since as we have: κ = (1 + D) / 2.
        let unseen = (f64::from(dispatchers) - 1.0) / 2.0 * (predicted - base);
        let load = predicted + self.residual(now) * (predicted + costs.mean()) + unseen;
        load.clamp(LEAST_LOAD * predicted, MOST_LOAD * predicted + SLACK * costs.mean())
    }

    /// F: calls of other dispatchers, as far as reports count them.
    pub(crate) const fn foreign(&self) -> f64 {
        self.foreign
    }

    /// How old the last report is.
    pub(crate) fn age(&self, now: Time) -> Option<Duration> {
        self.measured.map(|(at, _)| now.since(at))
    }

    /// Whether a score was reported.
    pub(crate) const fn is_measured(&self) -> bool {
        self.measured.is_some()
    }

    /// Whether its score is believed.
    pub(crate) const fn is_trusted(&self) -> bool {
        self.doubt < DOUBTFUL
    }

    fn own_load(&self, own: Own, costs: &Costs) -> f64 {
        let classes = (0u16..).zip(self.per_class(own)).filter(|(_, load)| *load > 0);
        classes.map(|(class, load)| costs.of(class) * load as f64).sum()
    }

    /// Σ cost of own calls per class.
    fn per_class(&self, own: Own) -> impl Iterator<Item = u64> + Clone {
        let plain = own.load - self.classed.iter().sum::<u64>();
        core::iter::once(plain).chain(self.classed.iter().copied())
    }

    /// Counts a score that contradicts many calls, as a frozen or cold one does.
    fn judge(&mut self, load: f64, expected: f64, costs: &Costs) {
        if costs.is_learned() && expected > MANY_CALLS * costs.mean() {
            let contradicts = load < FAR_BELOW * expected;
            self.doubt =
                if contradicts { (self.doubt + 1).min(MOST_DOUBT) } else { self.doubt.saturating_sub(1) };
        }
    }

    /// Notes own calls as they are from now on, at most one note per [`GRAIN`].
    fn remember(&mut self, own: Own, now: Time) {
        if self.measured.is_none() {
            return;
        }
        if let Some(last) = self.history.back_mut().filter(|last| now.since(last.at) < GRAIN) {
            last.own = own;
            return;
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Past { at: now, own });
    }

    /// Own calls at a point in time, as far as they are remembered.
    fn past(&self, own: Own, at: Time) -> Past {
        let now = Past { at, own };
        let before = self.history.iter().rev().find(|past| past.at <= at);
        before.or(self.history.front()).copied().unwrap_or(now)
    }
}

/// τg, s: how fast residuals follow reports. Shorter follows bursts that are over, longer is late.
const SMOOTH: f64 = 30.0;
/// τd, s: how long a residual is believed without news. Longer trusts a silent bridge's past.
const FORGET: f64 = 180.0;
/// Reports pull the estimate no further from the count than this. Wider believes bad reports,
/// narrower sees less of what calls really do.
const LEAST_LOAD: f64 = 0.5;
const MOST_LOAD: f64 = 4.0;
const SLACK: f64 = 0.5;
/// The trust guard: above this many mean calls, a score below this share of what they should cost
/// is a contradiction; at this many more contradictions than agreements the score is ignored.
const MANY_CALLS: f64 = 4.0;
const FAR_BELOW: f64 = 0.4;
const DOUBTFUL: u8 = 2;
/// Contradictions count up to here: seven agreements in a row restore trust at the latest.
const MOST_DOUBT: u8 = 8;
/// The interval that a bridge's first report stands for.
const FIRST_INTERVAL: Duration = Duration::from_secs(5);
/// Notes of own calls: 2 s back in steps of 1/16 s.
const HISTORY: usize = 32;
const GRAIN: Duration = Duration::from_micros(62_500);

#[cfg(test)]
mod tests {
    use super::*;

    /// An estimate with the calls that it is of.
    #[derive(Default)]
    struct Bridge {
        own: Own,
        estimate: Estimate,
    }

    impl Bridge {
        fn begin(&mut self, class: u16, cost: u32, now: Time) {
            self.own.calls += 1;
            self.own.load += u64::from(cost);
            self.estimate.begin(class, cost, self.own, now);
        }

        fn report(&mut self, report: Measurement, costs: &mut Costs, members: u32) -> Option<bool> {
            self.estimate.report(report, self.own, costs, members)
        }

        fn predicted(&self, costs: &Costs) -> f64 {
            self.estimate.predicted(self.own, costs)
        }

        fn load(&self, costs: &Costs, dispatchers: u32, now: Time) -> f64 {
            self.estimate.load(self.own, costs, dispatchers, now)
        }
    }

    fn bridge(calls: u32) -> Bridge {
        let mut bridge = Bridge::default();
        for _ in 0..calls {
            bridge.begin(0, 1, Time::ZERO);
        }
        bridge
    }

    fn report(bridge: &mut Bridge, costs: &mut Costs, seconds: u64, load: f64) -> Option<bool> {
        bridge.report(Measurement { at: Time::from_secs(seconds), load: Some(load), active: None }, costs, 1)
    }

    #[test]
    fn without_reports_the_estimate_is_the_number_of_calls() {
        let costs = Costs::default();
        for calls in [0, 1, 7] {
            assert_eq!(bridge(calls).load(&costs, 1, Time::from_secs(99)), f64::from(calls));
        }
    }

    /// One call per second: how many there were at a time is how late it was.
    #[test]
    fn the_past_is_remembered_as_long_as_reports_are_late_and_no_longer() {
        let (mut bridge, mut costs) = (bridge(1), Costs::default());
        report(&mut bridge, &mut costs, 1, 1.0);
        for second in 2..=200 {
            bridge.begin(0, 1, Time::from_secs(second));
        }
        assert_eq!(bridge.estimate.history.len(), HISTORY);
        for (second, calls) in [(200, 200), (199, 199), (169, 169), (168, 169), (0, 169)] {
            let past = bridge.estimate.past(bridge.own, Time::from_secs(second));
            assert_eq!(past.own.calls, calls, "at {second} s");
        }
    }

    #[test]
    fn class_costs_are_learned_from_reports_of_mixed_bridges() {
        let mut costs = Costs::default();
        let mut bridges = [Bridge::default(), Bridge::default()];
        for (bridge, (light, heavy)) in bridges.iter_mut().zip([(8, 2), (3, 7)]) {
            (0..light).for_each(|_| bridge.begin(0, 1, Time::ZERO));
            (0..heavy).for_each(|_| bridge.begin(1, 1, Time::ZERO));
        }
        for seconds in (5..6_000).step_by(5) {
            for (bridge, load) in bridges.iter_mut().zip([8.0 * 0.05 + 2.0 * 0.15, 3.0 * 0.05 + 7.0 * 0.15]) {
                let at = Time::from_secs(seconds);
                bridge.report(Measurement { at, load: Some(load), active: None }, &mut costs, 2);
            }
        }
        assert!((costs.of(0) - 0.05).abs() < 0.001, "{costs:?}");
        assert!((costs.of(1) - 0.15).abs() < 0.001, "{costs:?}");
        assert!((costs.mean() - 0.095).abs() < 0.001, "{costs:?}");
        assert_eq!(costs.of(9), costs.mean(), "a class never seen costs the mean");
    }

    #[test]
    fn a_residual_is_smoothed_in_and_forgotten_when_reports_stop() {
        let mut costs = Costs::default();
        let (mut plain, mut loaded) = (bridge(10), bridge(10));
        for seconds in (5..=600).step_by(5) {
            report(&mut plain, &mut costs, seconds, 0.5);
            report(&mut loaded, &mut costs, seconds, 0.9);
        }
        let load = |bridge: &Bridge, seconds| bridge.load(&costs, 1, Time::from_secs(seconds));
        assert!(load(&plain, 600) < 0.6 && load(&loaded, 600) > 0.8);
        let predicted = loaded.predicted(&costs);
        let left = (load(&loaded, 600 + 180) - predicted) / (load(&loaded, 600) - predicted);
        assert!((left - libm::exp(-1.0)).abs() < 1e-9, "{left}");
        assert!((load(&loaded, 6_000) - predicted).abs() < 1e-9, "stale reports: back to the count");
    }

    #[test]
    fn a_score_frozen_near_zero_is_ignored_and_trusted_again_when_it_makes_sense() {
        let mut costs = Costs::default();
        let (mut good, mut frozen) = (bridge(10), bridge(10));
        let mut turns = Vec::new();
        for round in 1..=40u64 {
            report(&mut good, &mut costs, 5 * round, 0.8);
            let load = if round <= 20 { 0.02 } else { 0.8 };
            turns.extend(report(&mut frozen, &mut costs, 5 * round, load).map(|trusted| (round, trusted)));
            if !frozen.estimate.is_trusted() {
                assert_eq!(frozen.load(&costs, 1, Time::from_secs(5 * round)), frozen.predicted(&costs));
            }
        }
        assert_eq!(turns, [(2, false), (27, true)]);
    }

    #[test]
    fn a_fleet_that_reports_nothing_but_zero_is_balanced_by_calls() {
        let mut costs = Costs::default();
        let (mut few, mut many) = (bridge(2), bridge(9));
        for seconds in (5..600).step_by(5) {
            report(&mut few, &mut costs, seconds, 0.0);
            report(&mut many, &mut costs, seconds, 0.0);
        }
        let load = |bridge: &Bridge| bridge.load(&costs, 1, Time::from_secs(600));
        assert!(load(&few) < load(&many) && load(&few) > 0.0);
    }

    #[test]
    fn calls_of_other_dispatchers_count_as_mean_ones() {
        let mut costs = Costs::default();
        let mut bridge = bridge(4);
        let at = Time::from_secs(5);
        bridge.report(Measurement { at, load: Some(1.0), active: Some(10) }, &mut costs, 1);
        assert!((costs.mean() - 0.1).abs() < 1e-12);
        assert!((bridge.predicted(&costs) - 1.0).abs() < 1e-9);
        bridge.begin(0, 1, at);
        let one = bridge.load(&costs, 1, at) - 1.0;
        let four = bridge.load(&costs, 4, at) - 1.0;
        assert!((four / one - 2.5).abs() < 1e-9, "four dispatchers: two and a half calls for one of ours");
    }

    #[test]
    fn a_late_report_is_compared_with_the_calls_at_its_time() {
        let mut costs = Costs::default();
        let mut bridge = bridge(10);
        for seconds in (5..=100).step_by(5) {
            report(&mut bridge, &mut costs, seconds, 1.0);
        }
        for _ in 0..10 {
            bridge.begin(0, 1, Time::from_secs(105));
        }
        let late = Measurement { at: Time::from_millis(104_500), load: Some(1.0), active: None };
        bridge.report(late, &mut costs, 1);
        assert!(
            bridge.estimate.residual(Time::from_secs(105)).abs() < 0.02,
            "ten new calls are not its error"
        );
    }
}
