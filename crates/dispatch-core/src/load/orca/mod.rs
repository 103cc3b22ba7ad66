//! ORCA (Open Request Cost Aggregation): the load that a server adds to its answers, in three forms.

mod binary;
#[cfg(feature = "json")]
mod json;

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::string::String;

use super::report::Report;
use crate::error::ReadError;

/// The metrics of a header `endpoint-load-metrics`, or of the protobuf message that it stands for.
///
/// A bridge adds that header to its answers to OPTIONS, say. The message is
/// `xds.data.orca.v3.OrcaLoadReport`; the header's forms are those that Envoy reads:
///
/// ```
/// use callsteer::Orca;
/// let orca = Orca::parse("TEXT cpu_utilization=0.3, named_metrics.gpu=0.8")?;
/// assert_eq!(orca.value("named_metrics.gpu"), Some(0.8));
/// assert_eq!(orca.report().score, Some(0.3));
/// # Ok::<(), callsteer::ReadError>(())
/// ```
///
/// Metrics have the names of the form TEXT, whatever form they came in: `cpu_utilization`,
/// `mem_utilization`, `application_utilization`, `rps_fractional`, `eps`, and `utilization.*`,
/// `named_metrics.*`, `request_cost.*`. Metrics with other names are kept, too: by
/// [`Resources`](crate::Resources) they can all become a score.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Orca {
    metrics: BTreeMap<String, f64>,
}

impl Orca {
    /// Reads the value of a header `endpoint-load-metrics`.
    ///
    /// - `TEXT name=value, name=value`; a colon may stand for the sign of equality, and an entry may
    ///   be empty;
    /// - `JSON {"cpu_utilization": 0.3, "named_metrics": {"gpu": 0.8}}` (feature `json`), with names
    ///   as above or as `cpuUtilization`, and numbers as such or in quotes, as protobuf has it;
    /// - `BIN` and the message in Base64.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`] with the metric and its place: another form, a metric without name or
    /// value, named twice, not a finite number, or a negative utilization or rate.
    pub fn parse(header: &str) -> Result<Self, ReadError> {
        let text = header.trim();
        let start = header.len() - header.trim_start().len();
        let (form, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest_start = start + text.len() - rest.len();
        match form {
            "TEXT" => Self::from_text(rest, rest_start),
            "BIN" => Self::from_base64_at(rest, rest_start),
            #[cfg(feature = "json")]
            "JSON" => json::read(rest, rest_start),
            #[cfg(not(feature = "json"))]
            "JSON" => Err(ReadError::field("", "is JSON, which needs the feature `json`").at(1, start + 1)),
            _ => Err(ReadError::field("", "does not start with TEXT, JSON or BIN").at(1, start + 1)),
        }
    }

    /// Reads the value of a header `endpoint-load-metrics-bin`: the message in Base64, with or without
    /// its padding.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_base64(value: &str) -> Result<Self, ReadError> {
        Self::from_base64_at(value, 0)
    }

    /// Reads the protobuf message itself. Fields that are not known are passed over.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); the place is a byte of the message.
    pub fn from_message(message: &[u8]) -> Result<Self, ReadError> {
        binary::read(message)
    }

    /// A metric by its name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied()
    }

    /// All metrics, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.metrics.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// What it means as a report: the score is `application_utilization`, or `cpu_utilization` where
    /// that is 0 or missing.
    ///
    /// This is the rule of gRPC's `weighted_round_robin` (gRFC A58). Where both are 0 there is no
    /// score: the message cannot tell 0 from "not said".
    #[must_use]
    pub fn report(&self) -> Report {
        let said = |name| self.value(name).filter(|value| *value > 0.0);
        Report {
            score: said("application_utilization").or_else(|| said("cpu_utilization")),
            ..Report::default()
        }
    }

    /// `name=value, name=value`, which begins after `start` bytes of the header.
    fn from_text(list: &str, start: usize) -> Result<Self, ReadError> {
        let mut orca = Self::default();
        let mut end = start;
        for entry in list.split(',') {
            let column = end + entry.len() - entry.trim_start().len() + 1;
            end += entry.len() + 1;
            orca.insert_entry(entry.trim()).map_err(|error| error.at(1, column))?;
        }
        Ok(orca)
    }

    fn insert_entry(&mut self, entry: &str) -> Result<(), ReadError> {
        if entry.is_empty() {
            return Ok(());
        }
        let parts = entry.split_once('=').or_else(|| entry.split_once(':'));
        let (name, value) = parts.ok_or_else(|| ReadError::field(entry, "has no value"))?;
        let (name, value) = (name.trim(), value.trim());
        self.insert(name, value.parse().map_err(|_| ReadError::field(name, NO_NUMBER))?)
    }

    fn from_base64_at(text: &str, start: usize) -> Result<Self, ReadError> {
        let column = start + text.len() - text.trim_start().len();
        binary::read(
            &binary::from_base64(text.trim())
                .map_err(|at| ReadError::field("", "is not Base64").at(1, column + at + 1))?,
        )
    }

    /// Takes a metric that may not be there yet.
    fn insert(&mut self, name: &str, value: f64) -> Result<(), ReadError> {
        if name.is_empty() || name.ends_with('.') {
            return Err(ReadError::field(name, "has no name"));
        }
        check(name, value)?;
        match self.metrics.entry(name.into()) {
            Entry::Vacant(entry) => entry.insert(value),
            Entry::Occupied(_) => return Err(ReadError::field(name, "is there twice")),
        };
        Ok(())
    }
}

fn check(name: &str, value: f64) -> Result<(), ReadError> {
    let share_or_rate = SHARES_AND_RATES.contains(&name) || name.starts_with("utilization.");
    match value {
        _ if !value.is_finite() => Err(ReadError::field(name, NO_NUMBER)),
        _ if value < 0.0 && share_or_rate => Err(ReadError::field(name, "is negative")),
        _ => Ok(()),
    }
}

const NO_NUMBER: &str = "is not a finite number";
const SHARES_AND_RATES: [&str; 6] =
    ["cpu_utilization", "mem_utilization", "application_utilization", "rps_fractional", "rps", "eps"];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn metrics(header: &str) -> Vec<(String, f64)> {
        Orca::parse(header).unwrap_or_else(|error| panic!("{header}: {error}")).metrics.into_iter().collect()
    }

    #[test]
    fn a_header_is_read_in_every_form() {
        let check = |header: &str, expected: &[(&str, f64)]| {
            let expected: Vec<_> = expected.iter().map(|(name, value)| (name.to_string(), *value)).collect();
            assert_eq!(metrics(header), expected, "{header}");
        };
        check("TEXT cpu_utilization=0.3", &[("cpu_utilization", 0.3)]);
        check("  TEXT  cpu_utilization = 0.3 ,, eps=0,\t", &[("cpu_utilization", 0.3), ("eps", 0.0)]);
        check(
            "TEXT cpu_utilization:1.7,utilization.gpu:0.5",
            &[("cpu_utilization", 1.7), ("utilization.gpu", 0.5)],
        );
        check("TEXT named_metrics.a:b=-2e3", &[("named_metrics.a:b", -2_000.0)]);
        check("TEXT queue=4", &[("queue", 4.0)]);
        check("TEXT", &[]);
        check("TEXT ,", &[]);
        check("BIN", &[]);
        check("BIN CTMzMzMzM9M/", &[("cpu_utilization", 0.3)]);
    }

    #[test]
    fn what_is_not_such_a_header_is_refused_with_its_place() {
        let check = |header: &str, expected: &str| {
            assert_eq!(Orca::parse(header).expect_err(header).to_string(), expected, "{header}");
        };
        check("", "column 1: does not start with TEXT, JSON or BIN");
        check("  cpu_utilization=0.3", "column 3: does not start with TEXT, JSON or BIN");
        check("text eps=1", "column 1: does not start with TEXT, JSON or BIN");
        check("TEXT eps=1, cpu", "column 13: cpu: has no value");
        check("TEXT eps=1, cpu_utilization=", "column 13: cpu_utilization: is not a finite number");
        check("TEXT cpu_utilization=30%", "column 6: cpu_utilization: is not a finite number");
        check("TEXT cpu_utilization=\"0.3\"", "column 6: cpu_utilization: is not a finite number");
        check("TEXT cpu_utilization=nan", "column 6: cpu_utilization: is not a finite number");
        check("TEXT   mem_utilization=-inf", "column 8: mem_utilization: is not a finite number");
        check("TEXT eps=1e999", "column 6: eps: is not a finite number");
        check("TEXT eps=1, eps=-0.5", "column 13: eps: is negative");
        check("TEXT utilization.gpu=-1", "column 6: utilization.gpu: is negative");
        check("TEXT eps=1,eps=1", "column 12: eps: is there twice");
        check("TEXT =1", "column 6: has no name");
        check("TEXT named_metrics.=1", "column 6: named_metrics.: has no name");
        check("BIN CTMzMz*z", "column 11: is not Base64");
        check("BIN CTMz", "byte 2 of the message: ends too early");
        #[cfg(not(feature = "json"))]
        check("JSON {}", "column 1: is JSON, which needs the feature `json`");
    }

    #[test]
    fn the_score_is_the_applications_own_or_the_processors() {
        let check = |header: &str, score: Option<f64>| {
            let report = Orca::parse(header).expect(header).report();
            assert_eq!(report, Report { score, ..Report::default() }, "{header}");
        };
        check("TEXT application_utilization=1.2, cpu_utilization=0.3", Some(1.2));
        check("TEXT application_utilization=0, cpu_utilization=0.3", Some(0.3));
        check("TEXT cpu_utilization=0.3, mem_utilization=0.9", Some(0.3));
        check("TEXT application_utilization=0, cpu_utilization=0", None);
        check("TEXT mem_utilization=0.9, named_metrics.gpu=0.5", None);
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(form in "(TEXT |JSON |BIN |)", rest in ".*") {
            let _: Result<_, ReadError> = Orca::parse(&(form + &rest));
        }

        #[test]
        fn any_list_is_read_or_refused(list in "[a-z_.=:, 0-9eE+-]*") {
            let _: Result<_, ReadError> = Orca::from_text(&list, 0);
        }
    }
}
