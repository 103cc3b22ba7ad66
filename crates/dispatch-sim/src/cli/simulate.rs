//! `callsteer simulate`: scenarios with bursts, reports of load and faults, through every policy.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer_sim::scenario::{Scenario, embedded};
use callsteer_sim::simulation::compare::{Comparison, compare};
use callsteer_sim::simulation::policy::{self, Policy};
use callsteer_sim::simulation::table;
use callsteer_sim::{page, sheet};
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Done, print, write};

/// Simulate a scenario: calls with bursts of tool calls, reports of load, faults
///
/// Prints, for each policy, how much of the work was above the capacity of its bridge. Every policy
/// gets the same calls. The same options give the same bytes on every machine.
#[derive(Args)]
pub(super) struct Simulate {
    /// Which scenarios; see --list
    #[arg(value_name = "SCENARIO", default_value = "base16", conflicts_with_all = ["list", "all"],
          value_parser = scenario)]
    scenarios: Vec<Scenario>,
    /// List the scenarios
    #[arg(long)]
    list: bool,
    /// Simulate every scenario
    #[arg(long)]
    all: bool,
    /// Only through this policy; may be given several times
    #[arg(long = "policy", value_name = "NAME",
          value_parser = PossibleValuesParser::new(policy::ALL.map(|policy| policy.name)))]
    policies: Vec<String>,
    /// Simulations per policy, with the seeds SEED, SEED + 1 and so on
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    seeds: u16,
    /// The first seed; drives every random choice: of the calls, the reports and the dispatchers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write what came out as JSON too; "-" prints it in place of the tables
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write what came out as CSV, a row per policy, too
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write what came out as an HTML page with plots too
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Simulate {
    pub(super) fn run(self) -> Done {
        if self.list {
            for scenario in embedded::all() {
                print(&format!("{:20} {}\n", scenario.name, scenario.about))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let seeds: Vec<u64> = (0..self.seeds).map(|n| self.seed.wrapping_add(u64::from(n))).collect();
        let to_stdout = self.json.as_deref() == Some(Path::new("-"));
        let scenarios = if self.all { embedded::all() } else { self.scenarios.clone() };
        let mut comparisons: Vec<Comparison> = Vec::new();
        for scenario in &scenarios {
            let comparison = compare(scenario, &self.policies(scenario), &seeds, &|| ());
            if !to_stdout {
                print(&format!("{}\n", table::render(&comparison)))?;
            }
            comparisons.push(comparison);
        }
        if comparisons.len() > 1 && !to_stdout {
            print(&table::summary(&comparisons))?;
        }
        if let Some(file) = &self.csv {
            write(file, &sheet::simulate(&comparisons))?;
        }
        if let Some(file) = &self.report {
            write(file, &page::simulate(&scenarios, &comparisons))?;
        }
        let json = || serde_json::to_string_pretty(&comparisons).map(|json| json + "\n");
        match &self.json {
            None => {}
            Some(_) if to_stdout => print(&json()?)?,
            Some(file) => write(file, &json()?)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Those asked for; otherwise those that the scenario is made for.
    fn policies(&self, scenario: &Scenario) -> Vec<Policy> {
        let asked = |policy: &Policy| self.policies.iter().any(|name| name == policy.name);
        if self.policies.is_empty() {
            return policy::usual(scenario);
        }
        policy::ALL.into_iter().filter(asked).collect()
    }
}

fn scenario(name: &str) -> Result<Scenario, &'static str> {
    embedded::named(name).ok_or("no such scenario: see --list")
}
