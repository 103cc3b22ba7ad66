//! What a kamailio.cfg says that its owner may not mean; a list beside it tells more.

mod call_load;
mod failures;
mod parameters;
mod selections;

use callsteer::SetId;
use callsteer::list::{Entry, List, Severity};

use super::{Place, Script};

/// Something that a script may not mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptLint {
    /// Where it stands.
    pub place: Place,
    /// The code, as in [`SCRIPT_LINTS`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

/// Everything in a script that its owner may not mean, in the order of the files; each but the
/// selections is said once.
#[must_use]
pub fn lint(script: &Script, list: Option<&List>) -> Vec<ScriptLint> {
    let mut lints = Lints(Vec::new());
    for doubt in &script.doubts {
        lints.add(&doubt.place, NOT_UNDERSTOOD, doubt.message.clone(), "look at it yourself");
    }
    parameters::lint(script, &mut lints);
    selections::lint(script, list, &mut lints);
    call_load::lint(script, list, &mut lints);
    failures::lint(script, list, &mut lints);
    lints.0.sort_by(|one, other| one.place.cmp(&other.place));
    lints.0
}

/// The code of every lint of a script, with its severity and its meaning.
pub const SCRIPT_LINTS: &[(&str, Severity, &str)] = &[
    (NOT_UNDERSTOOD, Severity::Warning, "something that is not read here"),
    (UNKNOWN_PARAMETER, Severity::Error, "Kamailio's dispatcher has no such parameter"),
    (PARAMETER_TYPE, Severity::Error, "a number in quotes, or a string that is a number"),
    (UNKNOWN_FUNCTION, Severity::Error, "Kamailio's dispatcher has no such function"),
    (UNKNOWN_ALGORITHM, Severity::Error, "an algorithm that Kamailio does not have"),
    (NEWER_ALGORITHM, Severity::Warning, "an algorithm that Kamailio 5.6 does not have"),
    (MISNUMBERED_ALGORITHM, Severity::Warning, "a number that a public guide takes for another algorithm"),
    (SET_NOT_IN_LIST, Severity::Error, "a set that the list does not have"),
    (ALGORITHM_WITHOUT_WEIGHTS, Severity::Error, "an algorithm by weight for a set without weights"),
    (SHARE_TO_NEIGHBOUR, Severity::Warning, "the calls of one that is down all go to the next one"),
    (HASH_HAS_HOST, Severity::Warning, "algorithm 3 hashes more than the manual says"),
    (HASH_PVAR_MISSING, Severity::Error, "algorithm 7 without what it hashes"),
    (LATENCY_MISSING, Severity::Error, "algorithm 13 without latencies"),
    (CALL_LOAD_OFF, Severity::Error, "call load without a table of calls"),
    (CALL_LOAD_WITHOUT_DUID, Severity::Error, "call load for a destination without a duid"),
    (CALL_LOAD_NEVER_ENDS, Severity::Error, "calls are not counted out at BYE and CANCEL"),
    (CALL_LOAD_NOT_CONFIRMED, Severity::Warning, "calls are not told to be answered"),
    (CALL_LOAD_FAILED_STAY, Severity::Error, "calls that fail stay counted"),
    (CALL_LOAD_TIMEOUTS, Severity::Warning, "a leaked call stays counted for two hours"),
    (CALL_LOAD_REPEATED, Severity::Warning, "a retransmitted INVITE is placed again"),
    (CALL_LOAD_TIES, Severity::Warning, "ties go to the first"),
    (CALL_LOAD_RACE, Severity::Warning, "several processes pass maxload"),
    (RELOAD_FORGETS, Severity::Warning, "a reload sets loads and states back"),
    (ADD_TURNS_AROUND, Severity::Warning, "dispatcher.add and remove change the order of every set"),
    (FAILOVER_OFF, Severity::Error, "failing over without flags 2"),
    (FAILOVER_UNUSED, Severity::Warning, "nobody fails over"),
    (MARKED_FOR_EVER, Severity::Error, "nobody brings back what is marked"),
    (PROBES_WITHOUT_TM, Severity::Error, "probes need tm"),
    (PROBES_OFF, Severity::Warning, "nobody is probed"),
    (ONE_LOST_PROBE, Severity::Warning, "one lost probe takes a destination down"),
];

const NOT_UNDERSTOOD: &str = "not_understood";
const UNKNOWN_PARAMETER: &str = "unknown_parameter";
const PARAMETER_TYPE: &str = "parameter_type";
const UNKNOWN_FUNCTION: &str = "unknown_function";
const UNKNOWN_ALGORITHM: &str = "unknown_algorithm";
const NEWER_ALGORITHM: &str = "newer_algorithm";
const MISNUMBERED_ALGORITHM: &str = "misnumbered_algorithm";
const SET_NOT_IN_LIST: &str = "set_not_in_list";
const ALGORITHM_WITHOUT_WEIGHTS: &str = "algorithm_without_weights";
const SHARE_TO_NEIGHBOUR: &str = "share_to_neighbour";
const HASH_HAS_HOST: &str = "hash_has_host";
const HASH_PVAR_MISSING: &str = "hash_pvar_missing";
const LATENCY_MISSING: &str = "latency_missing";
const CALL_LOAD_OFF: &str = "call_load_off";
const CALL_LOAD_WITHOUT_DUID: &str = "call_load_without_duid";
const CALL_LOAD_NEVER_ENDS: &str = "call_load_never_ends";
const CALL_LOAD_NOT_CONFIRMED: &str = "call_load_not_confirmed";
const CALL_LOAD_FAILED_STAY: &str = "call_load_failed_stay";
const CALL_LOAD_TIMEOUTS: &str = "call_load_timeouts";
const CALL_LOAD_REPEATED: &str = "call_load_repeated";
const CALL_LOAD_TIES: &str = "call_load_ties";
const CALL_LOAD_RACE: &str = "call_load_race";
const RELOAD_FORGETS: &str = "reload_forgets";
const ADD_TURNS_AROUND: &str = "add_turns_around";
const FAILOVER_OFF: &str = "failover_off";
const FAILOVER_UNUSED: &str = "failover_unused";
const MARKED_FOR_EVER: &str = "marked_for_ever";
const PROBES_WITHOUT_TM: &str = "probes_without_tm";
const PROBES_OFF: &str = "probes_off";
const ONE_LOST_PROBE: &str = "one_lost_probe";

struct Lints(Vec<ScriptLint>);

impl Lints {
    fn add(&mut self, place: &Place, code: &'static str, message: impl Into<String>, fix: impl Into<String>) {
        let known = SCRIPT_LINTS.iter().find(|(known, ..)| *known == code);
        let severity = known.map_or(Severity::Warning, |(_, severity, _)| *severity);
        let (message, fix) = (message.into(), fix.into());
        self.0.push(ScriptLint { place: place.clone(), code, severity, message, fix });
    }
}

/// The lines of a set.
fn members(list: &List, set: SetId) -> Vec<&Entry> {
    list.entries().filter(|entry| entry.set() == set).collect()
}

#[cfg(test)]
mod tests;
