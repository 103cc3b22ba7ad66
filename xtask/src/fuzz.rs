//! Fuzzing with libFuzzer on the stable toolchain: coverage comes from the compiler's own pass, no sanitizer is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, bail, ensure};
use clap::Args;

#[derive(Args)]
pub(crate) struct Fuzz {
    /// Fuzz these only
    targets: Vec<String>,
    /// How long each is fuzzed
    #[arg(long, default_value_t = SECONDS)]
    seconds: u32,
}

impl Fuzz {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        println!("{}", run(&self.targets, self.seconds)?);
        Ok(())
    }
}

/// As a step of the tests: every target.
pub(crate) fn all() -> anyhow::Result<String> {
    run(&[], SECONDS)
}

/// Seeds, one folder per target, in the repository; what a run finds besides is kept in [`FOUND`].
const SEEDS: &str = "fuzz/corpus";
const FOUND: &str = "target/fuzz/corpus";
const ARTIFACTS: &str = "target/fuzz/artifacts";
const SECONDS: u32 = 60;
/// With a target named, Cargo instruments what is fuzzed and not build scripts.
const TARGET: &str = env!("TARGET");
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// Fuzzes every target, or those named, for so many seconds each, as many at a time as there are processors.
fn run(only: &[String], seconds: u32) -> anyhow::Result<String> {
    build()?;
    let targets: Vec<String> =
        targets()?.into_iter().filter(|name| only.is_empty() || only.contains(name)).collect();
    ensure!(!targets.is_empty(), "no such target; there are {}", self::targets()?.join(", "));
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    let run_lane =
        |lane| targets.iter().skip(lane).step_by(lanes).map(|target| fuzz(target, seconds)).collect();
    let outcomes: Vec<anyhow::Result<Vec<String>>> = thread::scope(|scope| {
        let running: Vec<_> = (0..lanes).map(|lane| scope.spawn(move || run_lane(lane))).collect();
        running.into_iter().map(|lane| lane.join().unwrap_or_else(|_| bail!("a lane panicked"))).collect()
    });
    let outcomes: Vec<_> = outcomes.into_iter().collect::<anyhow::Result<_>>()?;
    Ok(outcomes.concat().join("\n"))
}

/// The targets are the programs in `fuzz/fuzz_targets`.
fn targets() -> anyhow::Result<Vec<String>> {
    let files = fs::read_dir("fuzz/fuzz_targets").context("cannot read fuzz/fuzz_targets")?;
    let paths = files.map(|file| Ok(file?.path())).collect::<anyhow::Result<Vec<PathBuf>>>()?;
    let mut names: Vec<String> =
        paths.iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

fn build() -> anyhow::Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--locked", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
    cargo.args(["--target-dir", "target/fuzz", "--target", TARGET]).env("RUSTFLAGS", COVERAGE);
    ensure!(cargo.status()?.success(), "the fuzz targets do not build");
    Ok(())
}

fn fuzz(target: &str, seconds: u32) -> anyhow::Result<String> {
    let (found, seeds) = (Path::new(FOUND).join(target), Path::new(SEEDS).join(target));
    let artifacts = Path::new(ARTIFACTS).join(target);
    for folder in [&found, &artifacts] {
        fs::create_dir_all(folder)?;
    }
    let program = format!("target/fuzz/{TARGET}/release/{target}");
    let child = Command::new(&program)
        .arg(format!("-max_total_time={seconds}"))
        .args([
            "-max_len=4096",
            "-len_control=20",
            "-timeout=10",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
        ])
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args([&found, &seeds])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    tell(target, child, seconds)
}

/// What became of a run: libFuzzer says everything on standard error.
fn tell(target: &str, child: Child, seconds: u32) -> anyhow::Result<String> {
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let from = said.find("panicked").or_else(|| said.find("ERROR")).unwrap_or_default();
        bail!("{target}: {}\nAgain: target/fuzz/{TARGET}/release/{target} FILE", said[from..].trim_end());
    }
    let executions = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let executions = executions.context("libFuzzer gave no figures")?.trim();
    Ok(format!("fuzz {target}: {executions} inputs in {seconds} s, none of them failed"))
}
