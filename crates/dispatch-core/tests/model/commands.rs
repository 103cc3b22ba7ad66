//! Random commands over few names, so that they meet.

use std::time::Duration;

use callsteer::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Add(SetId, Destination),
    Remove(usize),
    Update(usize, Destination),
    Enable(usize, bool),
    Drain(usize, Option<u64>),
    Apply(Vec<(SetId, Destination)>, bool),
    Begin { name: usize, set: SetId, key: Option<u8>, cost: u32, tenant: Option<&'static str> },
    Pick { name: usize, set: SetId, key: Option<u8>, cost: u32 },
    Next(usize, bool),
    Confirm(usize, bool),
    Fail(usize, Failure, bool),
    End(usize, bool),
    Probe(usize, ProbeResult),
    Report(usize, Report, Option<i64>),
    Reconcile(usize, Vec<usize>, bool),
}

pub(crate) fn call_id(name: usize) -> Vec<u8> {
    format!("call-{name}@model").into_bytes()
}

fn destination() -> impl Strategy<Value = Destination> {
    let starts = prop_oneof![
        6 => Just(Starts::Active),
        1 => Just(Starts::Trying),
        1 => Just(Starts::Inactive),
        1 => Just(Starts::Disabled)
    ];
    let weight = prop_oneof![12 => 1..4u32, 1 => Just(0u32)];
    (0..6u8, weight, 0..4u32, prop_oneof![4 => Just(0u32), 1 => Just(2u32)], 0..3, starts).prop_map(
        |(name, weight, max_calls, max_rate, priority, starts)| Destination {
            weight,
            max_calls,
            max_rate,
            priority,
            starts,
            ..Destination::new(format!("bridge-{name}"))
        },
    )
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let (name, n, by_id) = (0..12usize, 0..8usize, any::<bool>());
    let failure = prop_oneof![
        Just(Failure::Timeout),
        Just(Failure::reply(486)),
        Just(Failure::reply(503)),
        (1..20u64).prop_map(|s| Failure::Reply { code: 503, retry_after: Some(Duration::from_secs(s)) })
    ];
    let result = prop_oneof![
        2 => Just(ProbeResult::reply(200)),
        3 => Just(ProbeResult::Timeout),
        1 => Just(ProbeResult::Reply { code: 503, retry_after: Some(Duration::from_secs(9)) })
    ];
    let tenant = prop_oneof![Just(None), Just(Some("sales")), Just(Some("other"))];
    let pick = (name.clone(), 1..3u32, proptest::option::weighted(0.2, 0..4u8), 0..4u32);
    let begin = (name.clone(), 1..3u32, proptest::option::weighted(0.2, 0..4u8), 0..12u32, tenant);
    prop_oneof![
        3 => (1..3u32, destination()).prop_map(|(set, destination)| Command::Add(set, destination)),
        1 => n.clone().prop_map(Command::Remove),
        1 => (n.clone(), destination()).prop_map(|(n, destination)| Command::Update(n, destination)),
        1 => (n.clone(), any::<bool>()).prop_map(|(n, enabled)| Command::Enable(n, enabled)),
        1 => (n.clone(), proptest::option::of(0..90_000u64)).prop_map(|(n, deadline)| Command::Drain(n, deadline)),
        1 => (proptest::collection::vec((1..3u32, destination()), 0..7), proptest::bool::weighted(0.1))
            .prop_map(|(list, meddle)| Command::Apply(list, meddle)),
        12 => begin.prop_map(|(name, set, key, cost, tenant)| Command::Begin {
            name, set, key, cost: if cost > 3 { 1 } else { cost }, tenant
        }),
        2 => pick.prop_map(|(name, set, key, cost)| Command::Pick { name, set, key, cost }),
        4 => (name.clone(), by_id).prop_map(|(name, by_id)| Command::Next(name, by_id)),
        3 => (name.clone(), by_id).prop_map(|(name, by_id)| Command::Confirm(name, by_id)),
        3 => (name.clone(), failure, by_id).prop_map(|(name, failure, by_id)| Command::Fail(name, failure, by_id)),
        6 => (name, by_id).prop_map(|(name, by_id)| Command::End(name, by_id)),
        3 => (n.clone(), result).prop_map(|(n, result)| Command::Probe(n, result)),
        2 => (n.clone(), report(), proptest::option::weighted(0.3, -3_000..1_000i64))
            .prop_map(|(n, report, measured)| Command::Report(n, report, measured)),
        1 => (n, proptest::collection::vec(0..14usize, 0..8), any::<bool>())
            .prop_map(|(n, names, ids)| Command::Reconcile(n, names, ids)),
    ]
}

/// Anything but a score: what scores do is for the estimator's own tests.
fn report() -> impl Strategy<Value = Report> {
    use proptest::option::{of, weighted};
    (
        weighted(0.3, 0..9u64),
        weighted(0.4, 0..9u32),
        weighted(0.2, 0..7u32),
        of(proptest::bool::weighted(0.2)),
    )
        .prop_map(|(sequence, active_calls, capacity, draining)| Report {
            sequence,
            active_calls,
            capacity,
            draining,
            ..Report::default()
        })
}

/// Milliseconds to the next command: mostly none or few, sometimes a jump, sometimes backwards.
pub(crate) fn step() -> impl Strategy<Value = i64> {
    prop_oneof![5 => Just(0i64), 5 => 1..900i64, 2 => 900..30_000i64, 1 => 30_000..9_000_000i64, 1 => -5_000..0i64]
}

pub(crate) fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![
        3 => Just(Algorithm::RoundRobin),
        1 => Just(Algorithm::CallIdHash { bound: None }),
        1 => Just(Algorithm::CallIdHash { bound: Some(1.25) }),
        3 => Just(Algorithm::Weighted),
        4 => Just(Algorithm::CallLoad),
        3 => Just(Algorithm::Priority),
        1 => Just(Algorithm::Random),
        1 => Just(Algorithm::PowerOfTwo),
        3 => Just(Algorithm::LoadScore),
    ]
}
