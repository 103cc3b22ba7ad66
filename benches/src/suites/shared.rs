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
    for (name, algorithm, limit) in [
        ("call_id_hash", Algorithm::CallIdHash { bound: None }, 1.3),
        ("round_robin", Algorithm::RoundRobin, 1.3),
        ("call_load", Algorithm::CallLoad, 0.8),
    ] {
        let Ok(dispatcher) = dispatcher(config(algorithm), MEMBERS, &[1]) else { return };
        let shared = SharedDispatcher::from(dispatcher);
        let (mut ratios, mut alone) = (Vec::new(), Vec::new());
        for _ in 0..effort.pick(21, 5) {
            let (one, two) = (rate(&shared, 1), rate(&shared, 2));
            alone.push(1e9 / one);
            ratios.push(two / one);
        }
        let case = format!("{name}: begin + confirm + end, one thread");
        let least = alone.iter().copied().fold(f64::INFINITY, f64::min);
        report.measured.push(Measured { suite: "shared", case, n: MEMBERS, nanos: median(&alone), least });
        report.claim(format!("{name}: throughput of two threads / one"), median(&ratios), "x", limit, true);
    }
}

/// Calls per second that so many threads begin, confirm and end.
fn rate(shared: &SharedDispatcher, threads: u64) -> f64 {
    let (stop, done, start) = (AtomicBool::new(false), AtomicU64::new(0), Instant::now());
    thread::scope(|scope| {
        for thread in 0..threads {
            let (stop, done) = (&stop, &done);
            scope.spawn(move || {
                let mut calls = 0;
                while !stop.load(Ordering::Relaxed) {
                    let id = call_id(calls, thread);
                    if let Ok(placed) = shared.begin(&Call::new(&id), Time::ZERO) {
                        let confirmed = shared.confirm(placed.lease, Time::ZERO);
                        calls += u64::from(confirmed.is_ok() && shared.end(placed.lease, Time::ZERO));
                    }
                }
                done.fetch_add(calls, Ordering::Relaxed);
            });
        }
        thread::sleep(TURN);
        stop.store(true, Ordering::Relaxed);
    });
    done.into_inner() as f64 / start.elapsed().as_secs_f64()
}

const MEMBERS: usize = 64;
const TURN: Duration = Duration::from_millis(100);
