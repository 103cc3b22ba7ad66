//! Rows of call records become recorded calls.

use std::time::Duration;

use super::cell::Cell;
use super::format::DISPOSITIONS;
use super::layout::{Answered, Cost, Layout};
use super::{TraceError, Whole};
use crate::recorded::{COSTS, MAX_SECONDS, Recorder};

/// The calls read so far, and what was left out.
pub(super) struct Reading {
    layout: Layout,
    skip_bad_rows: bool,
    recorder: Recorder,
    /// Whether starts are dates, as the first call has it.
    dates: Option<bool>,
    unanswered: u64,
    bad: u64,
    /// What is wrong with the first bad row.
    first_bad: Option<String>,
}

/// What came out of a file.
pub(super) struct Read {
    pub(super) calls: Recorder,
    pub(super) notes: Vec<String>,
}

/// A column, counted from 0, and what is wrong with its field.
pub(super) type FieldError = (usize, String);

impl Reading {
    pub(super) fn new(layout: Layout, skip_bad_rows: bool) -> Self {
        Self {
            layout,
            skip_bad_rows,
            recorder: Recorder::default(),
            dates: None,
            unanswered: 0,
            bad: 0,
            first_bad: None,
        }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Takes a row by its fields.
    pub(super) fn add<'a>(
        &mut self,
        cell: impl Fn(usize) -> Result<Cell<'a>, String>,
    ) -> Result<(), FieldError> {
        let at = |column: usize| cell(column).map_err(|problem| (column, problem));
        if !self.is_answered(at)? {
            self.unanswered += 1;
            return Ok(());
        }
        let Layout { start, duration, class, cost, .. } = self.layout;
        let number = |column: usize, what: &str, min: f64, max: f64| {
            at(column)?.number(what, min, max).map_err(|problem| (column, problem))
        };
        let of = format!("a number of {}", duration.unit.name());
        let unit = duration.unit.seconds();
        let seconds = number(duration.column, &of, 0.0, MAX_SECONDS / unit)? * unit;
        let cost = match cost {
            Cost::Same => 1.0,
            Cost::Column(column) => number(column, "a cost", COSTS.0, COSTS.1)?,
            Cost::Tokens { context, generated } => {
                let tokens = |column| number(column, "a number of tokens", 0.0, MAX_TOKENS);
                (tokens(context)? + tokens(generated)?).max(1.0)
            }
        };
        let (micros, is_date) =
            at(start.column)?.moment(start.unit).map_err(|problem| (start.column, problem))?;
        if self.dates.is_some_and(|dates| dates != is_date) {
            let problem = "is not of the kind of the first call's: numbers or dates, not both";
            return Err((start.column, format!("{:?} {problem}", at(start.column)?.text())));
        }
        let name = class.map(at).transpose()?;
        let name = name.as_ref().map_or("all".into(), Cell::text);
        let length = Duration::from_micros((seconds * 1e6).round() as u64);
        let taken = self.recorder.push(micros, length, cost as f32, &name);
        taken.map_err(|problem| (class.unwrap_or_default(), problem))?;
        self.dates = Some(is_date);
        Ok(())
    }

    /// A row that is not a call: an error, or left out and counted, as was asked for.
    pub(super) fn bad(&mut self, error: impl FnOnce() -> TraceError) -> Result<(), TraceError> {
        if !self.skip_bad_rows {
            return Err(error());
        }
        self.bad += 1;
        self.first_bad.get_or_insert_with(|| error().what());
        Ok(())
    }

    /// The calls, and the notes; what is wrong where there is no call.
    pub(super) fn finish(self) -> Result<Read, Whole> {
        let mut left_out = Vec::new();
        if self.unanswered > 0 {
            left_out.push(format!("left out: {} calls that nobody answered", self.unanswered));
        }
        if let Some(first) = self.first_bad {
            left_out.push(format!("left out: {} rows that cannot be read; the first: {first}", self.bad));
        }
        if self.recorder.is_empty() {
            let mut problem = "there are no calls in it".to_owned();
            for reason in left_out {
                problem += "; ";
                problem += &reason;
            }
            return Err(Whole(problem));
        }
        let mut notes = self.layout.notes;
        notes.extend(left_out);
        Ok(Read { calls: self.recorder, notes })
    }

    fn is_answered<'a>(
        &self,
        at: impl Fn(usize) -> Result<Cell<'a>, FieldError>,
    ) -> Result<bool, FieldError> {
        match self.layout.answered {
            None => Ok(true),
            Some(Answered::Stamp(column)) => Ok(!at(column)?.text().is_empty()),
            Some(Answered::Disposition(column)) => {
                let cell = at(column)?;
                let text = cell.text();
                match DISPOSITIONS.iter().position(|known| text.eq_ignore_ascii_case(known)) {
                    Some(disposition) => Ok(disposition == 0),
                    None => {
                        let problem = format!("{text:?} is none of {}", DISPOSITIONS.join(", "));
                        Err((column, problem))
                    }
                }
            }
        }
    }
}

const MAX_TOKENS: f64 = 1e9;
