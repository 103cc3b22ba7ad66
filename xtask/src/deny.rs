//! What dependencies may be, by cargo-deny and `deny.toml`, and how many there are, by `docs/trust.md`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::tools;

/// Holds the crates of every lock file against `deny.toml`, but not those that `benches` measures and nobody ships.
pub(crate) fn check() -> anyhow::Result<String> {
    let program = tools::program("cargo-deny")?;
    for manifest in ["Cargo.toml", "crates/freestanding/Cargo.toml", "fuzz/Cargo.toml"] {
        let mut deny = Command::new(&program);
        // Not every lock file has every crate that an exception is made for.
        deny.args(["--locked", "--manifest-path", manifest, "check", "--allow", "unmatched-skip-root"]);
        tools::run(deny.args(["bans", "licenses", "sources"]))?;
    }
    Ok("not asked: known vulnerabilities, which need the network: cargo deny check advisories".into())
}

/// Counts the crates that each row of `docs/trust.md` counts: linked, and needed to build.
pub(crate) fn count() -> anyhow::Result<String> {
    let page = fs::read_to_string(PAGE).with_context(|| format!("cannot read {PAGE}"))?;
    let mut rows = 0;
    for line in page.lines().filter(|line| line.starts_with("| `--package ")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, what, linked, built, ..] = cells[..] else { continue };
        let what = what.trim_matches('`');
        let counted = [crates(what, "normal,no-proc-macro")?, crates(what, "normal,build")?];
        ensure!(
            counted.map(|count| count.to_string()) == [linked, built],
            "{PAGE} says {linked} and {built} of {what}; there are {counted:?}"
        );
        rows += 1;
    }
    ensure!(rows > 0, "{PAGE} counts no dependencies");
    Ok(format!("{PAGE} counts the dependencies of {rows} builds right"))
}

const PAGE: &str = "docs/trust.md";

/// How many crates of others a build has.
fn crates(what: &str, edges: &str) -> anyhow::Result<usize> {
    let mut cargo = Command::new("cargo");
    cargo.args(["tree", "--locked", "--target", "x86_64-unknown-linux-gnu", "--prefix", "none"]);
    cargo.args(["--no-dedupe", "--edges", edges]).args(what.split(' '));
    let output = cargo.output().context("cannot start cargo tree")?;
    ensure!(output.status.success(), "cargo tree {what}: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    // A crate of this repository has its path in brackets.
    let crates: BTreeSet<_> = tree.lines().filter(|line| !line.contains(" (/")).collect();
    Ok(crates.iter().filter(|line| !line.trim().is_empty()).count())
}
