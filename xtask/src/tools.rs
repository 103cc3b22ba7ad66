//! Programs of others that look at the project: those on the path, or the wheels that `xtask/requirements.txt` pins.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::needs::on_the_path;
use crate::python;

/// Where a program is, installed if it must be.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    if on_the_path(name) {
        return Ok(name.into());
    }
    ensure!(python::is_here(), "{name} is not here; get it with: cargo install --locked {name}");
    python::environment(ENVIRONMENT, "xtask/requirements.txt")?;
    Ok(env::current_dir()?.join(ENVIRONMENT).join("bin").join(name))
}

const ENVIRONMENT: &str = "target/tools";

/// Shows a command, and fails if it does.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = format!("{command:?}").replace('"', "");
    println!("$ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    ensure!(status.success(), "`{line}` ended with {status}");
    Ok(())
}
