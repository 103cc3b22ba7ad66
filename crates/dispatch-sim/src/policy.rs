//! What is compared: an algorithm, and what the dispatcher is told about the calls.

use callsteer::Algorithm;

/// A way to use the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Whether the dispatcher is told what each call costs; otherwise every call counts as 1.
    pub costs_told: bool,
}

/// Every policy that there is.
pub const ALL: [Policy; 9] = [
    policy("round_robin", Algorithm::RoundRobin),
    policy("weighted", Algorithm::Weighted),
    policy("priority", Algorithm::Priority),
    policy("random", Algorithm::Random),
    policy("power_of_two", Algorithm::PowerOfTwo),
    policy("call_id_hash", Algorithm::CallIdHash { bound: None }),
    policy("call_id_hash:1.25", Algorithm::CallIdHash { bound: Some(1.25) }),
    policy("call_load", Algorithm::CallLoad),
    Policy { costs_told: true, ..policy("call_load+costs", Algorithm::CallLoad) },
];

/// The policy of this name.
#[must_use]
pub fn named(name: &str) -> Option<Policy> {
    ALL.into_iter().find(|policy| policy.name == name)
}

const fn policy(name: &'static str, algorithm: Algorithm) -> Policy {
    Policy { name, algorithm, costs_told: false }
}
