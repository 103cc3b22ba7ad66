//! What went wrong in other load balancers, one test each: what must not happen here is its name.

use std::time::Duration;

use callsteer::{
    AgentCheck, AgentOperational, AgentWeight, Algorithm, BeginError, Call, Config, Destination,
    DestinationId, Dispatcher, Failure, HealthConfig, Observed, Placed, ProbeResult, Report, Standing, Time,
    Will,
};

/// Kamailio's call load: 25 processes look, then count. Here looking and counting are one step.
#[test]
fn calls_do_not_race_past_a_limit() {
    let mut fleet = Fleet::new(Algorithm::CallLoad, 2);
    fleet.describe(|destination| destination.max_calls = 10);
    let placed = (0..25).filter(|call| fleet.begin(*call).is_ok()).count();
    assert_eq!((placed, fleet.calls()), (20, vec![10, 10]));
}

/// Kamailio counts a call that was answered 486 until its cell expires, two hours later.
#[test]
fn a_busy_callee_leaves_no_load_behind() {
    let mut fleet = Fleet::new(Algorithm::CallLoad, 2);
    for call in 0..100 {
        let placed = fleet.begin(call).unwrap();
        fleet.dispatcher.fail(placed.lease, Failure::reply(486), fleet.now).unwrap();
        fleet.dispatcher.end(placed.lease, fleet.now);
    }
    assert_eq!(fleet.calls(), [0, 0]);
}

/// Kamailio's `dispatcher.reload` forgets loads, and who was disabled.
#[test]
fn a_new_list_forgets_neither_calls_nor_the_operators_will() {
    let mut fleet = Fleet::new(Algorithm::CallLoad, 3);
    let placed: Vec<_> = (0..9).map(|call| fleet.begin(call).unwrap()).collect();
    fleet.dispatcher.set_enabled(fleet.ids[2], false, fleet.now).unwrap();
    let list = [
        (1, Destination { weight: 2, ..fleet.destination(0) }),
        (1, Destination { weight: 3, ..fleet.destination(2) }),
        (1, Destination::new("sip:new")),
    ];
    let plan = fleet.dispatcher.plan(&list).unwrap();
    fleet.dispatcher.apply(plan, fleet.now).unwrap();

    assert_eq!(fleet.calls(), [3, 3, 3]);
    let wills = [0, 2].map(|index| fleet.status(index).will);
    assert_eq!(wills, [Will::Enabled, Will::Disabled]);
    for placed in placed {
        assert!(fleet.dispatcher.end(placed.lease, fleet.now));
    }
    assert_eq!(fleet.dispatcher.stats().calls, 0);
}

/// OpenSIPS' load counters went below zero when a call ended twice, and then no call fitted any more.
#[test]
fn a_call_that_ends_twice_is_counted_out_once() {
    let mut fleet = Fleet::new(Algorithm::CallLoad, 1);
    let (first, second) = (fleet.begin(1).unwrap(), fleet.begin(2).unwrap());
    let ends = [first, first, first].map(|placed| fleet.dispatcher.end(placed.lease, fleet.now));
    assert_eq!((ends, fleet.calls()), ([true, false, false], vec![1]));
    // Another call has its place now, and keeps it.
    let third = fleet.begin(3).unwrap();
    assert!(!fleet.dispatcher.end(first.lease, fleet.now));
    assert!(fleet.dispatcher.end(third.lease, fleet.now));
    // By Call-ID, and after its deadline, too.
    assert!(!fleet.dispatcher.end_call(b"call-1", fleet.now));
    fleet.now = Time::from_secs(61);
    assert!(!fleet.dispatcher.end(second.lease, fleet.now));
    assert_eq!(fleet.calls(), [0]);
}

/// LiveKit drew among weights; where rounding left the draw above their sum, it took any node, full or not.
#[test]
fn a_draw_never_falls_on_somebody_who_is_no_candidate() {
    let drawn = [Algorithm::Random, Algorithm::PowerOfTwo, Algorithm::LoadScore];
    for (algorithm, dispatchers) in drawn.into_iter().flat_map(|algorithm| [(algorithm, 1), (algorithm, 16)])
    {
        let config = Config { algorithm, dispatchers, ..Config::default() };
        let mut fleet = Fleet::with(config, 7);
        fleet.describe(|destination| destination.weight = 3);
        let (full, down, off) = (fleet.ids[0], fleet.ids[3], fleet.ids[6]);
        let at_limit = Destination { max_calls: 1, ..fleet.destination(0) };
        fleet.dispatcher.update(full, at_limit, fleet.now).unwrap();
        for _ in 0..3 {
            fleet.dispatcher.probe_result(down, ProbeResult::Timeout, fleet.now).unwrap();
        }
        fleet.dispatcher.set_enabled(off, false, fleet.now).unwrap();
        for (score, id) in
            [0.1, 1.0 / 3.0, 0.7, f64::MIN_POSITIVE, 1e-300, 0.3, 0.0].into_iter().zip(fleet.ids.clone())
        {
            fleet.dispatcher.report(id, Report::score(score), fleet.now).unwrap();
        }
        for call in 0..5_000 {
            let placed = fleet.begin(call).unwrap();
            assert!(![down, off].contains(&placed.destination), "{algorithm:?}");
        }
        assert!(fleet.calls()[0] <= 1, "{algorithm:?}");
    }
}

/// HAProxy rounds 50 % of weight 1 down to 0, which drains; and an agent's "ready up" overrides failed checks.
#[test]
fn half_of_the_least_weight_is_no_drain_and_an_agents_up_revives_nobody() {
    let mut fleet = Fleet::new(Algorithm::LoadScore, 1);
    let half = AgentCheck::parse(b"50%\n").unwrap();
    assert_eq!(half.weight, Some(AgentWeight::Percent(50)));
    fleet.dispatcher.report(fleet.ids[0], half.report(), fleet.now).unwrap();
    assert_eq!(fleet.status(0).standing, Standing::Candidate);
    assert!(fleet.begin(1).is_ok());

    fleet.fails_probes(0);
    let up = AgentCheck::parse(b"ready,up\n").unwrap();
    assert_eq!(up.operational, Some(AgentOperational::Up));
    fleet.now = Time::from_secs(2);
    fleet.dispatcher.report(fleet.ids[0], up.report(), fleet.now).unwrap();
    assert_eq!(fleet.status(0).observed, Observed::Inactive);
    assert!(matches!(fleet.begin(2), Err(BeginError::AllDown { .. })));
}

/// Envoy's outlier detection could eject the only host of a cluster, and a percentage rounded up ejects all.
#[test]
fn the_last_one_is_not_ejected() {
    for members in [1, 2, 3] {
        let mut fleet = Fleet::new(Algorithm::RoundRobin, members);
        for call in 0..60 {
            if let Ok(placed) = fleet.begin(call) {
                fleet.dispatcher.fail(placed.lease, Failure::reply(503), fleet.now).unwrap();
                fleet.dispatcher.end(placed.lease, fleet.now);
            }
        }
        let out = (0..members).filter(|index| fleet.status(*index).standing == Standing::Ejected).count();
        assert!(out <= members / 2, "{out} of {members}");
        assert!(fleet.begin(100).is_ok(), "{members}");
    }
}

/// pingora's backends are keyed by address and weight: another weight was another, healthy backend.
#[test]
fn another_weight_changes_nothing_that_is_known_of_a_destination() {
    let mut fleet = Fleet::new(Algorithm::Weighted, 2);
    let placed = [fleet.begin(1).unwrap(), fleet.begin(2).unwrap()];
    fleet.fails_probes(0);
    let before = fleet.status(0);
    let heavier = Destination { weight: 9, ..fleet.destination(0) };
    fleet.dispatcher.update(fleet.ids[0], heavier, fleet.now).unwrap();
    assert_eq!((fleet.status(0), before.observed), (before, Observed::Inactive));
    assert!(placed.iter().all(|placed| fleet.dispatcher.destination_of(placed.lease).is_some()));
}

/// A moving average with its constant inverted takes the last report for the whole truth, or none of it.
#[test]
fn one_report_moves_an_estimate_a_little_and_many_move_it_whole_and_silence_takes_it_back() {
    let mut fleet = Fleet::new(Algorithm::LoadScore, 2);
    for call in 0..20 {
        let placed = fleet.begin(call).unwrap();
        fleet.dispatcher.confirm(placed.lease, fleet.now).unwrap();
    }
    let says = |fleet: &mut Fleet, second, scores: [f64; 2]| {
        fleet.now = Time::from_secs(second);
        for (id, score) in fleet.ids.clone().into_iter().zip(scores) {
            fleet.dispatcher.report(id, Report::score(score), fleet.now).unwrap();
        }
    };
    let residual = |fleet: &mut Fleet, second| {
        fleet.now = Time::from_secs(second);
        fleet.dispatcher.poll_event(fleet.now);
        fleet.dispatcher.explain(&Call::new(b"x")).rows[0].estimate.residual
    };
    for report in 1..=20 {
        says(&mut fleet, 5 * report, [0.6, 0.6]);
    }
    // Ten calls of 0.06 there: 0.7 is this share of P + c̄ too much.
    let whole = 0.1 / (0.6 + 0.06);
    says(&mut fleet, 105, [0.7, 0.5]);
    let one = residual(&mut fleet, 105) / whole;
    assert!((0.1..0.2).contains(&one), "{one}");
    for report in 22..=60 {
        says(&mut fleet, 5 * report, [0.7, 0.5]);
    }
    let many = residual(&mut fleet, 300) / whole;
    assert!((0.8..1.0).contains(&many), "{many}");
    let silent = residual(&mut fleet, 2_000) / whole;
    assert!(silent.abs() < 0.001, "{silent}");
}

/// litellm's counters of calls under way drifted apart when calls failed, were tried again or timed out.
#[test]
fn counts_are_zero_when_all_calls_are_over_however_they_ended() {
    for algorithm in [Algorithm::CallLoad, Algorithm::LoadScore, Algorithm::RoundRobin, Algorithm::PowerOfTwo]
    {
        let mut fleet = Fleet::new(algorithm, 4);
        for call in 0..1_000_u64 {
            fleet.now = fleet.now + Duration::from_millis(50);
            let Ok(placed) = fleet.begin(call) else { continue };
            let (lease, now) = (placed.lease, fleet.now);
            let dispatcher = &mut fleet.dispatcher;
            match call % 6 {
                0 => {
                    dispatcher.fail(lease, Failure::reply(500), now).unwrap();
                    let _everybody_tried = dispatcher.next(lease, now).is_ok();
                    dispatcher.end(lease, now);
                }
                1 => {
                    dispatcher.fail(lease, Failure::Timeout, now).unwrap();
                    let _everybody_tried = dispatcher.next(lease, now).is_ok();
                }
                2 => dispatcher.confirm(lease, now).unwrap(),
                3 => drop(dispatcher.end(lease, now)),
                4 => drop(dispatcher.begin(&Call::new(format!("call-{call}").as_bytes()), now)),
                _ => {}
            }
        }
        assert!(fleet.dispatcher.stats().calls > 0);
        fleet.now = Time::from_secs(3 * 3_600);
        fleet.dispatcher.poll_event(fleet.now);
        let stats = fleet.dispatcher.stats();
        assert_eq!((stats.calls, fleet.calls()), (0, vec![0; 4]), "{algorithm:?}");
        assert_eq!(stats.begun, stats.ended + stats.expired, "{algorithm:?}");
    }
}

/// vLLM's routers read the zeros of an engine that just started, or stopped reporting, as idle.
#[test]
fn a_cold_or_stale_zero_is_not_idle() {
    let config = Config { algorithm: Algorithm::LoadScore, ..Config::default() };
    let mut fleet = Fleet::with(config, 4);
    fleet.now = Time::from_secs(1);
    // One of them reports zero for ever, whatever it carries.
    for call in 0..400_u64 {
        fleet.now = fleet.now + Duration::from_millis(500);
        let placed = fleet.begin(call).unwrap();
        fleet.dispatcher.confirm(placed.lease, fleet.now).unwrap();
        if call % 10 == 0 {
            let score = |calls: u32| f64::from(calls) / 100.0;
            let scores: Vec<_> = fleet.calls().into_iter().map(score).collect();
            for (index, id) in fleet.ids.clone().into_iter().enumerate() {
                let said = if index == 0 { 0.0 } else { scores[index] };
                fleet.dispatcher.report(id, Report::score(said), fleet.now).unwrap();
            }
        }
    }
    let calls = fleet.calls();
    assert!(calls[0] <= 110, "{calls:?}");
}

/// FreeSWITCH answers OPTIONS with 503 and Retry-After at its session limit: it is full, and not down.
#[test]
fn full_is_not_taken_for_down() {
    let mut fleet = Fleet::new(Algorithm::CallLoad, 1);
    let wait = Duration::from_secs(20);
    for _ in 0..10 {
        let full = ProbeResult::Reply { code: 503, retry_after: Some(wait) };
        fleet.dispatcher.probe_result(fleet.ids[0], full, fleet.now).unwrap();
    }
    assert_eq!((fleet.status(0).observed, fleet.status(0).standing), (Observed::Active, Standing::Busy));
    assert!(matches!(fleet.begin(1), Err(BeginError::Full { .. })));
    // It takes calls again by itself, without a probe that says so.
    fleet.now = fleet.now + wait;
    assert!(fleet.begin(2).is_ok());
}

/// Destinations of one set.
struct Fleet {
    dispatcher: Dispatcher,
    ids: Vec<DestinationId>,
    now: Time,
}

impl Fleet {
    fn new(algorithm: Algorithm, members: usize) -> Self {
        Self::with(Config { algorithm, ..Config::default() }, members)
    }

    fn with(config: Config, members: usize) -> Self {
        let mut dispatcher = Dispatcher::new(config).unwrap();
        let mut add =
            |index| dispatcher.add(1, Destination::new(format!("sip:{index}")), Time::ZERO).unwrap();
        let ids = (0..members).map(&mut add).collect();
        Self { dispatcher, ids, now: Time::ZERO }
    }

    fn describe(&mut self, change: impl Fn(&mut Destination)) {
        for index in 0..self.ids.len() {
            let mut destination = self.destination(index);
            change(&mut destination);
            self.dispatcher.update(self.ids[index], destination, self.now).unwrap();
        }
    }

    fn fails_probes(&mut self, index: usize) {
        for _ in 0..HealthConfig::default().probing_threshold {
            self.dispatcher.probe_result(self.ids[index], ProbeResult::Timeout, self.now).unwrap();
        }
    }

    fn begin(&mut self, call: u64) -> Result<Placed, BeginError> {
        self.dispatcher.begin(&Call::new(format!("call-{call}").as_bytes()), self.now)
    }

    fn destination(&self, index: usize) -> Destination {
        self.dispatcher.destination(self.ids[index]).unwrap().clone()
    }

    fn status(&self, index: usize) -> callsteer::Status {
        self.dispatcher.status(self.ids[index]).unwrap()
    }

    fn calls(&self) -> Vec<u32> {
        (0..self.ids.len()).map(|index| self.status(index).calls).collect()
    }
}
