//! What each algorithm promises, seen from the façade.

use std::collections::HashMap;
use std::time::Duration;

use callsteer::{
    Algorithm, BeginError, Call, Config, Destination, DestinationId, Dispatcher, Failure, Lease, NextError,
    ProbeResult, Route, Time,
};

const NOW: Time = Time::from_secs(1);

/// A dispatcher with one set of destinations of these weights, named "0", "1", ...
fn fleet(algorithm: Algorithm, weights: &[u32]) -> (Dispatcher, Vec<DestinationId>) {
    fleet_by(Config { algorithm, seed: 11, ..Config::default() }, weights)
}

fn fleet_by(config: Config, weights: &[u32]) -> (Dispatcher, Vec<DestinationId>) {
    let mut dispatcher = Dispatcher::new(config).unwrap();
    let add = |(id, weight): (usize, &u32)| {
        let destination = Destination { weight: *weight, ..Destination::new(id.to_string()) };
        dispatcher.add(1, destination, NOW).unwrap()
    };
    let ids = weights.iter().enumerate().map(add).collect();
    (dispatcher, ids)
}

fn begin(dispatcher: &mut Dispatcher, call_id: &str) -> (Lease, DestinationId) {
    let placed = dispatcher.begin(&Call::new(call_id.as_bytes()), NOW).unwrap();
    (placed.lease, placed.destination)
}

/// How many of `picks` calls, each ended at once, go to each destination.
fn counts(dispatcher: &mut Dispatcher, ids: &[DestinationId], picks: usize) -> Vec<usize> {
    let mut counts: HashMap<DestinationId, usize> = HashMap::new();
    for call in 0..picks {
        let (lease, destination) = begin(dispatcher, &format!("count-{call}"));
        *counts.entry(destination).or_default() += 1;
        assert!(dispatcher.end(lease, NOW));
    }
    ids.iter().map(|id| counts.get(id).copied().unwrap_or(0)).collect()
}

fn take_down(dispatcher: &mut Dispatcher, id: DestinationId) {
    for _ in 0..3 {
        dispatcher.probe_result(id, ProbeResult::Timeout, NOW).unwrap();
    }
}

const ALL: [Algorithm; 9] = [
    Algorithm::RoundRobin,
    Algorithm::CallIdHash { bound: None },
    Algorithm::CallIdHash { bound: Some(1.25) },
    Algorithm::Weighted,
    Algorithm::CallLoad,
    Algorithm::Priority,
    Algorithm::Random,
    Algorithm::PowerOfTwo,
    Algorithm::LoadScore,
];

/// And Kamailio's, by their numbers.
fn all_and_kamailios() -> impl Iterator<Item = Algorithm> {
    let kamailio = |alg| Algorithm::Kamailio { alg, use_default: false, unsigned_bytes: false };
    ALL.into_iter().chain((0..=15).filter(|alg| ![12, 13].contains(alg)).map(kamailio))
}

/// The last ones are coprime, and too heavy for a schedule of a whole round.
const WEIGHTS: [[u32; 7]; 2] = [[1, 2, 3, 4, 5, 6, 7], [65_535, 1, 2, 65_534, 3, 65_533, 65_532]];

#[test]
fn round_robin_gives_equals_exactly_the_same_even_with_one_down() {
    for n in [1, 2, 3, 16, 65, 200] {
        let (mut dispatcher, ids) = fleet(Algorithm::RoundRobin, &vec![1; n]);
        assert_eq!(counts(&mut dispatcher, &ids, n * 7), vec![7; n]);
        for down in 0..n.min(20) {
            let (mut dispatcher, ids) = fleet(Algorithm::RoundRobin, &vec![1; n]);
            take_down(&mut dispatcher, ids[down]);
            if n == 1 {
                continue;
            }
            let counts = counts(&mut dispatcher, &ids, n * 7);
            let fair = n * 7 / (n - 1);
            for (id, count) in counts.into_iter().enumerate() {
                let expected = if id == down { 0..=0 } else { fair..=fair + 1 };
                assert!(expected.contains(&count), "{id} of {n} with {down} down: {count}");
            }
        }
    }
}

#[test]
fn pick_wants_a_call_id_exactly_where_an_algorithm_hashes_it() {
    for algorithm in all_and_kamailios() {
        let (mut dispatcher, _) = fleet(algorithm, &[1, 1]);
        let picked = dispatcher.pick(&Call::new(b""), NOW);
        assert_eq!(picked.is_err(), dispatcher.hashes(1), "{algorithm:?}");
    }
    let route = |algorithm| Route { set: 1, algorithm };
    let routes = [Algorithm::CallLoad, Algorithm::CallIdHash { bound: None }].map(route).to_vec();
    let dispatcher = Dispatcher::new(Config { policies: [(2, routes)].into(), ..Config::default() }).unwrap();
    assert_eq!((dispatcher.hashes(1), dispatcher.hashes(2)), (false, true));
}

#[test]
fn weighted_gives_each_exactly_its_weight() {
    for weights in [&[10, 10, 8, 10][..], &[60, 60, 30], &[1, 2, 1], &[70, 20, 10], &[65_535, 1]] {
        let (mut dispatcher, ids) = fleet(Algorithm::Weighted, weights);
        let round = weights.iter().sum::<u32>() as usize;
        let expected: Vec<usize> = weights.iter().map(|weight| *weight as usize).collect();
        assert_eq!(counts(&mut dispatcher, &ids, round), expected);
    }
    let (mut dispatcher, ids) = fleet(Algorithm::Weighted, &[1; 101]);
    assert_eq!(counts(&mut dispatcher, &ids, 505), vec![5; 101]);
}

#[test]
fn weights_from_1_to_1000_are_exact_over_a_round_of_half_a_million() {
    let weights: Vec<u32> = (1..=1000).collect();
    let (mut dispatcher, ids) = fleet(Algorithm::Weighted, &weights);
    let expected: Vec<usize> = (1..=1000).collect();
    assert_eq!(counts(&mut dispatcher, &ids, 500_500), expected);
}

#[test]
fn weighted_keeps_the_proportions_of_those_that_stay_up() {
    for weights in [&[10, 10, 8, 10][..], &[40_000, 30_000, 20_001, 10_000]] {
        let (mut dispatcher, ids) = fleet(Algorithm::Weighted, weights);
        take_down(&mut dispatcher, ids[0]);
        let round: u32 = weights[1..].iter().sum();
        let got = counts(&mut dispatcher, &ids, round as usize);
        let off = |(got, weight): (&usize, &u32)| got.abs_diff(*weight as usize);
        assert_eq!(got[0], 0);
        assert!(got.iter().zip(weights).skip(1).map(off).all(|off| off <= 1), "{got:?}");
    }
}

fn uuid(n: u64) -> String {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n << 21);
    format!("{:08x}-{:04x}-4{:03x}@10.0.0.1", mixed >> 32, (mixed >> 16) as u16, mixed & 0xfff)
}

fn sequential(n: u64) -> String {
    format!("{n}-2345@127.0.0.1")
}

fn homes(dispatcher: &mut Dispatcher, calls: u64, call_id: fn(u64) -> String) -> Vec<DestinationId> {
    (0..calls)
        .map(|n| {
            let (lease, destination) = begin(dispatcher, &call_id(n));
            dispatcher.end(lease, NOW);
            destination
        })
        .collect()
}

#[test]
fn a_hash_moves_only_the_calls_of_the_one_that_is_down_and_spreads_them() {
    let (mut dispatcher, ids) = fleet(Algorithm::CallIdHash { bound: None }, &[1; 6]);
    let before = homes(&mut dispatcher, 6_000, uuid);
    for down in &ids {
        let mut failed = dispatcher.clone();
        take_down(&mut failed, *down);
        let after = homes(&mut failed, 6_000, uuid);
        for (before, after) in before.iter().zip(&after) {
            assert!(if before == down { after != down } else { after == before });
        }
        let sigma = (6_000.0f64 * 0.2 * 0.8).sqrt();
        for id in &ids {
            let got = after.iter().filter(|home| *home == id).count() as f64;
            assert!(got <= 1_000.0 * 6.0 / 5.0 + 4.0 * sigma, "{got}");
        }
    }
}

#[test]
fn a_member_that_joins_or_leaves_a_hash_moves_little_more_than_its_share() {
    for n in [2usize, 6, 15, 99] {
        let (mut dispatcher, _) = fleet(Algorithm::CallIdHash { bound: None }, &vec![1; n]);
        let before = homes(&mut dispatcher, 20_000, uuid);
        let joined = dispatcher.add(1, Destination::new("joins"), NOW).unwrap();
        let after = homes(&mut dispatcher, 20_000, uuid);
        let moved =
            before.iter().zip(&after).filter(|(before, after)| before != after).count() as f64 / 20_000.0;
        let share = 1.0 / (n as f64 + 1.0);
        assert!(moved <= share + 0.02, "{moved} moved to one more than {n}");
        dispatcher.remove(joined, NOW).unwrap();
        assert_eq!(homes(&mut dispatcher, 20_000, uuid), before, "it leaves and all is as before");
    }
}

#[test]
fn sequential_call_ids_and_uuids_are_spread_evenly_by_weight() {
    // Chi-square at 0.1 %: 15 degrees of freedom 37.70, 3 degrees 16.27.
    for (weights, limit) in [(vec![1u32; 16], 37.70), (vec![1, 2, 3, 4], 16.27)] {
        let total: u32 = weights.iter().sum();
        for call_id in [sequential as fn(u64) -> String, uuid] {
            let (mut dispatcher, ids) = fleet(Algorithm::CallIdHash { bound: None }, &weights);
            let homes = homes(&mut dispatcher, 20_000, call_id);
            let chi_square: f64 = ids
                .iter()
                .zip(&weights)
                .map(|(id, weight)| {
                    let expected = 20_000.0 * f64::from(*weight) / f64::from(total);
                    let got = homes.iter().filter(|home| *home == id).count() as f64;
                    (got - expected).powi(2) / expected
                })
                .sum();
            assert!(chi_square < limit, "{chi_square}");
        }
    }
}

/// So few that the table seldom finds one: half of the calls are placed by the hash of key and member instead.
#[test]
fn a_hash_is_even_by_weight_over_the_few_of_many_that_are_left() {
    let mut weights = vec![1; 400];
    let left = [(7, 1), (100, 1), (101, 2), (399, 4)];
    left.iter().for_each(|(seat, weight)| weights[*seat] = *weight);
    let (mut dispatcher, ids) = fleet(Algorithm::CallIdHash { bound: None }, &weights);
    let down = (0..400).filter(|seat| left.iter().all(|(stays, _)| stays != seat));
    down.for_each(|seat| take_down(&mut dispatcher, ids[seat]));
    let homes = homes(&mut dispatcher, 16_000, uuid);
    for (seat, weight) in left {
        let got = homes.iter().filter(|home| **home == ids[seat]).count() as f64;
        let share = f64::from(weight) / 8.0;
        let sigma = (16_000.0 * share * (1.0 - share)).sqrt();
        assert!((got - 16_000.0 * share).abs() < 5.0 * sigma, "{got} at the one of weight {weight}");
    }
}

#[test]
fn hash_destinations_do_not_depend_on_the_order_in_which_members_joined() {
    let config = Config { algorithm: Algorithm::CallIdHash { bound: None }, ..Config::default() };
    let names = |order: &[&str]| {
        let mut dispatcher = Dispatcher::new(config.clone()).unwrap();
        for id in order {
            dispatcher.add(1, Destination::new(*id), NOW).unwrap();
        }
        let homes = homes(&mut dispatcher, 500, uuid);
        homes.iter().map(|id| dispatcher.destination(*id).unwrap().id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["a", "b", "c"]), names(&["c", "a", "b"]));
}

#[test]
fn a_hash_does_not_remember_who_sat_there_before() {
    let (mut changed, ids) = fleet(Algorithm::CallIdHash { bound: None }, &[1, 1, 1]);
    homes(&mut changed, 1, uuid);
    changed.remove(ids[0], NOW).unwrap();
    changed.remove(ids[2], NOW).unwrap();
    for id in ["2", "3", "0"] {
        changed.add(1, Destination::new(id), NOW).unwrap();
        homes(&mut changed, 1, uuid);
    }
    let (mut fresh, _) = fleet(Algorithm::CallIdHash { bound: None }, &[1, 1, 1, 1]);
    let names = |dispatcher: &mut Dispatcher| -> Vec<String> {
        let homes = homes(dispatcher, 500, uuid);
        homes.iter().map(|id| dispatcher.destination(*id).unwrap().id.clone()).collect()
    };
    assert_eq!(names(&mut changed), names(&mut fresh));
}

#[test]
fn nobody_is_above_the_bound_of_a_hash() {
    let weights = [1, 1, 2, 4];
    let (mut dispatcher, ids) = fleet(Algorithm::CallIdHash { bound: Some(1.25) }, &weights);
    for n in 0..2_000u32 {
        // One key for all: without a bound they would all go to one destination.
        let call_id = format!("bound-{n}");
        let call = Call { key: Some(b"the same"), ..Call::new(call_id.as_bytes()) };
        dispatcher.begin(&call, NOW).unwrap();
        for (id, weight) in ids.iter().zip(weights) {
            let most = (1.25 * f64::from(n + 1) * f64::from(weight) / 8.0).ceil();
            assert!(f64::from(dispatcher.status(*id).unwrap().calls) <= most);
        }
    }
}

#[test]
fn call_load_fills_the_least_loaded_by_weight_and_cost() {
    let (mut dispatcher, ids) = fleet(Algorithm::CallLoad, &[1, 2, 4, 1]);
    for n in 0..800u32 {
        begin(&mut dispatcher, &n.to_string());
    }
    let calls: Vec<u32> = ids.iter().map(|id| dispatcher.status(*id).unwrap().calls).collect();
    assert_eq!(calls, [100, 200, 400, 100]);
    let (mut dispatcher, ids) = fleet(Algorithm::CallLoad, &[1, 1]);
    let heavy = dispatcher.begin(&Call { cost: 10, ..Call::new(b"heavy") }, NOW).unwrap();
    for n in 0..10u32 {
        assert_ne!(begin(&mut dispatcher, &n.to_string()).1, heavy.destination);
    }
    assert_eq!(ids.iter().map(|id| dispatcher.status(*id).unwrap().load).collect::<Vec<_>>(), [10, 10]);
}

/// As many weights as destinations, more than are compared one by one; calls of few costs, and of more than are ranked.
#[test]
fn call_load_finds_the_least_of_many_weights_whatever_calls_cost() {
    for costs in [&[1][..], &[1, 1, 1, 2], &[1, 2, 3, 5, 7, 9]] {
        let weights: Vec<u32> = (0..100).map(|n| 1 + n * 37 % 101).collect();
        let config = Config { algorithm: Algorithm::CallLoad, warm_up: Duration::ZERO, ..Config::default() };
        let (mut dispatcher, ids) = fleet_by(config, &weights);
        // Load, when it changed last, and whether it can take calls.
        let mut naive: Vec<(u32, u32, bool)> = vec![(0, 0, true); ids.len()];
        let mut live: Vec<(Lease, usize, u32)> = Vec::new();
        let mut number = 1u32;
        for step in 1..6_000u32 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let drawn = (number >> 8) as usize;
            match drawn % 16 {
                0 => {
                    let (seat, on) = (drawn / 16 % ids.len(), !(drawn / 16).is_multiple_of(3));
                    naive[seat].2 = on;
                    dispatcher.set_enabled(ids[seat], on, NOW).unwrap();
                }
                1..8 if !live.is_empty() => {
                    let (lease, seat, cost) = live.swap_remove(drawn / 16 % live.len());
                    assert!(dispatcher.end(lease, NOW));
                    naive[seat] = (naive[seat].0 - cost, step, naive[seat].2);
                }
                _ => {
                    let cost = costs[drawn / 16 % costs.len()];
                    let best = (0..ids.len()).filter(|seat| naive[*seat].2).min_by(|a, b| {
                        let share = |seat: &usize, by: &usize| (naive[*seat].0 + cost) * weights[*by];
                        (share(a, b), naive[*a].1).cmp(&(share(b, a), naive[*b].1))
                    });
                    let id = step.to_le_bytes();
                    let placed = dispatcher.begin(&Call { cost, ..Call::new(&id) }, NOW).unwrap();
                    let seat = best.unwrap();
                    assert_eq!(placed.destination, ids[seat], "step {step}, costs {costs:?}");
                    live.push((placed.lease, seat, cost));
                    naive[seat] = (naive[seat].0 + cost, step, true);
                }
            }
        }
        assert!(live.len() > 100, "{}", live.len());
    }
}

#[test]
fn idle_equals_take_turns_under_call_load_and_start_in_an_order_of_the_seed() {
    let (mut dispatcher, ids) = fleet(Algorithm::CallLoad, &[1; 16]);
    assert_eq!(counts(&mut dispatcher, &ids, 160), vec![10; 16]);
    let first = |seed| {
        let mut dispatcher = Dispatcher::new(Config { seed, ..Config::default() }).unwrap();
        for id in 0..16 {
            dispatcher.add(1, Destination::new(id.to_string()), NOW).unwrap();
        }
        (0..16).map(|n: u32| begin(&mut dispatcher, &n.to_string()).1).collect::<Vec<_>>()
    };
    assert_eq!(first(1), first(1));
    assert_ne!(first(1), first(2));
}

#[test]
fn the_highest_priority_goes_first_and_equals_in_turn() {
    let config = Config { algorithm: Algorithm::Priority, ..Config::default() };
    let mut dispatcher = Dispatcher::new(config).unwrap();
    let ids = [5, 9, 9, -1].map(|priority| {
        let name = format!("{priority}-{}", dispatcher.iter().count());
        dispatcher.add(1, Destination { priority, ..Destination::new(name) }, NOW).unwrap()
    });
    assert_eq!(counts(&mut dispatcher, &ids, 10), [0, 5, 5, 0]);
    take_down(&mut dispatcher, ids[1]);
    assert_eq!(counts(&mut dispatcher, &ids, 10), [0, 0, 10, 0]);
    take_down(&mut dispatcher, ids[2]);
    assert_eq!(counts(&mut dispatcher, &ids, 10), [10, 0, 0, 0]);
    take_down(&mut dispatcher, ids[0]);
    assert_eq!(counts(&mut dispatcher, &ids, 10), [0, 0, 0, 10]);
}

#[test]
fn random_is_even_over_the_candidates() {
    let (mut dispatcher, ids) = fleet(Algorithm::Random, &[1; 40]);
    for id in &ids[3..] {
        dispatcher.set_enabled(*id, false, NOW).unwrap();
    }
    let counts = counts(&mut dispatcher, &ids, 30_000);
    assert!(counts[..3].iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    assert_eq!(counts[3..].iter().sum::<usize>(), 0);
}

#[test]
fn power_of_two_keeps_the_fullest_near_the_mean_where_random_does_not() {
    let fullest = |algorithm| {
        let (mut dispatcher, ids) = fleet(algorithm, &[1; 100]);
        for n in 0..10_000u32 {
            begin(&mut dispatcher, &n.to_string());
        }
        ids.iter().map(|id| dispatcher.status(*id).unwrap().calls).max().unwrap()
    };
    assert!(fullest(Algorithm::PowerOfTwo) <= 105);
    assert!(fullest(Algorithm::Random) > 115);
}

#[test]
fn failover_visits_every_other_destination_once_whatever_the_algorithm() {
    for (algorithm, weights) in
        all_and_kamailios().flat_map(|algorithm| WEIGHTS.map(|weights| (algorithm, weights)))
    {
        let (mut dispatcher, ids) = fleet(algorithm, &weights);
        for n in 0..50u32 {
            let (lease, first) = begin(&mut dispatcher, &n.to_string());
            let mut seen = vec![first];
            for _ in 1..ids.len() {
                dispatcher.fail(lease, Failure::Timeout, NOW).unwrap();
                seen.push(dispatcher.next(lease, NOW).unwrap().destination);
            }
            assert_eq!(dispatcher.next(lease, NOW), Err(NextError::Exhausted), "{algorithm:?}");
            seen.sort_unstable();
            assert_eq!(seen, ids, "{algorithm:?}");
            assert_eq!(dispatcher.iter().map(|(_, _, status)| status.calls).sum::<u32>(), 1);
            dispatcher.end(lease, NOW);
        }
    }
}

#[test]
fn whoever_is_chosen_was_a_candidate_and_explain_said_so() {
    for (algorithm, weights) in
        all_and_kamailios().flat_map(|algorithm| WEIGHTS.map(|weights| (algorithm, weights)))
    {
        let (mut dispatcher, ids) = fleet(algorithm, &weights);
        take_down(&mut dispatcher, ids[2]);
        dispatcher.set_enabled(ids[4], false, NOW).unwrap();
        for n in 0..300u32 {
            let call_id = n.to_string();
            let call = Call { cost: 1 + n % 3, ..Call::new(call_id.as_bytes()) };
            let explained = dispatcher.explain(&call);
            let placed = dispatcher.begin(&call, NOW).unwrap();
            assert_eq!(explained.outcome, Ok(placed.destination), "{algorithm:?}");
            assert!(placed.destination != ids[2] && placed.destination != ids[4]);
            let keys = |id| explained.rows.iter().find(|row| row.destination == id).unwrap().key;
            if let Some(best) = keys(placed.destination).filter(|_| algorithm != Algorithm::PowerOfTwo) {
                let bounded = matches!(algorithm, Algorithm::CallIdHash { bound: Some(_) });
                let least = ids.iter().filter_map(|id| keys(*id)).fold(f64::INFINITY, f64::min);
                assert!(bounded || best <= least, "{algorithm:?}: {explained:?}");
            }
        }
    }
}

#[test]
fn a_policy_tries_its_routes_in_order() {
    let routes = vec![
        Route { set: 1, algorithm: Algorithm::CallLoad },
        Route { set: 2, algorithm: Algorithm::Weighted },
    ];
    let config = Config { policies: [(1, routes)].into(), ..Config::default() };
    let mut dispatcher = Dispatcher::new(config).unwrap();
    assert_eq!(dispatcher.begin(&Call::new(b"nobody"), NOW), Err(BeginError::NoSuchSet { set: 1 }));
    let mut add = |set, id: &str, max_calls| {
        dispatcher.add(set, Destination { max_calls, ..Destination::new(id) }, NOW).unwrap()
    };
    let (small, spare) = (add(1, "small", 2), add(2, "spare", 3));
    let homes: Vec<_> = (0..5u32).map(|n| begin(&mut dispatcher, &n.to_string()).1).collect();
    assert_eq!(homes, [small, small, spare, spare, spare]);
    let refused = dispatcher.begin(&Call::new(b"full"), NOW).unwrap_err();
    assert_eq!((refused.code(), refused.answer()), ("full", (503, Some(5))));
    assert!(dispatcher.end_call(b"0", NOW));
    let lease = dispatcher.call_of(b"2").unwrap();
    assert_eq!(dispatcher.next(lease, NOW), Err(NextError::Exhausted), "routes are not gone back");
}
