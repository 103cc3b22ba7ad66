//! The public interface of the crate, as a listing that is committed: what changes is seen, and seen to break or not.
//!
//! Python's is `_callsteer.pyi`, Node's is `types/`: the steps `python-types` and `node-types` compare those.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Args;

use crate::tools::run;

#[derive(Args)]
pub(crate) struct Api {
    /// Write the listing anew
    #[arg(long)]
    write: bool,
}

impl Api {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        if self.write {
            fs::write(LISTING, listing()?)?;
            return Ok(());
        }
        println!("{}", check()?);
        Ok(())
    }
}

/// Compares the listing with the code.
pub(crate) fn check() -> anyhow::Result<String> {
    let committed = fs::read_to_string(LISTING).with_context(|| format!("cannot read {LISTING}"))?;
    let now = listing()?;
    let changes = changes(&committed, &now);
    ensure!(
        changes.is_empty(),
        "the public interface is another one; lines with - break users, and need another minor version \
         (major from 1.0 on). If that is meant: cargo xtask api --write\n{changes}"
    );
    Ok(format!("{} public items, as listed", now.lines().count()))
}

/// Lines that went, with -, and lines that came, with +.
fn changes(before: &str, now: &str) -> String {
    let (before, now): (BTreeSet<_>, BTreeSet<_>) = (before.lines().collect(), now.lines().collect());
    let gone = before.difference(&now).map(|line| format!("- {line}\n"));
    gone.chain(now.difference(&before).map(|line| format!("+ {line}\n"))).collect()
}

fn listing() -> anyhow::Result<String> {
    let mut rustdoc = Command::new("cargo");
    // rustdoc writes JSON for those who ask as its own developers do. A folder of its own: other commands would build
    // everything anew after it.
    rustdoc.env("RUSTC_BOOTSTRAP", "1").args(["rustdoc", "--quiet", "--locked", "--target-dir", FOLDER]);
    rustdoc.args(["--package", "callsteer", "--lib", "--no-default-features", "--features", "std,json"]);
    run(rustdoc.args(["--", "-Zunstable-options", "--output-format", "json"]))?;
    let api = public_api::Builder::from_rustdoc_json(format!("{FOLDER}/doc/callsteer.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .context("the crate public-api reads no JSON of this rustdoc: see its table of versions")?;
    Ok(api.items().map(|item| format!("{item}\n")).collect())
}

const LISTING: &str = "crates/dispatch-core/public-api.txt";
const FOLDER: &str = "target/api";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_and_what_came_is_told() {
        assert_eq!(changes("a\nb\nc\n", "a\nc\nd\n"), "- b\n+ d\n");
        assert_eq!(changes("a\n", "a\n"), "");
    }
}
