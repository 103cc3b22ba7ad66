//! Limits hold whoever asks: many threads at one dispatcher.

use std::sync::Barrier;
use std::thread;

use callsteer::{BeginError, Call, Config, Destination, Dispatcher, Failure, SharedDispatcher, Time};

const NOW: Time = Time::from_secs(1);

/// Kamailio's call load checks the limit and counts the call in two steps: 25 calls on 20 places.
#[test]
fn never_more_calls_than_places_with_eight_threads_in_ten_thousand_rounds() {
    let dispatcher = SharedDispatcher::new(Config::default()).unwrap();
    for id in 0..4 {
        let destination = Destination { max_calls: 5, ..Destination::new(id.to_string()) };
        dispatcher.with(|dispatcher| dispatcher.add(1, destination, NOW)).unwrap();
    }
    let rounds = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (dispatcher, rounds) = (&dispatcher, &rounds);
            scope.spawn(move || {
                for round in 0..10_000 {
                    play(number, round, dispatcher, rounds);
                }
            });
        }
    });
    assert_eq!(dispatcher.stats().calls, 0);
    assert_eq!(dispatcher.stats().refused, 10_000 * (THREADS as u64 * 3 - 20));
}

/// Each thread begins three calls, one of them twice: 24 calls ask for 20 places.
fn play(number: usize, round: usize, dispatcher: &SharedDispatcher, rounds: &Barrier) {
    let mut leases = Vec::new();
    for call in 0..3 {
        let call_id = format!("{round}-{number}-{call}");
        match dispatcher.begin(&Call::new(call_id.as_bytes()), NOW) {
            Ok(placed) => leases.push((call_id, placed)),
            Err(BeginError::Full { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    if let Some((call_id, placed)) = leases.first() {
        let again = dispatcher.begin(&Call::new(call_id.as_bytes()), NOW);
        assert_eq!(again, Ok(*placed), "a repeated Call-ID counts once");
    }
    rounds.wait();
    if number == 0 {
        let calls = dispatcher.with(|all| all.iter().map(|(_, _, status)| status.calls).collect::<Vec<_>>());
        assert_eq!(calls, [5; 4]);
    }
    rounds.wait();
    for (_, placed) in leases {
        assert!(dispatcher.end(placed.lease, NOW));
    }
    rounds.wait();
}

const THREADS: usize = 8;

#[test]
fn a_thread_that_panics_leaves_the_dispatcher_to_the_others() {
    let dispatcher = SharedDispatcher::new(Config::default()).unwrap();
    dispatcher.with(|dispatcher| dispatcher.add(1, Destination::new("sip:10.0.0.1"), NOW)).unwrap();
    let panicked = thread::scope(|scope| {
        let dies = || dispatcher.with(|dispatcher| panic!("after {} calls", dispatcher.stats().calls));
        scope.spawn(dies).join().is_err()
    });
    assert!(panicked);
    let placed = dispatcher.begin(&Call::new(b"a"), NOW).unwrap();
    assert!(dispatcher.end(placed.lease, NOW));
    assert_eq!(dispatcher.into_inner().stats().ended, 1);
}

/// By lease and by Call-ID, with and without what is refused.
#[test]
fn what_is_done_by_reference_is_what_the_dispatcher_itself_does() {
    let mut alone = Dispatcher::new(Config::default()).unwrap();
    for uri in ["sip:a", "sip:b", "sip:c"] {
        alone.add(1, Destination { max_calls: 2, ..Destination::new(uri) }, NOW).unwrap();
    }
    let shared = SharedDispatcher::from(alone.clone());
    for number in 0..8_u8 {
        let id = [number % 7];
        let call = Call::new(&id);
        assert_eq!(shared.pick(&call, NOW), alone.pick(&call, NOW));
        let placed = alone.begin(&call, NOW);
        assert_eq!(shared.begin(&call, NOW), placed);
        let Ok(placed) = placed else { continue };
        if number % 2 == 0 {
            assert_eq!(
                shared.fail(placed.lease, Failure::Timeout, NOW),
                alone.fail(placed.lease, Failure::Timeout, NOW)
            );
            assert_eq!(shared.next(placed.lease, NOW), alone.next(placed.lease, NOW));
            assert_eq!(shared.confirm(placed.lease, NOW), alone.confirm(placed.lease, NOW));
        } else {
            assert_eq!(
                shared.fail_call(&id, Failure::Timeout, NOW),
                alone.fail_call(&id, Failure::Timeout, NOW)
            );
            assert_eq!(shared.next_call(&id, NOW), alone.next_call(&id, NOW));
            assert_eq!(shared.confirm_call(&id, NOW), alone.confirm_call(&id, NOW));
        }
        if number % 3 == 0 {
            assert_eq!(shared.end_call(&id, NOW), alone.end_call(&id, NOW));
            assert_eq!(shared.end(placed.lease, NOW), alone.end(placed.lease, NOW));
        }
        assert_eq!(shared.stats(), alone.stats());
    }
    assert!(SharedDispatcher::new(Config { max_events: 0, ..Config::default() }).is_err());
}
