//! Everything that is published, as files in target/dist: crates, wheel and sdist, npm packages, what is in them.

mod crates;
mod files;
mod npm;
mod sbom;
mod wheels;

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::Args;

#[derive(Args)]
pub(crate) struct Dist {
    /// Install each package from its file into an empty environment, and run an example there
    #[arg(long)]
    check: bool,
}

impl Dist {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        println!("{}", make()?);
        if self.check {
            println!("{}", check()?);
        }
        Ok(())
    }
}

/// Makes all files anew.
pub(crate) fn make() -> anyhow::Result<String> {
    let folder = Path::new(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    crates::package(folder)?;
    wheels::build(folder)?;
    npm::pack(folder)?;
    sbom::write(folder)?;
    let sums = files::sums(folder)?;
    fs::write(folder.join("SHA256SUMS"), &sums).context("cannot write SHA256SUMS")?;
    Ok(format!("{FOLDER}:\n{sums}"))
}

/// Installs from these files and from nothing else, and runs the README's examples.
pub(crate) fn check() -> anyhow::Result<String> {
    let folder = Path::new(FOLDER).canonicalize().context("cargo xtask dist makes them")?;
    crates::check(&folder)?;
    wheels::check(&folder)?;
    npm::check(&folder)?;
    Ok("each package works, installed from its file".into())
}

const FOLDER: &str = "target/dist";
