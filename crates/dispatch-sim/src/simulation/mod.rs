//! One simulation: a scenario's calls through one policy, event by event.
//!
//! A bridge answers at once. A call that it does not take goes on to the next bridge, at most
//! [`MAX_ATTEMPTS`] in all; one that is taken is confirmed at once and ends when its time is over.
//! What happens at the same moment happens in this order: ends and begins of faults, bursts and ends of calls,
//! measurements, reports that arrive, new calls.

mod bridge;
mod chooser;
pub mod compare;
mod dispatchers;
pub mod figures;
mod fleet;
pub mod needed;
pub mod plan;
pub mod policy;
mod references;
#[cfg(feature = "cli")]
pub mod table;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use callsteer::{Report, Time};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::course::Course;
use crate::scenario::calls::{Call, Calls};
use crate::scenario::{Fault, FaultKind, Scenario};
use chooser::Chooser;
use dispatchers::Dispatchers;
use figures::{Figures, Outcome};
use fleet::Fleet;
use policy::{Kind, Policy};
use references::References;

/// Bridges that are tried for a call before its caller is refused.
pub const MAX_ATTEMPTS: u32 = 3;

/// Leads the calls, which are those of `scenario` and `seed`, through the policy.
///
/// # Panics
/// Where the scenario has a weight outside 1..=65,535 or a fault of a bridge that there is not.
#[must_use]
pub fn simulate(scenario: &Scenario, calls: &Calls, policy: &Policy, seed: u64) -> Figures {
    let mut simulation = Simulation::new(scenario, calls, chooser(scenario, calls, policy, seed), seed);
    simulation.run();
    simulation.fleet.figures(simulation.outcome)
}

/// As [`simulate`], for the load of each bridge over time, as a share of its capacity of the moment.
///
/// # Panics
/// As [`simulate`].
#[must_use]
pub fn record(scenario: &Scenario, calls: &Calls, policy: &Policy, seed: u64) -> Course {
    let mut simulation = Simulation::new(scenario, calls, chooser(scenario, calls, policy, seed), seed);
    simulation.fleet.record(scenario);
    simulation.run();
    simulation.fleet.course().expect("it was recorded")
}

fn chooser<'a>(scenario: &'a Scenario, calls: &Calls, policy: &Policy, seed: u64) -> Box<dyn Chooser + 'a> {
    match policy.kind {
        Kind::Reference(rule) => Box::new(References::new(scenario, rule, seed)),
        Kind::Dispatcher { algorithm, ejection, slow_start } => {
            Box::new(Dispatchers::new(scenario, calls.all().len(), algorithm, ejection, slow_start, seed))
        }
    }
}

/// The state of a simulation.
struct Simulation<'a> {
    scenario: &'a Scenario,
    calls: &'a Calls,
    chooser: Box<dyn Chooser + 'a>,
    fleet: Fleet,
    /// What drives the reports of each bridge.
    luck: Vec<ChaCha8Rng>,
    events: BinaryHeap<Reverse<(Time, Event)>>,
    /// Reports under way.
    reports: Vec<(usize, Report)>,
    /// Of each call, by its number.
    legs: Vec<Leg>,
    outcome: Outcome,
}

/// What happens, in the order in which it does at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    FaultEnds(usize),
    FaultBegins(usize),
    /// Measuring begins.
    Start,
    /// A burst of the call with this number begins or ends, or the call ends.
    Switch(usize),
    /// This bridge measures its load.
    Measure(usize),
    /// This report arrives.
    Arrive(usize),
}

/// Where a call is.
#[derive(Clone, Copy)]
struct Leg {
    bridge: usize,
    /// How many of its bursts have begun or ended.
    switches: usize,
}

impl<'a> Simulation<'a> {
    fn new(scenario: &'a Scenario, calls: &'a Calls, chooser: Box<dyn Chooser + 'a>, seed: u64) -> Self {
        let luck = |bridge| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(REPORT_STREAMS + bridge as u64);
            rng
        };
        let mut simulation = Self {
            scenario,
            calls,
            chooser,
            fleet: Fleet::new(scenario),
            luck: (0..scenario.weights.len()).map(luck).collect(),
            events: BinaryHeap::new(),
            reports: Vec::new(),
            legs: vec![Leg { bridge: usize::MAX, switches: 0 }; calls.all().len()],
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
        for bridge in 0..self.fleet.bridges.len() {
            if !self.fleet.bridges[bridge].absent {
                self.chooser.join(bridge, Time::ZERO);
            }
            let phase = self.scenario.reports.interval.mul_f64(self.luck[bridge].random());
            self.plan(Time::ZERO + phase, Event::Measure(bridge));
        }
    }

    fn run(&mut self) {
        for (number, call) in self.calls.all().iter().enumerate() {
            self.happen(call.start);
            self.place(number, call);
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
                Event::Switch(number) => self.switch(number, at),
                Event::Measure(bridge) => self.measure(bridge, at),
                Event::Arrive(number) => {
                    let (bridge, report) = self.reports[number];
                    self.chooser.report(bridge, report, at);
                }
            }
        }
    }

    fn fault(&mut self, number: usize, begins: bool, now: Time) {
        let Fault { bridge, kind, .. } = self.scenario.faults[number];
        self.fleet.fault(bridge, kind, begins, now);
        match (kind, begins) {
            (FaultKind::Drained, true) => self.chooser.drain(bridge, now),
            (FaultKind::Drained | FaultKind::Absent, false) => self.chooser.join(bridge, now),
            _ => {}
        }
    }

    fn switch(&mut self, number: usize, now: Time) {
        let call = &self.calls.all()[number];
        let Leg { bridge, switches } = self.legs[number];
        let before = call.cost(switches);
        if now < call.end && switches < self.calls.switches(call).len() {
            self.legs[number].switches += 1;
            self.fleet.change(bridge, before, call.cost(switches + 1), now);
            self.plan_switch(number, call);
            return;
        }
        self.fleet.end(bridge, before, call.expected, now);
        self.chooser.end(number, call, now);
    }

    /// The bridge measures its load; unless the report is lost, it arrives a little later. All is
    /// drawn whether it is needed or not, so that each report is as lucky under every policy.
    fn measure(&mut self, bridge: usize, now: Time) {
        let reports = self.scenario.reports;
        let luck = &mut self.luck[bridge];
        let (error, delay, lost): (f64, f64, f64) =
            (StandardNormal.sample(luck), luck.random(), luck.random());
        let report = self.fleet.report(bridge, error * reports.noise, now);
        if let Some(report) = report.filter(|_| lost >= reports.lost) {
            let delay = reports.delay_min + (reports.delay_max - reports.delay_min).mul_f64(delay);
            self.plan(now + delay, Event::Arrive(self.reports.len()));
            self.reports.push((bridge, report));
        }
        self.plan(now + reports.interval, Event::Measure(bridge));
    }

    fn place(&mut self, number: usize, call: &Call) {
        let now = call.start;
        let counts = self.scenario.window.contains(now);
        self.outcome.calls += u64::from(counts);
        let mut choice = self.chooser.begin(number, call, &self.fleet.bridges, now);
        for attempt in 1.. {
            let Some(bridge) = choice else { break };
            if !self.refuses(bridge, call) {
                self.chooser.confirm(number, call, now);
                self.take(number, call, bridge);
                return;
            }
            self.chooser.fail(number, call, now);
            self.outcome.failed_first += u64::from(counts && attempt == 1);
            if attempt == MAX_ATTEMPTS {
                break;
            }
            choice = self.chooser.next(number, call, &self.fleet.bridges, now);
        }
        self.outcome.refused += u64::from(counts);
        self.chooser.end(number, call, now);
    }

    fn take(&mut self, number: usize, call: &Call, bridge: usize) {
        self.legs[number].bridge = bridge;
        self.fleet.begin(bridge, call.cost(0), call.expected, call.start);
        self.plan_switch(number, call);
    }

    fn plan_switch(&mut self, number: usize, call: &Call) {
        let next = self.calls.switches(call).get(self.legs[number].switches).copied();
        self.plan(next.unwrap_or(call.end), Event::Switch(number));
    }

    /// Whether the bridge answers 503. The same call has the same luck there under every policy.
    fn refuses(&self, bridge: usize, call: &Call) -> bool {
        let share = self.fleet.bridges[bridge].fails;
        let mut luck = ChaCha8Rng::seed_from_u64(call.luck.wrapping_add(bridge as u64));
        share > 0.0 && luck.random::<f64>() < share
    }
}

/// Streams of chance from here on are those of reports.
const REPORT_STREAMS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::bridge::Bridge;
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
        let left: Vec<_> = calls.all().iter().filter(|call| call.end > scenario.window.until).collect();
        let loads: Vec<_> = policy::ALL
            .iter()
            .map(|policy| {
                let mut simulation =
                    Simulation::new(&scenario, &calls, chooser(&scenario, &calls, policy, 1), 1);
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
            let calls = Calls::draw(&scenario, 7);
            for policy in &policy::ALL {
                let run = |seed| simulate(&scenario, &calls, policy, seed);
                assert_eq!(run(7), run(7), "{}", policy.name);
            }
        }
    }

    /// Asserts that `call_load` could have made the choice too.
    struct Checked<'a>(Box<dyn Chooser + 'a>, Vec<u32>);

    impl Chooser for Checked<'_> {
        fn join(&mut self, bridge: usize, now: Time) {
            self.0.join(bridge, now);
        }
        fn drain(&mut self, bridge: usize, now: Time) {
            self.0.drain(bridge, now);
        }
        fn report(&mut self, bridge: usize, report: Report, now: Time) {
            self.0.report(bridge, report, now);
        }
        fn begin(&mut self, number: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize> {
            let chosen = self.0.begin(number, call, bridges, now)?;
            let key = |bridge: usize| f64::from(bridges[bridge].calls + 1) / f64::from(self.1[bridge]);
            assert!((0..bridges.len()).all(|bridge| key(chosen) <= key(bridge)), "{bridges:?}");
            Some(chosen)
        }
        fn fail(&mut self, number: usize, call: &Call, now: Time) {
            self.0.fail(number, call, now);
        }
        fn next(&mut self, number: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize> {
            self.0.next(number, call, bridges, now)
        }
        fn confirm(&mut self, number: usize, call: &Call, now: Time) {
            self.0.confirm(number, call, now);
        }
        fn end(&mut self, number: usize, call: &Call, now: Time) {
            self.0.end(number, call, now);
        }
    }

    #[test]
    fn without_reports_load_score_makes_only_choices_that_call_load_could_make() {
        for weights in [vec![1; 16], vec![1, 2, 4, 10, 8]] {
            let mut scenario = Scenario { weights, ..short("no-reports") };
            scenario.faults.truncate(scenario.weights.len());
            let calls = Calls::draw(&scenario, 1);
            for name in ["call_load", "load_score"] {
                let chooser = chooser(&scenario, &calls, &policy::named(name).unwrap(), 1);
                let checked = Checked(chooser, scenario.weights.clone());
                Simulation::new(&scenario, &calls, Box::new(checked), 1).run();
            }
        }
    }
}
