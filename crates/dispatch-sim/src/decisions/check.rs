//! Replays a log of decisions, line by line, on a fresh dispatcher.

use std::fmt::{self, Write};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use callsteer::Config;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Deserialize;
use serde_json::Value;

use crate::steps::answers::Before;
use crate::steps::driver::Driver;
use crate::steps::format::{Miss, Step};

/// Replays the log until the first step that is decided otherwise. The log is read line by line, and
/// names of calls that ended are forgotten after a while, so that memory is that of the calls in
/// progress.
///
/// # Errors
/// The first line that is not a step, and where in it.
pub fn check(path: &Path) -> Result<Verdict, LogError> {
    let mut log = Log::open(path)?;
    let mut driver = log.begin()?;
    let mut steps = 0;
    while let Some(step) = log.next_step()? {
        match driver.step(step) {
            Ok(()) => steps += 1,
            Err(Miss::Unclear(problem)) => return Err(log.error(None, problem)),
            Err(Miss::Different { said, now }) => {
                let step = String::from_utf8_lossy(&log.line).trim().to_owned();
                let before = explain(path, log.number)?;
                return Ok(Verdict::Different(Difference { line: log.number, step, said, now, before }));
            }
        }
    }
    Ok(Verdict::Same { steps })
}

/// What a replay of a log showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every step is decided as the log says.
    Same {
        /// How many there are.
        steps: u64,
    },
    /// One is not.
    Different(Difference),
}

/// The first step that is decided otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its line, counted from 1.
    pub line: u64,
    /// The line.
    pub step: String,
    /// What the log says.
    pub said: String,
    /// What is decided now.
    pub now: String,
    /// What was so before the step, for people: a sentence and a table of the destinations.
    pub before: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "line {}: {}", self.line, self.step)?;
        writeln!(f, "  the log says: {}", self.said)?;
        writeln!(f, "  decided now:  {}\n", self.now)?;
        f.write_str(&self.before)
    }
}

/// Why a log cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; `None` where the whole file is meant.
    pub line: Option<u64>,
    /// The column in bytes, counted from 1; `None` where the whole line is meant.
    pub column: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for LogError {}

/// The first line of a log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    config: Config,
}

/// A log, read up to some line.
struct Log<'a> {
    path: &'a Path,
    file: BufReader<File>,
    /// The line that was read last, and its number from 1.
    line: Vec<u8>,
    number: u64,
}

impl<'a> Log<'a> {
    fn open(path: &'a Path) -> Result<Self, LogError> {
        let whole = |problem| LogError { path: path.to_owned(), line: None, column: None, problem };
        let file = File::open(path).map_err(|cause| whole(cause.to_string()))?;
        Ok(Self { path, file: BufReader::new(file), line: Vec::new(), number: 0 })
    }

    /// A dispatcher as the first line wants it.
    fn begin(&mut self) -> Result<Driver, LogError> {
        if !self.next_line()? {
            return Err(self.error(None, "there is nothing in it".into()));
        }
        let head: Head = serde_json::from_slice(&self.line).map_err(|cause| self.unreadable(&cause))?;
        Driver::new(head.config).map_err(|cause| self.error(None, cause.to_string()))
    }

    fn next_step(&mut self) -> Result<Option<Step>, LogError> {
        if !self.next_line()? {
            return Ok(None);
        }
        // First as any JSON: then a column is known wherever the text itself is wrong.
        let value: Value = serde_json::from_slice(&self.line).map_err(|cause| self.unreadable(&cause))?;
        serde_json::from_value(value).map(Some).map_err(|cause| self.unreadable(&cause))
    }

    /// The next line that is not empty.
    fn next_line(&mut self) -> Result<bool, LogError> {
        loop {
            self.line.clear();
            let mut limited = self.file.by_ref().take(MAX_LINE);
            let read = limited.read_until(b'\n', &mut self.line);
            self.number += 1;
            match read {
                Err(cause) => return Err(self.error(None, cause.to_string())),
                Ok(0) => return Ok(false),
                Ok(read) if read as u64 == MAX_LINE => {
                    return Err(self.error(None, format!("the line is longer than {MAX_LINE} bytes")));
                }
                Ok(_) if self.line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => {
                    self.line.truncate(self.line.trim_ascii_end().len());
                    return Ok(true);
                }
            }
        }
    }

    fn unreadable(&self, cause: &serde_json::Error) -> LogError {
        let text = cause.to_string();
        let problem = text.rsplit_once(" at line ").map_or(&*text, |(problem, _)| problem).to_owned();
        let column = match cause.column() {
            0 => self.column_of(&problem),
            column => Some(column),
        };
        self.error(column, problem)
    }

    /// Where the first word stands that the problem names between back quotes: the unknown key.
    fn column_of(&self, problem: &str) -> Option<usize> {
        let word = format!("\"{}\"", problem.split('`').nth(1)?);
        let line = String::from_utf8_lossy(&self.line);
        line.find(&word).map(|place| place + 1)
    }

    fn error(&self, column: Option<usize>, problem: String) -> LogError {
        LogError { path: self.path.to_owned(), line: Some(self.number), column, problem }
    }
}

/// Replays the log again up to a line, and says what was so before it.
fn explain(path: &Path, line: u64) -> Result<String, LogError> {
    let mut log = Log::open(path)?;
    let mut driver = log.begin()?;
    while let Some(step) = log.next_step()? {
        if log.number == line {
            return Ok(render(&driver.explain(&step)));
        }
        driver.step(step).map_err(|miss| log.error(None, miss.to_string()))?;
    }
    Err(log.error(None, "the log became shorter while it was read".into()))
}

fn render(before: &Before) -> String {
    let mut text = match &before.outcome {
        None => "Before this step:\n".to_owned(),
        Some(Ok(to)) => format!("Before this step, explain says that the call goes to {to}:\n"),
        Some(Err(error)) => format!("Before this step, explain says that the call is refused: {error}\n"),
    };
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["route", "destination", "standing", "key", "calls", "load"]);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    for row in &before.rows {
        table.add_row([
            right(row.route.map(|route| route.to_string()).unwrap_or_default()),
            Cell::new(&row.name),
            Cell::new(row.status.standing.as_str()),
            right(row.key.map(|key| key.to_string()).unwrap_or_default()),
            right(row.status.calls.to_string()),
            right(row.status.load.to_string()),
        ]);
    }
    let _ = writeln!(text, "{table}");
    if before.outcome.is_some() {
        text += "key: what candidates are compared by; the least wins.\n";
    }
    text
}

/// A line that is longer is no step, and a file without lines is not read into memory.
const MAX_LINE: u64 = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(log: &str) -> Result<Verdict, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), log).unwrap();
        check(file.path())
            .map_err(|error| error.to_string().replacen(&file.path().display().to_string(), "", 1))
    }

    const HEAD: &str = r#"{"config": {"algorithm": "round_robin"}}
{"do": "add", "destination": {"uri": "a", "max_calls": 1}}
{"do": "add", "destination": {"uri": "b"}}
"#;

    #[test]
    fn a_log_that_is_decided_the_same_is_the_same() {
        let log = format!(
            "{HEAD}\n{}\n{}\n{}\n",
            r#"{"at": 1.000001, "do": "begin", "call": "1", "gives": "a", "state": {"a": {"standing": "full"}}}"#,
            r#"{"do": "end", "call": "1", "gives": true}"#,
            r#"{"do": "confirm", "call": "1", "error": "no_such_call"}"#,
        );
        assert_eq!(replay(&log), Ok(Verdict::Same { steps: 5 }));
    }

    #[test]
    fn the_first_difference_is_shown_as_it_was_before_it() {
        let log = format!(
            "{HEAD}{}\n{}\n",
            r#"{"do": "begin", "call": "1", "gives": "a"}"#, r#"{"do": "begin", "call": "2", "gives": "a"}"#,
        );
        let Ok(Verdict::Different(difference)) = replay(&log) else { panic!("the same") };
        assert_eq!((difference.line, &*difference.said, &*difference.now), (5, "gives \"a\"", "gives \"b\""));
        let expected = "\
Before this step, explain says that the call goes to b:
┌───────┬─────────────┬───────────┬─────┬───────┬──────┐
│ route ┆ destination ┆ standing  ┆ key ┆ calls ┆ load │
╞═══════╪═════════════╪═══════════╪═════╪═══════╪══════╡
│     0 ┆ a           ┆ full      ┆     ┆     1 ┆    1 │
│     0 ┆ b           ┆ candidate ┆   0 ┆     0 ┆    0 │
└───────┴─────────────┴───────────┴─────┴───────┴──────┘
key: what candidates are compared by; the least wins.
";
        assert_eq!(difference.before, expected);
    }

    #[test]
    fn a_refusal_in_place_of_a_destination_is_a_difference_and_so_is_another_state() {
        let different = |step: &str, said: &str, now: &str| {
            let Ok(Verdict::Different(difference)) = replay(&format!("{HEAD}{step}")) else {
                panic!("{step}")
            };
            assert_eq!((&*difference.said, &*difference.now), (said, now));
        };
        different(
            r#"{"do": "begin", "call": "1", "error": "full", "answer": [503, 5]}"#,
            "refused as full, answer [503,5]",
            "gives \"a\"",
        );
        different(
            r#"{"do": "begin", "call": "1", "set": 7, "gives": "a"}"#,
            "gives \"a\"",
            "refused as no_such_set, answer [480,null]: set 7 has no destinations",
        );
        different(
            r#"{"do": "next_deadline", "gives": null, "stats": {"calls": 1}}"#,
            "gives null",
            "gives 0.0",
        );
    }

    #[test]
    fn a_line_that_is_no_step_is_refused_with_line_and_column() {
        let refused = |log: &str, expected: &str| {
            let error = replay(log).unwrap_err();
            assert!(error.starts_with(expected), "{log}: {error}");
        };
        let step = |step: &str| format!("{HEAD}{step}\n");
        refused("", ", line 1: there is nothing in it");
        refused("{\"config\": {}, \"x\": 1}\n", ", line 1, column 18: unknown field `x`, expected `config`");
        refused("{\"config\": {\"setup_timeout\": 0}}\n", ", line 1: setup_timeout: is 1 ms to 10 years");
        refused(&step("{\"do\": \"begin\", \"call\" \"1\"}"), ", line 4, column 24: expected `:`");
        refused(
            &step("{\"do\": \"begin\", \"cal\": \"1\"}"),
            ", line 4, column 17: begin: unknown field `cal`, expected one of `call`, `set`, `key`, `class`, `cost`, `tenant`",
        );
        refused(&step("{\"do\": \"jump\"}"), ", line 4, column 8: jump: unknown variant `jump`");
        refused(&step("{\"call\": \"1\"}"), ", line 4: no command");
        refused(&step("{\"do\": \"remove\", \"who\": \"c\"}"), ", line 4: c was never there");
    }
}
