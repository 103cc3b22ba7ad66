//! `callsteer simulate`: scenarios with bursts, reports of load and faults, through every policy.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer_sim::progress::Cancelled;
use callsteer_sim::scenario::{Scenario, embedded, file};
use callsteer_sim::simulation::compare::compare;
use callsteer_sim::simulation::needed::{Needed, Target, needed};
use callsteer_sim::simulation::policy::{self, Policy};
use callsteer_sim::simulation::summary::Scenarios;
use callsteer_sim::simulation::table;
use callsteer_sim::workload::Workload;
use callsteer_sim::{page, sheet};
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::bar::Bar;
use super::recorded::RecordedCalls;
use super::{Done, print, write, write_json};

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
    /// Simulate every embedded scenario; those of recorded calls only with --trace
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    recorded: RecordedCalls,
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
    /// Search for the number of bridges with which each policy keeps bridge load, p99, below 0.9, too:
    /// the same calls, and bridges of the same capacity
    #[arg(long)]
    bridges_needed: bool,
    /// Print every figure of each scenario, not only those that it is about
    #[arg(long)]
    figures: bool,
    /// Write what came out as JSON too; "-" prints it in place of the tables
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write what came out as CSV, a row per policy, too
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write what came out as an HTML page with plots too
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Draw the load of each bridge over time, a part per policy, as FOLDER/SCENARIO.svg too
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
    /// Show no progress bar
    #[arg(long)]
    quiet: bool,
}

impl Simulate {
    pub(super) fn run(self) -> Done {
        let scenarios = self.scenarios()?;
        let came_out = self.simulate(&scenarios)?;
        if came_out.scenarios.len() > 1 && !self.to_stdout() {
            print(&table::summary(&came_out))?;
        }
        if let Some(file) = &self.csv {
            write(file, &sheet::simulate(&came_out.scenarios))?;
        }
        if let Some(file) = &self.report {
            write(file, &page::simulate(&scenarios, &came_out))?;
        }
        if let Some(folder) = &self.plots {
            for scenario in &scenarios {
                let policies = self.policies(scenario, policy::usual);
                let file = folder.join(format!("{}.svg", scenario.name));
                write(&file, &page::picture(scenario, &policies, self.seed))?;
            }
        }
        if let Some(file) = &self.json {
            write_json(file, &came_out)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What comes out for each scenario, printed as soon as it is there.
    fn simulate(&self, scenarios: &[Scenario]) -> Result<Scenarios, Box<dyn Error>> {
        let seeds: Vec<u64> = (0..self.seeds).map(|n| self.seed.wrapping_add(u64::from(n))).collect();
        let bar = Bar::new("simulations", self.quiet);
        let print = |text: &str| {
            bar.hide();
            if self.to_stdout() { Ok(()) } else { print(&format!("{text}\n")) }
        };
        let (mut comparisons, mut sizes) = (Vec::new(), Vec::new());
        for (number, scenario) in scenarios.iter().enumerate() {
            bar.begin(&format!("{} ({} of {})", scenario.name, number + 1, scenarios.len()));
            let policies = self.policies(scenario, policy::usual);
            let comparison = compare(scenario, &policies, &seeds, &|done, of| bar.show(done, of))?;
            print(&table::render(&comparison, self.figures))?;
            comparisons.push(comparison);
            if self.bridges_needed {
                let policies = self.policies(scenario, policy::sized);
                let size = search(scenario, &policies, &seeds, &bar)?;
                print(&table::needed(&size))?;
                sizes.push(size);
            }
        }
        Ok(Scenarios::new(comparisons, sizes))
    }

    fn to_stdout(&self) -> bool {
        self.json.as_deref() == Some(Path::new("-"))
    }

    fn scenarios(&self) -> Result<Vec<Scenario>, Box<dyn Error>> {
        let recorded = self.recorded.read(Vec::new())?;
        let mut scenarios = self.scenarios.clone();
        if self.all {
            let can_run = |scenario: &Scenario| !scenario.needs_trace() || recorded.is_some();
            let (can, cannot): (Vec<_>, Vec<_>) = embedded::all().into_iter().partition(can_run);
            for scenario in cannot {
                eprintln!("callsteer: {} is left out: it needs --trace", scenario.name);
            }
            scenarios = can;
        }
        for file in &self.files {
            scenarios.push(read(file)?);
        }
        if scenarios.is_empty() {
            scenarios.extend(embedded::named("base16"));
        }
        scenarios.into_iter().map(|scenario| with_trace(scenario, recorded.as_ref())).collect()
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

/// Every embedded scenario that needs no recorded calls, through its usual policies, and the bridges that
/// the first one, base16, needs.
pub(super) fn all(seeds: &[u64], bar: &Bar) -> Result<Scenarios, Cancelled> {
    let scenarios: Vec<_> = embedded::all().into_iter().filter(|scenario| !scenario.needs_trace()).collect();
    let (mut comparisons, mut sizes) = (Vec::new(), Vec::new());
    for (number, scenario) in scenarios.iter().enumerate() {
        bar.begin(&format!("{} ({} of {})", scenario.name, number + 1, scenarios.len()));
        let show = |done, of| bar.show(done, of);
        comparisons.push(compare(scenario, &policy::usual(scenario), seeds, &show)?);
        if number == 0 {
            sizes.push(search(scenario, &policy::sized(scenario), seeds, bar)?);
        }
    }
    bar.hide();
    Ok(Scenarios::new(comparisons, sizes))
}

fn search(scenario: &Scenario, policies: &[Policy], seeds: &[u64], bar: &Bar) -> Result<Needed, Cancelled> {
    bar.begin(&format!("{}, bridges needed", scenario.name));
    needed(scenario, policies, seeds, P99_TARGET, &|done, of| bar.show(done, of))
}

/// The scenario with its recorded calls, if it wants any.
fn with_trace(scenario: Scenario, recorded: Option<&Workload>) -> Result<Scenario, Box<dyn Error>> {
    match recorded {
        _ if !scenario.needs_trace() => Ok(scenario),
        Some(workload) => Ok(scenario.with_trace(workload.clone())?),
        None => Err(format!("{} is of recorded calls: give them with --trace", scenario.name).into()),
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
