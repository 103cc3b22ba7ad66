//! What was not recorded, as Kamailio's manual says it.

use std::time::Duration;

use callsteer::kamailio::{Destination, Dispatcher, Latency, Params, Release, Request, Selection, hash};
use callsteer::{SetId, Time};

#[test]
fn latency_takes_points_off_a_priority_as_in_the_table_of_the_manual() {
    let table = [(21, 33), (91, 0), (61, 0), (19, 33), (32, 0), (0, 33), (201, 0)];
    for congestion_control in [false, true] {
        let line = |_| Destination { priority: 30, congestion_control, ..Destination::default() };
        let mut kamailio = dispatcher(table.map(line), Params::default());
        for (host, (ms, _)) in table.iter().enumerate() {
            let average = if congestion_control { 500.0 } else { 0.0 };
            let latency = Latency { estimated: f64::from(*ms) + average, average };
            kamailio.set_latency(1, &format!("sip:{host}"), latency).unwrap();
        }
        assert_eq!(counts(&mut kamailio, 13, 99), table.map(|(_, share)| share));
    }
}

#[test]
fn who_asked_to_be_spared_is_passed_by_at_its_rate_for_its_time() {
    let master = Params { release: Release::V6, ..Params::default() };
    let mut kamailio = dispatcher([(); 2].map(|()| Destination::default()), master);
    let rate = |kamailio: &mut Dispatcher, rate, sequence| {
        kamailio.set_overload(1, "sip:0", rate, Duration::from_secs(9), sequence, Time::ZERO)
    };
    assert_eq!(counts(&mut kamailio, 64, 100), [50, 50]);
    assert_eq!(rate(&mut kamailio, 30, 1), Ok(true));
    // In 100 rounds it is asked 100 times, and spared 30 times.
    assert_eq!(counts(&mut kamailio, 64, 170), [70, 100]);
    assert_eq!(rate(&mut kamailio, 90, 1), Ok(false));
    assert_eq!(rate(&mut kamailio, 1, 2), Ok(true));
    assert_eq!(counts(&mut kamailio, 64, 199), [99, 100]);
    assert_eq!(rate(&mut kamailio, 100, 3), Ok(true));
    assert_eq!(counts(&mut kamailio, 64, 50), [0, 50]);
    let over = kamailio.select(1, 64, &Request::default(), Time::from_secs(9)).unwrap();
    assert_eq!(kamailio.uri(1, over.index), Some("sip:0"));
}

#[test]
fn fourteen_takes_turns_among_equals_and_fifteen_is_srv() {
    let master = || Params { release: Release::V6, ..Params::default() };
    let of = |ranks: &[(i32, u32)], params| {
        let lines = ranks.iter().map(|(priority, weight)| Destination {
            priority: *priority,
            weight: *weight,
            ..Destination::default()
        });
        dispatcher(lines, params)
    };
    assert_eq!(counts(&mut of(&[(5, 0), (5, 0)], master()), 14, 10), [5, 5]);
    assert_eq!(counts(&mut of(&[(0, 0), (0, 0)], master()), 14, 10), [0, 10]);
    assert_eq!(counts(&mut of(&[(5, 0), (6, 0)], master()), 14, 10), [0, 10]);
    let table = [(10, 70), (10, 30), (20, 50), (20, 50)];
    let mut srv = of(&table, master());
    assert_eq!(counts(&mut srv, 15, 100), [70, 30, 0, 0]);
    for host in ["sip:0", "sip:1"] {
        srv.set_state(1, host, "i".parse().unwrap()).unwrap();
    }
    // Not shared anew, as the manual has it: the first of the order gets what both leave.
    assert_eq!(counts(&mut srv, 15, 100), [0, 0, 0, 100]);
    // 5.6.3 knows none of them, and takes the first.
    for algorithm in [14, 15, 64, 77] {
        assert_eq!(counts(&mut of(&table, Params::default()), algorithm, 10), [0, 0, 0, 10]);
    }
}

#[test]
fn a_key_of_any_kind_is_hashed_and_chance_is_given() {
    let mut kamailio = dispatcher([(); 5].map(|()| Destination::default()), Params::default());
    let select = |kamailio: &mut Dispatcher, algorithm, request: Request<'_>| {
        kamailio.select(1, algorithm, &request, Time::ZERO).map(|selection: Selection| selection.index)
    };
    let bytes = Params::default().bytes;
    let home = |key: &[u8]| Some(hash(key, b"", bytes) as usize % 5);
    for key in [&b"alice"[..], b"bob", b"+1555", b"\xC3\xBC"] {
        let named = Request { username: Some(key), hash_pvar: Some(key), ..Request::default() };
        assert_eq!(select(&mut kamailio, 5, named), home(key));
        assert_eq!(select(&mut kamailio, 7, named), home(key));
    }
    // Nobody named: 5 is round robin, 7 fails. Seen so in 5.6.3.
    let turns = [(); 6].map(|()| select(&mut kamailio, 5, Request::default()).unwrap());
    assert_eq!(turns, [0, 1, 2, 3, 4, 0]);
    assert_eq!(select(&mut kamailio, 7, Request::default()), None);
    for random in [0, 4, 5, 13] {
        let drawn = Request { random, ..Request::default() };
        assert_eq!(select(&mut kamailio, 6, drawn), Some(random as usize % 5));
    }
    let user = |user_only| Params { user_only, ..Params::default() };
    let from = Request { from: b"sip:alice@example.com", ..Request::default() };
    let mut by_user = dispatcher([(); 5].map(|()| Destination::default()), user(true));
    assert_eq!(select(&mut by_user, 1, from), home(b"alice"));
    assert_eq!(select(&mut by_user, 2, from), None);
}

#[test]
fn parallel_forking_begins_with_one_that_is_up_and_leaves_nobody_out_after_it() {
    let mut kamailio = dispatcher([(); 14].map(|()| Destination::default()), Params::default());
    for (host, state) in [("sip:13", "i"), ("sip:11", "d")] {
        kamailio.set_state(1, host, state.parse().unwrap()).unwrap();
    }
    let selection = kamailio.select(1, 12, &Request::default(), Time::ZERO).unwrap();
    let expected: Vec<usize> = (1..13).collect();
    assert_eq!((selection.index, selection.parallel, selection.failover), (1, expected, vec![]));
}

#[test]
fn a_call_that_fails_over_is_counted_where_it_goes_and_a_confirmed_one_lasts_longer() {
    let params = Params {
        counts_calls: true,
        failover: true,
        setup_expires: Duration::from_secs(60),
        ..Params::default()
    };
    let line = |duid: &str| Destination { duid: duid.into(), ..Destination::default() };
    let mut kamailio = dispatcher(["a", "b"].map(line), params);
    let request = Request { call_id: b"x", ..Request::default() };
    let mut selection = kamailio.select(1, 10, &request, Time::ZERO).unwrap();
    let loads = |kamailio: &Dispatcher| [0, 1].map(|index| kamailio.load(1, index).unwrap());
    assert_eq!(loads(&kamailio), [1, 0]);
    assert_eq!(kamailio.next(1, &mut selection, b"x", Time::ZERO), Some(1));
    assert_eq!(loads(&kamailio), [0, 1]);
    assert_eq!(kamailio.next(1, &mut selection, b"x", Time::ZERO), None);
    kamailio.confirm(b"x", Time::from_secs(5));
    kamailio.expire(Time::from_secs(7_200));
    assert_eq!(loads(&kamailio), [0, 1]);
    kamailio.expire(Time::from_secs(7_230));
    assert_eq!(loads(&kamailio), [0, 0]);
}

#[test]
fn an_estimate_moves_by_a_tenth_in_both_releases() {
    let latency = Latency { estimated: 20.0, average: 20.0 };
    for (alpha, release) in [(0.9, Release::V5), (0.1, Release::V6)] {
        assert!((latency.sample(120.0, alpha, release).estimated - 30.0).abs() < 1e-9);
    }
}

/// Hosts sip:0, sip:1 ... in the order of the file.
fn dispatcher(lines: impl IntoIterator<Item = Destination>, params: Params) -> Dispatcher {
    let name = |(host, line)| (1, Destination { uri: format!("sip:{host}"), ..line });
    Dispatcher::new((0..).zip(lines).map(|(host, line): (u32, _)| name((host, line))), params, 7)
}

/// How many of so many calls each host gets, in the order of the file.
fn counts<const HOSTS: usize>(kamailio: &mut Dispatcher, algorithm: u16, calls: u32) -> [u32; HOSTS] {
    const SET: SetId = 1;
    let mut counts = [0; HOSTS];
    for _ in 0..calls {
        let selection = kamailio.select(SET, algorithm, &Request::default(), Time::ZERO).unwrap();
        let host = kamailio.uri(SET, selection.index).unwrap().trim_start_matches("sip:");
        counts[host.parse::<usize>().unwrap()] += 1;
    }
    counts
}
