//! The project's own commands: `cargo xtask --help`.

#![forbid(unsafe_code)]

mod api;
mod bench;
mod book;
mod coverage;
mod deny;
mod dist;
mod freestanding;
mod fuzz;
mod kamailio;
mod mutants;
mod needs;
mod node;
mod python;
mod run;
mod steps;
mod tools;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser};

use crate::steps::{STEPS, Step};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Commands for work on Callsteer")]
enum Xtask {
    /// Check everything that must hold before a change is sent
    Test(Test),
    /// Compare the public interface of the crate with its listing
    Api(api::Api),
    /// Measure, and print one table
    Bench(bench::Bench),
    /// Check the documents, or write into them what callsteer's `--help` prints now
    Book(book::Book),
    /// Make everything that is published, with checksums and bills of materials, in target/dist
    Dist(dist::Dist),
    /// Feed programs with inputs that reach new code, until one fails
    Fuzz(fuzz::Fuzz),
    /// Count the lines of the core that tests reach
    Coverage(coverage::Coverage),
    /// Change the core, one place at a time, and list what no test notices
    Mutants(mutants::Mutants),
    /// Record what a real Kamailio decides, to compare with it
    Kamailio(kamailio::Kamailio),
}

#[derive(Args)]
struct Test {
    /// Run this step only; may be given several times
    #[arg(long = "step", value_name = "NAME", value_parser = names())]
    only: Vec<String>,
    /// List the steps and run none
    #[arg(long)]
    list: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let command = Xtask::parse();
    // Its files are named from where one is.
    if !matches!(command, Xtask::Kamailio(_)) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the repository")?;
        env::set_current_dir(root)?;
    }
    match command {
        Xtask::Test(test) => Ok(test.run()),
        Xtask::Api(api) => api.run().map(|()| ExitCode::SUCCESS),
        Xtask::Bench(bench) => bench.run(),
        Xtask::Book(book) => book.run().map(|()| ExitCode::SUCCESS),
        Xtask::Dist(dist) => dist.run().map(|()| ExitCode::SUCCESS),
        Xtask::Fuzz(fuzz) => fuzz.run().map(|()| ExitCode::SUCCESS),
        Xtask::Coverage(coverage) => coverage.run().map(|()| ExitCode::SUCCESS),
        Xtask::Mutants(mutants) => mutants.run().map(|()| ExitCode::SUCCESS),
        Xtask::Kamailio(kamailio) => kamailio.run().map(|()| ExitCode::SUCCESS),
    }
}

impl Test {
    fn run(&self) -> ExitCode {
        if self.list {
            for Step { name, proves, .. } in STEPS {
                println!("{name:13} {proves}");
            }
            return ExitCode::SUCCESS;
        }
        let wanted = |step: &&Step| self.only.is_empty() || self.only.iter().any(|name| name == step.name);
        let in_ci = env::var("CI").is_ok_and(|ci| ci == "true");
        let steps: Vec<&Step> = STEPS.iter().filter(wanted).collect();
        let tally = run::all(&steps, in_ci, run::in_a_process);
        println!("{tally}");
        if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}
