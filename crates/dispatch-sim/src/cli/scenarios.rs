//! `callsteer scenarios`: what can be simulated, and the files behind it.

use std::process::ExitCode;

use callsteer_sim::scenario::embedded;
use clap::Args;

use super::{Done, print};

/// List the embedded scenarios, or print the file of one
///
/// A scenario is a TOML file: print one that is near, change it, and simulate it with
/// `callsteer simulate --file`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Scenarios {
    /// Print the file of this scenario
    #[arg(long, value_name = "NAME", value_parser = text)]
    print: Option<&'static str>,
}

impl Scenarios {
    pub(super) fn run(self) -> Done {
        if let Some(text) = self.print {
            print(text)?;
            return Ok(ExitCode::SUCCESS);
        }
        for scenario in embedded::all() {
            print(&format!("{:20} {}\n", scenario.name, scenario.about))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(name: &str) -> Result<&'static str, &'static str> {
    embedded::text(name).ok_or("no such scenario: see `callsteer scenarios`")
}

const AFTER_HELP: &str = "\
Example:
  callsteer scenarios --print black-hole > mine.toml
  callsteer simulate --file mine.toml";
