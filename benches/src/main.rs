//! `callsteer-benches`: what a decision costs, beside the peers, in one process.

mod floors;
mod heap;
mod measure;
mod memory;
#[cfg(feature = "peers")]
mod peers;
mod report;
mod suites;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::measure::Effort;
use crate::report::Report;
use crate::suites::SUITES;

/// Measure the core beside its peers
#[derive(Parser)]
struct Args {
    /// Less than a minute, for a look
    #[arg(long)]
    quick: bool,
    /// This suite only; may be given several times
    #[arg(long = "suite", value_name = "NAME", value_parser = PossibleValuesParser::new(SUITES.iter().map(|suite| suite.0)))]
    only: Vec<String>,
    /// Write everything there as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail where a claim is missed
    #[arg(long)]
    strict: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let effort = if args.quick { Effort::QUICK } else { Effort::FULL };
    let mut report = Report::default();
    for (name, run) in
        SUITES.iter().filter(|suite| args.only.is_empty() || args.only.iter().any(|name| name == suite.0))
    {
        eprintln!("measuring {name} ...");
        run(effort, &mut report);
    }
    println!("{report}");
    if let Some(file) = &args.json {
        fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    let missed = report.claims.iter().any(|claim| !claim.holds);
    Ok(if args.strict && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
