//! The npm package, built where it lies.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::tools::run;

const PACKAGE: &str = "crates/dispatch-node";

/// Installs what the npm package is built with, and builds it, once.
pub(crate) fn build() -> anyhow::Result<String> {
    static BUILT: Mutex<bool> = Mutex::new(false);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !*built {
        run(npm().args(["ci", "--prefix", PACKAGE]))?;
        run(npm().args(["run", "build", "--prefix", PACKAGE]))?;
        *built = true;
    }
    Ok(format!("{PACKAGE} is built"))
}

/// npm, as the platform calls it.
pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}
