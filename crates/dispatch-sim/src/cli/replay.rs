//! `callsteer replay`: is everything decided again as a log says?

use std::path::PathBuf;
use std::process::ExitCode;

use callsteer_sim::decisions::{self, Verdict};
use clap::Args;

use super::{Done, FOUND, print};

/// Replay a log of decisions and check each of them
///
/// Shows the first step that is decided otherwise: what the log says, what is decided now, and what
/// each destination was compared by.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Replay {
    /// The log, as JSON lines
    log: PathBuf,
}

impl Replay {
    pub(super) fn run(self) -> Done {
        let file = self.log.display();
        match decisions::check(&self.log)? {
            Verdict::Same { steps } => {
                print(&format!("{file}: {steps} steps, all decided as the log says\n"))?;
                Ok(ExitCode::SUCCESS)
            }
            Verdict::Different(difference) => {
                print(&format!("{file}, {difference}"))?;
                Ok(ExitCode::from(FOUND))
            }
        }
    }
}

const AFTER_HELP: &str = "\
The first line is {\"config\": {...}}, each further one a step, such as
  {\"at\": 12.5, \"do\": \"begin\", \"call\": \"a84b4c76\", \"gives\": \"sip:10.0.0.1\"}
Steps are those of testdata/README.md; docs/replay.md shows how to write a log.
\"callsteer bench --log FILE --policy NAME\" writes one.

Exit codes: 0 all the same; 1 a step is decided otherwise; 2 the log cannot be read.";
