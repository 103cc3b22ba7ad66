//! One simulation: a scenario's calls through one policy, event by event.
//!
//! A bridge answers after the scenario's lag. A call that it does not take goes on to the next bridge at
//! once, at most [`MAX_ATTEMPTS`] in all; one that is taken ends when its time is over, or when its bridge
//! dies. What happens at the same moment happens in this order: ends and begins of faults, bursts and ends
//! of calls, measurements, reports that arrive, new calls.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use callsteer::{Report, Time};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::chooser::Chooser;
use super::figures::Outcome;
use super::fleet::Fleet;
use super::slots::Slots;
use crate::draw::normal;
use crate::scenario::calls::{Call, Calls};
use crate::scenario::{Fault, FaultKind, Scenario};

/// Bridges that are tried for a call before its caller is refused.
pub const MAX_ATTEMPTS: u32 = 3;

/// The state of a simulation.
pub(super) struct Simulation<'a> {
    scenario: &'a Scenario,
    seed: u64,
    chooser: Box<dyn Chooser + 'a>,
    pub(super) fleet: Fleet,
    /// What drives the reports of each bridge.
    luck: Vec<ChaCha8Rng>,
    events: BinaryHeap<Reverse<(Time, Event)>>,
    /// Reports under way, and places for more.
    reports: Slots<(usize, Report)>,
    /// Calls that a bridge took.
    legs: Slots<Leg>,
    pub(super) outcome: Outcome,
}

/// What happens, in the order in which it does at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    FaultEnds(usize),
    FaultBegins(usize),
    /// Measuring begins.
    Start,
    /// How even the load is, is looked at.
    Look,
    /// The bridge of this call answers.
    Answer(usize),
    /// The cost of this call changes, or it ends.
    Change(usize),
    /// This bridge measures its load.
    Measure(usize),
    /// This report arrives.
    Arrive(usize),
}

/// A call, and where it is.
struct Leg {
    call: Call,
    bridge: usize,
    /// What it costs now.
    cost: u32,
    /// How many of its changes have been.
    changes: usize,
    /// Whether it was lost with its bridge.
    lost: bool,
}

impl<'a> Simulation<'a> {
    pub(super) fn new(scenario: &'a Scenario, chooser: Box<dyn Chooser + 'a>, seed: u64) -> Self {
        let luck = |bridge| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(REPORT_STREAMS + bridge as u64);
            rng
        };
        let mut simulation = Self {
            scenario,
            seed,
            chooser,
            fleet: Fleet::new(scenario),
            luck: (0..scenario.weights.len()).map(luck).collect(),
            events: BinaryHeap::new(),
            reports: Slots::default(),
            legs: Slots::default(),
            outcome: Outcome::default(),
        };
        simulation.begin();
        simulation
    }

    /// The fleet joins, but for bridges that come later, and everything that is planned is planned.
    fn begin(&mut self) {
        for (number, Fault { from, until, .. }) in self.scenario.faults.iter().enumerate() {
            self.plan(*until, Event::FaultEnds(number));
            if *from > Time::ZERO {
                self.plan(*from, Event::FaultBegins(number));
            } else {
                self.fault(number, true, Time::ZERO);
            }
        }
        self.plan(self.scenario.window.from, Event::Start);
        self.plan(self.scenario.window.from + LOOK, Event::Look);
        let interval = self.scenario.reports.interval;
        for bridge in 0..self.fleet.bridges.len() {
            if !self.joins_later(bridge) {
                self.chooser.join(bridge, Time::ZERO);
            }
            let own: f64 = self.luck[bridge].random();
            let phase = interval.mul_f64(if self.scenario.reports.aligned { 1.0 } else { own });
            if self.chooser.heeds_reports() {
                self.plan(Time::ZERO + phase, Event::Measure(bridge));
            }
        }
    }

    fn joins_later(&self, bridge: usize) -> bool {
        let absent = |fault: &Fault| fault.bridge == bridge && fault.kind == FaultKind::Absent;
        self.scenario.faults.iter().any(absent)
    }

    pub(super) fn run(&mut self) {
        for call in Calls::draw(self.scenario, self.seed) {
            self.happen(call.start);
            self.place(call);
        }
        self.happen(self.scenario.window.until);
        self.fleet.finish(self.scenario.window.until);
    }

    fn plan(&mut self, at: Time, event: Event) {
        if at <= self.scenario.window.until {
            self.events.push(Reverse((at, event)));
        }
    }

    /// Lets everything happen up to and including `until`.
    fn happen(&mut self, until: Time) {
        while let Some(Reverse((at, event))) = self.events.peek().copied().filter(|next| next.0.0 <= until) {
            self.events.pop();
            match event {
                Event::FaultBegins(fault) => self.fault(fault, true, at),
                Event::FaultEnds(fault) => self.fault(fault, false, at),
                Event::Start => self.fleet.forget(at),
                Event::Look => self.look(at),
                Event::Answer(slot) => self.answer(slot, at),
                Event::Change(slot) => self.change(slot, at),
                Event::Measure(bridge) => self.measure(bridge, at),
                Event::Arrive(slot) => {
                    let (bridge, report) = self.reports.take(slot);
                    self.chooser.report(bridge, report, at);
                }
            }
        }
    }

    fn fault(&mut self, number: usize, begins: bool, now: Time) {
        let Fault { bridge, kind, .. } = self.scenario.faults[number];
        if (kind, begins) == (FaultKind::Dead, true) {
            self.lose(bridge, now);
        }
        self.fleet.fault(bridge, kind, begins, now);
        match (kind, begins) {
            (FaultKind::Drained, true) => self.chooser.drain(bridge, now),
            (FaultKind::Drained | FaultKind::Absent, false) => self.chooser.join(bridge, now),
            _ => {}
        }
    }

    /// The calls of a bridge end before their time, which is known at once.
    fn lose(&mut self, bridge: usize, now: Time) {
        let counts = self.scenario.window.contains(now);
        for (slot, leg) in self.legs.iter_mut().filter(|(_, leg)| leg.bridge == bridge && !leg.lost) {
            leg.lost = true;
            self.fleet.end(bridge, leg.cost, leg.call.expected, now);
            self.chooser.end(slot, &leg.call, now);
            self.outcome.lost += u64::from(counts);
        }
    }

    fn look(&mut self, now: Time) {
        self.fleet.look();
        self.plan(now + LOOK, Event::Look);
    }

    fn answer(&mut self, slot: usize, now: Time) {
        let Some(leg) = self.legs.get_mut(slot).filter(|leg| !leg.lost) else { return };
        leg.cost = leg.call.cost;
        self.fleet.change(leg.bridge, 0, leg.cost, now);
        self.chooser.confirm(slot, &leg.call, now);
    }

    fn change(&mut self, slot: usize, now: Time) {
        let Some(leg) = self.legs.get_mut(slot) else { return };
        let due = leg.call.changes.get(leg.changes).filter(|change| change.0 == now);
        if let Some((_, cost)) = due.filter(|_| !leg.lost) {
            let before = std::mem::replace(&mut leg.cost, *cost);
            leg.changes += 1;
            self.fleet.change(leg.bridge, before, *cost, now);
            self.plan_change(slot);
            return;
        }
        let leg = self.legs.take(slot);
        if !leg.lost {
            self.fleet.end(leg.bridge, leg.cost, leg.call.expected, now);
            self.chooser.end(slot, &leg.call, now);
        }
    }

    /// The bridge measures its load; unless the report is lost, it arrives a little later. All is
    /// drawn whether it is needed or not, so that each report is as lucky under every policy.
    fn measure(&mut self, bridge: usize, now: Time) {
        let reports = self.scenario.reports;
        let luck = &mut self.luck[bridge];
        let (error, delay, lost): (f64, f64, f64) = (normal(luck), luck.random(), luck.random());
        let report = self.fleet.report(bridge, error * reports.noise, now);
        if let Some(report) = report.filter(|_| lost >= reports.lost) {
            let delay = reports.delay_min + (reports.delay_max - reports.delay_min).mul_f64(delay);
            if now + delay <= self.scenario.window.until {
                let slot = self.reports.add((bridge, report));
                self.plan(now + delay, Event::Arrive(slot));
            }
        }
        self.plan(now + reports.interval, Event::Measure(bridge));
    }

    fn place(&mut self, call: Call) {
        let now = call.start;
        let counts = self.scenario.window.contains(now);
        self.outcome.calls += u64::from(counts);
        let slot = self.legs.next();
        let mut choice = self.chooser.begin(slot, &call, &self.fleet.bridges, now);
        for attempt in 1.. {
            let Some(bridge) = choice else { break };
            if !self.refuses(bridge, &call) {
                let home = self.chooser.home(&call, now);
                self.outcome.remapped += u64::from(counts && home.is_some_and(|home| home != bridge));
                self.take(slot, call, bridge);
                return;
            }
            self.chooser.fail(slot, &call, now);
            self.outcome.failed_first += u64::from(counts && attempt == 1);
            if attempt == MAX_ATTEMPTS {
                break;
            }
            choice = self.chooser.next(slot, &call, &self.fleet.bridges, now);
        }
        self.outcome.refused += u64::from(counts);
        self.chooser.end(slot, &call, now);
    }

    fn take(&mut self, slot: usize, call: Call, bridge: usize) {
        let (start, answered) = (call.start, call.answered);
        self.fleet.begin(bridge, call.expected, start);
        self.legs.add(Leg { call, bridge, cost: 0, changes: 0, lost: false });
        if answered == start {
            self.answer(slot, start);
        } else {
            self.plan(answered, Event::Answer(slot));
        }
        self.plan_change(slot);
    }

    fn plan_change(&mut self, slot: usize) {
        if let Some(Leg { call, changes, .. }) = self.legs.get_mut(slot) {
            let at = call.changes.get(*changes).map_or(call.end, |change| change.0);
            self.plan(at, Event::Change(slot));
        }
    }

    /// Whether the bridge answers 503. The same call has the same luck there under every policy.
    fn refuses(&self, bridge: usize, call: &Call) -> bool {
        let share = self.fleet.bridges[bridge].fails;
        if share == 0.0 {
            return false;
        }
        let mut luck = ChaCha8Rng::seed_from_u64(call.luck.wrapping_add(bridge as u64));
        luck.random::<f64>() < share
    }
}

/// How often it is looked at how even the load is.
const LOOK: Duration = Duration::from_secs(1);
/// Streams of chance from here on are those of reports.
const REPORT_STREAMS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::super::bridge::Bridge;
    use super::super::{chooser, policy, simulate};
    use super::*;
    use crate::scenario::embedded;
    use crate::workload::Window;

    /// Ten minutes, of which five are measured.
    fn short(name: &str) -> Scenario {
        let window = Window { from: Time::from_secs(300), until: Time::from_secs(600) };
        Scenario { window, ..embedded::named(name).unwrap() }
    }

    /// What can go wrong all at once.
    fn troubled() -> Scenario {
        let fault = |bridge, from, kind| Fault {
            bridge,
            from: Time::from_secs(from),
            until: Time::from_secs(400),
            kind,
        };
        Scenario {
            faults: vec![
                fault(0, 0, FaultKind::Absent),
                fault(1, 300, FaultKind::Drained),
                fault(2, 300, FaultKind::Fails(0.5)),
                fault(3, 300, FaultKind::Fails(1.0)),
                fault(4, 300, FaultKind::Capacity(0.3)),
            ],
            ..short("dispatchers-4")
        }
    }

    #[test]
    fn calls_are_conserved_under_every_policy() {
        let scenario = troubled();
        let calls = Calls::draw(&scenario, 1);
        let left: Vec<_> = calls.filter(|call| call.end > scenario.window.until).collect();
        let loads: Vec<_> = policy::ALL
            .iter()
            .map(|policy| {
                let mut simulation = Simulation::new(&scenario, chooser(&scenario, policy, 1), 1);
                simulation.run();
                let bridges = &simulation.fleet.bridges;
                assert_eq!(
                    simulation.outcome.refused, 0,
                    "{}: three bridges are tried, two can fail",
                    policy.name
                );
                assert!(simulation.outcome.failed_first > 0 || policy.name == "oracle");
                assert_eq!(bridges.iter().map(|bridge| bridge.calls).sum::<u32>() as usize, left.len());
                let expected = left.iter().map(|call| u64::from(call.expected)).sum::<u64>();
                assert_eq!(
                    bridges.iter().map(|bridge| bridge.expected).sum::<u64>(),
                    expected,
                    "{}",
                    policy.name
                );
                bridges.iter().map(|bridge| bridge.load).sum::<u64>()
            })
            .collect();
        assert!(loads.iter().all(|load| *load == loads[0] && *load > 0), "{loads:?}");
    }

    #[test]
    fn a_simulation_is_repeated_exactly() {
        for scenario in [short("base16"), troubled()] {
            for policy in &policy::ALL {
                let run = |seed| simulate(&scenario, policy, seed);
                assert_eq!(run(7), run(7), "{}", policy.name);
            }
        }
    }

    #[test]
    fn whoever_heeds_no_reports_decides_the_same_with_them() {
        let scenario = troubled();
        for policy in &policy::ALL {
            let with_reports = || {
                let chooser =
                    Watched { chooser: chooser(&scenario, policy, 1), heeds_reports: true, weights: &[] };
                let mut simulation = Simulation::new(&scenario, Box::new(chooser), 1);
                simulation.run();
                simulation.fleet.figures(simulation.outcome)
            };
            assert_eq!(with_reports(), simulate(&scenario, policy, 1), "{}", policy.name);
        }
    }

    /// Another chooser, told of reports or not; with weights, asserts that `call_load` could have made
    /// the choice too.
    struct Watched<'a> {
        chooser: Box<dyn Chooser + 'a>,
        heeds_reports: bool,
        weights: &'a [u32],
    }

    impl Chooser for Watched<'_> {
        fn join(&mut self, bridge: usize, now: Time) {
            self.chooser.join(bridge, now);
        }
        fn drain(&mut self, bridge: usize, now: Time) {
            self.chooser.drain(bridge, now);
        }
        fn report(&mut self, bridge: usize, report: Report, now: Time) {
            self.chooser.report(bridge, report, now);
        }
        fn begin(&mut self, slot: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize> {
            let chosen = self.chooser.begin(slot, call, bridges, now)?;
            let key = |bridge: usize| f64::from(bridges[bridge].calls + 1) / f64::from(self.weights[bridge]);
            assert!((0..self.weights.len()).all(|bridge| key(chosen) <= key(bridge)), "{bridges:?}");
            Some(chosen)
        }
        fn fail(&mut self, slot: usize, call: &Call, now: Time) {
            self.chooser.fail(slot, call, now);
        }
        fn next(&mut self, slot: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize> {
            self.chooser.next(slot, call, bridges, now)
        }
        fn heeds_reports(&self) -> bool {
            self.heeds_reports
        }
        fn home(&mut self, call: &Call, now: Time) -> Option<usize> {
            self.chooser.home(call, now)
        }
        fn confirm(&mut self, slot: usize, call: &Call, now: Time) {
            self.chooser.confirm(slot, call, now);
        }
        fn end(&mut self, slot: usize, call: &Call, now: Time) {
            self.chooser.end(slot, call, now);
        }
    }

    #[test]
    fn without_reports_load_score_makes_only_choices_that_call_load_could_make() {
        for weights in [vec![1; 16], vec![1, 2, 4, 10, 8]] {
            let mut scenario = Scenario { weights, ..short("no-reports") };
            scenario.faults.truncate(scenario.weights.len());
            for name in ["call_load", "load_score"] {
                let chooser = chooser(&scenario, &policy::named(name).unwrap(), 1);
                let checked = Watched { chooser, heeds_reports: true, weights: &scenario.weights };
                Simulation::new(&scenario, Box::new(checked), 1).run();
            }
        }
    }
}
