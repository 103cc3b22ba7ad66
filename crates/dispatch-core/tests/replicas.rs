//! Several dispatchers over one fleet: what each knows of all, whatever becomes of their deltas.

use std::collections::BTreeMap;
use std::time::Duration;

use callsteer::replica::Delta;
use callsteer::{
    Call, Config, Destination, DestinationId, Dispatcher, EjectionConfig, EventKind, Failure, Lease, Limits,
    NoSuchDestination, ProbeResult, ReplicasConfig, Standing, Time, Will,
};
use proptest::prelude::*;

const R: usize = 3;
const LOST_AFTER: u64 = 10;

fn config(number: usize, limits: Limits) -> Config {
    let replica = ReplicasConfig { limits, ..ReplicasConfig::new(format!("r{number}"), 1) };
    Config { dispatchers: R as u32, replicas: Some(replica), seed: number as u64, ..Config::default() }
}

/// R dispatchers over the same destinations.
fn replicas(destinations: &[(&str, u32)], limits: Limits) -> Vec<Dispatcher> {
    let one = |number| {
        let mut dispatcher = Dispatcher::new(config(number, limits)).unwrap();
        for (uri, max_calls) in destinations {
            let destination = Destination { max_calls: *max_calls, ..Destination::new(*uri) };
            dispatcher.add(1, destination, Time::ZERO).unwrap();
        }
        dispatcher
    };
    (0..R).map(one).collect()
}

/// Everybody tells everybody.
fn tell(all: &mut [Dispatcher], full: bool, now: Time) {
    let deltas: Vec<Delta> = all.iter_mut().map(|one| one.delta(full, now).unwrap()).collect();
    for one in all {
        for delta in &deltas {
            one.merge(delta, now);
        }
    }
}

fn id(dispatcher: &Dispatcher, uri: &str) -> DestinationId {
    dispatcher.find(1, uri).unwrap()
}

fn standing(dispatcher: &Dispatcher, uri: &str) -> Standing {
    dispatcher.status(id(dispatcher, uri)).unwrap().standing
}

/// Calls of this one, and of others as far as it knows.
fn calls(dispatcher: &Dispatcher, uri: &str) -> (u32, u32) {
    let status = dispatcher.status(id(dispatcher, uri)).unwrap();
    (status.calls, status.elsewhere)
}

#[derive(Clone, Debug)]
enum Step {
    Begin {
        at: usize,
    },
    End {
        at: usize,
        which: usize,
    },
    Speak {
        at: usize,
        full: bool,
    },
    /// One of the deltas so far comes to somebody, perhaps again, perhaps late.
    Hear {
        at: usize,
        which: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let at = 0..R;
    prop_oneof![
        4 => at.clone().prop_map(|at| Step::Begin { at }),
        2 => (at.clone(), any::<usize>()).prop_map(|(at, which)| Step::End { at, which }),
        2 => (at.clone(), any::<bool>()).prop_map(|(at, full)| Step::Speak { at, full }),
        4 => (at, any::<usize>()).prop_map(|(at, which)| Step::Hear { at, which }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Deltas are lost, come twice and late, some replicas hear nothing of some others: after one round
    /// of full deltas everybody knows every call, and no limit was passed by more than the bound.
    #[test]
    fn all_know_all_calls_in_the_end_and_shares_keep_their_bound(steps in prop::collection::vec(step(), 1..150)) {
        let limits = [("a", 5), ("b", 4), ("c", 0)];
        let mut all = replicas(&limits, Limits::Shares);
        let mut leases: Vec<Vec<Lease>> = vec![Vec::new(); R];
        let mut said: Vec<Delta> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let now = Time::from_millis(number as u64);
            match step {
                Step::Begin { at } => {
                    let class = ["x", "y"][number % 2];
                    let call_id = number.to_string();
                    let call = Call { class: Some(class), cost: 1 + number as u32 % 3, ..Call::new(call_id.as_bytes()) };
                    leases[at].extend(all[at].begin(&call, now).ok().map(|placed| placed.lease));
                }
                Step::End { at, which } if !leases[at].is_empty() => {
                    let which = which % leases[at].len();
                    prop_assert!(all[at].end(leases[at].swap_remove(which), now));
                }
                Step::End { .. } => {}
                Step::Speak { at, full } => said.extend(all[at].delta(full, now)),
                Step::Hear { at, which } if !said.is_empty() => {
                    all[at].merge(&said[which % said.len()], now);
                }
                Step::Hear { .. } => {}
            }
            for (uri, limit) in limits {
                let there: u32 = all.iter().map(|one| calls(one, uri).0).sum();
                prop_assert!(limit == 0 || there < limit + R as u32, "{uri} has {there} of {limit}");
            }
        }
        let now = Time::from_secs(1);
        tell(&mut all, true, now);
        for (uri, _) in limits {
            let sum: u32 = all.iter().map(|one| calls(one, uri).0).sum();
            for one in &all {
                let (own, elsewhere) = calls(one, uri);
                prop_assert_eq!(own + elsewhere, sum, "{}", uri);
            }
        }
        // What load_score and call_load see is the same wherever it is asked.
        let keys = |one: &Dispatcher| -> Vec<_> { one.explain(&Call::new(b"?")).rows.iter().map(|row| row.estimate.predicted).collect() };
        let first = keys(&all[0]);
        for one in &all {
            prop_assert_eq!(keys(one), first.clone());
        }
        // And when all have ended, nobody counts anything.
        for (one, leases) in all.iter_mut().zip(leases) {
            leases.into_iter().for_each(|lease| assert!(one.end(lease, now)));
        }
        tell(&mut all, false, now);
        for one in &all {
            prop_assert!(one.iter().all(|(_, _, status)| status.calls + status.elsewhere == 0));
        }
    }

    /// What operators want comes to be the same everywhere, whoever was told what, and when.
    #[test]
    fn all_want_the_same_in_the_end(
        orders in prop::collection::vec((0..R, 0..3u8, any::<prop::sample::Index>(), any::<bool>()), 1..20)
    ) {
        let mut all = replicas(&[("a", 0), ("b", 0)], Limits::Leases);
        let mut said: Vec<Delta> = Vec::new();
        for (number, (at, order, which, hears)) in orders.into_iter().enumerate() {
            let now = Time::from_millis(number as u64);
            let a = id(&all[at], "a");
            match order {
                0 => all[at].drain(a, None, now).unwrap(),
                order => all[at].set_enabled(a, order == 1, now).unwrap(),
            }
            said.extend(all[at].delta(false, now));
            if hears {
                let delta = which.get(&said).clone();
                all[(at + 1) % R].merge(&delta, now);
            }
        }
        // What one hears late it tells on.
        tell(&mut all, true, Time::from_secs(1));
        tell(&mut all, true, Time::from_secs(1));
        let wills: Vec<Will> = all.iter().map(|one| one.status(id(one, "a")).unwrap().will).collect();
        prop_assert!(wills.iter().all(|will| *will == wills[0]), "{:?}", wills);
    }
}

#[test]
fn calls_elsewhere_decide_where_the_next_one_goes() {
    let now = Time::from_secs(1);
    let mut all = replicas(&[("a", 0), ("b", 0), ("c", 0)], Limits::Shares);
    let mut placed = BTreeMap::new();
    for call in 0..30u32 {
        let one = &mut all[call as usize % R];
        let destination = one.begin(&Call::new(&call.to_le_bytes()), now).unwrap().destination;
        *placed.entry(one.destination(destination).unwrap().uri.clone()).or_insert(0) += 1;
        tell(&mut all, false, now);
    }
    assert_eq!(placed.into_values().collect::<Vec<_>>(), [10, 10, 10], "as if it were one");
}

#[test]
fn a_lost_replica_counts_no_more_and_one_that_starts_anew_begins_at_nothing() {
    let mut all = replicas(&[("a", 0)], Limits::Shares);
    for call in 0..4u32 {
        all[1].begin(&Call::new(&call.to_le_bytes()), Time::ZERO).unwrap();
    }
    tell(&mut all, false, Time::from_secs(1));
    assert_eq!(calls(&all[0], "a"), (0, 4));
    all[0].delta(false, Time::from_secs(LOST_AFTER));
    assert_eq!(calls(&all[0], "a"), (0, 4));
    all[0].delta(false, Time::from_secs(1 + LOST_AFTER));
    assert_eq!(calls(&all[0], "a"), (0, 0));
    assert!(all[0].replicas().all(|other| other.lost));
    // It was only out of reach.
    let now = Time::from_secs(2 + LOST_AFTER);
    let (delta, before) = (all[1].delta(false, now).unwrap(), calls(&all[0], "a"));
    assert!(delta.counts.is_empty(), "nothing changed there");
    all[0].merge(&delta, now);
    assert_eq!((before, calls(&all[0], "a")), ((0, 0), (0, 4)));
    let mut config = config(1, Limits::Shares);
    config.replicas.as_mut().unwrap().epoch = 2;
    all[1] = Dispatcher::new(config).unwrap();
    let delta = all[1].delta(true, now).unwrap();
    all[0].merge(&delta, now);
    assert_eq!(calls(&all[0], "a"), (0, 0));
}

#[test]
fn one_that_joins_later_gets_the_calls_that_others_have_there_and_what_is_wanted_of_it() {
    let now = Time::from_secs(1);
    let mut all = replicas(&[("a", 0)], Limits::Shares);
    let b = all[0].add(1, Destination::new("b"), now).unwrap();
    all[0].begin(&Call::new(b"1"), now).unwrap();
    all[0].begin(&Call::new(b"2"), now).unwrap();
    all[0].drain(b, None, now).unwrap();
    tell(&mut all, false, now);
    all[1].add(1, Destination::new("b"), now).unwrap();
    all[1].delta(false, now);
    assert_eq!(calls(&all[1], "b"), (0, 1));
    assert_eq!(standing(&all[1], "b"), Standing::Draining);
    // It is said to be drained when the calls of all have ended.
    let drained = |one: &mut Dispatcher| {
        std::iter::from_fn(|| one.poll_event(now))
            .any(|event| matches!(event.kind, EventKind::Drained { .. }))
    };
    assert!(!drained(&mut all[1]));
    all[0].end_call(b"1", now);
    all[0].end_call(b"2", now);
    tell(&mut all, false, now);
    assert!(drained(&mut all[1]));
}

fn fail_three(dispatcher: &mut Dispatcher, uri: &str, now: Time) {
    for call in 0..30u32 {
        let placed = dispatcher.begin(&Call::new(&call.to_le_bytes()), now).unwrap();
        if placed.destination == id(dispatcher, uri) {
            dispatcher.fail(placed.lease, Failure::Timeout, now).unwrap();
        }
        // The others stay, so that each gets its turn.
        if standing(dispatcher, uri) == Standing::Ejected {
            break;
        }
    }
    assert_eq!(standing(dispatcher, uri), Standing::Ejected);
    for call in 0..30u32 {
        dispatcher.end_call(&call.to_le_bytes(), now);
    }
}

#[test]
fn an_ejection_by_one_is_one_by_all_and_ends_for_all() {
    let now = Time::from_secs(1);
    let mut all = replicas(&[("a", 0), ("b", 0), ("c", 0), ("d", 0)], Limits::Shares);
    fail_three(&mut all[0], "a", now);
    tell(&mut all, false, now);
    assert!(all.iter().all(|one| standing(one, "a") == Standing::Ejected));
    // Who only follows does not say so: it would never end.
    assert!(all[1].delta(true, now).unwrap().counts.iter().all(|count| count.ejected.is_none()));
    let end = now + EjectionConfig::default().base_time;
    for one in &mut all {
        while one.poll_probe(end).is_some() {}
        assert_ne!(standing(one, "a"), Standing::Ejected);
    }
    tell(&mut all, true, end);
    assert!(all.iter().all(|one| standing(one, "a") != Standing::Ejected));
}

#[test]
fn an_ejection_that_two_found_out_is_told_once_by_each() {
    let now = Time::from_secs(1);
    let mut all = replicas(&[("a", 0), ("b", 0), ("c", 0), ("d", 0)], Limits::Shares);
    for one in &mut all {
        fail_three(one, "a", now);
    }
    tell(&mut all, false, now);
    tell(&mut all, true, now);
    for one in &mut all {
        let events = core::iter::from_fn(|| one.poll_event(now));
        assert_eq!(events.filter(|event| matches!(event.kind, EventKind::Ejected { .. })).count(), 1);
    }
}

#[test]
fn an_ejection_that_is_taken_back_is_taken_back_by_all() {
    let now = Time::from_secs(1);
    let mut all = replicas(&[("a", 0), ("b", 0), ("c", 0), ("d", 0)], Limits::Shares);
    fail_three(&mut all[0], "a", now);
    tell(&mut all, false, now);
    // Now b and c fail there too: it is nobody's fault.
    for call in 100..160u32 {
        let Ok(placed) = all[0].begin(&Call::new(&call.to_le_bytes()), now) else { break };
        all[0].fail(placed.lease, Failure::Timeout, now).unwrap();
    }
    assert_ne!(standing(&all[0], "a"), Standing::Ejected);
    tell(&mut all, false, now);
    assert_ne!(standing(&all[1], "a"), Standing::Ejected);
}

#[test]
fn never_more_than_half_of_a_set_is_out_whoever_ejects() {
    let now = Time::from_secs(1);
    let mut all = replicas(&[("a", 0), ("b", 0), ("c", 0), ("d", 0)], Limits::Shares);
    for (number, uri) in ["a", "b", "c"].iter().enumerate() {
        fail_three(&mut all[number], uri, now);
    }
    tell(&mut all, false, now);
    for one in &all {
        let out = one.iter().filter(|(_, _, status)| status.standing == Standing::Ejected).count();
        assert_eq!(out, 2);
    }
}

#[test]
fn whom_most_replicas_find_down_is_down() {
    let now = Time::from_secs(1);
    let mut all = replicas(&[("a", 0), ("b", 0)], Limits::Shares);
    for number in [0, 1] {
        for _ in 0..3 {
            let a = id(&all[number], "a");
            all[number].probe_result(a, ProbeResult::Timeout, now).unwrap();
        }
        tell(&mut all, false, now);
        let expected = if number == 0 { Standing::Candidate } else { Standing::Inactive };
        assert_eq!(standing(&all[2], "a"), expected, "{} of 3", number + 1);
    }
    for _ in 0..2 {
        let a = id(&all[1], "a");
        all[1].probe_result(a, ProbeResult::reply(200), now).unwrap();
    }
    tell(&mut all, false, now);
    assert_eq!(standing(&all[2], "a"), Standing::Candidate);
    assert_eq!(standing(&all[0], "a"), Standing::Inactive, "it cannot reach it itself");
}

#[test]
fn a_call_of_a_replica_that_is_gone_goes_on_elsewhere() {
    let now = Time::from_secs(1);
    let mut all = replicas(&[("a", 1), ("b", 0)], Limits::Leases);
    let (a, call) = (id(&all[1], "a"), Call { cost: 3, ..Call::new(b"1") });
    let lease = all[1].take_over(a, &call, now).unwrap();
    assert_eq!(all[1].take_over(a, &call, now), Ok(lease), "once");
    assert_eq!((calls(&all[1], "a").0, standing(&all[1], "a")), (1, Standing::Full));
    all[1].confirm_call(b"1", now).unwrap();
    let stats = all[1].stats();
    assert_eq!((stats.begun, stats.adopted, stats.calls), (0, 1, 1));
    assert!(all[1].end(lease, now));
    all[1].remove(a, now).unwrap();
    assert_eq!(all[1].take_over(a, &call, now), Err(NoSuchDestination));
}

#[test]
fn a_dispatcher_alone_says_and_hears_nothing() {
    let mut alone = Dispatcher::new(Config::default()).unwrap();
    assert_eq!(alone.delta(true, Time::ZERO), None);
    let delta = Delta { replica: "r".into(), beat: 1, ..Delta::default() };
    assert!(!alone.merge(&delta, Time::ZERO));
    assert_eq!(alone.replicas().count(), 0);
}

#[test]
fn what_it_said_itself_is_no_news() {
    let mut all = replicas(&[("a", 0)], Limits::Shares);
    all[0].begin(&Call::new(b"1"), Time::ZERO).unwrap();
    let delta = all[0].delta(true, Time::ZERO).unwrap();
    assert!(!all[0].merge(&delta, Time::ZERO));
    assert_eq!(calls(&all[0], "a"), (1, 0));
    assert!(all[1].merge(&delta, Time::ZERO));
    assert!(!all[1].merge(&delta, Time::ZERO), "the same again");
}

#[test]
fn what_is_said_of_a_drain_keeps_its_deadline() {
    let mut all = replicas(&[("a", 0), ("b", 0)], Limits::Shares);
    for call in [b"1", b"2"] {
        all[1].begin(&Call::new(call), Time::ZERO).unwrap();
    }
    tell(&mut all, false, Time::ZERO);
    let a = id(&all[0], "a");
    all[0].drain(a, Some(Duration::from_secs(30)), Time::ZERO).unwrap();
    tell(&mut all, false, Time::from_secs(5));
    let left = |one: &mut Dispatcher, now: u64| {
        let events: Vec<_> = std::iter::from_fn(|| one.poll_event(Time::from_secs(now))).collect();
        events.into_iter().find_map(|event| match event.kind {
            EventKind::Drained { left, .. } => Some((event.at, left)),
            _ => None,
        })
    };
    assert_eq!(left(&mut all[1], 29), None);
    assert_eq!(left(&mut all[1], 31), Some((Time::from_secs(30), 1)));
}

/// What others have there is as much as before, in other calls: who is first of equals stays so, also once restored.
#[cfg(feature = "serde")]
#[test]
fn other_calls_of_the_same_load_move_nobody_in_line() {
    let mut all = replicas(&[("a", 0), ("b", 0)], Limits::Shares);
    let begin = |one: &mut Dispatcher, call_id: &str, cost| {
        let call = Call { cost, ..Call::new(call_id.as_bytes()) };
        let placed = one.begin(&call, Time::ZERO).unwrap();
        (placed.lease, one.destination(placed.destination).unwrap().uri.clone())
    };
    let two = [begin(&mut all[1], "one", 2), begin(&mut all[1], "other", 2)];
    tell(&mut all, false, Time::ZERO);
    let (lease, first) = two.into_iter().find(|(_, uri)| uri == "a").unwrap();
    assert!(all[1].end(lease, Time::ZERO));
    assert_eq!([begin(&mut all[1], "half", 1).1, begin(&mut all[1], "other half", 1).1], [&*first, &first]);
    tell(&mut all, false, Time::ZERO);
    assert_eq!([calls(&all[0], "a"), calls(&all[0], "b")], [(0, 2), (0, 1)]);
    let mut restored = Dispatcher::restore(&all[0].snapshot()).unwrap();
    let next = |one: &mut Dispatcher| one.pick(&Call::new(b"next"), Time::ZERO).unwrap().destination;
    assert_eq!(next(&mut restored), next(&mut all[0]));
    assert_eq!(next(&mut restored), id(&restored, "a"));
}
