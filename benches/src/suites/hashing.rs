//! call_id_hash beside one hash of a Call-ID.

use callsteer::{Algorithm, Call, Time};

use super::{config, dispatcher};
use crate::floors::{self, CALL_IDS, SIPHASH, call_ids};
use crate::measure::{Case, Effort, compare};
use crate::report::Report;

pub(super) fn run(effort: Effort, report: &mut Report) {
    let algorithm = Algorithm::CallIdHash { bound: None };
    let mut picks = Vec::new();
    for members in [4, 16, 256, 4_096] {
        let mut cases = vec![floors::siphash()];
        if let Ok(mut whole) = dispatcher(config(algorithm), members, &[1]) {
            let (ids, mut next) = (call_ids(CALL_IDS), 0);
            cases.push(Case::new(OURS, move || {
                next = (next + 1) % CALL_IDS;
                whole.pick(&Call::new(&ids[next]), Time::ZERO)
            }));
        }
        #[cfg(feature = "peers")]
        cases.extend(crate::peers::hashes(members));
        let timings = compare(cases, effort);
        report.add("hashing", members, &timings);
        report.at_most(members, &timings, OURS, 1.2, SIPHASH);
        report.at_most(members, &timings, OURS, 0.1, "pingora Ketama");
        picks.extend(timings.iter().find(|timing| timing.name == OURS).map(|timing| timing.nanos()));
    }
    if let (Some(first), Some(last)) = (picks.first(), picks.last()) {
        report.claim("call_id_hash: pick, N = 4,096 / N = 4".into(), last / first, "x", 1.2, false);
    }
}

const OURS: &str = "call_id_hash: pick";
