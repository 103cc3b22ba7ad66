//! `callsteer plan`: how many bridges a demand needs, and when to add one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer_sim::simulation::needed::Target;
use callsteer_sim::simulation::plan::{Demand, plan};
use callsteer_sim::simulation::table;
use clap::{ArgGroup, Args};

use super::bar::Bar;
use super::{Done, print, write_json};

/// Plan a fleet: bridges per algorithm, spare for the lead time, and when to add one
///
/// Simulated with the classes, bursts and reports of base16; beside it what Erlang's formula says of
/// one pool of equal calls. The same options give the same bytes on every machine.
#[derive(Args)]
#[command(after_help = AFTER_HELP, group = ArgGroup::new("demand").args(["calls", "calls_per_hour"]).required(true))]
pub(super) struct Plan {
    /// Calls in progress on average
    #[arg(long, value_name = "N", value_parser = positive)]
    calls: Option<f64>,
    /// Calls that come per hour
    #[arg(long, value_name = "N", value_parser = positive)]
    calls_per_hour: Option<f64>,
    /// Mean length of a call in seconds
    #[arg(long, value_name = "S", default_value_t = 180.0, value_parser = positive)]
    mean_length: f64,
    /// Calls of average cost that a bridge carries at a time
    #[arg(long, value_name = "C", value_parser = positive)]
    per_bridge: f64,
    /// Bridges are above this share of their capacity in less than 1 % of their time [default: 0.9]
    #[arg(long, value_name = "LOAD", value_parser = positive, conflicts_with = "blocking")]
    p99: Option<f64>,
    /// Less than this share of the work finds no capacity; for Erlang: of the calls
    #[arg(long, value_name = "SHARE", value_parser = share)]
    blocking: Option<f64>,
    /// Seconds from the wish for another bridge until it carries calls
    #[arg(long, value_name = "S", default_value_t = 0.0, value_parser = not_negative)]
    lead_time: f64,
    /// Searches per algorithm, with the seeds SEED, SEED + 1 and so on
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    seeds: u16,
    /// The first seed; drives every random choice
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write what came out as JSON too; "-" prints it in place of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show no progress bar
    #[arg(long)]
    quiet: bool,
}

impl Plan {
    pub(super) fn run(self) -> Done {
        let calls = self.calls.or(self.calls_per_hour.map(|calls| calls * self.mean_length / 3_600.0));
        let demand = Demand {
            calls: calls.ok_or("calls or calls per hour are needed")?,
            mean_length: self.mean_length,
            calls_per_bridge: self.per_bridge,
            lead_time: self.lead_time,
        };
        if demand.calls > MOST_CALLS || demand.calls / demand.calls_per_bridge > MOST_BRIDGES {
            return Err("more than 20,000 calls in progress or 400 bridges are not simulated".into());
        }
        let target = self.blocking.map_or(Target::P99Load(self.p99.unwrap_or(0.9)), Target::Excess);
        let seeds: Vec<u64> = (0..self.seeds).map(|n| self.seed.wrapping_add(u64::from(n))).collect();
        let bar = Bar::new("searches", self.quiet);
        let plan = plan(demand, target, &seeds, &|done, of| bar.show(done, of))?;
        bar.hide();
        if self.json.as_deref() != Some(Path::new("-")) {
            print(&table::plan(&plan))?;
        }
        if let Some(file) = &self.json {
            write_json(file, &plan)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, "above 0", MOST, |number| number > 0.0)
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text, "at least 0", MOST, |number| number >= 0.0)
}

fn share(text: &str) -> Result<f64, String> {
    number(text, "above 0", 0.5, |number| number > 0.0)
}

fn number(text: &str, least: &str, most: f64, holds: fn(f64) -> bool) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| holds(*number) && *number <= most);
    number.ok_or_else(|| format!("not a number {least} and at most {most}"))
}

const MOST: f64 = 1_000_000.0;
const MOST_CALLS: f64 = 20_000.0;
const MOST_BRIDGES: f64 = 400.0;

const AFTER_HELP: &str = "\
Examples:
  callsteer plan --calls 200 --per-bridge 15 --lead-time 120
  callsteer plan --calls-per-hour 4000 --mean-length 240 --per-bridge 25 --blocking 0.01";
