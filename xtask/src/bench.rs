//! The benches of `cargo xtask bench`: programs that measure and print a table.

use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValuesParser;

#[derive(Args)]
pub(crate) struct Bench {
    /// What to measure
    #[arg(default_value = "core", value_parser = PossibleValuesParser::new(BENCHES.iter().map(|bench| bench.0)))]
    name: String,
    /// Less than a minute, for a look
    #[arg(long)]
    quick: bool,
    /// More for the bench itself, after `--`: what it knows, its `--help` says
    #[arg(last = true)]
    more: Vec<String>,
}

/// Name and command line. Each bench knows `--quick`, and writes what it measured as JSON to `--json FILE`.
const BENCHES: &[(&str, &str)] = &[
    (
        "core",
        "cargo run --quiet --locked --release --manifest-path benches/Cargo.toml --target-dir target/benches -- \
         --json target/bench-core.json",
    ),
    ("node", "npm run bench --silent --prefix crates/dispatch-node -- --json ../../target/bench-node.json"),
];

impl Bench {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let line = BENCHES.iter().find(|bench| bench.0 == self.name).map_or("", |bench| bench.1);
        let mut words = line.split_whitespace();
        let program = words.next().context("a bench is a program")?;
        let quick = self.quick.then_some("--quick");
        let status = Command::new(program).args(words).args(quick).args(&self.more).status();
        let status = status.with_context(|| format!("cannot start `{line}`"))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
