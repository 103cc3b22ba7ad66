//! Sequences of commands, the input deciding every choice: the dispatcher does what the naive one of its tests does.

#![no_main]

// The model's strategies are for its own test; here the input chooses.
#[path = "../../crates/dispatch-core/tests/model/commands.rs"]
#[allow(dead_code)]
mod commands;
#[path = "../../crates/dispatch-core/tests/model/compare.rs"]
mod compare;
#[path = "../../crates/dispatch-core/tests/model/health.rs"]
mod health;
#[path = "../../crates/dispatch-core/tests/model/history.rs"]
#[allow(dead_code)]
mod history;
#[path = "../../crates/dispatch-core/tests/model/naive.rs"]
mod naive;
#[path = "../../crates/dispatch-core/tests/model/outside.rs"]
mod outside;
#[path = "../../crates/dispatch-core/tests/model/pair.rs"]
mod pair;
#[path = "../../crates/dispatch-core/tests/model/state.rs"]
mod state;
#[path = "../../crates/dispatch-core/tests/model/tables.rs"]
mod tables;

use std::time::Duration;

use callsteer::*;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

use commands::Command;
use history::History;

fuzz_target!(|choices: &[u8]| {
    if let Ok(history) = history_of(&mut Unstructured::new(choices)) {
        history.run();
    }
});

fn history_of(choices: &mut Unstructured<'_>) -> Result<History> {
    let routes = vec![route(1, choices)?, route(2, choices)?];
    let tenant = TenantLimits { max_calls: 3, max_rate: 0 };
    let config = Config {
        seed: choices.arbitrary()?,
        algorithm: routes[1].algorithm,
        policies: [(1, routes)].into(),
        max_calls_total: *choices.choose(&[1_000, 6])?,
        tenants: [(String::from("sales"), tenant)].into(),
        warm_up: Duration::from_secs(*choices.choose(&[0, 30])?),
        ejection: EjectionConfig { enabled: choices.arbitrary()?, ..EjectionConfig::default() },
        probing: ProbingConfig { mode: ProbingMode::Off, ..ProbingConfig::default() },
        ..Config::default()
    };
    let mut commands = Vec::new();
    while !choices.is_empty() && commands.len() < MOST_COMMANDS {
        commands.push((step(choices)?, command(choices)?));
    }
    Ok(History { config, commands })
}

fn route(set: SetId, choices: &mut Unstructured<'_>) -> Result<Route> {
    let algorithm = *choices.choose(&[
        Algorithm::RoundRobin,
        Algorithm::CallIdHash { bound: None },
        Algorithm::CallIdHash { bound: Some(1.25) },
        Algorithm::Weighted,
        Algorithm::CallLoad,
        Algorithm::Priority,
        Algorithm::Random,
        Algorithm::PowerOfTwo,
        Algorithm::LoadScore,
    ])?;
    Ok(Route { set, algorithm })
}

fn step(choices: &mut Unstructured<'_>) -> Result<i64> {
    let most = *choices.choose(&[0, 0, 900, 900, 30_000, 9_000_000, -5_000])?;
    choices.int_in_range(most.min(0)..=most.max(0))
}

fn command(choices: &mut Unstructured<'_>) -> Result<Command> {
    let (name, n) = (choices.int_in_range(0..=11)?, choices.int_in_range(0..=7)?);
    let (set, cost) = (choices.int_in_range(1..=2)?, choices.int_in_range(0..=3)?);
    let (key, by_id) = (choices.arbitrary::<bool>()?.then_some(n as u8 % 4), choices.arbitrary()?);
    Ok(match choices.int_in_range(0..=19)? {
        0..=2 => Command::Add(set, destination(choices)?),
        3 => Command::Remove(n),
        4 => Command::Update(n, destination(choices)?),
        5 => Command::Enable(n, choices.arbitrary()?),
        6 => Command::Drain(n, choices.arbitrary::<Option<u16>>()?.map(u64::from)),
        7 => {
            let list = (0..n).map(|_| Ok((choices.int_in_range(1..=2)?, destination(choices)?)));
            let list = list.collect::<Result<_>>()?;
            Command::Apply(list, choices.arbitrary()?)
        }
        8 => Command::Pick { name, set, key, cost },
        9 | 10 => Command::Next(name, by_id),
        11 => Command::Confirm(name, by_id),
        12 => Command::Fail(name, failure(choices)?, by_id),
        13 | 14 => Command::End(name, by_id),
        15 => Command::Probe(n, probe_result(choices)?),
        16 => {
            let measured = choices.arbitrary::<Option<i8>>()?.map(|at| i64::from(at) * 20);
            Command::Report(n, report(choices)?, measured)
        }
        17 => {
            let names = (0..n).map(|_| choices.int_in_range(0..=13)).collect::<Result<_>>()?;
            Command::Reconcile(n, names, by_id)
        }
        _ => {
            let tenant = *choices.choose(&[None, Some("sales"), Some("other")])?;
            Command::Begin { name, set, key, cost, tenant }
        }
    })
}

fn destination(choices: &mut Unstructured<'_>) -> Result<Destination> {
    let name = choices.int_in_range(0..=5)?;
    Ok(Destination {
        weight: choices.int_in_range(0..=3)?,
        max_calls: choices.int_in_range(0..=3)?,
        max_rate: *choices.choose(&[0, 0, 0, 2])?,
        priority: choices.int_in_range(0..=2)?,
        starts: *choices.choose(&[
            Starts::Active,
            Starts::Active,
            Starts::Trying,
            Starts::Inactive,
            Starts::Disabled,
        ])?,
        ..Destination::new(format!("bridge-{name}"))
    })
}

fn failure(choices: &mut Unstructured<'_>) -> Result<Failure> {
    let wait = Duration::from_secs(choices.int_in_range(1..=19)?);
    let busy = Failure::Reply { code: 503, retry_after: Some(wait) };
    choices.choose(&[Failure::Timeout, Failure::reply(486), Failure::reply(503), busy]).copied()
}

fn probe_result(choices: &mut Unstructured<'_>) -> Result<ProbeResult> {
    let busy = ProbeResult::Reply { code: 503, retry_after: Some(Duration::from_secs(9)) };
    choices.choose(&[ProbeResult::reply(200), ProbeResult::Timeout, busy]).copied()
}

/// Anything but a score: what scores do is for the estimator's own tests.
fn report(choices: &mut Unstructured<'_>) -> Result<Report> {
    Ok(Report {
        sequence: choices.arbitrary::<Option<u8>>()?.map(u64::from),
        active_calls: choices.arbitrary::<Option<u8>>()?.map(|calls| u32::from(calls % 9)),
        capacity: choices.arbitrary::<Option<u8>>()?.map(|calls| u32::from(calls % 7)),
        draining: choices.arbitrary()?,
        ..Report::default()
    })
}

const MOST_COMMANDS: usize = 200;
