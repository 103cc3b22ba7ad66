//! How many lines of the core its tests reach, by cargo-llvm-cov.

use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::needs::on_the_path;
use crate::tools;

#[derive(Args)]
pub(crate) struct Coverage {
    /// Write each line with its count, too: target/llvm-cov/html/index.html
    #[arg(long)]
    html: bool,
}

impl Coverage {
    /// Prints the table; fails below [`LINES`].
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let program = tools::program("cargo-llvm-cov")?;
        let tests = ["--locked", "--package", "callsteer", "--features", "json", "--no-report"];
        tools::run(llvm_cov(&program).args(tests))?;
        // Parts alone, for the benches.
        let report = |options: &[&str]| {
            let but = ["report", "--ignore-filename-regex", "src/internals.rs"];
            tools::run(llvm_cov(&program).args(but).args(options))
        };
        if self.html {
            report(&["--html"])?;
        }
        report(&["--summary-only", "--fail-under-lines", LINES])
    }
}

/// Percent that must be reached; what is left cannot be, mostly: the core has a way out where others would panic.
const LINES: &str = "98";

fn llvm_cov(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("llvm-cov");
    // Debian's tools of rustc's own LLVM; elsewhere cargo-llvm-cov finds those of `rustup component add llvm-tools`.
    for (variable, tool) in [("LLVM_COV", "llvm-cov"), ("LLVM_PROFDATA", "llvm-profdata")] {
        if let Some(tool) =
            llvm_major().map(|major| format!("{tool}-{major}")).filter(|tool| on_the_path(tool))
        {
            command.env(variable, tool);
        }
    }
    command
}

fn llvm_major() -> Option<String> {
    let output = Command::new("rustc").arg("-vV").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    Some(version.split('.').next()?.to_owned())
}
