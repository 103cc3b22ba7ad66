//! Who can choose the bridge: algorithms of the real dispatcher, and references to measure them by.

use callsteer::Algorithm;

use crate::scenario::{FaultKind, Scenario};

/// A policy: its name on the command line and in reports, and what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What a policy is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// The real dispatcher.
    Dispatcher {
        /// Its algorithm.
        algorithm: Algorithm,
        /// Whether it takes failing bridges out.
        ejection: bool,
        /// Whether it spares bridges that join or come back.
        slow_start: bool,
    },
    /// A rule that exists only here.
    Reference(Reference),
}

/// A rule to measure the algorithms by. Ties are broken at random; a bridge that refuses a call is
/// followed by the next best one, and is asked again by the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The least score of the last report. A bridge without a report counts as the mean of the others.
    RawLeastScore,
    /// The least score of the last report, plus the calls placed since it was measured, each at the
    /// mean cost. A bridge without a report likewise.
    ReportInFlight,
    /// The least Σ average cost of its calls / capacity of the moment, without any delay, and never a
    /// bridge that refuses calls.
    Oracle,
}

/// Every policy. Those whose name has a colon are made for some scenario and run only where it, or
/// the user, asks for them; `round_robin`, which differs from `weighted` only where weights do, runs
/// where the user asks for it, and where bridges are counted ([`sized`]); `call_id_hash` where bridges
/// come and go, as there it remaps calls.
pub const ALL: [Policy; 14] = [
    dispatcher(FAVOURITE, Algorithm::LoadScore),
    dispatcher("call_load", Algorithm::CallLoad),
    dispatcher("power_of_two", Algorithm::PowerOfTwo),
    dispatcher("weighted", Algorithm::Weighted),
    dispatcher("round_robin", Algorithm::RoundRobin),
    dispatcher("random", Algorithm::Random),
    dispatcher("call_id_hash", Algorithm::CallIdHash { bound: None }),
    reference("raw_least_score", Reference::RawLeastScore),
    reference("report+in_flight", Reference::ReportInFlight),
    reference(ORACLE, Reference::Oracle),
    without_ejection("load_score:no-ejection", Algorithm::LoadScore),
    without_ejection("call_load:no-ejection", Algorithm::CallLoad),
    without_slow_start("load_score:no-slow-start", Algorithm::LoadScore),
    without_slow_start("call_load:no-slow-start", Algorithm::CallLoad),
];

/// What the others are compared with.
pub const BASELINE: &str = "call_load";

/// Which of them is claimed to be the best.
pub const FAVOURITE: &str = "load_score";

/// What knows every call's cost.
pub const ORACLE: &str = "oracle";

/// What most fleets do today.
pub const ROUND_ROBIN: &str = "round_robin";

impl Policy {
    /// Whether a call has a bridge of its own, as long as that takes calls.
    #[must_use]
    pub fn has_home(&self) -> bool {
        matches!(self.kind, Kind::Dispatcher { algorithm: Algorithm::CallIdHash { .. }, .. })
    }
}

/// The policy of this name.
#[must_use]
pub fn named(name: &str) -> Option<Policy> {
    ALL.into_iter().find(|policy| policy.name == name)
}

/// The policies that a scenario is run with unless the user says otherwise: all, but of the variants
/// only those that its faults call for.
#[must_use]
pub fn usual(scenario: &Scenario) -> Vec<Policy> {
    let has = |wanted: fn(&FaultKind) -> bool| scenario.faults.iter().any(|fault| wanted(&fault.kind));
    let fails = has(|kind| matches!(kind, FaultKind::Fails(_)));
    let joins = has(|kind| matches!(kind, FaultKind::Absent | FaultKind::Drained));
    let dies = has(|kind| matches!(kind, FaultKind::Dead));
    let usual = |policy: &Policy| match policy.kind {
        Kind::Dispatcher { algorithm: Algorithm::RoundRobin, .. } => false,
        Kind::Dispatcher { algorithm: Algorithm::CallIdHash { .. }, .. } => fails || joins || dies,
        Kind::Dispatcher { ejection, slow_start, .. } => (ejection || fails) && (slow_start || joins),
        Kind::Reference(_) => true,
    };
    ALL.into_iter().filter(usual).collect()
}

/// The policies whose need of bridges is searched for unless the user says otherwise.
#[must_use]
pub fn sized(scenario: &Scenario) -> Vec<Policy> {
    let usual = usual(scenario);
    ALL.into_iter().filter(|policy| policy.name == ROUND_ROBIN || usual.contains(policy)).collect()
}

const fn dispatcher(name: &'static str, algorithm: Algorithm) -> Policy {
    Policy { name, kind: Kind::Dispatcher { algorithm, ejection: true, slow_start: true } }
}

const fn without_ejection(name: &'static str, algorithm: Algorithm) -> Policy {
    Policy { name, kind: Kind::Dispatcher { algorithm, ejection: false, slow_start: true } }
}

const fn without_slow_start(name: &'static str, algorithm: Algorithm) -> Policy {
    Policy { name, kind: Kind::Dispatcher { algorithm, ejection: true, slow_start: false } }
}

const fn reference(name: &'static str, reference: Reference) -> Policy {
    Policy { name, kind: Kind::Reference(reference) }
}
