//! round_robin and weighted beside a single addition.

use std::sync::Mutex;

use callsteer::internals::Counting;
use callsteer::{Algorithm, Call, Time};

use super::{CLASSES, config, destinations, dispatcher};
use crate::floors::{self, FETCH_ADD};
use crate::measure::{Case, Effort, compare};
use crate::report::Report;

pub(super) fn run(effort: Effort, report: &mut Report) {
    for members in [4, 256, 4_096] {
        let mut cases = vec![floors::fetch_add(), kamailio(members)];
        for (name, algorithm, weights) in
            [("round_robin", Algorithm::RoundRobin, &[1][..]), ("weighted", Algorithm::Weighted, &CLASSES)]
        {
            let mut order = Counting::new(config(algorithm), destinations(members, weights));
            cases.push(Case::new(format!("{name}: order"), move || order.pick(0)));
            if let Ok(mut whole) = dispatcher(config(algorithm), members, weights) {
                let call = Call::new(b"a84b4c76e66710@pc33.bank.test");
                cases.push(Case::new(format!("{name}: pick"), move || whole.pick(&call, Time::ZERO)));
            }
            #[cfg(feature = "peers")]
            cases.extend(crate::peers::turns(members, weights));
        }
        let timings = compare(cases, effort);
        report.add("turns", members, &timings);
        for (name, peer) in [("round_robin", PINGORA), ("weighted", PINGORA_WEIGHTED)] {
            report.at_most(members, &timings, &format!("{name}: pick"), 1.5, FETCH_ADD);
            report.at_most(members, &timings, &format!("{name}: pick"), 0.02, peer);
        }
    }
}

/// Kamailio's round robin: one lock, and the next one that is up.
fn kamailio<'a>(members: usize) -> Case<'a> {
    let set = Mutex::new((0, vec![0u32; members]));
    Case::new("Kamailio-like round robin under a mutex", move || {
        let Ok(mut set) = set.lock() else { return None };
        let (last, flags) = &mut *set;
        for step in 0..flags.len() {
            let here = (*last + step) % flags.len();
            if flags[here] & 0b101 == 0 {
                *last = here + 1;
                return Some(here);
            }
        }
        None
    })
}

const PINGORA: &str = "pingora RoundRobin";
const PINGORA_WEIGHTED: &str = "pingora RoundRobin, weighted";
