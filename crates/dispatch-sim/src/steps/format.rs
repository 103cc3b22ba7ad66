//! What stands in a step, and how it is compared.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use callsteer::{Inventory, Report, SetId, Time};
use serde::Deserialize;
use serde_json::{Map, Value, from_value, json};

use super::command::Command;

/// One command, and what is expected of it.
#[derive(Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct Step {
    pub(crate) command: Command,
    pub(crate) expected: Expected,
}

/// The keys that every step may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    #[serde(rename = "about")]
    _about: Option<String>,
    pub(crate) at: Option<f64>,
    #[serde(default)]
    pub(crate) gives: Value,
    pub(crate) error: Option<String>,
    pub(crate) answer: Option<Value>,
    pub(crate) says: Option<String>,
    #[serde(default)]
    pub(crate) state: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) stats: Map<String, Value>,
}

const EXPECTED: [&str; 8] = ["about", "at", "gives", "error", "answer", "says", "state", "stats"];

impl TryFrom<Map<String, Value>> for Step {
    type Error = String;

    fn try_from(step: Map<String, Value>) -> Result<Self, String> {
        let is_expected = |(key, _): &(String, Value)| EXPECTED.contains(&key.as_str());
        let (expected, mut arguments): (Map<_, _>, Map<_, _>) = step.into_iter().partition(is_expected);
        let Some(Value::String(name)) = arguments.remove("do") else { return Err("no command".into()) };
        let expected = from_value(Value::Object(expected)).map_err(text)?;
        let command = from_value(json!({ &name: arguments })).map_err(|error| format!("{name}: {error}"))?;
        Ok(Self { command, expected })
    }
}

impl Expected {
    pub(crate) fn check_gives(&self, got: &Value) -> Result<(), Miss> {
        let unasked = self.answer.is_some() || self.says.is_some();
        match &self.error {
            None if unasked => Err(Miss::Unclear("of which error?".into())),
            None if same(&self.gives, got) => Ok(()),
            _ => Err(self.miss(format!("gives {got}"))),
        }
    }

    pub(crate) fn check_refused(&self, code: &str, answer: &Value, says: &str) -> Result<(), Miss> {
        let right = self.error.as_deref() == Some(code)
            && self.gives.is_null()
            && self.answer.as_ref().is_none_or(|wanted| same(wanted, answer))
            && self.says.as_ref().is_none_or(|wanted| says.contains(wanted));
        if right { Ok(()) } else { Err(self.miss(format!("refused as {code}, answer {answer}: {says}"))) }
    }

    fn miss(&self, now: String) -> Miss {
        let said = match &self.error {
            None => format!("gives {}", self.gives),
            Some(code) => {
                let answer = self.answer.as_ref().map(|answer| format!(", answer {answer}"));
                let says = self.says.as_ref().map(|says| format!(": {says}"));
                format!("refused as {code}{}{}", answer.unwrap_or_default(), says.unwrap_or_default())
            }
        };
        Miss::Different { said, now }
    }
}

/// Why a step does not hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// It says one thing, and now it is another.
    Different { said: String, now: String },
    /// It means nothing: it names what was never there.
    Unclear(String),
}

impl From<String> for Miss {
    fn from(unclear: String) -> Self {
        Self::Unclear(unclear)
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Different { said, now } => write!(f, "{now}, not: {said}"),
            Self::Unclear(unclear) => f.write_str(unclear),
        }
    }
}

/// Whether every key that is wanted is there with its value.
pub(crate) fn check_part(of: &str, wanted: &Value, got: &Value) -> Result<(), Miss> {
    let right = match wanted {
        Value::Object(wanted) => {
            wanted.iter().all(|(key, wanted)| got.get(key).is_some_and(|got| same(wanted, got)))
        }
        _ => wanted == got,
    };
    if right {
        Ok(())
    } else {
        Err(Miss::Different { said: format!("{of} {wanted}"), now: format!("{of} {got}") })
    }
}

/// Equal, where 1 and 1.0 are equal too, and numbers as close as one writes them by hand.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let numbers = one.as_f64().zip(other.as_f64());
            numbers.is_some_and(|(one, other)| (one - other).abs() <= 1e-9)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let in_other = |(key, value)| other.get(key).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(in_other)
        }
        _ => one == other,
    }
}

/// A report, whose numbers may be strings where JSON cannot write them: NaN, Infinity, -Infinity.
pub(crate) fn report(mut said: Map<String, Value>) -> Result<Report, String> {
    let mut number = |field: &str| -> Result<Option<f64>, String> {
        match said.get(field) {
            Some(Value::String(word)) => {
                let number = word.parse().map_err(text)?;
                said.remove(field);
                Ok(Some(number))
            }
            _ => Ok(None),
        }
    };
    let (score, sustained) = (number("score")?, number("sustained")?);
    let report: Report = from_value(Value::Object(said)).map_err(text)?;
    Ok(Report { score: score.or(report.score), sustained: sustained.or(report.sustained), ..report })
}

/// What a bridge has: a number, or these calls.
pub(crate) fn inventory<'a>(calls: &'a [&'a [u8]], count: Option<u32>) -> Inventory<'a> {
    count.map_or(Inventory::Calls(calls), Inventory::Count)
}

/// A destination's name in a step: its id, after its set where that is not 1.
pub(crate) fn name(set: SetId, id: &str) -> String {
    if set == 1 { id.into() } else { format!("{set}/{id}") }
}

pub(crate) fn span(seconds: f64) -> Duration {
    Duration::from_micros((seconds * 1e6).round() as u64)
}

pub(crate) fn seconds(time: Time) -> f64 {
    time.as_micros() as f64 / 1e6
}

pub(crate) fn text(error: impl ToString) -> String {
    error.to_string()
}
