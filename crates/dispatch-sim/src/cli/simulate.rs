//! `callsteer simulate`: scenarios with bursts, reports of load and faults, through every policy.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer_sim::scenario::{Scenario, embedded, file};
use callsteer_sim::simulation::compare::compare;
use callsteer_sim::simulation::needed::{Target, needed};
use callsteer_sim::simulation::policy::{self, Policy};
use callsteer_sim::simulation::table;
use callsteer_sim::{page, sheet};
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;

use super::{Done, print, write};

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
    /// Search for the number of bridges with which each policy keeps bridge load, p99, below 0.9: the
    /// same calls, and bridges of the same capacity
    #[arg(long, conflicts_with_all = ["csv", "report"])]
    bridges_needed: bool,
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
        let seeds: Vec<u64> = (0..self.seeds).map(|n| self.seed.wrapping_add(u64::from(n))).collect();
        let scenarios = self.scenarios()?;
        if self.bridges_needed {
            let search = |scenario: &Scenario| {
                needed(scenario, &self.policies(scenario, policy::sized), &seeds, P99_TARGET, &|| ())
            };
            return self.write(&self.each(&scenarios, search, table::needed)?);
        }
        let compare =
            |scenario: &Scenario| compare(scenario, &self.policies(scenario, policy::usual), &seeds, &|| ());
        let comparisons = self.each(&scenarios, compare, table::render)?;
        if comparisons.len() > 1 && !self.to_stdout() {
            print(&table::summary(&comparisons))?;
        }
        if let Some(file) = &self.csv {
            write(file, &sheet::simulate(&comparisons))?;
        }
        if let Some(file) = &self.report {
            write(file, &page::simulate(&scenarios, &comparisons))?;
        }
        self.write(&comparisons)
    }

    /// What came out for each scenario, printed as soon as it is there.
    fn each<T>(
        &self,
        scenarios: &[Scenario],
        of: impl Fn(&Scenario) -> T,
        text: fn(&T) -> String,
    ) -> io::Result<Vec<T>> {
        let one = |scenario| {
            let came_out = of(scenario);
            if !self.to_stdout() {
                print(&format!("{}\n", text(&came_out)))?;
            }
            Ok(came_out)
        };
        scenarios.iter().map(one).collect()
    }

    fn write<T: Serialize>(&self, came_out: &[T]) -> Done {
        if let Some(file) = &self.json {
            super::write_json(file, &came_out)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn to_stdout(&self) -> bool {
        self.json.as_deref() == Some(Path::new("-"))
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

    /// Those asked for, otherwise the usual ones.
    fn policies(&self, scenario: &Scenario, usual: fn(&Scenario) -> Vec<Policy>) -> Vec<Policy> {
        let asked = |policy: &Policy| self.policies.iter().any(|name| name == policy.name);
        if self.policies.is_empty() {
            return usual(scenario);
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

const P99_TARGET: Target = Target::P99Load(0.9);
