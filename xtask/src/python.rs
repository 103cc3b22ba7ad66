//! Virtual environments with the Python package in them, under target/python.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};

use crate::tools::run;

const PACKAGE: &str = "crates/dispatch-py";
const WHEELS: &str = "target/python/wheels";

/// Builds the wheel, and installs it and what the tests need, once; says what it found.
pub(crate) fn install() -> anyhow::Result<String> {
    static INSTALLED: Mutex<Option<String>> = Mutex::new(None);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if installed.is_none() {
        *installed = Some(install_into("target/python/venv", "crates/dispatch-py/requirements-test.txt")?);
    }
    Ok(installed.clone().unwrap_or_default())
}

/// The same with what the bench compares with.
pub(crate) fn install_for_bench() -> anyhow::Result<String> {
    install_into("target/python/bench", "crates/dispatch-py/requirements-bench.txt")
}

/// Installs the wheel, and nothing else, for every Python there is, and runs the README's example.
///
/// Those are `python3`, `python3.10` and so on, and what `CALLSTEER_PYTHONS` names, as `PATH` does.
pub(crate) fn try_every_python() -> anyhow::Result<String> {
    let wheel = wheel()?;
    let named = env::var_os("CALLSTEER_PYTHONS").unwrap_or_default();
    let minors = (OLDEST..OLDEST + 10).map(|minor| PathBuf::from(format!("python3.{minor}")));
    let mut tried = Vec::new();
    for python in env::split_paths(&named).chain(minors).chain([PathBuf::from(PYTHON)]) {
        let Some(version) = version(&python).filter(|minor| *minor >= OLDEST && !tried.contains(minor))
        else {
            continue;
        };
        try_wheel(&python, Path::new(&format!("target/python/3.{version}")), &wheel)?;
        tried.push(version);
    }
    ensure!(!tried.is_empty(), "no Python was tried");
    let tried: Vec<_> = tried.iter().map(|minor| format!("3.{minor}")).collect();
    Ok(format!("the README's example runs on Python {}, without any other package", tried.join(", ")))
}

/// Installs a wheel, and nothing else, into an environment of its own, and runs the README's example there.
pub(crate) fn try_wheel(python: &Path, folder: &Path, wheel: &Path) -> anyhow::Result<()> {
    run(Command::new(python).args(["-m", "venv", "--clear", "--without-pip"]).arg(folder))?;
    let clean = folder.join(BIN).join("python");
    let mut pip = Command::new(format!("target/python/venv/{BIN}/python"));
    pip.args(["-m", "pip", "--disable-pip-version-check", "--python"]).arg(&clean);
    run(pip.args(["install", "--quiet", "--no-index"]).arg(wheel))?;
    run(Command::new(clean).args([&format!("{PACKAGE}/tests/examples.py"), "README.md"]))
}

/// Builds a wheel of the sources in a file, unoptimised, with maturin of the environment of the tests.
pub(crate) fn build_wheel(sources: &Path, into: &Path) -> anyhow::Result<()> {
    let mut pip = building("target/python/venv")?;
    let ours = ["callsteer", "callsteer-sim", "callsteer-python"];
    let plain = ours.map(|package| format!("--config profile.dev.package.{package}.opt-level=0"));
    pip.env("MATURIN_PEP517_ARGS", format!("--profile dev {}", plain.join(" ")));
    // What it depends on is built there already.
    pip.env("CARGO_TARGET_DIR", env::current_dir()?.join("target"));
    run(pip.arg(into).arg(sources))
}

/// Whether `python3` is new enough for the requirements, and can make environments.
pub(crate) fn is_here() -> bool {
    let venv = Command::new(PYTHON).args(["-c", "import venv, ensurepip"]).output();
    version(Path::new(PYTHON)).is_some_and(|minor| minor >= OLDEST_FOR_TESTS)
        && venv.is_ok_and(|output| output.status.success())
}

/// The Python that is there.
pub(crate) const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };
/// Where programs of an environment are.
const BIN: &str = if cfg!(windows) { "Scripts" } else { "bin" };
const OLDEST: u32 = 10;
/// The oldest for which what the tests need is made.
const OLDEST_FOR_TESTS: u32 = 11;

fn install_into(venv: &str, requirements: &str) -> anyhow::Result<String> {
    let python = environment(venv, requirements)?;
    let wheels = Path::new(WHEELS);
    if wheels.exists() {
        fs::remove_dir_all(wheels)?;
    }
    run(building(venv)?.arg(WHEELS).arg(format!("./{PACKAGE}")))?;
    let wheel = wheel()?;
    run(pip(&python).args(["--quiet", "--no-deps", "--force-reinstall"]).arg(&wheel))?;
    Ok(format!("installed {}", wheel.display()))
}

/// An environment with what `requirements` lists, made anew where it lists something else than before; its Python.
pub(crate) fn environment(venv: &str, requirements: &str) -> anyhow::Result<String> {
    let wanted = fs::read_to_string(requirements).with_context(|| format!("cannot read {requirements}"))?;
    let installed = format!("{venv}/requirements.txt");
    let python = format!("{venv}/{BIN}/python");
    if fs::read_to_string(&installed).ok().as_ref() != Some(&wanted) {
        run(Command::new(PYTHON).args(["-m", "venv", "--clear", venv]))?;
        run(pip(&python).args(["--quiet", "--requirement", requirements]))?;
        fs::write(&installed, wanted)?;
    }
    Ok(python)
}

/// `pip wheel` into a folder that comes next. maturin is one of the requirements: nothing is fetched to build.
fn building(venv: &str) -> anyhow::Result<Command> {
    let bin = env::current_dir()?.join(venv).join(BIN);
    let rest = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin.clone()].into_iter().chain(env::split_paths(&rest)))?;
    let mut pip = Command::new(bin.join("python"));
    pip.env("PATH", path).args(["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]);
    pip.arg("--wheel-dir");
    Ok(pip)
}

fn pip(python: &str) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--disable-pip-version-check", "install"]);
    pip
}

/// The wheel that was built last.
fn wheel() -> anyhow::Result<PathBuf> {
    let mut files = fs::read_dir(WHEELS).with_context(|| format!("cannot read {WHEELS}"))?;
    let file = files.next().context("no wheel was built")??;
    Ok(file.path())
}

/// The minor version of a Python 3 that runs.
fn version(python: &Path) -> Option<u32> {
    let output = Command::new(python).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.strip_prefix("Python 3.")?.split('.').next()?.parse().ok()
}
