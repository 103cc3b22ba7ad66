//! `callsteer bench`: the same calls through every algorithm.

use std::error::Error;
use std::fmt::Display;
use std::fs::File;
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer_sim::bench::{MOST_BRIDGES, MOST_CAPACITY, Options};
use callsteer_sim::policy::{self, Policy};
use callsteer_sim::replay::replay_logged;
use callsteer_sim::workload::Workload;
use callsteer_sim::{bank, compare, page, sheet, table, trace};
use clap::Parser;
use clap::builder::PossibleValuesParser;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Done, print, write};

/// Compare the algorithms: replay the same calls through each of them
///
/// Without options: 16 bridges and 200 calls in progress on average, as long as the calls of a real
/// call centre. Prints a table, the most even algorithm first, and writes a report as JSON. The same
/// options give the same bytes on every machine.
#[derive(Parser)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Bench {
    /// Replay recorded calls: CSV or Parquet with the columns start, duration and optionally class
    /// and cost; Master.csv of Asterisk or FreeSWITCH; an Azure LLM inference trace
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// What the trace is; without it, the beginning of the file tells
    #[arg(long, value_name = "FORMAT", requires = "trace",
          value_parser = PossibleValuesParser::new(trace::Format::ALL.map(trace::Format::name)))]
    format: Option<String>,
    /// Which columns of the trace are read, such as start=StartTime:ms,duration=billsec,class=queue;
    /// a number is in seconds, or in :ms or :us
    #[arg(long, value_name = "FIELD=COLUMN,...", requires = "trace")]
    columns: Option<trace::Columns>,
    /// Leave rows of the trace out that cannot be read, and say how many; otherwise the first one is
    /// an error
    #[arg(long, requires = "trace")]
    skip_bad_rows: bool,
    /// Calls in progress on average
    #[arg(long, value_name = "N", default_value_t = 200.0, value_parser = positive, conflicts_with = "trace")]
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
    /// Show no progress bar
    #[arg(long)]
    quiet: bool,
}

impl Bench {
    pub(super) fn run(self) -> Done {
        let options = self.options();
        let workload = self.workload(&options)?;
        if let Some(file) = &self.log {
            self.write_log(file, &workload, &options.policies)?;
        }
        let bar = self.bar();
        let report = compare::compare(&workload, &options.policies, &options.seeds(), &|done, of| {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            ControlFlow::Continue(())
        })?;
        bar.finish_and_clear();

        if let Some(file) = &self.csv {
            write(file, &sheet::bench(&report))?;
        }
        if let Some(file) = &self.report {
            write(file, &page::bench(&report, &workload)?)?;
        }
        if self.json == Path::new("-") {
            print(&report.to_json())?;
        } else {
            print(&table::render(&report))?;
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

    fn workload(&self, options: &Options) -> Result<Workload, Box<dyn Error>> {
        Ok(match &self.trace {
            Some(file) => trace::workload(file, &self.trace_options(), options.fleet())?,
            None => bank::workload(options.fleet(), self.calls),
        })
    }

    fn trace_options(&self) -> trace::Options {
        trace::Options {
            format: self.format.as_deref().and_then(trace::Format::named),
            columns: self.columns.clone().unwrap_or_default(),
            skip_bad_rows: self.skip_bad_rows,
        }
    }

    /// A bar on standard error; none where that is not a terminal.
    fn bar(&self) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} replays, {eta} left");
        ProgressBar::new(0).with_style(style.expect("the template is well-formed"))
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

const AFTER_HELP: &str = "\
Examples:
  callsteer bench
  callsteer bench --weights 10,10,8,10 --calls 50
  callsteer bench --trace calls.csv --bridges 8 --policy round_robin --policy call_load
  callsteer bench --trace Master.csv --columns class=accountcode
  callsteer bench --trace cdr.parquet --columns start=began_at:ms,duration=talk:ms

A start is in seconds or a date such as 2023-11-16T18:15:46.68 (UTC without an
offset), a duration in seconds. Of Asterisk and FreeSWITCH answered calls count,
with their ringing. In an Azure trace a generated token lasts 0.3 s, and a request
costs its tokens. More in docs/traces.md.";
