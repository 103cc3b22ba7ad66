//! What a bridge says about itself, and the crate's own JSON form of it.

use crate::error::ReportError;
use crate::time::Time;

/// What a bridge says about itself. What it does not say stays as it was.
///
/// ```
/// use callsteer::Report;
/// let report = Report { active_calls: Some(12), ..Report::score(0.62) };
/// assert!(report.check().is_ok());
/// assert!(Report::score(-0.1).check().is_err());
/// ```
///
/// The own JSON form (feature `json`) is an object of these fields, each of which may be missing or
/// null; times are numbers of seconds since the epoch of the dispatcher's clock:
/// `{"score": 0.62, "active_calls": 12, "measured_at": 1700000000.25}`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Report {
    /// Its load divided by its capacity, as the mean over the last interval: 0 to 1000, where 1 is
    /// full; more than 1 is overload, and worth saying.
    pub score: Option<f64>,
    /// Calls in progress there, of all dispatchers.
    pub active_calls: Option<u32>,
    /// When it was measured, by the clock of the dispatcher. Default: now.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::optional_seconds"))]
    pub measured_at: Option<Time>,
    /// A number that grows with every report of this bridge, where clocks cannot be compared.
    pub sequence: Option<u64>,
    /// The score averaged over a minute or more, 0 to 1000. Decisions on capacity prefer it.
    pub sustained: Option<f64>,
    /// Calls that it can carry, by its own account.
    pub capacity: Option<u32>,
    /// Whether it wants no new calls; `false` takes an earlier `true` back.
    pub draining: Option<bool>,
}

impl Report {
    /// A report of nothing but a score.
    #[must_use]
    pub fn score(score: f64) -> Self {
        Self { score: Some(score), ..Self::default() }
    }

    /// Reads the own JSON form; the values are for [`check`](Self::check).
    ///
    /// # Errors
    /// [`ReadError::Unreadable`](crate::ReadError) with line and column: not JSON, an unknown field, or
    /// a value of another kind.
    #[cfg(feature = "json")]
    pub fn from_json(text: &str) -> Result<Self, crate::error::ReadError> {
        serde_json::from_str(text).map_err(|error| super::json::unreadable(&error))
    }

    /// Whether a bridge can mean this.
    ///
    /// # Errors
    /// [`ReportError::InvalidReport`] with the first field that is not a number, infinite, negative or
    /// above 1000 (per mille or a count given as a score).
    pub fn check(&self) -> Result<(), ReportError> {
        for (field, value) in [("score", self.score), ("sustained", self.sustained)] {
            if value.is_some_and(|value| !(0.0..=HIGHEST).contains(&value)) {
                return Err(ReportError::InvalidReport { field, rule: "is a number from 0 to 1000" });
            }
        }
        Ok(())
    }
}

/// No bridge carries a thousand times its capacity: such a number has another unit.
const HIGHEST: f64 = 1_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_no_bridge_can_mean_is_refused_by_field() {
        let check = |report: Report, field: Option<&str>| {
            let refused = report.check().err().map(|error| match error {
                ReportError::InvalidReport { field, .. } => field,
                _ => "another error",
            });
            assert_eq!(refused, field, "{report:?}");
        };
        for score in [0.0, -0.0, 0.5, 1.0, 3.7, 1_000.0] {
            check(Report::score(score), None);
        }
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-9, 1_000.1] {
            check(Report::score(wrong), Some("score"));
            check(Report { sustained: Some(wrong), ..Report::score(0.5) }, Some("sustained"));
        }
        check(Report::default(), None);
        let both = Report { measured_at: Some(Time::ZERO), sequence: Some(0), ..Report::default() };
        check(both, None);
    }

    #[cfg(feature = "json")]
    mod json {
        use super::super::*;
        use crate::error::ReadError;
        use alloc::string::ToString;
        use proptest::prelude::*;

        #[test]
        fn the_own_form_is_read() {
            let check = |text: &str, expected: Report| {
                assert_eq!(Report::from_json(text), Ok(expected), "{text}");
            };
            check("{}", Report::default());
            check(r#"{"score": 1}"#, Report::score(1.0));
            check(r#" {"score": 0.62, "active_calls": null} "#, Report::score(0.62));
            let all = Report {
                score: Some(0.62),
                active_calls: Some(12),
                measured_at: Some(Time::from_micros(1_700_000_000_250_001)),
                sequence: Some(u64::MAX),
                sustained: Some(0.5),
                capacity: Some(20),
                draining: Some(false),
            };
            check(
                r#"{"score":0.62,"active_calls":12,"measured_at":1700000000.250001,
                    "sequence":18446744073709551615,"sustained":0.5,"capacity":20,"draining":false}"#,
                all,
            );
        }

        #[test]
        fn what_is_not_the_own_form_is_refused_with_its_place() {
            let check = |text: &str, expected: &str| {
                let error = Report::from_json(text).expect_err(text);
                assert!(error.to_string().starts_with(expected), "{text}: {error}");
                assert!(!error.to_string().contains(" at line "), "the place is said once: {error}");
            };
            check("", "line 1: EOF while parsing a value");
            check("{\"score\": 0.5,\n \"laod\": 2}", "line 2, column 7: unknown field `laod`");
            check(r#"{"score": "0.5"}"#, "column 15: invalid type: string");
            check(r#"{"score": NaN}"#, "column 11: expected value");
            check(r#"{"score": 1e999}"#, "column 15: number out of range");
            check(r#"{"score": 0.5, "score": 0.4}"#, "column 22: duplicate field `score`");
            check(r#"{"active_calls": -1}"#, "column 19: invalid value");
            check(r#"{"active_calls": 4294967296}"#, "column 27: invalid value");
            check(r#"{"measured_at": -0.5}"#, "column 21: a time is a number of seconds from 0 on");
            check(r#"{"measured_at": 2e13}"#, "column 21: a time is a number of seconds from 0 on");
            check("{} {}", "column 4: trailing characters");
        }

        proptest! {
            #[test]
            fn any_text_is_read_or_refused(text in ".*") {
                let _: Result<_, ReadError> = Report::from_json(&text);
            }

            #[test]
            fn a_report_written_as_json_is_read_as_it_was(
                score in proptest::option::of(0.0..1e3), sequence: Option<u64>, calls: Option<u32>,
                micros in proptest::option::of(0..1_u64 << 52), draining: Option<bool>,
            ) {
                let measured_at = micros.map(Time::from_micros);
                let report =
                    Report { score, measured_at, sequence, active_calls: calls, draining, ..Report::default() };
                let text = serde_json::to_string(&report).expect("a report is plain data");
                prop_assert_eq!(Report::from_json(&text), Ok(report));
            }
        }
    }
}
