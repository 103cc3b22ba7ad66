//! Recorded calls from a file: CSV, Parquet, or what Asterisk and FreeSWITCH write.
//!
//! Columns are found by name, in any order and case:
//!
//! | column | what | must be there |
//! |---|---|---|
//! | `start` | seconds (any epoch), or a date and time (ISO 8601; without offset: UTC) | yes |
//! | `duration` | seconds | yes |
//! | `cost` | what the call costs its bridge while it lasts, > 0, in any unit | no: every call costs the same |
//! | `class` | the name of a kind of calls | no |
//!
//! [`Options::columns`] names others. Rows may come in any order (call records come in order of the
//! calls' ends). Costs are divided by their mean, so that an average call costs 1. The file is read
//! row by row; a call takes 24 bytes.
//!
//! Of what Asterisk and FreeSWITCH write, calls that nobody answered are left out and counted.
//!
//! The Azure LLM inference traces (header `TIMESTAMP,ContextTokens,GeneratedTokens`) are read as
//! conversations: a generated token is spoken in 0.3 s (150 words a minute, 3 words to 4 tokens), so
//! a request lasts [`SECONDS_PER_TOKEN`] x `GeneratedTokens`; while it lasts its tokens are kept in
//! memory, so it costs `ContextTokens` + `GeneratedTokens`.

mod cell;
mod format;
mod layout;
#[cfg(feature = "parquet")]
mod parquet;
mod reading;
mod text;

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::workload::{Bridge, Workload};

pub use format::Format;
pub use layout::Columns;

/// How long a generated token of an Azure trace is spoken, in seconds.
pub const SECONDS_PER_TOKEN: f64 = 0.3;

/// How a file of call records is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the file is; `None` looks at its beginning.
    pub format: Option<Format>,
    /// Which columns are read, where they are not those of the format.
    pub columns: Columns,
    /// Rows that cannot be read are left out, counted and noted; otherwise the first one is an error.
    pub skip_bad_rows: bool,
}

/// A workload of the calls in this file over these bridges, measured from the first start to the last.
///
/// # Errors
/// The first thing in the file that cannot be read or makes no sense.
pub fn workload(path: &Path, options: &Options, bridges: Vec<Bridge>) -> Result<Workload, TraceError> {
    let read = match options.format {
        Some(Format::Parquet) => parquet::read(path, options),
        None if is_parquet(path) => parquet::read(path, options),
        _ => text::read(path, options),
    }?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let workload = read.calls.workload(&format!("trace {name}"), bridges);
    Ok(Workload { notes: read.notes, ..workload })
}

/// Why a trace cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// The file.
    pub path: PathBuf,
    /// Where in the file; `None` where the whole file is meant.
    pub place: Option<Place>,
    /// The column, counted from 1, and its name; `None` where the whole line is meant.
    pub column: Option<(usize, String)>,
    /// What is wrong.
    pub problem: String,
}

/// A place in a file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of text.
    Line(u64),
    /// A row of a file that has no lines.
    Row(u64),
}

impl TraceError {
    /// Where in the file, and what is wrong: "line 3, column 2 (duration): ...".
    fn what(&self) -> String {
        let place = self.place.map(|place| match place {
            Place::Line(line) => format!("line {line}"),
            Place::Row(row) => format!("row {row}"),
        });
        let column = self.column.as_ref().map(|(number, name)| format!("column {number} ({name})"));
        let place = place.into_iter().chain(column).collect::<Vec<_>>().join(", ");
        if place.is_empty() { self.problem.clone() } else { format!("{place}: {}", self.problem) }
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.place.is_some() || self.column.is_some() { ", " } else { ": " };
        write!(f, "{}{mark}{}", self.path.display(), self.what())
    }
}

impl std::error::Error for TraceError {}

/// What is wrong with a file as a whole.
struct Whole(String);

#[cfg(not(feature = "parquet"))]
mod parquet {
    use super::{Options, Path, TraceError, reading::Read};

    pub(super) fn read(path: &Path, _: &Options) -> Result<Read, TraceError> {
        let problem = "this callsteer was built without Parquet (cargo feature \"parquet\")".into();
        Err(TraceError { path: path.to_owned(), place: None, column: None, problem })
    }
}

fn is_parquet(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"PAR1"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(content: &str) -> Result<Workload, TraceError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        workload(file.path(), &Options::default(), vec![Bridge::new(1)])
    }

    /// Start and length in milliseconds, cost in thousandths of an average call, class.
    fn check(content: &str, expected: &[(u64, u64, u32, &str)]) {
        let workload = read(content).unwrap();
        let calls: Vec<_> = workload
            .calls(0)
            .map(|call| {
                let class = &*workload.classes[usize::from(call.class)];
                (call.start.as_micros() / 1_000, call.length.as_millis() as u64, call.cost, class)
            })
            .collect();
        assert_eq!(calls, expected, "{content}");
    }

    #[test]
    fn columns_are_found_by_name_and_costs_are_relative_to_their_mean() {
        check("start,duration\n5,10\n6.5,0\n", &[(0, 10_000, 1_000, "all"), (1_500, 0, 1_000, "all")]);
        check(
            "Class,note,COST,Duration,Start\nsales,x,3,1,100\nhealthcare,y,9,2,101\n",
            &[(0, 1_000, 500, "sales"), (1_000, 2_000, 1_500, "healthcare")],
        );
        check(
            "start , duration\r\n 1 , 2 \r\n\r\n\"3\",\"4\"",
            &[(0, 2_000, 1_000, "all"), (2_000, 4_000, 1_000, "all")],
        );
        check("\u{feff}start,duration\n1,2\n", &[(0, 2_000, 1_000, "all")]);
    }

    #[test]
    fn rows_in_the_order_of_ends_become_calls_in_the_order_of_starts() {
        check(
            "start,duration,cost\n7,1,1\n2,9,3\n-3,60,2\n",
            &[(0, 60_000, 1_000, "all"), (5_000, 9_000, 1_500, "all"), (10_000, 1_000, 500, "all")],
        );
    }

    #[test]
    fn starts_are_seconds_or_dates() {
        let both = &[(0, 1_000, 1_000, "all"), (90_500, 1_000, 1_000, "all")];
        check("start,duration\n1700158546.5,1\n1700158637,1\n", both);
        check("start,duration\n2023-11-16 18:15:46.6805900,1\n2023-11-16 18:17:17.18059,1\n", both);
        check("start,duration\n2023-11-16T18:15:46Z,1\n2023-11-16T20:17:16.5+02:00,1\n", both);
    }

    #[test]
    fn an_azure_trace_is_read_as_calls() {
        check(
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.00,90,10\n2023-11-16 18:15:47.00,200,100\n",
            &[(0, 3_000, 500, "all"), (1_000, 30_000, 1_500, "all")],
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        let refused = |content: &str, expected: &str| {
            let error = read(content).unwrap_err();
            let text = error.to_string();
            let said = text.strip_prefix(&error.path.display().to_string()).unwrap();
            assert_eq!(said, expected, "{content:?}");
        };
        refused("", ", line 1: no column is named \"start\", only: ");
        refused("start,length\n", ", line 1: no column is named \"duration\", only: start, length");
        refused("start,duration,START\n", ", line 1: two columns are named \"START\"");
        refused("start,duration\n", ": there are no calls in it");
        refused("start,duration\n1,2\n1\n", ", line 3: the row has 1 fields, the header has 2");
        refused(
            "start,duration\n1,2\n\n1,x\n",
            ", line 4, column 2 (duration): \"x\" is not a number of seconds",
        );
        refused(
            "start,duration\n1,-2\n",
            ", line 2, column 2 (duration): \"-2\": a number of seconds is not negative",
        );
        refused(
            "start,duration\n1,NaN\n",
            ", line 2, column 2 (duration): \"NaN\" is not a number of seconds",
        );
        refused(
            "start,duration\n1,inf\n",
            ", line 2, column 2 (duration): \"inf\": a number of seconds is at most 3.1536e7",
        );
        refused("start,duration,cost\n1,2,0\n", ", line 2, column 3 (cost): \"0\": a cost is above 0");
        refused("start,duration,cost\n1,2,\n", ", line 2, column 3 (cost): \"\" is not a cost");
        refused(
            "duration,start\n1,yesterday\n",
            ", line 2, column 2 (start): \"yesterday\" is neither a number of seconds nor a date like \
             2023-11-16T18:15:46.68",
        );
        refused(
            "start,duration\n1,2\n2023-11-16 18:15:46,2\n",
            ", line 3, column 1 (start): \"2023-11-16 18:15:46\" is not of the kind of the first call's: \
             numbers or dates, not both",
        );
        refused(
            "start,duration\n1700158546000,2\n",
            ", line 2, column 1 (start): \"1700158546000\" is too far away for a number of seconds; in the \
             unit that it is in, it is read by --columns start=NAME:ms or NAME:us",
        );
    }

    #[test]
    fn a_byte_that_is_not_text_is_refused_with_its_line() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"start,duration\n1,2\n1,\xff\n").unwrap();
        let error = workload(file.path(), &Options::default(), vec![Bridge::new(1)]).unwrap_err();
        assert_eq!(error.what(), "line 3, column 2 (duration): the field is not UTF-8");
    }

    #[test]
    fn a_trace_is_measured_from_its_first_start_to_its_last() {
        let until = |content| read(content).unwrap().window.until.as_micros();
        assert_eq!(until("start,duration\n0,100\n10,100\n"), 10_000_000);
        assert_eq!(until("start,duration\n5,100\n5,200\n"), 200_000_000);
    }
}
