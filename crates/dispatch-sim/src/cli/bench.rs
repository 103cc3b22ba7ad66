//! `callsteer bench`: the same calls through every algorithm.

use std::error::Error;
use std::fmt::Display;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer_sim::bench::{MOST_BRIDGES, MOST_CAPACITY, Options};
use callsteer_sim::policy::{self, Policy};
use callsteer_sim::progress::Cancelled;
use callsteer_sim::replay::replay_logged;
use callsteer_sim::simulation::summary::Scenarios;
use callsteer_sim::trace::TraceError;
use callsteer_sim::workload::Workload;
use callsteer_sim::{bank, compare, page, sheet, table};
use clap::Parser;
use clap::builder::PossibleValuesParser;

use super::bar::Bar;
use super::recorded::RecordedCalls;
use super::sweep::Sweeping;
use super::{Done, print, simulate, write};

/// Compare the algorithms: replay the same calls through each of them
///
/// Without options: 16 bridges and 200 calls in progress on average, as long as the calls of a real
/// call centre, then every scenario of bursts, reports and faults. Prints tables, the most even algorithm
/// first, and writes a report as JSON. The same options give the same bytes on every machine.
#[derive(Parser)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Bench {
    #[command(flatten)]
    recorded: RecordedCalls,
    /// Calls in progress on average
    #[arg(long, value_name = "N", default_value_t = CALLS, value_parser = positive, conflicts_with = "trace")]
    calls: f64,
    /// Number of bridges, all equal
    #[arg(long, value_name = "N", default_value_t = Options::default().bridges, value_parser = bridges)]
    bridges: usize,
    /// Bridges of these weights, such as 10,10,8,10
    #[arg(long, value_name = "W,W,...", value_delimiter = ',', conflicts_with = "bridges",
          value_parser = clap::value_parser!(u32).range(1..=65_535))]
    weights: Vec<u32>,
    /// Concurrent calls that the dispatcher gives a bridge at most; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = Options::default().max_calls)]
    max_calls: u32,
    /// Load that a bridge can carry, in average calls (one of mean weight; the others in proportion);
    /// above it answers 503. Default: 1.75 times its share; with --trace no limit
    #[arg(long, value_name = "LOAD", value_parser = positive)]
    capacity: Option<f64>,
    /// Replay only through this policy; may be given several times
    #[arg(long = "policy", visible_alias = "algorithm", value_name = "NAME",
          value_parser = PossibleValuesParser::new(policy::ALL.map(|policy| policy.name)))]
    policies: Vec<String>,
    /// Replays per policy, with the seeds SEED, SEED + 1 and so on
    #[arg(long, value_name = "N", default_value_t = Options::default().replays,
          value_parser = clap::value_parser!(u16).range(1..=1_000))]
    replays: u16,
    /// Drives every random choice: of the calls and of the dispatcher
    #[arg(long, default_value_t = Options::default().seed)]
    seed: u64,
    /// Also simulate every scenario, with so many seeds; 0: none. Default: 5, and none where calls, fleet
    /// or policies are your own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    seeds: Option<u16>,
    /// Where the report goes, as JSON; "-" prints it in place of the table
    #[arg(long, value_name = "FILE", default_value = "callsteer-report.json")]
    json: PathBuf,
    /// Write what came out as CSV, a row per policy, too
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write what came out as an HTML page with plots too
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write a log of the first replay's decisions, for "callsteer replay"; needs one --policy
    #[arg(long, value_name = "FILE", requires = "policies")]
    log: Option<PathBuf>,
    #[command(flatten)]
    sweeping: Sweeping,
    /// Show no progress bar
    #[arg(long)]
    quiet: bool,
}

impl Bench {
    pub(super) fn run(self) -> Done {
        if let Some(done) = self.sweeping.run(self.quiet) {
            return done;
        }
        let options = self.options();
        let workload = self.workload(&options)?;
        if let Some(file) = &self.log {
            self.write_log(file, &workload, &options.policies)?;
        }
        let bar = Bar::new("replays", self.quiet);
        let mut report =
            compare::compare(&workload, &options.policies, &options.seeds(), &|done, of| bar.show(done, of))?;
        bar.hide();
        let to_stdout = self.json == Path::new("-");
        if !to_stdout {
            print(&table::render(&report))?;
        }
        report.scenarios = self.scenarios(options.seed)?;
        if let Some(scenarios) = report.scenarios.as_ref().filter(|_| !to_stdout) {
            print(&format!("\n{}", table::scenarios(scenarios)))?;
        }

        if let Some(file) = &self.csv {
            write(file, &sheet::bench(&report))?;
        }
        if let Some(file) = &self.report {
            write(file, &page::bench(&report, &workload)?)?;
        }
        if to_stdout {
            print(&report.to_json())?;
        } else {
            write(&self.json, &report.to_json())?;
            print(&format!("Report: {}\n", self.json.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write_log(&self, file: &Path, workload: &Workload, policies: &[Policy]) -> Result<(), Box<dyn Error>> {
        let [policy] = policies else { return Err("--log is of one policy: give --policy once".into()) };
        let cannot = |error: &dyn Display| format!("cannot write {}: {error}", file.display());
        let mut log = BufWriter::new(File::create(file).map_err(|error| cannot(&error))?);
        replay_logged(workload, policy, self.seed, &mut log).map_err(|error| cannot(&error))?;
        Ok(())
    }

    /// Bursts, reports and faults: what the replay has not.
    fn scenarios(&self, seed: u64) -> Result<Option<Scenarios>, Cancelled> {
        let usual = Options::default();
        let is_usual = self.recorded.trace.is_none()
            && self.policies.is_empty()
            && self.calls == CALLS
            && (Options { seed: usual.seed, replays: usual.replays, ..self.options() }) == usual;
        let seeds = self.seeds.unwrap_or(if is_usual { SCENARIO_SEEDS } else { 0 });
        if seeds == 0 {
            return Ok(None);
        }
        let seeds: Vec<u64> = (0..seeds).map(|n| seed.wrapping_add(u64::from(n))).collect();
        simulate::all(&seeds, &Bar::new("simulations", self.quiet)).map(Some)
    }

    fn options(&self) -> Options {
        let asked =
            |policy: &Policy| self.policies.is_empty() || self.policies.iter().any(|a| a == policy.name);
        Options {
            bridges: self.bridges,
            weights: self.weights.clone(),
            max_calls: self.max_calls,
            capacity: self.capacity,
            policies: policy::ALL.into_iter().filter(asked).collect(),
            replays: self.replays,
            seed: self.seed,
        }
    }

    fn workload(&self, options: &Options) -> Result<Workload, TraceError> {
        let recorded = self.recorded.read(options.fleet())?;
        Ok(recorded.unwrap_or_else(|| bank::workload(options.fleet(), self.calls)))
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number <= MOST_CAPACITY => Ok(number),
        _ => Err(format!("not a number above 0 and at most {MOST_CAPACITY}")),
    }
}

fn bridges(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MOST_BRIDGES).contains(number));
    number.ok_or_else(|| format!("{text} is not in 1..={MOST_BRIDGES}"))
}

const CALLS: f64 = 200.0;
const SCENARIO_SEEDS: u16 = 5;

const AFTER_HELP: &str = "\
Examples:
  callsteer bench
  callsteer bench --weights 10,10,8,10 --calls 50
  callsteer bench --trace calls.csv --bridges 8 --policy round_robin --policy call_load
  callsteer bench --trace Master.csv --columns class=accountcode
  callsteer bench --trace cdr.parquet --columns start=began_at:ms,duration=talk:ms
  callsteer bench --sweep grid.toml --out sweep

A start is in seconds or a date such as 2023-11-16T18:15:46.68 (UTC without an
offset), a duration in seconds. Of Asterisk and FreeSWITCH answered calls count,
with their ringing. In an Azure trace a generated token lasts 0.3 s, and a request
costs its tokens. More in docs/traces.md.";
