//! The real dispatcher as a chooser: as many of them as the scenario has, each with its own calls.

use std::time::Duration;

use callsteer::{
    Algorithm, Call as Request, Config, Destination, DestinationId, Dispatcher, EjectionConfig, Failure,
    Lease, ProbingConfig, ProbingMode, Report, Time,
};

use super::bridge::Bridge;
use super::chooser::Chooser;
use crate::scenario::Scenario;
use crate::scenario::calls::Call;

/// The dispatchers of a scenario.
pub(super) struct Dispatchers<'a> {
    scenario: &'a Scenario,
    dispatchers: Vec<One>,
    /// Of each call in progress, by its number.
    leases: Vec<Option<Lease>>,
}

/// One dispatcher, and what it calls the bridges.
struct One {
    dispatcher: Dispatcher,
    /// `None` for a bridge that has not joined yet.
    ids: Vec<Option<DestinationId>>,
}

impl<'a> Dispatchers<'a> {
    pub(super) fn new(
        scenario: &'a Scenario,
        calls: usize,
        algorithm: Algorithm,
        ejection: bool,
        slow_start: bool,
        seed: u64,
    ) -> Self {
        let config = |number| {
            let defaults = Config::default();
            Config {
                seed: seed.wrapping_mul(MOST_DISPATCHERS).wrapping_add(number),
                algorithm,
                dispatchers: scenario.dispatchers,
                max_duration: TEN_YEARS,
                // Only calls find out what is wrong: a bridge that refuses them may well answer probes.
                probing: ProbingConfig { mode: ProbingMode::Off, ..defaults.probing },
                ejection: EjectionConfig { enabled: ejection, ..defaults.ejection },
                warm_up: if slow_start { defaults.warm_up } else { Duration::ZERO },
                ..Config::default()
            }
        };
        let one = |number| One {
            dispatcher: Dispatcher::new(config(number)).expect("the configuration above is in range"),
            ids: vec![None; scenario.weights.len()],
        };
        let dispatchers = (0..u64::from(scenario.dispatchers)).map(one).collect();
        Self { scenario, dispatchers, leases: vec![None; calls] }
    }

    /// The dispatcher that gets the call.
    fn of(&mut self, call: &Call) -> &mut One {
        let n = self.dispatchers.len() as u64;
        &mut self.dispatchers[(call.luck % n) as usize]
    }
}

impl Chooser for Dispatchers<'_> {
    fn join(&mut self, bridge: usize, now: Time) {
        for One { dispatcher, ids } in &mut self.dispatchers {
            if let Some(id) = ids[bridge] {
                dispatcher.set_enabled(id, true, now).expect("the bridge is in the set");
                continue;
            }
            let uri = format!("sip:bridge-{}.example.com", bridge + 1);
            let destination = Destination { weight: self.scenario.weights[bridge], ..Destination::new(uri) };
            ids[bridge] = Some(
                dispatcher.add(SET, destination, now).expect("a bridge joins once, with a weight in range"),
            );
        }
    }

    fn drain(&mut self, bridge: usize, now: Time) {
        for One { dispatcher, ids } in &mut self.dispatchers {
            if let Some(id) = ids[bridge] {
                dispatcher.drain(id, None, now).expect("the bridge is in the set");
            }
        }
    }

    fn report(&mut self, bridge: usize, report: Report, now: Time) {
        for One { dispatcher, ids } in &mut self.dispatchers {
            if let Some(id) = ids[bridge] {
                // One that overtook an older one, which is then refused, is nothing to worry about.
                let _ = dispatcher.report(id, report, now);
            }
        }
    }

    fn begin(&mut self, number: usize, call: &Call, _: &[Bridge], now: Time) -> Option<usize> {
        let class = &self.scenario.classes[call.label].name;
        let call_id = number.to_le_bytes();
        let request = Request { class: Some(class), ..Request::new(&call_id) };
        let One { dispatcher, ids } = self.of(call);
        let placed = dispatcher.begin(&request, now).ok()?;
        let bridge = ids.iter().position(|id| *id == Some(placed.destination));
        self.leases[number] = Some(placed.lease);
        bridge
    }

    fn fail(&mut self, number: usize, call: &Call, now: Time) {
        if let Some(lease) = self.leases[number] {
            let failure = Failure::reply(503);
            self.of(call).dispatcher.fail(lease, failure, now).expect("the call is in progress");
        }
    }

    fn next(&mut self, number: usize, call: &Call, _: &[Bridge], now: Time) -> Option<usize> {
        let lease = self.leases[number]?;
        let One { dispatcher, ids } = self.of(call);
        let placed = dispatcher.next(lease, now).ok()?;
        ids.iter().position(|id| *id == Some(placed.destination))
    }

    fn confirm(&mut self, number: usize, call: &Call, now: Time) {
        if let Some(lease) = self.leases[number] {
            self.of(call).dispatcher.confirm(lease, now).expect("the call is in progress");
        }
    }

    fn end(&mut self, number: usize, call: &Call, now: Time) {
        if let Some(lease) = self.leases[number].take() {
            self.of(call).dispatcher.end(lease, now);
        }
    }
}

const SET: callsteer::SetId = 1;
/// Seeds of dispatchers are this far apart.
const MOST_DISPATCHERS: u64 = 1_024;
const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
