//! `callsteer simulate`: scenarios with bursts, reports of load and faults, through every policy.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer_sim::scenario::{Scenario, embedded, file};
use callsteer_sim::simulation::compare::{Comparison, compare};
use callsteer_sim::simulation::policy::{self, Policy};
use callsteer_sim::simulation::table;
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Done, print};

/// Simulate a scenario: calls with bursts of tool calls, reports of load, faults
///
/// Prints, for each policy, how much of the work was above the capacity of its bridge. Every policy
/// gets the same calls. The same options give the same bytes on every machine.
#[derive(Args)]
pub(super) struct Simulate {
    /// Which scenarios; `callsteer scenarios` lists them. Default: base16
    #[arg(value_name = "SCENARIO", conflicts_with = "all", value_parser = scenario)]
    scenarios: Vec<Scenario>,
    /// Simulate the scenario in this TOML file (docs/scenarios.md); may be given several times
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Simulate every embedded scenario
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
}

impl Simulate {
    pub(super) fn run(self) -> Done {
        let seeds: Vec<u64> = (0..self.seeds).map(|n| self.seed.wrapping_add(u64::from(n))).collect();
        let to_stdout = self.json.as_deref() == Some(Path::new("-"));
        let scenarios = self.scenarios()?;
        let mut comparisons: Vec<Comparison> = Vec::new();
        for scenario in scenarios {
            let comparison = compare(&scenario, &self.policies(&scenario), &seeds, &|| ());
            if !to_stdout {
                print(&format!("{}\n", table::render(&comparison)))?;
            }
            comparisons.push(comparison);
        }
        if comparisons.len() > 1 && !to_stdout {
            print(&table::summary(&comparisons))?;
        }
        let json = || serde_json::to_string_pretty(&comparisons).map(|json| json + "\n");
        match &self.json {
            None => {}
            Some(_) if to_stdout => print(&json()?)?,
            Some(file) => {
                std::fs::write(file, json()?)
                    .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn scenarios(&self) -> Result<Vec<Scenario>, Box<dyn Error>> {
        let mut scenarios = if self.all { embedded::all() } else { self.scenarios.clone() };
        for file in &self.files {
            scenarios.push(read(file)?);
        }
        if scenarios.is_empty() {
            scenarios.extend(embedded::named("base16"));
        }
        Ok(scenarios)
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
    embedded::named(name).ok_or("no such scenario: see `callsteer scenarios`")
}

fn read(path: &Path) -> Result<Scenario, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    file::parse(&text).map_err(|error| format!("{name}:{error}"))
}
