//! Recorded calls from a CSV file.
//!
//! The first line names the columns, in any order and case:
//!
//! | column | what | must be there |
//! |---|---|---|
//! | `start` | seconds (any epoch), or a date and time (ISO 8601; without offset: UTC) | yes |
//! | `duration` | seconds | yes |
//! | `cost` | what the call costs its bridge while it lasts, > 0, in any unit | no: every call costs the same |
//! | `class` | the name of a kind of calls | no |
//!
//! Other columns are passed over. Rows may come in any order (call records come in order of the
//! calls' ends). Costs are divided by their mean, so that an average call costs 1. The file is read
//! row by row; a call takes 36 bytes.
//!
//! The Azure LLM inference traces (header `TIMESTAMP,ContextTokens,GeneratedTokens`) are read as
//! conversations: a generated token is spoken in 0.3 s (150 words a minute, 3 words to 4 tokens), so
//! a request lasts [`SECONDS_PER_TOKEN`] x `GeneratedTokens`; while it lasts its tokens are kept in
//! memory, so it costs `ContextTokens` + `GeneratedTokens`.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use callsteer::Time;
use csv::StringRecord;

use crate::workload::{Bridge, COST_UNIT, CallRecord, Calls, Window, Workload};

/// How long a generated token of an Azure trace is spoken, in seconds.
pub const SECONDS_PER_TOKEN: f64 = 0.3;

/// A workload of the calls in this file over these bridges, measured from the first start to the last.
///
/// # Errors
/// The first thing in the file that cannot be read or makes no sense.
pub fn workload(path: &Path, bridges: Vec<Bridge>) -> Result<Workload, TraceError> {
    let error = |line, column, problem| TraceError { path: path.to_owned(), line, column, problem };
    let file = File::open(path).map_err(|cause| error(None, None, cause.to_string()))?;
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let from_csv = |cause: csv::Error| {
        error(cause.position().map(|position| line(path, position)), None, describe(&cause))
    };
    let header = rows.headers().map_err(from_csv)?.clone();
    let columns = Columns::find(&header).map_err(|problem| error(Some(1), None, problem))?;
    let mut recording = Recording::default();
    let mut row = StringRecord::new();
    while rows.read_record(&mut row).map_err(from_csv)? {
        recording.add(&columns, &row).map_err(|(column, problem)| {
            let line = row.position().map(|position| line(path, position));
            error(line, Some((column + 1, header[column].to_owned())), problem)
        })?;
    }
    if recording.calls.is_empty() {
        return Err(error(None, None, "there are no calls in it".into()));
    }
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    Ok(recording.workload(format!("trace {name}"), columns.notes(), bridges))
}

/// Why a trace cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; `None` where the whole file is meant.
    pub line: Option<u64>,
    /// The column, counted from 1, and its name; `None` where the whole line is meant.
    pub column: Option<(usize, String)>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some((number, name)) = &self.column {
            write!(f, ", column {number} ({name})")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for TraceError {}

/// Where in a row the figures stand.
#[derive(Debug)]
enum Columns {
    Calls { start: usize, duration: usize, cost: Option<usize>, class: Option<usize> },
    Azure { timestamp: usize, context: usize, generated: usize },
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, String> {
        let mut place = HashMap::new();
        for (column, name) in header.iter().enumerate() {
            if place.insert(name.to_ascii_lowercase(), column).is_some() {
                return Err(format!("two columns are named {name:?}"));
            }
        }
        let find = |name: &str| place.get(name).copied();
        if let (Some(timestamp), Some(context), Some(generated)) =
            (find("timestamp"), find("contexttokens"), find("generatedtokens"))
        {
            return Ok(Self::Azure { timestamp, context, generated });
        }
        let names = header.iter().collect::<Vec<_>>().join(", ");
        let missing = |name| format!("no column is named {name:?}, only: {names}");
        Ok(Self::Calls {
            start: find("start").ok_or_else(|| missing("start"))?,
            duration: find("duration").ok_or_else(|| missing("duration"))?,
            cost: find("cost"),
            class: find("class"),
        })
    }

    fn notes(&self) -> Vec<String> {
        match self {
            Self::Calls { cost: None, .. } => vec!["assumed: every call costs the same".into()],
            Self::Calls { .. } => Vec::new(),
            Self::Azure { .. } => AZURE_NOTES.map(String::from).into(),
        }
    }
}

/// The calls read so far.
#[derive(Default)]
struct Recording {
    /// With starts since [`EPOCH`] and without costs.
    calls: Vec<CallRecord>,
    /// Their costs in the file's unit.
    costs: Vec<f32>,
    classes: Vec<String>,
    class_of: HashMap<String, u16>,
    /// Whether starts are dates, as the first row has it.
    dates: Option<bool>,
}

/// A column, counted from 0, and what is wrong with its field.
type FieldError = (usize, String);

impl Recording {
    fn add(&mut self, columns: &Columns, row: &StringRecord) -> Result<(), FieldError> {
        let (start, seconds, cost, class) = match *columns {
            Columns::Calls { start, duration, cost, class } => {
                let seconds = number(row, duration, "a number of seconds", 0.0, MAX_SECONDS)?;
                let cost = cost.map_or(Ok(1.0), |cost| {
                    number(row, cost, "a cost", f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX))
                });
                (start, seconds, cost?, class)
            }
            Columns::Azure { timestamp, context, generated } => {
                let tokens = |column| number(row, column, "a number of tokens", 0.0, 1e9);
                let (context, generated) = (tokens(context)?, tokens(generated)?);
                (timestamp, generated * SECONDS_PER_TOKEN, (context + generated).max(1.0), None)
            }
        };
        let start = self.start(&row[start]).map_err(|problem| (start, problem))?;
        let class = match class {
            Some(column) => self.class(&row[column]).map_err(|problem| (column, problem))?,
            None => self.class("all").map_err(|problem| (0, problem))?,
        };
        let length = Duration::from_micros((seconds * 1e6).round() as u64);
        self.calls.push(CallRecord { start, length, cost: 0, class });
        self.costs.push(cost as f32);
        Ok(())
    }

    /// The time since [`EPOCH`].
    fn start(&mut self, text: &str) -> Result<Time, String> {
        let (micros, is_date) = match text.parse::<f64>() {
            Ok(seconds) if seconds.abs() <= MAX_EPOCH_SECONDS => ((seconds * 1e6).round() as i64, false),
            Ok(_) => return Err(format!("{text:?} is too far away for a number of seconds")),
            Err(_) => (date(text)?, true),
        };
        if *self.dates.get_or_insert(is_date) != is_date {
            return Err(format!(
                "{text:?} is not of the kind of the first row's: seconds or dates, not both"
            ));
        }
        Ok(Time::from_micros((micros - EPOCH) as u64))
    }

    fn class(&mut self, name: &str) -> Result<u16, String> {
        if let Some(class) = self.class_of.get(name) {
            return Ok(*class);
        }
        let class = u16::try_from(self.classes.len()).map_err(|_| "more than 65,536 classes".to_owned())?;
        self.classes.push(name.to_owned());
        self.class_of.insert(name.to_owned(), class);
        Ok(class)
    }

    fn workload(mut self, name: String, notes: Vec<String>, bridges: Vec<Bridge>) -> Workload {
        let sum: f64 = self.costs.iter().map(|cost| f64::from(*cost)).sum();
        let unit = self.costs.len() as f64 / sum * f64::from(COST_UNIT);
        for (call, cost) in self.calls.iter_mut().zip(&self.costs) {
            call.cost = (f64::from(*cost) * unit).round().max(1.0) as u32;
        }
        let mut calls = self.calls;
        if !calls.is_sorted_by_key(|call| call.start) {
            calls.sort_unstable_by_key(|call| (call.start, call.length, call.cost));
        }
        let first = calls.first().map_or(Time::ZERO, |call| call.start);
        for call in &mut calls {
            call.start = Time::ZERO + call.start.since(first);
        }
        let window = Window { from: Time::ZERO, until: end_of_measuring(&calls) };
        let classes = self.classes;
        Workload { name, notes, bridges, outages: Vec::new(), calls: Calls::Recorded(calls), classes, window }
    }
}

/// The last start: later the fleet only empties. Where all calls start at once, their last end.
fn end_of_measuring(calls: &[CallRecord]) -> Time {
    let last_start = calls.last().map_or(Time::ZERO, |call| call.start);
    let last_end = calls.iter().map(|call| call.start + call.length).max().unwrap_or(last_start);
    if last_start > Time::ZERO { last_start } else { last_end }
}

fn number(row: &StringRecord, column: usize, what: &str, min: f64, max: f64) -> Result<f64, FieldError> {
    let text = &row[column];
    match text.parse::<f64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        Ok(number) if number < min && min > 0.0 => Err((column, format!("{text:?}: {what} is above 0"))),
        Ok(number) if number < min => Err((column, format!("{text:?}: {what} is not negative"))),
        Ok(number) if number > max => Err((column, format!("{text:?}: {what} is at most {max:e}"))),
        _ => Err((column, format!("{text:?} is not {what}"))),
    }
}

/// Microseconds since 1970 of an ISO 8601 date and time; UTC where it has no offset.
fn date(text: &str) -> Result<i64, String> {
    let instant = text.parse::<jiff::Timestamp>().or_else(|_| {
        text.parse::<jiff::civil::DateTime>().and_then(|date| jiff::tz::Offset::UTC.to_timestamp(date))
    });
    instant.map(jiff::Timestamp::as_microsecond).map_err(|_| {
        format!("{text:?} is neither a number of seconds nor a date like 2023-11-16T18:15:46.68")
    })
}

fn describe(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields, the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { err, .. } => format!("field {} is not UTF-8", err.field() + 1),
        csv::ErrorKind::Io(cause) => cause.to_string(),
        _ => error.to_string(),
    }
}

/// The line of the row that was read from `position`, which is before the empty lines above it.
fn line(path: &Path, position: &csv::Position) -> u64 {
    let above = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(position.byte()))?;
        let mut lines = 0;
        for byte in BufReader::new(file).bytes() {
            match byte? {
                b'\n' => lines += 1,
                b'\r' => {}
                _ => break,
            }
        }
        io::Result::Ok(lines)
    };
    position.line() + above().unwrap_or(0)
}

const AZURE_NOTES: [&str; 2] = [
    "data: Azure LLM inference trace 2023, (c) Microsoft, CC-BY 4.0, from the Azure Public Dataset \
     (Patel et al., \"Splitwise\", ISCA 2024)",
    "assumed: a request is a call that lasts 0.3 s per generated token (speech of 150 words a minute) and costs \
     its context and generated tokens",
];

/// In microseconds since the file's own epoch: early enough that no start is before it.
const EPOCH: i64 = -(1 << 62);
/// A year; a call that lasts longer is a mistake in the file.
const MAX_SECONDS: f64 = 365.0 * 86_400.0;
/// About 30,000 years from 1970: milliseconds in place of seconds are refused.
const MAX_EPOCH_SECONDS: f64 = 1e12;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(content: &str) -> Result<Workload, TraceError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        workload(file.path(), vec![Bridge::new(1)])
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
            ", line 3, column 1 (start): \"2023-11-16 18:15:46\" is not of the kind of the first row's: seconds or \
             dates, not both",
        );
        refused(
            "start,duration\n1700158546000,2\n",
            ", line 2, column 1 (start): \"1700158546000\" is too far away for a number of seconds",
        );
    }

    #[test]
    fn a_byte_that_is_not_text_is_refused_with_its_line() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"start,duration\n1,2\n1,\xff\n").unwrap();
        let error = workload(file.path(), vec![Bridge::new(1)]).unwrap_err();
        assert_eq!((error.line, &*error.problem), (Some(3), "field 2 is not UTF-8"));
    }

    #[test]
    fn a_trace_is_measured_from_its_first_start_to_its_last() {
        let until = |content| read(content).unwrap().window.until.as_micros();
        assert_eq!(until("start,duration\n0,100\n10,100\n"), 10_000_000);
        assert_eq!(until("start,duration\n5,100\n5,200\n"), 200_000_000);
    }
}
