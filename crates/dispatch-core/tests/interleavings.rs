//! Threads at one dispatcher, in thousands of orders that shuttle chooses: what must be so in each of them.
//!
//! The file of `SharedDispatcher` is compiled here once more, with shuttle's `sync` where it says `std::sync`.

#![no_std]

extern crate alloc;
extern crate shuttle as std;

#[allow(dead_code, unreachable_pub)]
#[path = "../src/shared.rs"]
mod shared;

/// What that file finds in its crate.
mod call {
    pub(crate) use callsteer::{Blame, Call, Failure, Lease, Picked, Placed};
}
mod config {
    pub(crate) use callsteer::Config;
}
mod dispatcher {
    pub(crate) use callsteer::Dispatcher;
}
mod stats {
    pub(crate) use callsteer::Stats;
}
mod error {
    pub(crate) use callsteer::{BeginError, ConfigError, FailError, NextError, NoSuchCall};
}
mod time {
    pub(crate) use callsteer::Time;
}

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use callsteer::{Call, Config, Destination, Failure, Time};
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
    type Deed = Box<dyn Fn(&SharedDispatcher) -> bool + Send>;
    in_many_orders(|| {
        let shared = fleet(&[0, 0]);
        let lease = shared.begin(&Call::new(b"one"), NOW).map(|placed| placed.lease);
        let deeds: [Deed; 3] = [
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

/// In orders drawn evenly, and in orders with a few changes of thread at the worst places.
fn in_many_orders(check: impl Fn() + Send + Sync + Clone + 'static) {
    check_random(check.clone(), 1_000);
    check_pct(check, 1_000, 3);
}

fn fleet(limits: &[u32]) -> Arc<SharedDispatcher> {
    let Ok(shared) = SharedDispatcher::new(Config::default()) else {
        panic!("the default is a configuration")
    };
    for (name, max_calls) in ["0", "1"].into_iter().zip(limits) {
        let destination = Destination { max_calls: *max_calls, ..Destination::new(name) };
        assert!(shared.with(|all| all.add(1, destination, NOW)).is_ok());
    }
    Arc::new(shared)
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
