//! Metrics: one table of names, help texts and labels, and their values as Prometheus text.

use alloc::string::String;
use core::fmt::Write;

use crate::destination::Destination;
use crate::dispatcher::{Capacity, Dispatcher, Status};
use crate::health::Observed;
use crate::member::Will;
use crate::standing::Standing;
use crate::stats::Stats;

/// A metric: what its samples mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, with the unit as Prometheus wants it.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: MetricKind,
    /// The labels of its samples.
    pub labels: &'static [&'static str],
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, from 0 on, while the dispatcher lives.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl MetricKind {
    /// Its name in the text format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// Every metric, in the order in which they are written.
pub fn table() -> impl Iterator<Item = Metric> {
    let totals = TOTALS.iter().map(|(metric, _)| *metric);
    let of_destinations = OF_DESTINATIONS.iter().map(|(metric, _)| *metric);
    let of_sets = OF_SETS.iter().map(|(metric, _)| *metric);
    totals.chain(of_destinations).chain(of_sets)
}

/// All metrics of a dispatcher, as of the last time seen, in the Prometheus text format 0.0.4. Every
/// destination is always listed, also one that is switched off or down.
#[must_use]
pub fn prometheus(dispatcher: &Dispatcher) -> String {
    let mut text = String::new();
    let stats = dispatcher.stats();
    for (metric, samples) in TOTALS {
        head(&mut text, metric);
        for (value, count) in samples(&stats) {
            sample(&mut text, metric, &[value], count as f64);
        }
    }
    for (metric, value) in OF_DESTINATIONS {
        head(&mut text, metric);
        for (_, destination, status) in dispatcher.iter() {
            for (label, value) in value(destination, &status) {
                let set = alloc::format!("{}", status.set);
                sample(&mut text, metric, &[&set, &destination.id, label], value);
            }
        }
    }
    for (metric, value) in OF_SETS {
        head(&mut text, metric);
        for (set, capacity) in dispatcher.sets().filter_map(|set| Some((set, dispatcher.capacity(set)?))) {
            if let Some(value) = value(&capacity) {
                sample(&mut text, metric, &[&alloc::format!("{set}")], value);
            }
        }
    }
    text
}

type Labelled<T> = alloc::vec::Vec<(&'static str, T)>;
type Total = (Metric, fn(&Stats) -> Labelled<u64>);
type OfDestination = (Metric, fn(&Destination, &Status) -> Labelled<f64>);
type OfSet = (Metric, fn(&Capacity) -> Option<f64>);

const TOTALS: &[Total] = &[
    (counter("callsteer_decisions_total", "Answers to new calls, by outcome.", &["outcome"]), |stats| {
        alloc::vec![
            ("placed", stats.begun),
            ("repeated", stats.repeated),
            ("full", stats.refused_full),
            ("all_down", stats.refused_all_down),
            ("no_such_set", stats.refused_no_such_set),
            ("tenant_full", stats.refused_tenant_full),
            ("too_fast", stats.refused_too_fast),
            ("invalid_call", stats.refused_invalid_call),
        ]
    }),
    (counter("callsteer_calls_over_total", "Calls that are over, by how they ended.", &["how"]), |stats| {
        alloc::vec![("ended", stats.ended), ("expired", stats.expired), ("healed", stats.healed)]
    }),
    (counter("callsteer_confirmed_total", "Calls confirmed.", &[]), |stats| one(stats.confirmed)),
    (counter("callsteer_failures_total", "Failures of calls at a destination.", &[]), |stats| {
        one(stats.failed)
    }),
    (counter("callsteer_moves_total", "Moves of calls to another destination.", &[]), |stats| {
        one(stats.moved)
    }),
    (
        counter("callsteer_adopted_total", "Calls found by reconciliation that nobody counted.", &[]),
        |stats| one(stats.adopted),
    ),
    (counter("callsteer_leaks_healed_total", "Calls counted that were not there any more.", &[]), |stats| {
        one(stats.healed)
    }),
    (counter("callsteer_panic_picks_total", "Calls placed while health was ignored.", &[]), |stats| {
        one(stats.panics)
    }),
    (
        counter("callsteer_reports_total", "Reports of load, by whether they counted.", &["outcome"]),
        |stats| alloc::vec![("taken", stats.reports), ("refused", stats.reports_refused)],
    ),
    (gauge("callsteer_calls", "Calls in progress.", &[]), |stats| one(u64::from(stats.calls))),
];

const OF_DESTINATIONS: &[OfDestination] = &[
    (gauge("callsteer_destination_calls", "Calls in progress there.", DESTINATION), |_, status| {
        one(f64::from(status.calls))
    }),
    (gauge("callsteer_destination_load", "Sum of the costs of these calls.", DESTINATION), |_, status| {
        one(status.load as f64)
    }),
    (counter("callsteer_destination_placed_total", "Calls placed there.", DESTINATION), |_, status| {
        one(status.placed as f64)
    }),
    (gauge("callsteer_destination_weight", "Its weight.", DESTINATION), |destination, _| {
        one(f64::from(destination.weight))
    }),
    (
        gauge("callsteer_destination_max_calls", "Calls at most; 0 is no limit.", DESTINATION),
        |destination, _| one(f64::from(destination.max_calls)),
    ),
    (gauge("callsteer_destination_up", "Whether probes find it up.", DESTINATION), |_, status| {
        one(f64::from(u8::from(status.observed != Observed::Inactive)))
    }),
    (
        gauge("callsteer_destination_enabled", "Whether the operator wants it to take calls.", DESTINATION),
        |_, status| one(f64::from(u8::from(status.will == Will::Enabled))),
    ),
    (
        gauge("callsteer_destination_standing", "1 for how it stands: a candidate, or why not.", STANDING),
        |_, status| {
            let of = |standing: Standing| f64::from(u8::from(standing == status.standing));
            Standing::ALL.iter().map(|standing| (standing.as_str(), of(*standing))).collect()
        },
    ),
    (counter("callsteer_destination_ejections_total", "Times it was ejected.", DESTINATION), |_, status| {
        one(status.ejected as f64)
    }),
    (
        gauge(
            "callsteer_destination_score",
            "Its last score, over a minute or more if it says so.",
            DESTINATION,
        ),
        |_, status| status.score.map(|score| ("", score)).into_iter().collect(),
    ),
];

const OF_SETS: &[OfSet] = &[
    (gauge("callsteer_set_load", "Load of a set, in calls or in score * weight.", &["set"]), |capacity| {
        Some(capacity.usage.load)
    }),
    (gauge("callsteer_set_capacity", "Load that a set can carry.", &["set"]), |capacity| {
        Some(capacity.usage.capacity)
    }),
    (
        gauge(
            "callsteer_set_utilisation_ratio",
            "Load / capacity; 1 where nobody can carry anything.",
            &["set"],
        ),
        |c| Some(c.utilisation),
    ),
    (
        gauge("callsteer_set_desired_destinations", "Destinations that a set should have.", &["set"]),
        |capacity| capacity.desired.map(f64::from),
    ),
];

const DESTINATION: &[&str] = &["set", "destination"];
const STANDING: &[&str] = &["set", "destination", "standing"];

const fn counter(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Metric {
    Metric { name, help, kind: MetricKind::Counter, labels }
}

const fn gauge(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Metric {
    Metric { name, help, kind: MetricKind::Gauge, labels }
}

fn one<T>(value: T) -> Labelled<T> {
    alloc::vec![("", value)]
}

fn head(text: &mut String, metric: &Metric) {
    let Metric { name, help, kind, .. } = metric;
    let _never_fails = write!(text, "# HELP {name} {help}\n# TYPE {name} {}\n", kind.as_str());
}

/// Writes one sample; of the values, as many count as the metric has labels.
fn sample(text: &mut String, metric: &Metric, values: &[&str], value: f64) {
    text.push_str(metric.name);
    for (index, (label, value)) in metric.labels.iter().zip(values).enumerate() {
        text.push(if index == 0 { '{' } else { ',' });
        let _never_fails = write!(text, "{label}=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    if !metric.labels.is_empty() {
        text.push('}');
    }
    let _never_fails = writeln!(text, " {value}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Config, Report, ScalingConfig, Time};
    use alloc::string::ToString;
    use alloc::vec::Vec;

    fn dispatcher() -> Dispatcher {
        let config = Config { scaling: Some(ScalingConfig::default()), ..Config::default() };
        let mut dispatcher = Dispatcher::new(config).unwrap();
        let now = Time::from_secs(1);
        let odd = Destination { max_calls: 4, ..Destination::new("sip:\"odd\"\\\nname") };
        let odd = dispatcher.add(7, odd, now).unwrap();
        let off = dispatcher.add(7, Destination::new("off"), now).unwrap();
        dispatcher.set_enabled(off, false, now).unwrap();
        dispatcher.begin(&Call { set: 7, ..Call::new(b"a") }, now).unwrap();
        dispatcher.report(odd, Report::score(0.5), now).unwrap();
        assert!(dispatcher.begin(&Call::new(b"b"), Time::from_secs(3)).is_err());
        dispatcher
    }

    #[test]
    fn every_metric_has_a_unique_name_and_its_samples_have_its_labels() {
        let text = prometheus(&dispatcher());
        let mut names: Vec<_> = table().map(|metric| metric.name).collect();
        for metric in table() {
            assert_eq!(metric.kind == MetricKind::Counter, metric.name.ends_with("_total"), "{metric:?}");
            let samples: Vec<_> =
                text.lines().filter(|line| line.split(['{', ' ']).next() == Some(metric.name)).collect();
            assert!(!samples.is_empty(), "{}", metric.name);
            for sample in samples {
                let labels = sample.matches("=\"").count();
                assert_eq!(labels, metric.labels.len(), "{sample}");
            }
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table().count());
    }

    #[test]
    fn values_and_odd_names_are_written_as_prometheus_reads_them() {
        let text = prometheus(&dispatcher());
        let odd = r#"{set="7",destination="sip:\"odd\"\\\nname"}"#;
        for line in [
            "# TYPE callsteer_decisions_total counter".to_string(),
            "callsteer_decisions_total{outcome=\"placed\"} 1".to_string(),
            "callsteer_decisions_total{outcome=\"no_such_set\"} 1".to_string(),
            "callsteer_calls 1".to_string(),
            alloc::format!("callsteer_destination_calls{odd} 1"),
            alloc::format!("callsteer_destination_score{odd} 0.5"),
            "callsteer_destination_calls{set=\"7\",destination=\"off\"} 0".to_string(),
            "callsteer_destination_enabled{set=\"7\",destination=\"off\"} 0".to_string(),
            "callsteer_destination_standing{set=\"7\",destination=\"off\",standing=\"disabled\"} 1"
                .to_string(),
            "callsteer_set_utilisation_ratio{set=\"7\"} 0.5".to_string(),
            "callsteer_set_desired_destinations{set=\"7\"} 1".to_string(),
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("NaN"));
    }
}
