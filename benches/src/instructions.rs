//! Instructions per operation, counted by Valgrind: the same on every quiet or busy machine.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use callsteer::internals::Counting;
use callsteer::{Algorithm, Call, Dispatcher, Failure, Time};
use serde::{Deserialize, Serialize};

use crate::floors::{CALL_IDS, call_id, call_ids};
use crate::measure::Numbers;
use crate::suites::{CLASSES, config, destinations, dispatcher};

/// What stands in the baseline.
#[derive(Debug, Serialize, Deserialize)]
struct Baseline {
    /// Another compiler makes other code, which says nothing about a change of ours.
    rustc: String,
    instructions: BTreeMap<String, u64>,
}

/// Counts every case and compares it with the baseline, or writes that anew.
pub(crate) fn check(baseline: &Path, write: bool) -> anyhow::Result<()> {
    let mut counted = BTreeMap::new();
    for (name, _) in CASES {
        let per_operation = (count(name, 3 * TIMES)? - count(name, TIMES)?) / (2 * TIMES);
        counted.insert((*name).to_string(), per_operation);
    }
    let rustc = rustc()?;
    if write {
        let text = serde_json::to_string_pretty(&Baseline { rustc, instructions: counted })?;
        return fs::write(baseline, text + "\n").context("the baseline cannot be written");
    }
    let text = fs::read_to_string(baseline).with_context(|| format!("cannot read {}", baseline.display()))?;
    let known: Baseline = serde_json::from_str(&text)?;
    let mut slower = Vec::new();
    for (name, now) in &counted {
        let before = *known.instructions.get(name).with_context(|| format!("the baseline lacks {name}"))?;
        let change = 100.0 * (*now as f64 / before as f64 - 1.0);
        println!("{name:42} {now:6} instructions, {change:+.1} %");
        if change > MOST {
            slower.push(name.as_str());
        }
    }
    if known.rustc != rustc {
        println!("The baseline is of {}, this is {rustc}: shown, not judged.", known.rustc);
        return Ok(());
    }
    ensure!(slower.is_empty(), "more than {MOST} % above the baseline: {}", slower.join(", "));
    println!("{} cases, none more than {MOST} % above the baseline", counted.len());
    Ok(())
}

/// Does a case so many times; what Valgrind looks at.
pub(crate) fn run(name: &str, times: u64) -> anyhow::Result<()> {
    match CASES.iter().find(|case| case.0 == name) {
        Some((_, case)) => case(times),
        None => bail!("no case is called {name}"),
    }
}

/// All instructions of a process that does a case so many times.
fn count(name: &str, times: u64) -> anyhow::Result<u64> {
    let this = env::current_exe()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["case", name, &times.to_string()])
        .output()
        .context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind failed at {name}:\n{said}");
    let line =
        said.lines().find_map(|line| line.split_once("Collected : ")).context("valgrind counted nothing")?;
    Ok(line.1.trim().parse()?)
}

fn rustc() -> anyhow::Result<String> {
    let output = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-V").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

type Counted = (&'static str, fn(u64) -> anyhow::Result<()>);

const CASES: &[Counted] = &[
    ("round_robin: pick", |times| picks(Algorithm::RoundRobin, &[1], times)),
    ("weighted: pick", |times| picks(Algorithm::Weighted, &CLASSES, times)),
    ("call_id_hash: pick", |times| picks(Algorithm::CallIdHash { bound: None }, &[1], times)),
    ("call_load: begin + confirm + end", |times| {
        calls(Algorithm::CallLoad, times, |fleet, id| {
            fleet.begin(&Call::new(id), Time::ZERO)?;
            fleet.confirm_call(id, Time::ZERO)?;
            ensure!(fleet.end_call(id, Time::ZERO));
            Ok(())
        })
    }),
    ("call_load: order, count in and out", |times| {
        let mut order = Counting::new(config(Algorithm::CallLoad), destinations(MEMBERS, &[1]));
        for _ in 0..times {
            let placed = order.begin(0).context("nobody takes calls")?;
            order.end(placed);
        }
        Ok(())
    }),
    ("call_load: begin again", |times| {
        calls(Algorithm::CallLoad, times, |fleet, _| {
            black_box(fleet.begin(&Call::new(b"the same call"), Time::ZERO)?);
            Ok(())
        })
    }),
    ("call_load: begin + fail + next + end", |times| {
        calls(Algorithm::CallLoad, times, |fleet, id| {
            let lease = fleet.begin(&Call::new(id), Time::ZERO)?.lease;
            fleet.fail(lease, Failure::reply(503), Time::ZERO)?;
            fleet.next(lease, Time::ZERO)?;
            ensure!(fleet.end(lease, Time::ZERO));
            Ok(())
        })
    }),
    ("load_score: begin + end, 16 members", |times| {
        calls(Algorithm::LoadScore, times, |fleet, id| {
            let lease = fleet.begin(&Call::new(id), Time::ZERO)?.lease;
            ensure!(fleet.end(lease, Time::ZERO));
            Ok(())
        })
    }),
    ("load_score: order, 4,096 members that report", |times| {
        let mut order = Counting::new(config(Algorithm::LoadScore), destinations(4_096, &[1]));
        let mut live: Vec<u64> = (0..32_768).filter_map(|_| order.begin(0)).collect();
        let (members, mut numbers): (Vec<u64>, _) = (order.members().collect(), Numbers::new(11));
        for member in members {
            order.report(member, 0.3 + 0.4 * numbers.below(1_000) as f64 / 1_000.0);
        }
        for _ in 0..times {
            let call = numbers.below(live.len());
            order.end(live[call]);
            live[call] = order.begin(0).context("nobody takes calls")?;
        }
        Ok(())
    }),
];

fn picks(algorithm: Algorithm, weights: &[u32], times: u64) -> anyhow::Result<()> {
    let mut fleet = dispatcher(config(algorithm), MEMBERS, weights)?;
    let ids = call_ids(CALL_IDS);
    for id in ids.iter().cycle().take(times as usize) {
        black_box(fleet.pick(&Call::new(id), Time::ZERO)?);
    }
    Ok(())
}

fn calls(
    algorithm: Algorithm,
    times: u64,
    act: impl Fn(&mut Dispatcher, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut config = config(algorithm);
    // Whoever fails here is to be asked again.
    config.ejection.enabled = false;
    let mut fleet = dispatcher(config, MEMBERS, &[1])?;
    (0..times).try_for_each(|number| act(&mut fleet, &call_id(number, 1)))
}

const MEMBERS: usize = 16;
const TIMES: u64 = 1_000;
/// %: more is a change that its author did not mean, or should say.
const MOST: f64 = 3.0;
