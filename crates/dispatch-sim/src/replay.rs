//! One replay: a workload's calls through one policy, on the real dispatcher.
//!
//! Simplest behaviour of everybody else: a bridge answers at once, a call that it takes is confirmed
//! at once and ends after its length; a call that it does not take goes on to the next bridge, at
//! most [`MAX_ATTEMPTS`] bridges in all. What happens at the same moment happens in this order:
//! outages, ends of calls, the dispatcher's own timers (probes), new calls.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::error::Error;
use std::io::Write;
use std::time::Duration;

use callsteer::{
    AddError, Call, Config, Destination, DestinationId, Failure, Lease, ProbingConfig, ProbingMode, Time,
};

use crate::compare::CompareError;
use crate::course::Course;
use crate::decisions::Logged;
use crate::figures::{Figures, LoadMeter, Outcome};
use crate::policy::Policy;
use crate::progress::Cancelled;
use crate::workload::{Bridge, CallRecord, Workload};

/// Bridges that are tried for a call before its caller is refused.
pub const MAX_ATTEMPTS: u32 = 3;

/// Leads the workload's calls of `seed` through a dispatcher with this policy and seed.
///
/// # Errors
/// A bridge that the dispatcher does not take: a weight outside 1..=65,535.
pub fn replay(workload: &Workload, policy: &Policy, seed: u64) -> Result<Figures, AddError> {
    let mut replay = Replay::new(workload, policy, seed, None)?;
    replay.run();
    Ok(replay.figures())
}

/// Does the same; `go_on` is asked every [`PULSE`] calls.
pub(crate) fn replay_watched(
    workload: &Workload,
    policy: &Policy,
    seed: u64,
    go_on: &dyn Fn() -> Result<(), Cancelled>,
) -> Result<Figures, CompareError> {
    let mut replay = Replay::new(workload, policy, seed, None)?;
    replay.run_watched(go_on)?;
    Ok(replay.figures())
}

/// Does the same, and writes a log of what is decided: see [`decisions`](crate::decisions).
///
/// # Errors
/// As [`replay`]; the log cannot be written.
pub fn replay_logged(
    workload: &Workload,
    policy: &Policy,
    seed: u64,
    log: &mut dyn Write,
) -> Result<Figures, Box<dyn Error>> {
    let mut replay = Replay::new(workload, policy, seed, Some(log))?;
    replay.run();
    let figures = replay.figures();
    replay.dispatcher.finish()?;
    Ok(figures)
}

/// As [`replay`], for the load of each bridge over time.
///
/// # Errors
/// As [`replay`].
pub fn record(workload: &Workload, policy: &Policy, seed: u64) -> Result<Course, AddError> {
    let mut replay = Replay::new(workload, policy, seed, None)?;
    replay.meter.record();
    replay.run();
    Ok(replay.meter.course().expect("it was recorded"))
}

/// The state of a replay.
struct Replay<'a> {
    workload: &'a Workload,
    costs_told: bool,
    seed: u64,
    dispatcher: Logged<'a>,
    bridge_of: HashMap<DestinationId, usize>,
    meter: LoadMeter,
    outcome: Outcome,
    /// Ends of calls, the earliest first.
    ends: BinaryHeap<Reverse<End>>,
    /// Ends and begins of outages, the earliest last.
    switches: Vec<Switch>,
}

/// A call in progress: when it ends, and what it takes away then.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct End {
    at: Time,
    lease: Lease,
    bridge: usize,
    cost: u32,
}

/// A bridge begins or ceases to take calls.
struct Switch {
    at: Time,
    bridge: usize,
    takes_calls: bool,
}

impl<'a> Replay<'a> {
    fn new(
        workload: &'a Workload,
        policy: &Policy,
        seed: u64,
        log: Option<&'a mut dyn Write>,
    ) -> Result<Self, AddError> {
        let mut dispatcher =
            Logged::new(config(workload, policy, seed), log).expect("the configuration below is in range");
        let mut bridge_of = HashMap::new();
        for (number, bridge) in workload.bridges.iter().enumerate() {
            let destination = Destination {
                weight: bridge.weight,
                max_calls: bridge.max_calls,
                ..Destination::new(format!("sip:bridge-{}.example.com", number + 1))
            };
            bridge_of.insert(dispatcher.add(SET, destination, Time::ZERO)?, number);
        }
        let mut switches: Vec<_> = workload
            .outages
            .iter()
            .flat_map(|outage| [(outage.from, outage.bridge, false), (outage.until, outage.bridge, true)])
            .map(|(at, bridge, takes_calls)| Switch { at, bridge, takes_calls })
            .collect();
        switches.sort_by_key(|switch| Reverse(switch.at));
        Ok(Self {
            workload,
            costs_told: policy.costs_told,
            seed,
            dispatcher,
            bridge_of,
            meter: LoadMeter::new(&workload.bridges, workload.window),
            outcome: Outcome::default(),
            ends: BinaryHeap::new(),
            switches,
        })
    }

    fn figures(&self) -> Figures {
        Figures { balance: self.meter.balance(), outcome: self.outcome }
    }

    fn run(&mut self) {
        self.run_watched(&|| Ok(())).expect("nobody cancels it");
    }

    fn run_watched(&mut self, go_on: &dyn Fn() -> Result<(), Cancelled>) -> Result<(), Cancelled> {
        for (number, call) in self.workload.calls(self.seed).enumerate() {
            if number % PULSE == PULSE - 1 {
                go_on()?;
            }
            self.advance(call.start);
            self.arrive(number, &call);
        }
        self.advance(Time::MAX);
        Ok(())
    }

    /// Lets happen what happens up to and including `now`; for [`Time::MAX`] until all calls ended.
    fn advance(&mut self, now: Time) {
        loop {
            let switch = self.switches.last().map(|switch| switch.at);
            let end = self.ends.peek().map(|Reverse(end)| end.at);
            let timer = self.dispatcher.next_deadline();
            let Some(next) = [switch, end].into_iter().flatten().chain(timer).min() else { return };
            if next > now || (now == Time::MAX && end.is_none()) {
                return;
            }
            if switch == Some(next) {
                self.switch();
            } else if end == Some(next) {
                self.end();
            } else {
                self.run_timers(next);
            }
        }
    }

    fn switch(&mut self) {
        if let Some(switch) = self.switches.pop() {
            self.meter.switch(switch.bridge, switch.takes_calls, switch.at);
        }
    }

    fn end(&mut self) {
        if let Some(Reverse(end)) = self.ends.pop() {
            self.dispatcher.end(end.lease, end.at);
            self.meter.end(end.bridge, end.cost, end.at);
        }
    }

    /// Sends the probes that are due and answers each for its bridge.
    fn run_timers(&mut self, now: Time) {
        for bridge in self.dispatcher.poll_probes(now) {
            let takes_calls = self.meter.takes_calls(self.bridge_of[&bridge]);
            self.dispatcher
                .probe_result(bridge, if takes_calls { 200 } else { 503 }, now)
                .expect("a bridge never leaves, and 200 and 503 are reply codes");
        }
        self.dispatcher.poll_events(now);
        assert!(
            self.dispatcher.next_deadline().is_none_or(|next| next > now),
            "the dispatcher has nothing left to do at {now}, and yet a deadline"
        );
    }

    fn arrive(&mut self, number: usize, call: &CallRecord) {
        let before = self.outcome;
        self.outcome.calls += 1;
        match self.place(number, call) {
            None => self.outcome.refused += 1,
            Some(attempts) => self.outcome.moved += u64::from(attempts > 1),
        }
        if !self.workload.window.contains(call.start) {
            self.outcome = before;
        }
    }

    /// How many bridges were tried until one took the call; `None` where none did.
    fn place(&mut self, number: usize, call: &CallRecord) -> Option<u32> {
        let now = call.start;
        let call_id = format!("{}-{number}@callers.example.com", self.seed);
        let told = if self.costs_told { call.cost.clamp(1, MAX_COST) } else { 1 };
        let request = Call { cost: told, ..Call::new(call_id.as_bytes()) };
        let placed = self.dispatcher.begin(&request, now).ok()?;
        let mut bridge = self.bridge_of[&placed.destination];
        for attempt in 1..=MAX_ATTEMPTS {
            let Some(failure) = self.failure(bridge, call.cost) else {
                self.dispatcher.confirm(placed.lease, now).expect("the call is in progress");
                self.meter.begin(bridge, call.cost, now);
                let end = End { at: now + call.length, lease: placed.lease, bridge, cost: call.cost };
                self.ends.push(Reverse(end));
                return Some(attempt);
            };
            self.dispatcher.fail(placed.lease, failure, now).expect("the call is in progress");
            if attempt == MAX_ATTEMPTS {
                break;
            }
            let Ok(moved) = self.dispatcher.next(placed.lease, now) else { break };
            bridge = self.bridge_of[&moved.destination];
        }
        self.dispatcher.end(placed.lease, now);
        None
    }

    /// Why the bridge does not take a call of this cost; `None` where it does.
    fn failure(&self, bridge: usize, cost: u32) -> Option<Failure> {
        let Bridge { capacity, .. } = self.workload.bridges[bridge];
        if !self.meter.takes_calls(bridge) {
            Some(Failure::reply(503))
        } else if capacity.is_some_and(|capacity| self.meter.load(bridge) + u64::from(cost) > capacity) {
            Some(Failure::Reply { code: 503, retry_after: Some(RETRY_AFTER) })
        } else {
            None
        }
    }
}

/// The defaults of the core, except that calls end only by themselves, however long they last, and
/// that nobody is probed where no bridge ever fails.
fn config(workload: &Workload, policy: &Policy, seed: u64) -> Config {
    let mode = if workload.outages.is_empty() { ProbingMode::Off } else { ProbingMode::All };
    Config {
        seed,
        algorithm: policy.algorithm,
        max_duration: TEN_YEARS,
        probing: ProbingConfig { mode, ..ProbingConfig::default() },
        ..Config::default()
    }
}

/// Calls between two questions whether to go on: some hundredths of a second.
const PULSE: usize = 1 << 16;
const SET: callsteer::SetId = 1;
/// The highest cost that the dispatcher can be told.
const MAX_COST: u32 = 65_535;
/// What a bridge at its capacity tells the dispatcher to wait.
const RETRY_AFTER: Duration = Duration::from_secs(5);
const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::{Verdict, check};
    use crate::policy;
    use crate::workload::{Calls, Outage, Window};

    /// `n` calls, one each `gap` seconds, of 100 s and cost 1.
    fn workload(n: u64, gap: u64, bridges: &[Bridge]) -> Workload {
        let call = |number| CallRecord {
            start: Time::from_secs(number * gap),
            length: Duration::from_secs(100),
            cost: 1_000,
            class: 0,
        };
        Workload {
            name: "test".into(),
            notes: Vec::new(),
            bridges: bridges.to_vec(),
            outages: Vec::new(),
            calls: Calls::Recorded((0..n).map(call).collect()),
            classes: vec!["all".into()],
            window: Window { from: Time::ZERO, until: Time::from_secs(n * gap) },
        }
    }

    fn outcome(workload: &Workload, name: &str) -> (u64, u64, u64) {
        let Outcome { calls, refused, moved } =
            replay(workload, &policy::named(name).unwrap(), 1).unwrap().outcome;
        (calls, refused, moved)
    }

    #[test]
    fn every_call_is_placed_or_refused_and_all_end() {
        let tight = Bridge { capacity: Some(4_000), max_calls: 5, ..Bridge::new(1) };
        let mut workload = workload(500, 3, &[tight; 6]);
        workload.outages.push(Outage { bridge: 2, from: Time::from_secs(200), until: Time::from_secs(400) });
        for policy in policy::ALL {
            let mut replay = Replay::new(&workload, &policy, 1, None).unwrap();
            replay.run();
            let stats = replay.dispatcher.stats();
            let Outcome { calls, refused, moved } = replay.outcome;
            assert_eq!((calls, stats.calls, stats.expired), (500, 0, 0), "{}", policy.name);
            assert_eq!(stats.begun + stats.refused, 500, "{}", policy.name);
            assert_eq!(stats.confirmed + refused, 500, "{}", policy.name);
            assert_eq!(stats.ended, stats.begun, "{}", policy.name);
            assert!(refused + moved > 0 && stats.moved >= moved, "{}: {:?}", policy.name, replay.outcome);
            assert!((0..6).all(|bridge| replay.meter.load(bridge) == 0), "{}", policy.name);
        }
    }

    #[test]
    fn calls_above_what_the_dispatcher_may_place_are_refused() {
        // 10 calls at a time on 2 bridges of at most 4.
        let limited = Bridge { max_calls: 4, ..Bridge::new(1) };
        let (calls, refused, moved) = outcome(&workload(100, 10, &[limited; 2]), "call_load");
        assert_eq!((calls, moved), (100, 0));
        assert_eq!(refused, 20, "the last two of every ten");
    }

    #[test]
    fn a_bridge_at_its_capacity_sends_calls_on() {
        // 10 calls at a time; one bridge carries only one of them, which the dispatcher does not know.
        let small = Bridge { capacity: Some(1_000), ..Bridge::new(1) };
        let (calls, refused, moved) = outcome(&workload(100, 10, &[small, Bridge::new(1)]), "round_robin");
        assert_eq!((calls, refused), (100, 0));
        assert!(moved > 0);
    }

    #[test]
    fn an_outage_moves_calls_until_three_of_them_have_failed() {
        let mut workload = workload(600, 1, &[Bridge::new(1); 4]);
        workload.outages.push(Outage { bridge: 0, from: Time::from_secs(200), until: Time::from_secs(400) });
        let (calls, refused, moved) = outcome(&workload, "round_robin");
        assert_eq!((calls, refused), (600, 0));
        // Three failures in a row eject it, before probes find out; while it is out, they do.
        assert_eq!(moved, 3);
    }

    #[test]
    fn round_robin_is_even_on_equal_calls() {
        let figures =
            replay(&workload(1_000, 1, &[Bridge::new(1); 4]), &policy::named("round_robin").unwrap(), 1);
        let balance = figures.unwrap().balance;
        assert!(balance.max_over_mean < 1.03 && balance.busiest_p99 == 25.0, "{balance:?}");
    }

    #[test]
    fn a_log_changes_no_decision_and_is_decided_the_same_again() {
        let limited = Bridge { max_calls: 5, ..Bridge::new(1) };
        let tight = Bridge { capacity: Some(4_000), ..limited };
        let mut workload = workload(500, 3, &[tight, limited, limited, limited, limited, limited]);
        workload.outages.push(Outage { bridge: 2, from: Time::from_secs(200), until: Time::from_secs(400) });
        for policy in policy::ALL {
            let mut log = Vec::new();
            let logged = replay_logged(&workload, &policy, 1, &mut log).unwrap();
            assert_eq!(logged, replay(&workload, &policy, 1).unwrap(), "{}", policy.name);

            let text = String::from_utf8(log).unwrap();
            for command in
                ["begin", "fail", "next", "confirm", "end", "poll_probes", "probe_result", "poll_events"]
            {
                assert!(text.contains(&format!("\"do\":\"{command}\"")), "{}: no {command}", policy.name);
            }
            assert!(text.contains("\"error\":\"full\""), "{}: nobody is refused", policy.name);
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &text).unwrap();
            let steps = text.lines().count() as u64 - 1;
            assert_eq!(check(file.path()), Ok(Verdict::Same { steps }), "{}", policy.name);
        }
    }

    #[test]
    fn a_weight_that_the_dispatcher_does_not_take_is_an_error() {
        let refused = replay(&workload(1, 1, &[Bridge::new(0)]), &policy::ALL[0], 1).unwrap_err();
        assert_eq!(refused.code(), "invalid_destination");
    }
}
