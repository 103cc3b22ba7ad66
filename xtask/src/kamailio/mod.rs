//! `cargo xtask kamailio`: records what a real Kamailio decides.

mod process;
mod random;
mod record;
mod recording;
mod requests;
mod sip;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};

pub(crate) use process::INSTALLED;
use process::Program;
use recording::Recording;

#[derive(Args)]
pub(crate) struct Kamailio {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Record random decisions: lists, states and requests that nobody has seen before
    Random {
        /// Repeats a run; another one every time without it
        #[arg(long)]
        seed: Option<u64>,
        /// At least so many by every algorithm
        #[arg(long, default_value_t = 2_000)]
        decisions: usize,
        /// The folder of the recordings; those that are there are removed first
        #[arg(long, value_name = "DIRECTORY")]
        into: PathBuf,
        #[command(flatten)]
        program: Program,
    },
    /// Record anew: ask what recordings ask, and write down what is answered now
    Again {
        /// Recordings, or scripts: recordings without answers
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The folder of the new recordings
        #[arg(long, value_name = "DIRECTORY")]
        into: PathBuf,
        #[command(flatten)]
        program: Program,
    },
}

impl Kamailio {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Random { seed, decisions, into, program } => {
                let seed = seed.unwrap_or_else(|| fastrand::u64(..));
                println!("{}", program.version()?);
                let repeat = format!("cargo xtask kamailio random --seed {seed} --into {}", into.display());
                println!("seed {seed}; the same once more: {repeat}");
                clear(&into)?;
                let recorded =
                    record_all(random::scripts(seed, decisions, program.is_5()?), &program, &into)?;
                let few = recorded.iter().find(|(_, count)| **count < decisions);
                ensure!(few.is_none(), "fewer decisions than asked for: {few:?}");
                Ok(())
            }
            What::Again { files, into, program } => {
                println!("{}", program.version()?);
                fs::create_dir_all(&into)?;
                let scripts = files.iter().map(|file| Recording::read(file));
                record_all(scripts.collect::<anyhow::Result<_>>()?, &program, &into)?;
                Ok(())
            }
        }
    }
}

/// Records into a folder; how many decisions by each algorithm.
fn record_all(
    scripts: Vec<Recording>,
    program: &Program,
    into: &Path,
) -> anyhow::Result<BTreeMap<u16, usize>> {
    let mut decisions: BTreeMap<u16, usize> = BTreeMap::new();
    let began = Instant::now();
    for mut recording in scripts {
        record::record(&mut recording, program)?;
        for (alg, count) in recording.decisions() {
            *decisions.entry(alg).or_default() += count;
        }
        recording.write(into)?;
    }
    let counts: Vec<String> = decisions.iter().map(|(alg, count)| format!("{alg}: {count}")).collect();
    println!("decisions by algorithm: {}", counts.join(", "));
    println!("recorded into {} in {:.1} s", into.display(), began.elapsed().as_secs_f64());
    Ok(decisions)
}

/// Takes the recordings of the last run out of a folder, which may not be there.
fn clear(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("random_") && name.ends_with(".json") {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
