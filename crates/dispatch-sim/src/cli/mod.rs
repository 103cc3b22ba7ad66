//! The command line: what can be asked for, where answers and errors go, exit codes.

mod bar;
mod bench;
mod lint;
mod migrate;
mod plan;
mod recorded;
mod replay;
mod scenarios;
mod shadow;
mod simulate;
mod sweep;

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;

/// Chooses the bridge that takes the next call. This command compares its algorithms on recorded or
/// made-up calls, simulates bursts, reports and faults, plans fleets, checks dispatcher lists, and
/// replays logs of decisions.
#[derive(Parser)]
#[command(name = "callsteer", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Bench(Box<bench::Bench>),
    Lint(lint::Lint),
    Migrate(migrate::Migrate),
    Plan(plan::Plan),
    Replay(replay::Replay),
    Scenarios(scenarios::Scenarios),
    Shadow(Box<shadow::Shadow>),
    Simulate(Box<simulate::Simulate>),
}

/// Does what the command line asks for.
pub(crate) fn run() -> ExitCode {
    let done = match Cli::parse()
        .command
        .unwrap_or_else(|| Command::Bench(Box::new(bench::Bench::parse_from(["callsteer"]))))
    {
        Command::Bench(bench) => bench.run(),
        Command::Lint(lint) => lint.run(),
        Command::Migrate(migrate) => migrate.run(),
        Command::Plan(plan) => plan.run(),
        Command::Replay(replay) => replay.run(),
        Command::Scenarios(scenarios) => scenarios.run(),
        Command::Shadow(shadow) => shadow.run(),
        Command::Simulate(simulate) => simulate.run(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("callsteer: {error}");
        ExitCode::from(BAD_INPUT)
    })
}

/// Prints to standard output. Whoever reads it may stop reading: `callsteer bench | head -3`.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a file.
fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Writes what came out to a file as JSON; "-" is standard output.
fn write_json(file: &Path, came_out: &impl Serialize) -> Result<(), Box<dyn Error>> {
    let json = serde_json::to_string_pretty(came_out)? + "\n";
    if file == Path::new("-") {
        return Ok(print(&json)?);
    }
    Ok(write(file, &json)?)
}

/// `NAME` or `NAME=VALUE`.
fn define(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Ok((name.into(), value.into()))
}

/// What a command comes to: its exit code, or an error that is printed.
type Done = Result<ExitCode, Box<dyn Error>>;

/// The exit code of `lint` and `replay` where they have something to say.
const FOUND: u8 = 1;
/// The exit code for a file or an option that cannot be used (clap uses it too).
const BAD_INPUT: u8 = 2;

const AFTER_HELP: &str = "\
Without a command: bench, with its defaults.

Exit codes: 0 done; 1 lint or replay found something; 2 a file or an option cannot be used.";
