//! The benches of `cargo xtask bench`: programs that measure and print a table.

use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::python;

#[derive(Args)]
pub(crate) struct Bench {
    /// What to measure
    #[arg(default_value = "core", value_parser = PossibleValuesParser::new(BENCHES.iter().map(|bench| bench.name)))]
    name: String,
    /// Less than a minute, for a look
    #[arg(long)]
    quick: bool,
    /// More for the bench itself, after `--`: what it knows, its `--help` says
    #[arg(last = true)]
    more: Vec<String>,
}

/// A program that measures. It knows `--quick`, and writes what it measured as JSON to `--json FILE`.
struct Program {
    name: &'static str,
    /// Makes what the program needs.
    prepare: Option<fn() -> anyhow::Result<String>>,
    line: &'static str,
}

const BENCHES: &[Program] = &[
    Program {
        name: "core",
        prepare: None,
        line: "cargo run --quiet --locked --release --manifest-path benches/Cargo.toml --target-dir target/benches -- \
               core --json target/bench-core.json",
    },
    Program {
        name: "python",
        prepare: Some(python::install_for_bench),
        line: "target/python/bench/bin/python crates/dispatch-py/benches/calls.py --json target/bench-python.json",
    },
    Program {
        name: "redis",
        prepare: None,
        line: "cargo bench --quiet --locked --package callsteer-redis --bench waits -- --json target/bench-redis.json",
    },
    Program {
        name: "node",
        prepare: None,
        line: "npm run bench --silent --prefix crates/dispatch-node -- --json ../../target/bench-node.json",
    },
];

impl Bench {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let known = BENCHES.iter().find(|bench| bench.name == self.name);
        let Program { prepare, line, .. } = known.context("there is no such bench")?;
        if let Some(prepare) = prepare {
            println!("{}", prepare()?);
        }
        let mut words = line.split_whitespace();
        let program = words.next().context("a bench is a program")?;
        let quick = self.quick.then_some("--quick");
        let status = Command::new(program).args(words).args(quick).args(&self.more).status();
        let status = status.with_context(|| format!("cannot start `{line}`"))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
