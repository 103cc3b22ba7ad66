//! The real dispatcher as a chooser: as many of them as the scenario has, each with its own calls.

use std::time::Duration;

use callsteer::replica::Delta;
use callsteer::{
    Algorithm, Call as Request, Config, Destination, DestinationId, Dispatcher, EjectionConfig, Failure,
    Lease, Limits, ProbingConfig, ProbingMode, ReplicasConfig, Report, Time,
};

use super::bridge::Bridge;
use super::chooser::Chooser;
use crate::scenario::Scenario;
use crate::scenario::calls::Call;

/// The dispatchers of a scenario.
pub(super) struct Dispatchers<'a> {
    scenario: &'a Scenario,
    dispatchers: Vec<One>,
    /// The same, but for all that goes wrong, where calls have a home.
    untroubled: Vec<One>,
    heeds_reports: bool,
    /// When they tell each other next what they know.
    tells: Option<Time>,
    /// Of each call in progress, by its slot.
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
                replicas: shares(scenario).map(|_| ReplicasConfig {
                    limits: Limits::Leases,
                    lost_after: TEN_YEARS,
                    ..ReplicasConfig::new(format!("replica-{number}"), 1)
                }),
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
        let all = 0..u64::from(scenario.dispatchers);
        let has_home = matches!(algorithm, Algorithm::CallIdHash { .. });
        let mut untroubled: Vec<_> = all.clone().filter(|_| has_home).map(one).collect();
        for bridge in 0..scenario.weights.len() {
            untroubled.iter_mut().for_each(|one| one.join(bridge, scenario, Time::ZERO));
        }
        // Others take them too, but decide the same without.
        let heeds_reports = algorithm == Algorithm::LoadScore;
        let tells = shares(scenario).map(|every| Time::ZERO + every);
        let dispatchers = all.map(one).collect();
        Self { scenario, dispatchers, untroubled, heeds_reports, tells, leases: Vec::new() }
    }

    /// Which dispatcher gets the call.
    fn number(&self, call: &Call) -> usize {
        (call.luck % self.dispatchers.len() as u64) as usize
    }

    /// Whatever they have told each other up to `now`. Nothing is lost on the way: once all were heard, what
    /// says nothing new is left out.
    fn share(&mut self, now: Time) {
        let Some(every) = shares(self.scenario) else { return };
        while let Some(at) = self.tells.filter(|at| *at <= now) {
            let first = at == Time::ZERO + every;
            let says = |delta: &Delta| first || !(delta.counts.is_empty() && delta.wishes.is_empty());
            let delta = |one: &mut One| one.dispatcher.delta(first, at).filter(says);
            let deltas: Vec<_> = self.dispatchers.iter_mut().filter_map(delta).collect();
            for one in &mut self.dispatchers {
                for delta in &deltas {
                    one.dispatcher.merge(delta, at);
                }
            }
            self.tells = Some(at + every);
        }
    }

    fn of(&mut self, call: &Call) -> &mut One {
        let number = self.number(call);
        &mut self.dispatchers[number]
    }
}

impl One {
    fn join(&mut self, bridge: usize, scenario: &Scenario, now: Time) {
        if let Some(id) = self.ids[bridge] {
            self.dispatcher.set_enabled(id, true, now).expect("the bridge is in the set");
            return;
        }
        let uri = format!("sip:bridge-{}.example.com", bridge + 1);
        let destination = Destination { weight: scenario.weights[bridge], ..Destination::new(uri) };
        let added = self.dispatcher.add(SET, destination, now);
        self.ids[bridge] = Some(added.expect("a bridge joins once, with a weight in range"));
    }

    fn bridge(&self, id: DestinationId) -> Option<usize> {
        self.ids.iter().position(|known| *known == Some(id))
    }
}

impl Chooser for Dispatchers<'_> {
    fn join(&mut self, bridge: usize, now: Time) {
        self.dispatchers.iter_mut().for_each(|one| one.join(bridge, self.scenario, now));
    }

    fn drain(&mut self, bridge: usize, now: Time) {
        for One { dispatcher, ids } in &mut self.dispatchers {
            if let Some(id) = ids[bridge] {
                dispatcher.drain(id, None, now).expect("the bridge is in the set");
            }
        }
    }

    fn report(&mut self, bridge: usize, report: Report, now: Time) {
        self.share(now);
        for One { dispatcher, ids } in &mut self.dispatchers {
            if let Some(id) = ids[bridge] {
                // One that overtook an older one, which is then refused, is nothing to worry about.
                let _ = dispatcher.report(id, report, now);
            }
        }
    }

    fn heeds_reports(&self) -> bool {
        self.heeds_reports
    }

    fn begin(&mut self, slot: usize, call: &Call, _: &[Bridge], now: Time) -> Option<usize> {
        self.share(now);
        let call_id = call.number.to_le_bytes();
        let scenario = self.scenario;
        let request = request(scenario, call, &call_id);
        let one = self.of(call);
        let placed = one.dispatcher.begin(&request, now).ok()?;
        let bridge = one.bridge(placed.destination);
        if self.leases.len() <= slot {
            self.leases.resize(slot + 1, None);
        }
        self.leases[slot] = Some(placed.lease);
        bridge
    }

    fn fail(&mut self, slot: usize, call: &Call, now: Time) {
        if let Some(lease) = self.leases.get(slot).copied().flatten() {
            let failure = Failure::reply(503);
            self.of(call).dispatcher.fail(lease, failure, now).expect("the call is in progress");
        }
    }

    fn next(&mut self, slot: usize, call: &Call, _: &[Bridge], now: Time) -> Option<usize> {
        let lease = (*self.leases.get(slot)?)?;
        let one = self.of(call);
        let placed = one.dispatcher.next(lease, now).ok()?;
        one.bridge(placed.destination)
    }

    fn confirm(&mut self, slot: usize, call: &Call, now: Time) {
        if let Some(lease) = self.leases.get(slot).copied().flatten() {
            self.of(call).dispatcher.confirm(lease, now).expect("the call is in progress");
        }
    }

    fn end(&mut self, slot: usize, call: &Call, now: Time) {
        if let Some(lease) = self.leases.get_mut(slot).and_then(Option::take) {
            self.of(call).dispatcher.end(lease, now);
        }
    }

    fn home(&mut self, call: &Call, now: Time) -> Option<usize> {
        let number = self.number(call);
        let one = self.untroubled.get_mut(number)?;
        let call_id = call.number.to_le_bytes();
        let picked = one.dispatcher.pick(&request(self.scenario, call, &call_id), now).ok()?;
        one.bridge(picked.destination)
    }
}

/// How often dispatchers tell each other what they know, where there are several that do.
fn shares(scenario: &Scenario) -> Option<Duration> {
    scenario.shared_every.filter(|_| scenario.dispatchers > 1)
}

/// What a dispatcher is told of a call.
fn request<'a>(scenario: &'a Scenario, call: &Call, call_id: &'a [u8]) -> Request<'a> {
    Request { class: Some(&scenario.classes[call.label].name), ..Request::new(call_id) }
}

const SET: callsteer::SetId = 1;
/// Seeds of dispatchers are this far apart.
const MOST_DISPATCHERS: u64 = 1_024;
const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
