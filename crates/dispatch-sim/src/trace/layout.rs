//! Where in a row of call records the start, the duration, the class and the cost stand.

use std::collections::HashMap;
use std::str::FromStr;

use super::format::Format;

/// Which columns a user wants to be read: `start=StartTime:ms,duration=billsec,class=queue`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    pub(super) start: Option<(String, Unit)>,
    pub(super) duration: Option<(String, Unit)>,
    pub(super) class: Option<String>,
    pub(super) cost: Option<String>,
}

impl FromStr for Columns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut columns = Self::default();
        for part in text.split(',') {
            let (field, column) =
                part.split_once('=').ok_or_else(|| format!("{part:?} is not FIELD=COLUMN"))?;
            let column = column.trim();
            let known = match field.trim() {
                "start" => columns.start.replace(with_unit(column)).is_some(),
                "duration" => columns.duration.replace(with_unit(column)).is_some(),
                "class" => columns.class.replace(column.into()).is_some(),
                "cost" => columns.cost.replace(column.into()).is_some(),
                other => return Err(format!("{other:?} is none of start, duration, class and cost")),
            };
            if known {
                return Err(format!("{field:?} is there twice"));
            }
        }
        Ok(columns)
    }
}

/// In what a number in a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Millis,
    Micros,
    /// Of speech: [`SECONDS_PER_TOKEN`](super::SECONDS_PER_TOKEN).
    Tokens,
}

impl Unit {
    pub(super) const fn seconds(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Millis => 1e-3,
            Self::Micros => 1e-6,
            Self::Tokens => super::SECONDS_PER_TOKEN,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Millis => "milliseconds",
            Self::Micros => "microseconds",
            Self::Tokens => "tokens",
        }
    }
}

/// A column of times, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed {
    pub(super) column: usize,
    pub(super) unit: Unit,
}

/// What a call costs: columns counted from 0.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cost {
    Same,
    Column(usize),
    Tokens { context: usize, generated: usize },
}

/// What says that a call was answered: columns counted from 0.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answered {
    /// A disposition, as Asterisk writes it.
    Disposition(usize),
    /// A time, or nothing.
    Stamp(usize),
}

/// Where everything stands that is read.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) start: Timed,
    pub(super) duration: Timed,
    pub(super) class: Option<usize>,
    pub(super) cost: Cost,
    /// `None`: every row is a call.
    pub(super) answered: Option<Answered>,
    pub(super) names: Vec<String>,
    /// What is assumed.
    pub(super) notes: Vec<String>,
}

impl Layout {
    /// Finds the columns of a format, except those that are asked for, by name in any case.
    pub(super) fn new(format: Format, names: Vec<String>, asked: &Columns) -> Result<Self, String> {
        let mut places = HashMap::new();
        for (column, name) in names.iter().enumerate() {
            if places.insert(name.to_ascii_lowercase(), column).is_some() {
                return Err(format!("two columns are named {name:?}"));
            }
        }
        let find = |name: &str| places.get(&name.to_ascii_lowercase()).copied();
        let must = |name: &str| {
            find(name).ok_or_else(|| format!("no column is named {name:?}, only: {}", names.join(", ")))
        };
        let timed = |asked: &Option<(String, Unit)>, usual: &str, unit| match asked {
            Some((name, unit)) => Ok(Timed { column: must(name)?, unit: *unit }),
            None => must(usual).map(|column| Timed { column, unit }),
        };
        let (start, duration, unit) = format.columns();
        let has_names = matches!(format, Format::Csv | Format::Parquet);
        let optional = |asked: &Option<String>, usual: &str| match asked {
            Some(name) => must(name).map(Some),
            None => Ok(has_names.then(|| find(usual)).flatten()),
        };
        let cost = match (optional(&asked.cost, "cost")?, format) {
            (Some(column), _) => Cost::Column(column),
            (None, Format::Azure) => {
                Cost::Tokens { context: must("contexttokens")?, generated: must("generatedtokens")? }
            }
            (None, _) => Cost::Same,
        };
        let answered = match format {
            Format::Asterisk => Some(Answered::Disposition(must("disposition")?)),
            Format::Freeswitch => Some(Answered::Stamp(must("answer_stamp")?)),
            _ => None,
        };
        Ok(Self {
            start: timed(&asked.start, start, Unit::Seconds)?,
            duration: timed(&asked.duration, duration, unit)?,
            class: optional(&asked.class, "class")?,
            cost,
            answered,
            notes: notes(format, cost, asked),
            names,
        })
    }

    /// The columns that are read, in ascending order.
    pub(super) fn columns(&self) -> Vec<usize> {
        let mut columns = vec![self.start.column, self.duration.column];
        columns.extend(self.class);
        match self.cost {
            Cost::Same => {}
            Cost::Column(column) => columns.push(column),
            Cost::Tokens { context, generated } => columns.extend([context, generated]),
        }
        columns.extend(self.answered.map(|(Answered::Disposition(column) | Answered::Stamp(column))| column));
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

fn notes(format: Format, cost: Cost, asked: &Columns) -> Vec<String> {
    let mut notes = Vec::new();
    if format == Format::Azure {
        notes.extend(AZURE_NOTES.map(String::from));
    }
    if matches!(format, Format::Asterisk | Format::Freeswitch) && asked.duration.is_none() {
        notes.push(RINGING_NOTE.into());
    }
    if matches!(cost, Cost::Same) {
        notes.push("assumed: every call costs the same".into());
    }
    notes
}

/// `StartTime:ms` is the column `StartTime` in milliseconds.
fn with_unit(column: &str) -> (String, Unit) {
    let units = [(":s", Unit::Seconds), (":ms", Unit::Millis), (":us", Unit::Micros)];
    let found = units.into_iter().find_map(|(suffix, unit)| Some((column.strip_suffix(suffix)?, unit)));
    let (name, unit) = found.unwrap_or((column, Unit::Seconds));
    (name.to_owned(), unit)
}

const RINGING_NOTE: &str =
    "assumed: a call takes its bridge from its start on, ringing included (column duration)";

const AZURE_NOTES: [&str; 2] = [
    "data: Azure LLM inference trace 2023, (c) Microsoft, CC-BY 4.0, from the Azure Public Dataset \
     (Patel et al., \"Splitwise\", ISCA 2024)",
    "assumed: a request is a call that lasts 0.3 s per generated token (speech of 150 words a minute) and costs \
     its context and generated tokens",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_asked_for_by_name_and_unit() {
        let columns: Columns = "start=Start Time:ms, duration=billsec,class=queue".parse().unwrap();
        assert_eq!(columns.start, Some(("Start Time".into(), Unit::Millis)));
        assert_eq!(columns.duration, Some(("billsec".into(), Unit::Seconds)));
        assert_eq!((columns.class.as_deref(), columns.cost), (Some("queue"), None));

        let refused = |text: &str, expected: &str| assert_eq!(text.parse::<Columns>().unwrap_err(), expected);
        refused("start", "\"start\" is not FIELD=COLUMN");
        refused("begin=a", "\"begin\" is none of start, duration, class and cost");
        refused("start=a,start=b", "\"start\" is there twice");
    }
}
