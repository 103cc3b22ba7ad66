//! The crates: packed as for crates.io, built from what was packed, used by a program of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::files::{example, version};
use crate::tools::run;

/// Packs them into `folder`.
pub(super) fn package(folder: &Path) -> anyhow::Result<()> {
    let mut cargo = Command::new("cargo");
    // Verified by `check`, which also uses them.
    cargo.args(["package", "--locked", "--allow-dirty", "--no-verify"]);
    run(cargo.args(CRATES.iter().flat_map(|name| ["--package", name])))?;
    for name in CRATES {
        let file = format!("{name}-{}.crate", version()?);
        fs::copy(Path::new("target/package").join(&file), folder.join(&file))?;
    }
    Ok(())
}

/// Unpacks them, runs the README's example with the library alone, and asks the command for help.
pub(super) fn check(folder: &Path) -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let version = version()?;
    for name in CRATES {
        let file = folder.join(format!("{name}-{version}.crate"));
        run(Command::new("tar").arg("-xzf").arg(file).arg("-C").arg(place.path()))?;
    }
    let program = place.path().join("program");
    fs::create_dir_all(program.join("src"))?;
    fs::write(program.join("src/main.rs"), example("## In Rust", "rust")?)?;
    let manifest = format!(
        "[package]\nname = \"program\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         callsteer = \"{version}\"\n{}",
        patch(&version)
    );
    fs::write(program.join("Cargo.toml"), manifest)?;
    let target = std::env::current_dir()?.join("target");
    let cargo = |folder: &Path, target: &Path| {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(folder).env("CARGO_TARGET_DIR", target).args(["run", "--quiet"]);
        cargo
    };
    run(&mut cargo(&program, &target.join("dist-check")))?;

    // Its dependencies are built already, as the workspace builds them.
    let command = place.path().join(format!("callsteer-sim-{version}"));
    let mut cargo = cargo(&command, &target);
    let patched = format!("patch.crates-io.callsteer.path=\"../callsteer-{version}\"");
    for setting in [&*patched].iter().chain(AS_THE_WORKSPACE) {
        cargo.args(["--config", setting]);
    }
    run(cargo.args(["--all-features", "--", "--version"]))
}

/// Takes the packed library in place of a published one.
fn patch(version: &str) -> String {
    format!("[patch.crates-io]\ncallsteer = {{ path = \"../callsteer-{version}\" }}\n")
}

/// The profile of the workspace, but for what is looked at.
const AS_THE_WORKSPACE: &[&str] = &[
    "profile.dev.opt-level=1",
    "profile.dev.debug=\"line-tables-only\"",
    "profile.dev.package.\"*\".debug=false",
    "profile.dev.package.callsteer.opt-level=0",
    "profile.dev.package.callsteer-sim.opt-level=0",
];

const CRATES: [&str; 2] = ["callsteer", "callsteer-sim"];
