//! Runs steps one after another and says what became of each.

use std::fmt;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail, ensure};

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

/// Runs steps until one fails. A step that needs what is not here is skipped, or fails if that is `strict`.
pub(crate) fn all<'a>(steps: impl Iterator<Item = &'a Step>, strict: bool) -> Tally {
    let mut tally = Tally::default();
    let mut complaints = Vec::new();
    for step in steps {
        let name = step.name;
        println!("\n==> {name}: {}", step.proves);
        let began = Instant::now();
        match outcome(step) {
            Outcome::Passed => {
                println!("<== {name} passed in {:.1} s", began.elapsed().as_secs_f32());
                tally.passed += 1;
            }
            Outcome::Lacks(need) if !strict => {
                complaints.push(format!("SKIPPED: {name}: {need}"));
                tally.skipped += 1;
            }
            Outcome::Lacks(need) => {
                complaints.push(format!("FAILED: {name}: {need}; with CI=true no step is skipped"));
                tally.failed += 1;
            }
            Outcome::Failed(error) => {
                complaints.push(format!("FAILED: {name}: {error:#}"));
                complaints.push(format!("The step alone: cargo xtask test --step {name}"));
                tally.failed += 1;
            }
        }
        if tally.failed > 0 {
            break;
        }
    }
    println!();
    for complaint in complaints {
        println!("{complaint}");
    }
    tally
}

enum Outcome {
    Passed,
    Failed(anyhow::Error),
    Lacks(&'static Need),
}

fn outcome(step: &Step) -> Outcome {
    match step.needs.iter().find(|need| !(need.is_here)()) {
        Some(missing) => Outcome::Lacks(missing),
        None => run(step).map_or_else(Outcome::Failed, |()| Outcome::Passed),
    }
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
        Step { name: "a", proves: "something", needs, actions }
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
            assert_eq!(all(steps.iter(), strict).to_string(), expected);
        };
        check(&[], true, "steps: 0 passed, 0 failed, 0 skipped");
        check(&[PASSES, PASSES], true, "steps: 2 passed, 0 failed, 0 skipped");
        check(&[PASSES, FAILS, PASSES], false, "steps: 1 passed, 1 failed, 0 skipped");
        check(&[COMMAND_FAILS], false, "steps: 0 passed, 1 failed, 0 skipped");
        check(&[CANNOT_START], false, "steps: 0 passed, 1 failed, 0 skipped");
        check(&[LACKS, PASSES], false, "steps: 1 passed, 0 failed, 1 skipped");
        check(&[LACKS, PASSES], true, "steps: 0 passed, 1 failed, 0 skipped");
    }
}
