//! The options that say which recorded calls are read, and how.

use std::path::PathBuf;

use callsteer_sim::trace::{self, TraceError};
use callsteer_sim::workload::{Bridge, Workload};
use clap::Args;
use clap::builder::PossibleValuesParser;

/// Recorded calls.
#[derive(Args)]
pub(super) struct RecordedCalls {
    /// Recorded calls: CSV or Parquet with the columns start, duration and optionally class and cost;
    /// Master.csv of Asterisk or FreeSWITCH; an Azure LLM inference trace
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
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
}

impl RecordedCalls {
    /// The calls over these bridges, where there are to be any.
    pub(super) fn read(&self, bridges: Vec<Bridge>) -> Result<Option<Workload>, TraceError> {
        let options = trace::Options {
            format: self.format.as_deref().and_then(trace::Format::named),
            columns: self.columns.clone().unwrap_or_default(),
            skip_bad_rows: self.skip_bad_rows,
        };
        self.trace.as_ref().map(|file| trace::workload(file, &options, bridges)).transpose()
    }
}
