//! How long a change of the fleet keeps the next call waiting.

use std::time::Instant;

use callsteer::{Algorithm, Call, Destination, DestinationId, Dispatcher, Time};

use super::{CLASSES, config, dispatcher};
use crate::measure::Effort;
use crate::report::{Measured, Report};

pub(super) fn run(effort: Effort, report: &mut Report) {
    let rounds = effort.pick(40, 10);
    for (name, algorithm) in [
        ("round_robin", Algorithm::RoundRobin),
        ("weighted", Algorithm::Weighted),
        ("call_id_hash", Algorithm::CallIdHash { bound: None }),
        ("call_load", Algorithm::CallLoad),
        ("load_score", Algorithm::LoadScore),
        ("priority", Algorithm::Priority),
    ] {
        for (kind, change) in CHANGES {
            let Ok(dispatcher) = dispatcher(config(algorithm), MEMBERS, &CLASSES) else { return };
            let waits = waits(dispatcher, *change, rounds);
            let longest = waits.into_iter().max().unwrap_or(0) as f64;
            let case = format!("{name}: {kind}, and the call after it");
            report.claim(format!("N = {MEMBERS}: {case}"), longest / 1e6, "ms", 1.0, false);
            report.measured.push(Measured {
                suite: "changes",
                case,
                n: MEMBERS,
                nanos: longest,
                least: longest,
            });
        }
    }
}

/// How long each of these changes takes together with the call after it, in ns.
fn waits(mut dispatcher: Dispatcher, change: Change, rounds: usize) -> Vec<u64> {
    let mut ids: Vec<DestinationId> = dispatcher.iter().map(|(id, _, _)| id).collect();
    let mut number = 0u64;
    let mut begin = |dispatcher: &mut Dispatcher| {
        number += 1;
        dispatcher.begin(&Call::new(&number.to_be_bytes()), Time::ZERO).is_ok()
    };
    for _ in 0..8 * MEMBERS {
        begin(&mut dispatcher);
    }
    // The least of three: what another process did to one of them does not count.
    let mut wait = |round: usize| {
        let start = Instant::now();
        change(&mut dispatcher, &mut ids, round);
        assert!(begin(&mut dispatcher), "there is room");
        start.elapsed().as_nanos() as u64
    };
    (0..rounds).map(|round| (0..3).map(|third| wait(3 * round + third)).min().unwrap_or(0)).collect()
}

type Change = fn(&mut Dispatcher, &mut Vec<DestinationId>, usize);

const CHANGES: &[(&str, Change)] = &[
    ("switched off or on", |dispatcher, ids, round| {
        let changed = dispatcher.set_enabled(ids[round / 2 * 37 % MEMBERS], round % 2 == 1, Time::ZERO);
        assert!(changed.is_ok(), "it is there");
    }),
    ("another weight", |dispatcher, ids, round| {
        let id = ids[round * 37 % MEMBERS];
        let known = dispatcher.destination(id).cloned();
        let changed = known.map(|known| Destination { weight: 1 + known.weight % 8, ..known });
        assert!(changed.is_some_and(|to| dispatcher.update(id, to, Time::ZERO).is_ok()), "it is there");
    }),
    ("one joins", |dispatcher, ids, round| {
        let new = Destination::new(format!("sip:new-{round}.bank.test"));
        ids.extend(dispatcher.add(1, new, Time::ZERO).ok());
    }),
    ("one leaves", |dispatcher, ids, _| {
        let gone = ids.pop().is_some_and(|id| dispatcher.remove(id, Time::ZERO).is_ok());
        assert!(gone, "it is there");
    }),
];

/// Joining members make it 4,096: one more, and call_id_hash takes a larger table.
const MEMBERS: usize = 4_096 - 120;
