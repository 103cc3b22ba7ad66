//! Whether tests notice what is wrong: cargo-mutants changes the core, one place at a time.

use std::process::Command;

use anyhow::ensure;
use clap::Args;

use crate::needs::on_the_path;
use crate::tools;

#[derive(Args)]
pub(crate) struct Mutants {
    /// One part of all: `3/40` is the third of forty, and a sample of every file
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Only these files, below crates/dispatch-core/src: `select/*`, `set.rs`
    files: Vec<String>,
}

impl Mutants {
    /// Lists in target/mutants.out what no test noticed; fails if there is any.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        ensure!(
            on_the_path("cargo-mutants"),
            "cargo-mutants is not here; get it with: cargo install --locked cargo-mutants"
        );
        let mut mutants = Command::new("cargo");
        mutants.args(["mutants", "--package", "callsteer", "--output", "target"]);
        // Builds are most of it.
        mutants.env("CARGO_PROFILE_DEV_DEBUG", "false").env("CARGO_PROFILE_TEST_DEBUG", "false");
        if let Some(shard) = &self.shard {
            mutants.args(["--shard", shard, "--sharding", "round-robin"]);
        }
        for file in &self.files {
            mutants.arg("--file").arg(format!("crates/dispatch-core/src/{file}"));
        }
        tools::run(&mut mutants)
    }
}
