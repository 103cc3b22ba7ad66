//! The npm package, built where it lies.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::tools::run;

const PACKAGE: &str = "crates/dispatch-node";
const CONTROL_PLANE: &str = "examples/node-control-plane";

/// Installs what the npm package is built with, and builds it, once.
pub(crate) fn build() -> anyhow::Result<String> {
    static BUILT: Mutex<bool> = Mutex::new(false);
    once(&BUILT, || {
        run(npm().args(["ci", "--prefix", PACKAGE]))?;
        run(npm().args(["run", "build", "--prefix", PACKAGE]))
    })?;
    Ok(format!("{PACKAGE} is built"))
}

/// Installs what the control plane on Node needs besides, once.
pub(crate) fn install_control_plane() -> anyhow::Result<String> {
    static INSTALLED: Mutex<bool> = Mutex::new(false);
    once(&INSTALLED, || run(npm().args(["ci", "--prefix", CONTROL_PLANE])))?;
    Ok(format!("{CONTROL_PLANE} is installed"))
}

fn once(done: &Mutex<bool>, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        work()?;
        *done = true;
    }
    Ok(())
}

/// npm, as the platform calls it.
pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}
