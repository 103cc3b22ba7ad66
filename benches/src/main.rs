//! `callsteer-benches`: what a decision costs, beside the peers, in one process.

mod curves;
mod floors;
mod heap;
mod instructions;
mod measure;
mod memory;
#[cfg(feature = "peers")]
mod peers;
mod report;
mod suites;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser};

use crate::measure::Effort;
use crate::report::Report;
use crate::suites::SUITES;

#[derive(Parser)]
#[command(about = "Measures Callsteer's core")]
enum Benches {
    /// Measure the core beside its peers, and print one table
    Core(Core),
    /// Count instructions by Valgrind, and compare them with the baseline
    Instructions {
        /// Write what is counted as the new baseline
        #[arg(long)]
        write: bool,
    },
    /// Do one of the counted cases so many times
    #[command(hide = true)]
    Case { name: String, times: u64 },
}

#[derive(Args)]
struct Core {
    /// Less than a minute, for a look
    #[arg(long)]
    quick: bool,
    /// This suite only; may be given several times
    #[arg(long = "suite", value_name = "NAME", value_parser = suite_names())]
    only: Vec<String>,
    /// Write everything there as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also measure how costs grow, and draw that there as SVG
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
    /// Fail where a claim is missed
    #[arg(long)]
    strict: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    match Benches::parse() {
        Benches::Core(core) => core.run(),
        Benches::Instructions { write } => {
            instructions::check(Path::new("benches/instructions.json"), write)?;
            Ok(ExitCode::SUCCESS)
        }
        Benches::Case { name, times } => {
            instructions::run(&name, times)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Core {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let effort = if self.quick { Effort::QUICK } else { Effort::FULL };
        let mut report = Report::default();
        let wanted = |name: &str| self.only.is_empty() || self.only.iter().any(|only| only == name);
        for (name, run) in SUITES.iter().filter(|suite| wanted(suite.0)) {
            eprintln!("measuring {name} ...");
            run(effort, &mut report);
        }
        if let Some(folder) = &self.plots {
            eprintln!("measuring how costs grow ...");
            curves::draw(folder, effort, &mut report)?;
        }
        println!("{report}");
        if let Some(file) = &self.json {
            fs::write(file, serde_json::to_string_pretty(&report)?)?;
        }
        let missed = report.claims.iter().any(|claim| !claim.holds);
        Ok(if self.strict && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn suite_names() -> PossibleValuesParser {
    PossibleValuesParser::new(SUITES.iter().map(|suite| suite.0))
}
