//! The Python package: a wheel for this platform and every Python from 3.10 on, and its sources.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::ensure;

use super::files::only;
use crate::python;
use crate::tools::run;

/// Builds both into `folder`.
pub(super) fn build(folder: &Path) -> anyhow::Result<()> {
    let python = python::environment("target/python/venv", "crates/dispatch-py/requirements-test.txt")?;
    let maturin = Path::new(&python).with_file_name("maturin");
    let manifest = ["--manifest-path", "crates/dispatch-py/Cargo.toml", "--out"];
    run(Command::new(&maturin).args(["build", "--release", "--locked"]).args(manifest).arg(folder))?;
    run(Command::new(&maturin).arg("sdist").args(manifest).arg(folder))?;
    ensure!(
        only(folder, "callsteer-", ".whl")?.to_string_lossy().contains("-cp310-abi3-"),
        "it is no abi3 wheel"
    );
    Ok(())
}

/// Installs the wheel, and one that is built of the sources, each alone, and runs the README's example.
pub(super) fn check(folder: &Path) -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let sources = only(folder, "callsteer-", ".tar.gz")?;
    let rebuilt = place.path().join("wheels");
    fs::create_dir_all(&rebuilt)?;
    python::build_wheel(&sources, &rebuilt)?;
    for wheel in [only(folder, "callsteer-", ".whl")?, only(&rebuilt, "callsteer-", ".whl")?] {
        python::try_wheel(Path::new(python::PYTHON), &place.path().join("venv"), &wheel)?;
    }
    Ok(())
}
