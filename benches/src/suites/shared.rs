//! SharedDispatcher: what two threads get done beside one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use callsteer::{Algorithm, Call, SharedDispatcher, Time};

use super::{config, dispatcher};
use crate::floors::call_id;
use crate::measure::{Effort, median};
use crate::report::{Measured, Report};

pub(super) fn run(effort: Effort, report: &mut Report) {
    for (name, algorithm, what, goal) in [
        ("call_id_hash", Algorithm::CallIdHash { bound: None }, PICK, Some(1.3)),
        ("round_robin", Algorithm::RoundRobin, PICK, Some(1.3)),
        ("weighted", Algorithm::Weighted, PICK, None),
        ("call_id_hash", Algorithm::CallIdHash { bound: None }, WHOLE, None),
        ("round_robin", Algorithm::RoundRobin, WHOLE, None),
        ("call_load", Algorithm::CallLoad, WHOLE, Some(0.8)),
    ] {
        let Ok(dispatcher) = dispatcher(config(algorithm), MEMBERS, &[1]) else { return };
        let shared = SharedDispatcher::from(dispatcher);
        let (mut ratios, mut rates) = (Vec::new(), [Vec::new(), Vec::new()]);
        for _ in 0..effort.pick(21, 5) {
            let [one, two] = [1, 2].map(|threads| rate(&shared, what.1, threads));
            ratios.push(two / one);
            rates[0].push(1e9 / one);
            rates[1].push(1e9 / two);
        }
        for (nanos, threads) in rates.iter().zip(["one thread", "two threads"]) {
            let case = format!("{name}: {}, {threads}", what.0);
            let least = nanos.iter().copied().fold(f64::INFINITY, f64::min);
            report.measured.push(Measured { suite: "shared", case, n: MEMBERS, nanos: median(nanos), least });
        }
        if let Some(goal) = goal {
            let claim = format!("{name}: {}, throughput of two threads / one", what.0);
            report.claim(claim, median(&ratios), "x", goal, true);
        }
    }
}

/// Times per second that so many threads do this.
fn rate(shared: &SharedDispatcher, act: Act, threads: u64) -> f64 {
    let (stop, done, start) = (AtomicBool::new(false), AtomicU64::new(0), Instant::now());
    thread::scope(|scope| {
        for thread in 0..threads {
            let (stop, done) = (&stop, &done);
            scope.spawn(move || {
                let mut calls = 0;
                while !stop.load(Ordering::Relaxed) {
                    calls += u64::from(act(shared, &Call::new(&call_id(calls, thread))));
                }
                done.fetch_add(calls, Ordering::Relaxed);
            });
        }
        thread::sleep(TURN);
        stop.store(true, Ordering::Relaxed);
    });
    done.into_inner() as f64 / start.elapsed().as_secs_f64()
}

/// Does something for a call; whether it could be done.
type Act = fn(&SharedDispatcher, &Call<'_>) -> bool;

const PICK: (&str, Act) = ("pick", |shared, call| shared.pick(call, Time::ZERO).is_ok());

const WHOLE: (&str, Act) = ("begin + confirm + end", |shared, call| {
    let Ok(placed) = shared.begin(call, Time::ZERO) else { return false };
    shared.confirm(placed.lease, Time::ZERO).is_ok() && shared.end(placed.lease, Time::ZERO)
});

const MEMBERS: usize = 64;
const TURN: Duration = Duration::from_millis(100);
