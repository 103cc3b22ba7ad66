//! Threads at one dispatcher, in thousands of orders that shuttle chooses: what must be so in each of them.
//!
//! The files of `SharedDispatcher` are compiled here once more, with shuttle's `sync` where they say `std::sync`.

#![no_std]

extern crate alloc;
extern crate shuttle as std;

#[allow(dead_code, unreachable_pub)]
#[path = "../src/shared/mod.rs"]
mod shared;

/// What that file finds in its crate.
mod call {
    pub(crate) use callsteer::{Blame, Call, Failure, Lease, Picked, Placed};
}
mod config {
    pub(crate) use callsteer::{Algorithm, Config, SetId};
}
mod destination {
    pub(crate) use callsteer::Destination;
}
mod dispatcher {
    pub(crate) use callsteer::Dispatcher;
    pub(crate) use callsteer::internals::ahead;
}
mod stats {
    pub(crate) use callsteer::Stats;
}
mod error {
    pub(crate) use callsteer::{BeginError, ConfigError, FailError, NextError, NoSuchCall};
}
mod threads {
    pub(crate) fn number() -> usize {
        shuttle::thread::current().id().into()
    }
}
mod time {
    pub(crate) use callsteer::Time;
}

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use callsteer::{Algorithm, Call, Config, Destination, DestinationId, Failure, Time};
use shuttle::sync::atomic::AtomicBool;
use shuttle::sync::atomic::Ordering::SeqCst;
use shuttle::{check_pct, check_random, thread};

use shared::SharedDispatcher;

/// Seven calls, one of them begun by everybody, ask for six places.
#[test]
fn limits_hold_and_a_repeated_call_counts_once() {
    in_many_orders(|| {
        let shared = fleet(&[3, 3]);
        let begin = |thread: u8| {
            move |shared: &SharedDispatcher| {
                [[thread, 1], [thread, 2], [0, 0]].map(|id| shared.begin(&Call::new(&id), NOW))
            }
        };
        let placed = at_once(&shared, [begin(1), begin(2), begin(3)]);
        let mut leases: Vec<_> =
            placed.iter().flatten().flatten().map(|placed| placed.lease.to_u64()).collect();
        leases.sort_unstable();
        leases.dedup();
        assert_eq!(leases.len(), 6);
        assert_eq!(calls(&shared), [3, 3]);
    });
}

/// A BYE by Call-ID, one by lease, and a 503 with its failover come at the same time.
#[test]
fn a_call_ends_once_whoever_else_speaks_of_it() {
    in_many_orders(|| {
        let shared = fleet(&[0, 0]);
        let lease = shared.begin(&Call::new(b"one"), NOW).map(|placed| placed.lease);
        let deeds: [Deed<bool>; 3] = [
            Box::new(|shared| shared.end_call(b"one", NOW)),
            Box::new(move |shared| lease.is_ok_and(|lease| shared.end(lease, NOW))),
            Box::new(|shared| {
                let failed = shared.fail_call(b"one", Failure::reply(503), NOW).is_ok();
                let moved = shared.next_call(b"one", NOW).is_ok();
                let confirmed = shared.confirm_call(b"one", NOW).is_ok();
                assert!(failed >= moved && moved >= confirmed, "what ended does not come back");
                false
            }),
        ];
        let ended = at_once(&shared, deeds);
        assert_eq!(ended.iter().filter(|ended| **ended).count(), 1);
        let stats = shared.stats();
        assert_eq!((stats.begun, stats.ended, stats.calls), (1, 1, 0));
        assert_eq!(calls(&shared), [0, 0]);
    });
}

/// A bridge leaves and another one joins while calls begin: none is lost, none placed where nobody is.
#[test]
fn a_fleet_that_changes_meanwhile_loses_no_call() {
    in_many_orders(|| {
        let shared = fleet(&[2, 2]);
        let begin = |shared: &SharedDispatcher| {
            for call in 0..4_u8 {
                let _full_or_not = shared.begin(&Call::new(&[call]), NOW);
            }
        };
        let change = |shared: &SharedDispatcher| {
            let leaves = shared.with(|all| all.find(1, "0"));
            shared.with(|all| leaves.is_some_and(|leaves| all.remove(leaves, NOW).is_ok()));
            let joins = Destination { max_calls: 2, ..Destination::new("2") };
            shared.with(|all| all.add(1, joins, NOW).is_ok());
        };
        at_once(&shared, [begin, change]);
        let stats = shared.stats();
        assert_eq!(stats.begun, u64::from(stats.calls));
        assert!(calls(&shared).iter().all(|calls| *calls <= 2));
        let ended = (0..4_u8).filter(|call| shared.end_call(&[*call], NOW)).count();
        assert_eq!((ended as u64, shared.stats().calls), (stats.begun, 0));
    });
}

/// Threads that wait for each other take turns ahead: not of bridges that cannot take calls any more.
#[test]
fn nobody_is_picked_once_it_is_known_to_be_full_or_off() {
    in_many_orders(|| {
        let shared = fleet_by(Algorithm::RoundRobin, &[0, 1, 0]);
        let [off, full] = [0, 1].map(|index| (id(&shared, index), Arc::new(AtomicBool::new(false))));
        let known = [off.clone(), full.clone()];
        let pick = move |shared: &SharedDispatcher| {
            for _ in 0..6 {
                let barred: Vec<_> =
                    known.iter().filter(|(_, known)| known.load(SeqCst)).map(|(id, _)| *id).collect();
                let picked = shared.pick(&Call::new(b"any"), NOW).map(|picked| picked.destination);
                assert!(picked.is_ok_and(|picked| !barred.contains(&picked)));
            }
        };
        let change = move |shared: &SharedDispatcher| {
            assert!(shared.with(|all| all.set_enabled(off.0, false, NOW)).is_ok());
            off.1.store(true, SeqCst);
            let mut begun = (0..9_u8).filter_map(|call| shared.begin(&Call::new(&[call]), NOW).ok());
            assert!(begun.any(|placed| placed.destination == full.0));
            full.1.store(true, SeqCst);
        };
        let deeds: [Deed<()>; 3] = [Box::new(pick.clone()), Box::new(pick), Box::new(change)];
        assert_eq!(at_once(&shared, deeds).len(), 3);
    });
}

/// A state that was saved comes in place of the dispatcher, with as many changes behind it.
#[test]
fn nobody_is_picked_by_a_dispatcher_that_was_replaced() {
    in_many_orders(|| {
        let [shared, other] = [&[(0, false), (0, true)], &[(0, false), (1, false)]].map(|changes| {
            let shared = fleet_by(Algorithm::RoundRobin, &[0, 0, 0]);
            for (index, enabled) in changes {
                let id = id(&shared, *index);
                assert!(shared.with(|all| all.set_enabled(id, *enabled, NOW)).is_ok());
            }
            shared
        });
        let (other, last) = (other.with(|all| all.clone()), id(&shared, 2));
        let replaced = Arc::new(AtomicBool::new(false));
        let known = Arc::clone(&replaced);
        let pick = move |shared: &SharedDispatcher| {
            for _ in 0..6 {
                let is_replaced = known.load(SeqCst);
                let picked = shared.pick(&Call::new(b"any"), NOW).map(|picked| picked.destination);
                assert!(picked.is_ok_and(|picked| !is_replaced || picked == last));
            }
        };
        let replace = move |shared: &SharedDispatcher| {
            shared.with(|all| *all = other);
            replaced.store(true, SeqCst);
        };
        let deeds: [Deed<()>; 3] = [Box::new(pick.clone()), Box::new(pick), Box::new(replace)];
        assert_eq!(at_once(&shared, deeds).len(), 3);
    });
}

/// In orders drawn evenly, and in orders with a few changes of thread at the worst places.
fn in_many_orders(check: impl Fn() + Send + Sync + Clone + 'static) {
    check_random(check.clone(), 1_000);
    check_pct(check, 1_000, 3);
}

type Deed<T> = Box<dyn FnOnce(&SharedDispatcher) -> T + Send>;

fn fleet(limits: &[u32]) -> Arc<SharedDispatcher> {
    fleet_by(Algorithm::CallLoad, limits)
}

fn fleet_by(algorithm: Algorithm, limits: &[u32]) -> Arc<SharedDispatcher> {
    let Ok(shared) = SharedDispatcher::new(Config { algorithm, ..Config::default() }) else {
        panic!("the default is a configuration")
    };
    for (name, max_calls) in ["0", "1", "2"].into_iter().zip(limits) {
        let destination = Destination { max_calls: *max_calls, ..Destination::new(name) };
        assert!(shared.with(|all| all.add(1, destination, NOW)).is_ok());
    }
    Arc::new(shared)
}

/// The destination that joined as this one.
fn id(shared: &SharedDispatcher, index: usize) -> DestinationId {
    match shared.with(|all| all.iter().nth(index).map(|(id, ..)| id)) {
        Some(id) => id,
        None => panic!("nobody joined as {index}"),
    }
}

/// Each deed on a thread of its own; what they gave, in their order.
fn at_once<T: Send + 'static, const N: usize>(
    shared: &Arc<SharedDispatcher>,
    deeds: [impl FnOnce(&SharedDispatcher) -> T + Send + 'static; N],
) -> Vec<T> {
    let threads = deeds.map(|deed| {
        let shared = Arc::clone(shared);
        thread::spawn(move || deed(&shared))
    });
    threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
}

fn calls(shared: &SharedDispatcher) -> Vec<u32> {
    shared.with(|all| all.iter().map(|(_, _, status)| status.calls).collect())
}

const NOW: Time = Time::from_secs(1);
