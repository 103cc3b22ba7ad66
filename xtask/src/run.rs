//! Runs steps one after another and says what became of each.

use std::env;
use std::fmt;
use std::panic::resume_unwind;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};

use crate::needs::Need;
use crate::steps::{Action, Step};

/// How many steps ended how.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "steps: {} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Runs steps one after another until one fails, and those that build in a folder of their own `apart`
/// beside them, which gives what they said; a single one is not beside any. A step that needs what is
/// not here is skipped, or fails if that is `strict`.
pub(crate) fn all(steps: &[&Step], strict: bool, apart: impl Fn(&Step) -> Apart + Sync) -> Tally {
    let (beside, steps): (Vec<&Step>, Vec<&Step>) =
        steps.iter().partition(|step| step.beside && steps.len() > 1);
    let failed = AtomicBool::new(false);
    let mut report = Report::new(strict);
    let ended = thread::scope(|scope| {
        let background = scope.spawn(|| {
            let mut ended = Vec::new();
            for step in beside {
                if failed.load(Ordering::Relaxed) {
                    break;
                }
                let mut said = String::new();
                let (outcome, took) = outcome(step, |step| {
                    let result;
                    (said, result) = apart(step);
                    result
                });
                ended.push((step, said, outcome, took));
            }
            ended
        });
        for step in steps {
            println!("\n==> {}: {}", step.name, step.proves);
            let (outcome, took) = outcome(step, run);
            report.add(step, outcome, took);
            if report.tally.failed > 0 {
                failed.store(true, Ordering::Relaxed);
                break;
            }
        }
        if !background.is_finished() {
            println!("\nwaiting for what runs beside ...");
        }
        background.join()
    });
    for (step, said, outcome, took) in ended.unwrap_or_else(|panic| resume_unwind(panic)) {
        println!("\n{}", said.trim());
        report.add(step, outcome, took);
    }
    println!();
    for complaint in report.complaints {
        println!("{complaint}");
    }
    report.tally
}

/// What a step said that ran apart, and what became of it.
pub(crate) type Apart = (String, anyhow::Result<()>);

/// Runs a step in a process of its own.
pub(crate) fn in_a_process(step: &Step) -> Apart {
    let this = match env::current_exe() {
        Ok(this) => this,
        Err(error) => return (String::new(), Err(error.into())),
    };
    match Command::new(this).args(["test", "--step", step.name]).output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
            let result = if output.status.success() { Ok(()) } else { Err(anyhow!("see above")) };
            (said.concat(), result)
        }
        Err(error) => (String::new(), Err(error.into())),
    }
}

/// What is said at the end.
struct Report {
    strict: bool,
    tally: Tally,
    complaints: Vec<String>,
}

impl Report {
    fn new(strict: bool) -> Self {
        Self { strict, tally: Tally::default(), complaints: Vec::new() }
    }

    fn add(&mut self, step: &Step, outcome: Outcome, took: Duration) {
        let name = step.name;
        match outcome {
            Outcome::Passed => {
                println!("<== {name} passed in {:.1} s", took.as_secs_f32());
                self.tally.passed += 1;
            }
            Outcome::Lacks(need) if !self.strict => {
                self.complaints.push(format!("SKIPPED: {name}: {need}"));
                self.tally.skipped += 1;
            }
            Outcome::Lacks(need) => {
                self.complaints.push(format!("FAILED: {name}: {need}; with CI=true no step is skipped"));
                self.tally.failed += 1;
            }
            Outcome::Failed(error) => {
                self.complaints.push(format!("FAILED: {name}: {error:#}"));
                self.complaints.push(format!("The step alone: cargo xtask test --step {name}"));
                self.tally.failed += 1;
            }
        }
    }
}

enum Outcome {
    Passed,
    Failed(anyhow::Error),
    Lacks(&'static Need),
}

/// What becomes of a step, and how long it takes.
fn outcome(step: &Step, run: impl FnOnce(&Step) -> anyhow::Result<()>) -> (Outcome, Duration) {
    let began = Instant::now();
    let outcome = match step.needs.iter().find(|need| !(need.is_here)()) {
        Some(missing) => Outcome::Lacks(missing),
        None => run(step).map_or_else(Outcome::Failed, |()| Outcome::Passed),
    };
    (outcome, began.elapsed())
}

fn run(step: &Step) -> anyhow::Result<()> {
    for action in step.actions {
        match action {
            Action::Command(line) => command(line)?,
            Action::Check(check) => println!("{}", check()?),
        }
    }
    Ok(())
}

fn command(line: &str) -> anyhow::Result<()> {
    println!("$ {line}");
    let mut words = line.split_whitespace().peekable();
    let mut settings = Vec::new();
    while let Some(setting) = words.peek().and_then(|word| word.split_once('=')) {
        settings.push(setting);
        words.next();
    }
    let Some(program) = words.next() else { bail!("no program in `{line}`") };
    let status = Command::new(program).envs(settings).args(words).status();
    let status = status.with_context(|| format!("cannot start `{line}`"))?;
    ensure!(status.success(), "`{line}` ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(needs: &'static [Need], actions: &'static [Action]) -> Step {
        Step { name: "a", proves: "something", needs, actions, beside: false }
    }

    const NOTHING: Need = Need { what: "nothing", is_here: || false, get_it_with: "no means" };
    const PASSES: Step = step(&[], &[Action::Check(|| Ok("fine".into())), Action::Command("A=1 true")]);
    const FAILS: Step = step(&[], &[Action::Check(|| bail!("as it should"))]);
    const COMMAND_FAILS: Step = step(&[], &[Action::Command("false")]);
    const CANNOT_START: Step = step(&[], &[Action::Command("no-such-program")]);
    const LACKS: Step = step(&[NOTHING], &[Action::Check(|| bail!("runs all the same"))]);

    #[test]
    fn steps_run_until_one_fails_and_nothing_is_skipped_in_ci() {
        let check = |steps: &[Step], strict, expected: &str| {
            let steps: Vec<&Step> = steps.iter().collect();
            let apart = |step: &Step| (String::new(), run(step));
            assert_eq!(all(&steps, strict, apart).to_string(), expected);
        };
        check(&[], true, "steps: 0 passed, 0 failed, 0 skipped");
        check(&[PASSES, PASSES], true, "steps: 2 passed, 0 failed, 0 skipped");
        check(&[PASSES, FAILS, PASSES], false, "steps: 1 passed, 1 failed, 0 skipped");
        check(&[COMMAND_FAILS], false, "steps: 0 passed, 1 failed, 0 skipped");
        check(&[CANNOT_START], false, "steps: 0 passed, 1 failed, 0 skipped");
        check(&[LACKS, PASSES], false, "steps: 1 passed, 0 failed, 1 skipped");
        check(&[LACKS, PASSES], true, "steps: 0 passed, 1 failed, 0 skipped");
        let beside = |step| Step { beside: true, ..step };
        check(&[beside(PASSES), PASSES, beside(LACKS)], false, "steps: 2 passed, 0 failed, 1 skipped");
        check(&[beside(FAILS), PASSES], false, "steps: 1 passed, 1 failed, 0 skipped");
        check(&[PASSES, beside(LACKS)], true, "steps: 1 passed, 1 failed, 0 skipped");
    }
}
