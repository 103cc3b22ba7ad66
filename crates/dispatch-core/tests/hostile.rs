//! What nobody sends by mistake: ids made to collide, floods, forged times, clocks that jump, lists without end.

use std::collections::BTreeSet;
use std::time::Duration;

use callsteer::kamailio::{Bytes, hash};
use callsteer::list::{Mode, lint, parse};
use callsteer::{
    Algorithm, BeginError, Call, Config, Destination, Dispatcher, Failure, Inventory, Lease, ProbeResult,
    Report, ReportError, Time,
};

/// Kamailio's hash sums groups of four bytes, so their order does not matter; ours has a key.
#[test]
fn ids_made_to_collide_are_spread_by_a_keyed_hash() {
    let ids: Vec<String> = permutations(&["aaaa", "bbbb", "cccc", "dddd", "eeee"]);
    let theirs: BTreeSet<u32> = ids.iter().map(|id| hash(id.as_bytes(), b"", Bytes::Signed)).collect();
    assert_eq!((ids.len(), theirs.len()), (120, 1), "all of them go to one bridge there");

    let mut dispatcher =
        fleet(Config { algorithm: Algorithm::CallIdHash { bound: None }, ..Config::default() }, 8);
    for id in &ids {
        dispatcher.begin(&Call::new(id.as_bytes()), Time::ZERO).unwrap();
    }
    let calls: Vec<u32> = dispatcher.iter().map(|(_, _, status)| status.calls).collect();
    assert!(calls.iter().all(|calls| (5..=30).contains(calls)), "{calls:?}");
}

/// Whoever knows the key, as everybody knows the default one, finds ids that all go to one bridge. Not under a secret.
#[test]
fn ids_that_meet_under_a_known_key_do_not_under_a_secret_one() {
    let by_hash = Algorithm::CallIdHash { bound: None };
    let mut known = fleet(Config { algorithm: by_hash, ..Config::default() }, 8);
    let target = known.find(1, "sip:0").unwrap();
    let mut goes_there = |id: &[u8; 4]| {
        let picked = known.pick(&Call::new(id), Time::ZERO).unwrap();
        picked.destination == target
    };
    let made: Vec<_> = (0..u32::MAX).map(u32::to_be_bytes).filter(|id| goes_there(id)).take(2_000).collect();
    for (hash_key, evenly) in [(None, false), (Some(0x5eed_0f5e_c2e7), true)] {
        let mut dispatcher = fleet(Config { algorithm: by_hash, hash_key, ..Config::default() }, 8);
        for id in &made {
            dispatcher.begin(&Call::new(id), Time::ZERO).unwrap();
        }
        let most = dispatcher.iter().map(|(_, _, status)| status.calls).max().unwrap();
        assert_eq!(most < 2_000 / 8 * 3 / 2, evenly, "{most} calls at one of eight bridges");
    }
}

/// Calls that are never ended fill what is configured, and nothing more; then they are refused, and told when to try.
#[test]
fn ten_million_calls_without_end_stop_at_the_limit() {
    let config =
        Config { max_calls_total: 100_000, setup_timeout: Duration::from_secs(3_600), ..Config::default() };
    let mut dispatcher = fleet(config, 4);
    let (mut placed, mut refused) = (0, 0);
    for call in 0..10_000_000_u64 {
        match dispatcher.begin(&Call::new(&call.to_le_bytes()), Time::ZERO) {
            Ok(_) => placed += 1,
            Err(BeginError::Full { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((placed, refused, dispatcher.stats().calls), (100_000, 9_900_000, 100_000));
    assert_eq!(dispatcher.stats().refused_full, refused);
    // And as they reach their deadline, others come in.
    assert!(dispatcher.begin(&Call::new(b"later"), Time::from_secs(3_600)).is_ok());
    assert_eq!(dispatcher.stats().calls, 1);
}

#[test]
fn an_id_of_a_megabyte_is_an_id() {
    let mut dispatcher = fleet(Config::default(), 2);
    let (long, longer) = (vec![b'x'; 1 << 20], vec![b'x'; (1 << 20) + 1]);
    let first = dispatcher.begin(&Call::new(&long), Time::ZERO).unwrap();
    let second = dispatcher.begin(&Call::new(&longer), Time::ZERO).unwrap();
    assert_ne!(first.lease, second.lease);
    assert_eq!(dispatcher.begin(&Call::new(&long), Time::ZERO).unwrap(), first);
    for id in [&b""[..], &[0], &[0, 0], &[0xff, 0xfe]] {
        assert_eq!(dispatcher.begin(&Call::new(id), Time::ZERO).is_ok(), !id.is_empty(), "{id:?}");
    }
}

#[test]
fn a_hundred_thousand_destinations_are_served_listed_and_switched() {
    let text: String =
        (0..100_000).map(|n| format!("1 sip:10.{}.{}.{}\n", n >> 16, n >> 8 & 255, n & 255)).collect();
    let list = parse(text.as_bytes(), Mode::Strict).unwrap();
    assert!(lint(&list).is_empty());
    for algorithm in [Algorithm::CallLoad, Algorithm::CallIdHash { bound: None }, Algorithm::Weighted] {
        let mut dispatcher = Dispatcher::new(Config { algorithm, ..Config::default() }).unwrap();
        let plan = dispatcher.plan(&list.destinations()).unwrap();
        dispatcher.apply(plan, Time::ZERO).unwrap();
        let ids: Vec<_> = dispatcher.iter().map(|(id, ..)| id).collect();
        for (call, id) in (0..1_000_u32).zip(&ids) {
            dispatcher.begin(&Call::new(&call.to_le_bytes()), Time::ZERO).unwrap();
            dispatcher.set_enabled(*id, false, Time::ZERO).unwrap();
        }
        assert_eq!(dispatcher.stats().calls, 1_000, "{algorithm:?}");
        let plan = dispatcher.plan(&[]).unwrap();
        dispatcher.apply(plan, Time::ZERO).unwrap();
        assert!(dispatcher.begin(&Call::new(b"late"), Time::ZERO).is_err());
    }
}

/// The last time seen counts: nothing is undone, nothing lasts for ever, nothing overflows.
#[test]
fn a_clock_that_jumps_ends_calls_once_and_never_begins_them_again() {
    let mut dispatcher = fleet(Config::default(), 2);
    let times = [5, 0, u64::MAX / 2_000_000, 3, u64::MAX / 1_000_000, 7];
    for (call, seconds) in (0..600_u64).zip(times.into_iter().cycle()) {
        let now = Time::from_secs(seconds);
        let placed = dispatcher.begin(&Call::new(&call.to_le_bytes()), now).unwrap();
        if call % 2 == 0 {
            dispatcher.confirm(placed.lease, now).unwrap();
        }
        while dispatcher.poll_probe(now).is_some() {}
        while dispatcher.poll_event(now).is_some() {}
    }
    let stats = dispatcher.stats();
    assert_eq!(stats.begun, u64::from(stats.calls) + stats.ended + stats.expired);
    let counted: u32 = dispatcher.iter().map(|(_, _, status)| status.calls).sum();
    assert_eq!(counted, stats.calls);
}

/// What a forged or broken report can do: be refused, with all that was known before kept.
#[test]
fn reports_that_cannot_be_change_nothing() {
    let mut dispatcher = fleet(Config { algorithm: Algorithm::LoadScore, ..Config::default() }, 2);
    let id = dispatcher.find(1, "sip:0").unwrap();
    let now = Time::from_secs(100);
    let good = Report { sequence: Some(7), measured_at: Some(now), ..Report::score(0.5) };
    dispatcher.report(id, good, now).unwrap();
    let before = (dispatcher.status(id).unwrap(), dispatcher.explain(&Call::new(b"x")));
    let later = Some(Time::from_secs(101));
    let refused = [
        Report::score(f64::NAN),
        Report::score(f64::INFINITY),
        Report::score(-0.0001),
        Report::score(1_000.1),
        Report { sustained: Some(f64::NEG_INFINITY), ..Report::default() },
        Report { sequence: Some(6), measured_at: later, ..good },
        Report { measured_at: Some(Time::from_secs(99)), sequence: None, ..good },
        Report { measured_at: Some(Time::from_secs(u64::MAX / 1_000_000)), ..good },
        good,
    ];
    for report in refused {
        assert!(dispatcher.report(id, report, Time::from_secs(100)).is_err(), "{report:?}");
    }
    assert_eq!((dispatcher.status(id).unwrap(), dispatcher.explain(&Call::new(b"x"))), before);
    assert_eq!(dispatcher.stats().reports_refused, 9);
    assert_eq!(dispatcher.report(id, good, now), Err(ReportError::Duplicate));
}

/// What was recorded on the way is worth nothing later: not while the bridge reports, and where it says when it measured,
/// not after a long silence either.
#[test]
fn reports_played_again_are_refused() {
    let mut dispatcher = fleet(Config { algorithm: Algorithm::LoadScore, ..Config::default() }, 1);
    let id = dispatcher.find(1, "sip:0").unwrap();
    let recorded: Vec<Report> = (1..=20)
        .map(|number| {
            let measured_at = Some(Time::from_secs(5 * number));
            Report { sequence: Some(number), measured_at, ..Report::score(0.05 * number as f64) }
        })
        .collect();
    for report in &recorded {
        dispatcher.report(id, *report, report.measured_at.unwrap()).unwrap();
    }
    let before = dispatcher.status(id).unwrap();
    let (now, silent) = (Time::from_secs(101), Time::from_secs(86_400));
    for (report, now) in
        [now, silent].into_iter().flat_map(|now| recorded.iter().map(move |report| (report, now)))
    {
        let unsaid = Report { measured_at: None, ..*report };
        assert!(matches!(
            dispatcher.report(id, *report, now),
            Err(ReportError::Late | ReportError::Duplicate)
        ));
        if now < silent {
            assert!(matches!(
                dispatcher.report(id, unsaid, now),
                Err(ReportError::Late | ReportError::Duplicate)
            ));
        }
    }
    assert_eq!(dispatcher.status(id).unwrap().score, before.score);
    // Whoever counts from the beginning after a minute without a word was restarted.
    let again = Report { sequence: Some(1), ..Report::score(0.3) };
    assert_eq!(dispatcher.report(id, again, silent), Ok(()));
}

/// A sequence that no other can follow, forged or by mistake.
#[test]
fn the_last_sequence_there_is_silences_a_bridge_for_a_minute_only() {
    let mut dispatcher = fleet(Config::default(), 1);
    let id = dispatcher.find(1, "sip:0").unwrap();
    let report = |sequence| Report { sequence: Some(sequence), ..Report::score(0.5) };
    dispatcher.report(id, report(u64::MAX), Time::from_secs(1)).unwrap();
    for second in 2..61 {
        assert_eq!(dispatcher.report(id, report(second), Time::from_secs(second)), Err(ReportError::Late));
    }
    assert_eq!(dispatcher.report(id, report(61), Time::from_secs(61)), Ok(()));
}

/// A bridge may say that it has any calls: those that nobody counted are taken in up to the limit, and each once.
#[test]
fn an_inventory_without_end_is_adopted_up_to_the_limit() {
    let mut dispatcher = fleet(Config { max_calls_total: 100, ..Config::default() }, 2);
    let (id, other) = (dispatcher.find(1, "sip:0").unwrap(), dispatcher.find(1, "sip:1").unwrap());
    let texts: Vec<[u8; 4]> = (0..10_000_u32).map(u32::to_le_bytes).collect();
    let claimed: Vec<&[u8]> = texts.iter().chain(&texts).map(|text| &text[..]).chain([&b""[..]]).collect();
    let done = dispatcher.reconcile(id, Inventory::Calls(&claimed), Time::ZERO).unwrap();
    assert_eq!((done.adopted, done.unknown, done.healed), (100, 9_900, 0));
    // And it takes nobody else's.
    let done = dispatcher.reconcile(other, Inventory::Calls(&claimed), Time::ZERO).unwrap();
    assert_eq!((done.adopted, done.unknown, done.healed), (0, 10_000, 0));
    let done = dispatcher.reconcile(id, Inventory::Count(u32::MAX), Time::ZERO).unwrap();
    assert_eq!((done.adopted, done.unknown, done.healed), (0, u32::MAX - 100, 0));
    assert_eq!(dispatcher.stats().calls, 100);
}

#[test]
fn a_retry_after_of_a_century_is_believed_for_five_minutes() {
    let mut dispatcher = fleet(Config::default(), 1);
    let id = dispatcher.find(1, "sip:0").unwrap();
    let busy = Some(Duration::MAX);
    let lease = dispatcher.begin(&Call::new(b"a"), Time::ZERO).unwrap().lease;
    dispatcher.fail(lease, Failure::Reply { code: 503, retry_after: busy }, Time::ZERO).unwrap();
    dispatcher
        .probe_result(id, ProbeResult::Reply { code: 503, retry_after: busy }, Time::from_secs(10))
        .unwrap();
    assert!(dispatcher.begin(&Call::new(b"b"), Time::from_secs(309)).is_err());
    assert!(dispatcher.begin(&Call::new(b"b"), Time::from_secs(310)).is_ok());
}

/// Nothing overflows, and what cannot be is refused by field.
#[test]
fn costs_and_weights_at_their_ends_are_counted_in_and_out() {
    for cost in [0, 65_536, u32::MAX] {
        let refused = fleet(Config::default(), 1).begin(&Call { cost, ..Call::new(b"a") }, Time::ZERO);
        assert!(matches!(refused, Err(BeginError::InvalidCall { field: "cost", .. })), "{refused:?}");
    }
    for algorithm in [Algorithm::CallLoad, Algorithm::LoadScore, Algorithm::PowerOfTwo, Algorithm::Weighted] {
        let mut dispatcher = Dispatcher::new(Config { algorithm, ..Config::default() }).unwrap();
        for weight in [1, 65_535, 65_534] {
            let heavy =
                Destination { weight, priority: i32::MIN, ..Destination::new(format!("sip:{weight}")) };
            dispatcher.add(1, heavy, Time::ZERO).unwrap();
        }
        let call_ids: Vec<[u8; 4]> = (0..70_000_u32).map(u32::to_le_bytes).collect();
        for id in &call_ids {
            dispatcher.begin(&Call { cost: 65_535, ..Call::new(id) }, Time::ZERO).unwrap();
        }
        let load: u64 = dispatcher.iter().map(|(_, _, status)| status.load).sum();
        assert_eq!(load, 70_000 * 65_535, "more than 32 bits hold");
        assert!(call_ids.iter().all(|id| dispatcher.end_call(id, Time::ZERO)));
        assert!(
            dispatcher.iter().all(|(_, _, status)| (status.calls, status.load) == (0, 0)),
            "{algorithm:?}"
        );
    }
}

/// Whoever guesses handles ends no call of somebody else's.
#[test]
fn guessed_leases_end_nothing() {
    let mut dispatcher = fleet(Config::default(), 2);
    let placed = dispatcher.begin(&Call::new(b"mine"), Time::ZERO).unwrap();
    let mine = placed.lease.to_u64();
    let guesses = (0..64).map(|bit| mine ^ (1 << bit)).chain([0, u64::MAX, 1 << 53, (1 << 53) - 1]);
    for lease in guesses.filter_map(Lease::from_u64) {
        assert!(!dispatcher.end(lease, Time::ZERO), "{lease:?}");
        assert!(dispatcher.confirm(lease, Time::ZERO).is_err());
        assert!(dispatcher.next(lease, Time::ZERO).is_err());
    }
    assert_eq!(dispatcher.destination_of(placed.lease), Some(placed.destination));
}

/// Events that nobody fetches are dropped, the oldest first, and their number is told.
#[test]
fn events_that_nobody_fetches_do_not_fill_the_memory() {
    let mut dispatcher = fleet(Config { max_events: 10, ..Config::default() }, 1);
    let id = dispatcher.find(1, "sip:0").unwrap();
    for second in 0..1_000 {
        let reply = if second / 3 % 2 == 0 { ProbeResult::Timeout } else { ProbeResult::reply(200) };
        dispatcher.probe_result(id, reply, Time::from_secs(second)).unwrap();
    }
    let mut events = 0;
    while dispatcher.poll_event(Time::from_secs(1_000)).is_some() {
        events += 1;
    }
    assert!((1..=11).contains(&events), "{events}");
}

fn fleet(config: Config, members: u32) -> Dispatcher {
    let mut dispatcher = Dispatcher::new(config).unwrap();
    for member in 0..members {
        dispatcher.add(1, Destination::new(format!("sip:{member}")), Time::ZERO).unwrap();
    }
    dispatcher
}

fn permutations(parts: &[&str]) -> Vec<String> {
    if parts.is_empty() {
        return vec![String::new()];
    }
    let without = |at: usize| [&parts[..at], &parts[at + 1..]].concat();
    let begins_with =
        |at: usize| permutations(&without(at)).into_iter().map(move |rest| [parts[at], &rest].concat());
    (0..parts.len()).flat_map(begins_with).collect()
}
