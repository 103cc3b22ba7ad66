//! Limits hold whoever asks: many threads at one dispatcher.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use callsteer::{
    Algorithm, BeginError, Call, Config, Destination, Dispatcher, Failure, SharedDispatcher, Time,
};

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
        assert_eq!(shared.read(Dispatcher::next_deadline), alone.next_deadline());
    }
    assert!(SharedDispatcher::new(Config { max_events: 0, ..Config::default() }).is_err());
}

/// Threads that pick at once take turns ahead of each other, and none is lost or taken twice.
#[test]
fn turns_are_shared_evenly_whoever_picks() {
    for algorithm in [Algorithm::RoundRobin, Algorithm::Weighted] {
        let shared = fleet(algorithm);
        let picked = pick_at_once(&shared, |_| {});
        let total: u32 = picked.iter().sum();
        for count in &picked {
            // What two lanes may hold back, and the round that is not over.
            assert!(count.abs_diff(total / MEMBERS) <= 2 * 64 + 1, "{algorithm:?}: {picked:?}");
        }
    }
}

/// What a thread takes ahead it gives in order: most of its calls go to the next bridge after that of the call before.
#[test]
fn turns_of_a_thread_are_in_order() {
    let shared = fleet(Algorithm::RoundRobin);
    let ids: Vec<_> = shared.with(|all| all.iter().map(|(id, ..)| id).collect());
    let pick = || (0..100_000).map(|_| shared.pick(&Call::new(b""), NOW).unwrap().destination);
    let seats = || pick().map(|picked| ids.iter().position(|id| *id == picked).unwrap());
    let picks: [Vec<_>; 2] = thread::scope(|scope| {
        [scope.spawn(|| seats().collect()), scope.spawn(|| seats().collect())]
            .map(|thread| thread.join().unwrap())
    });
    for seats in picks {
        let in_order = seats.windows(2).filter(|pair| pair[1] == (pair[0] + 1) % ids.len()).count();
        assert!(in_order > seats.len() / 2, "{in_order}");
    }
}

/// One bridge comes and goes meanwhile: the others have as much as each other.
#[test]
fn turns_are_shared_evenly_while_one_comes_and_goes() {
    let shared = fleet(Algorithm::RoundRobin);
    let first = shared.with(|all| all.find(1, "0")).unwrap();
    let picked = pick_at_once(&shared, |round| {
        shared.with(|all| all.set_enabled(first, round % 2 == 0, NOW)).unwrap();
    });
    let most = picked.iter().skip(1).max().unwrap();
    for count in picked.iter().skip(1) {
        assert!(most - count <= 2 * 64 + 1, "{picked:?}");
    }
}

/// Who takes which call does not depend on whether a thread asked the dispatcher or the table that it keeps.
#[test]
fn the_same_call_finds_the_same_bridge_from_every_thread() {
    let shared = fleet(Algorithm::CallIdHash { bound: None });
    let picks = || (0..200_000u32).map(|number| shared.pick(&Call::new(&number.to_le_bytes()), NOW).unwrap());
    let [one, two] = thread::scope(|scope| {
        [scope.spawn(|| picks().collect::<Vec<_>>()), scope.spawn(|| picks().collect())]
            .map(|thread| thread.join().unwrap())
    });
    assert!(one == two && one.into_iter().eq(picks()));
}

/// One bridge comes and goes, each time for as long as threads need to copy the table.
#[test]
fn a_hash_finds_nobody_who_is_known_to_be_off() {
    let shared = fleet(Algorithm::CallIdHash { bound: None });
    let first = shared.read(|all| all.find(1, "0")).unwrap();
    // Odd while it is off.
    let (changes, picks) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let pick = || {
        let mut seen = 0;
        for number in 0..500_000u32 {
            let before = changes.load(Ordering::Acquire);
            let picked = shared.pick(&Call::new(&number.to_le_bytes()), NOW).unwrap().destination;
            if before == changes.load(Ordering::Acquire) {
                assert!(before % 2 == 0 || picked != first, "it is off");
                seen += usize::from(picked == first);
            }
            // Seldom, so that threads wait for the dispatcher and not for this.
            if number % 1_000 == 999 {
                picks.fetch_add(1_000, Ordering::Release);
            }
        }
        seen
    };
    let seen: usize = thread::scope(|scope| {
        let threads = [scope.spawn(pick), scope.spawn(pick)];
        for until in (50_000..1_000_000).step_by(100_000) {
            let wait = |until| {
                while picks.load(Ordering::Acquire) < until
                    && !threads.iter().any(|thread| thread.is_finished())
                {
                    thread::yield_now();
                }
            };
            wait(until);
            shared.with(|all| all.set_enabled(first, false, NOW)).unwrap();
            changes.fetch_add(1, Ordering::Release);
            wait(until + 50_000);
            changes.fetch_add(1, Ordering::Release);
            shared.with(|all| all.set_enabled(first, true, NOW)).unwrap();
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(seen > 1_000, "{seen}");
}

/// How often each bridge was picked by two threads, while a third one did something over and over.
fn pick_at_once(shared: &SharedDispatcher, meanwhile: impl Fn(u32)) -> Vec<u32> {
    let ids: Vec<_> = shared.with(|all| all.iter().map(|(id, ..)| id).collect());
    let left = AtomicUsize::new(2);
    let pick = || {
        let mut counts = vec![0; ids.len()];
        for _ in 0..100_000 {
            let picked = shared.pick(&Call::new(b""), NOW).unwrap().destination;
            counts[ids.iter().position(|id| *id == picked).unwrap()] += 1;
        }
        left.fetch_sub(1, Ordering::Release);
        counts
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(pick), scope.spawn(pick)];
        let mut round = 0;
        while left.load(Ordering::Acquire) > 0 {
            meanwhile(round);
            round += 1;
        }
        let counts = threads.map(|thread| thread.join().unwrap());
        counts[0].iter().zip(&counts[1]).map(|(one, two)| one + two).collect()
    })
}

fn fleet(algorithm: Algorithm) -> SharedDispatcher {
    let shared = SharedDispatcher::new(Config { algorithm, ..Config::default() }).unwrap();
    for id in 0..MEMBERS {
        shared.with(|all| all.add(1, Destination::new(id.to_string()), NOW)).unwrap();
    }
    shared
}

const MEMBERS: u32 = 7;
