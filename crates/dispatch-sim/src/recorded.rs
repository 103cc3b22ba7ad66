//! Recorded calls, 24 bytes each, in order of start.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use callsteer::Time;

use crate::workload::{Bridge, COST_UNIT, CallRecord, Calls, Window, Workload};

/// Calls that were recorded: the same for each seed. Ten million take 240 MB.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    calls: Vec<Compact>,
    /// What a cost is multiplied by, for costs in [`COST_UNIT`]s.
    unit: f64,
}

impl Recorded {
    /// The calls, in order of start.
    pub fn iter(&self) -> impl Iterator<Item = CallRecord> + '_ {
        self.calls.iter().map(|call| CallRecord {
            start: Time::from_micros(call.start),
            length: Duration::from_micros(call.length),
            cost: (f64::from(call.cost) * self.unit).round().max(1.0) as u32,
            class: call.class,
        })
    }
}

/// Calls with costs in [`COST_UNIT`]s and starts since the workload's begin.
impl FromIterator<CallRecord> for Recorded {
    fn from_iter<I: IntoIterator<Item = CallRecord>>(calls: I) -> Self {
        let compact = |call: CallRecord| Compact {
            start: call.start.as_micros(),
            length: call.length.as_micros() as u64,
            cost: call.cost as f32,
            class: call.class,
        };
        let mut recorded = Self { calls: calls.into_iter().map(compact).collect(), unit: 1.0 };
        recorded.sort();
        recorded
    }
}

impl Recorded {
    fn sort(&mut self) {
        if !self.calls.is_sorted_by_key(|call| call.start) {
            self.calls
                .sort_unstable_by_key(|call| (call.start, call.length, call.cost.to_bits(), call.class));
        }
    }
}

/// Takes calls in any order, with starts since any moment and costs in any unit.
#[derive(Debug, Default)]
pub struct Recorder {
    calls: Vec<Compact>,
    /// Σ cost.
    costs: f64,
    classes: Vec<String>,
    class_of: HashMap<String, u16>,
}

/// One call, as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recording<'a> {
    /// When it came, in seconds since any moment (the same for all calls).
    pub start: f64,
    /// How long it lasted, in seconds, 0 to a year.
    pub duration: f64,
    /// The name of a kind of calls.
    pub class: &'a str,
    /// What it cost its bridge while it lasted, above 0, in any unit: costs are divided by their mean.
    pub cost: f64,
}

/// Why a call cannot be taken; nothing is changed.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingError {
    /// The field of [`Recording`] that is wrong.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Recorder {
    /// Takes one call.
    ///
    /// # Errors
    /// A number that is out of its range; more than 65,536 classes.
    pub fn record(&mut self, call: &Recording<'_>) -> Result<(), RecordingError> {
        let check = |field, number: f64, holds: bool, wanted: &str| {
            let problem = || format!("{number} is not {wanted}");
            if holds { Ok(()) } else { Err(RecordingError { field, problem: problem() }) }
        };
        let Recording { start, duration, class, cost } = *call;
        check("start", start, start.abs() <= MAX_START, "a number of seconds, at most 1e11")?;
        check("duration", duration, (0.0..=MAX_SECONDS).contains(&duration), "from 0 to 31536000 seconds")?;
        check("cost", cost, (COSTS.0..=COSTS.1).contains(&cost), "a cost above 0")?;
        let length = Duration::from_micros((duration * 1e6).round() as u64);
        let taken = self.push((start * 1e6).round() as i64, length, cost as f32, class);
        taken.map_err(|problem| RecordingError { field: "class", problem })
    }

    /// Takes one call: its start in microseconds since any moment, its cost above 0 in any unit.
    ///
    /// # Errors
    /// A class above the 65,536th.
    pub(crate) fn push(
        &mut self,
        start: i64,
        length: Duration,
        cost: f32,
        class: &str,
    ) -> Result<(), String> {
        let class = self.class(class)?;
        let start = start.wrapping_sub(i64::MIN) as u64;
        self.calls.push(Compact { start, length: length.as_micros() as u64, cost, class });
        self.costs += f64::from(cost);
        Ok(())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// A workload of these calls over these bridges, measured from the first start to the last. The
    /// first call comes at 0 and the average one costs [`COST_UNIT`].
    #[must_use]
    pub fn workload(self, name: &str, bridges: Vec<Bridge>) -> Workload {
        let unit = self.calls.len() as f64 / self.costs * f64::from(COST_UNIT);
        let mut calls = Recorded { calls: self.calls, unit };
        calls.calls.shrink_to_fit();
        calls.sort();
        let first = calls.calls.first().map_or(0, |call| call.start);
        for call in &mut calls.calls {
            call.start -= first;
        }
        Workload {
            name: name.into(),
            notes: Vec::new(),
            bridges,
            outages: Vec::new(),
            window: Window { from: Time::ZERO, until: end_of_measuring(&calls) },
            calls: Calls::Recorded(calls),
            classes: self.classes,
        }
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
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

impl std::error::Error for RecordingError {}

/// The last start: later the fleet only empties. Where all calls start at once, their last end.
fn end_of_measuring(calls: &Recorded) -> Time {
    let last_start = calls.iter().map(|call| call.start).max().unwrap_or(Time::ZERO);
    let last_end = calls.iter().map(|call| call.start + call.length).max().unwrap_or(last_start);
    if last_start > Time::ZERO { last_start } else { last_end }
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Compact {
    /// In microseconds.
    start: u64,
    /// In microseconds.
    length: u64,
    cost: f32,
    class: u16,
}

/// A year, in seconds; a call that lasts longer is a mistake.
pub(crate) const MAX_SECONDS: f64 = 365.0 * 86_400.0;
/// The year 5138, in seconds; a start after it is a mistake of units.
const MAX_START: f64 = 1e11;
/// The least and the greatest cost.
pub(crate) const COSTS: (f64, f64) = (f32::MIN_POSITIVE as f64, f32::MAX as f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_24_bytes() {
        assert_eq!(size_of::<Compact>(), 24);
    }

    #[test]
    fn calls_come_out_in_order_of_start_with_costs_relative_to_their_mean() {
        let mut recorder = Recorder::default();
        let second = Duration::from_secs(1);
        recorder.record(&Recording { start: 5.0, duration: 1.0, class: "b", cost: 3.0 }).unwrap();
        recorder.record(&Recording { start: -2.0, duration: 9.0, class: "a", cost: 1.0 }).unwrap();
        let workload = recorder.workload("two calls", vec![Bridge::new(1)]);
        assert_eq!(
            (&*workload.classes, workload.window.until),
            (&["b".into(), "a".into()][..], Time::from_secs(7))
        );
        let calls: Vec<_> = workload.calls(0).collect();
        let call =
            |start, length, cost, class| CallRecord { start: Time::from_secs(start), length, cost, class };
        assert_eq!(calls, [call(0, second * 9, 500, 1), call(7, second, 1_500, 0)]);
        assert_eq!(calls.iter().rev().copied().collect::<Recorded>().iter().collect::<Vec<_>>(), calls);
    }
    #[test]
    fn a_call_that_cannot_be_is_refused_with_its_field_and_nothing_is_taken() {
        let good = Recording { start: 0.0, duration: 1.0, class: "a", cost: 1.0 };
        let check = |call: Recording<'_>, expected: &str| {
            let mut recorder = Recorder::default();
            assert_eq!(recorder.record(&call).unwrap_err().to_string(), expected);
            assert!(recorder.is_empty());
        };
        check(Recording { start: f64::NAN, ..good }, "start: NaN is not a number of seconds, at most 1e11");
        check(
            Recording { start: 1.7e12, ..good },
            "start: 1700000000000 is not a number of seconds, at most 1e11",
        );
        check(Recording { duration: -1.0, ..good }, "duration: -1 is not from 0 to 31536000 seconds");
        check(Recording { cost: 0.0, ..good }, "cost: 0 is not a cost above 0");
    }
}
