//! The reference of the book says what the code has: options with their defaults, metrics, events, errors.

use std::collections::BTreeMap;

use callsteer::{BeginError, CODES, Config, Destination, ReplicasConfig, ScalingConfig, Threshold, metrics};
use serde_json::{Value, json};

const CONFIG: &str = include_str!("../../../docs/config.md");
const METRICS: &str = include_str!("../../../docs/metrics.md");
const EVENTS: &str = include_str!("../../../docs/events.md");
const ERRORS: &str = include_str!("../../../docs/errors.md");

/// The rows of the tables of a page: their cells, without the headings.
fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

fn code(cell: &str) -> &str {
    cell.trim_matches('`')
}

/// What a section lists: names and, as JSON, defaults.
fn listed(page: &str, from: &str, to: &str) -> BTreeMap<String, Value> {
    let begin = page.find(from).unwrap_or_else(|| panic!("there is no {from:?}"));
    let section = page[begin..].split(to).next().unwrap();
    let default =
        |cell: &str| if cell.is_empty() { Value::Null } else { serde_json::from_str(cell).unwrap() };
    rows(section).map(|row| (code(row[0]).into(), default(code(row[1])))).collect()
}

/// An object as names with dots; what has options of its own has a row too, without a default.
fn flat(prefix: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    for (name, value) in value.as_object().unwrap() {
        let name = format!("{prefix}{name}");
        let options = value.as_object().filter(|object| !object.is_empty() && !object.contains_key("fixed"));
        into.insert(name.clone(), if options.is_some() { Value::Null } else { value.clone() });
        if options.is_some() {
            flat(&format!("{name}."), value, into);
        }
    }
}

fn compare(said: &BTreeMap<String, Value>, is: &BTreeMap<String, Value>) {
    for (name, value) in is {
        assert_eq!(said.get(name), Some(value), "docs/config.md and `{name}`, whose default is {value}");
    }
    let unknown: Vec<_> = said.keys().filter(|name| !is.contains_key(*name)).collect();
    assert!(unknown.is_empty(), "docs/config.md has {unknown:?}, which the code has not");
}

#[test]
fn every_option_and_its_default_stand_in_the_configuration() {
    let mut is = BTreeMap::new();
    flat("", &serde_json::to_value(Config::default()).unwrap(), &mut is);
    compare(&listed(CONFIG, "| `seed`", "## Scaling"), &is);

    let mut is = BTreeMap::new();
    let scaling = ScalingConfig::default();
    assert_eq!(scaling.threshold, Threshold::Fixed(0.9));
    flat("scaling.", &serde_json::to_value(scaling).unwrap(), &mut is);
    compare(&listed(CONFIG, "## Scaling", "## Replicas"), &is);

    let mut is = BTreeMap::new();
    flat("replicas.", &serde_json::to_value(ReplicasConfig::new("", 0)).unwrap(), &mut is);
    // Both must be said.
    for name in ["replicas.id", "replicas.epoch"] {
        is.insert(name.into(), Value::Null);
    }
    compare(&listed(CONFIG, "## Replicas", "## A destination"), &is);

    let mut is = BTreeMap::new();
    flat("", &serde_json::to_value(Destination::new("")).unwrap(), &mut is);
    // Both are what the owner says.
    for name in ["uri", "id"] {
        is.insert(name.into(), Value::Null);
    }
    compare(&listed(CONFIG, "## A destination", "## A whole file"), &is);
}

#[test]
fn the_whole_file_is_a_configuration() {
    let file = CONFIG.split("```json").nth(1).unwrap().split("```").next().unwrap();
    let config: Config = serde_json::from_str(file).unwrap();
    config.check().unwrap();
}

#[test]
fn every_metric_stands_in_the_reference() {
    let said: Vec<String> = rows(METRICS).map(|row| row.join(" | ")).collect();
    let labels =
        |labels: &[&str]| labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
    let is: Vec<String> = metrics::table()
        .map(|of| [&format!("`{}`", of.name), of.kind.as_str(), &labels(of.labels), of.help].join(" | "))
        .collect();
    assert!(said == is, "docs/metrics.md should have these rows:\n| {} |", is.join(" |\n| "));
}

#[test]
fn every_error_stands_in_the_reference() {
    let said: Vec<_> =
        rows(ERRORS).take_while(|row| row.len() == 2).map(|row| (code(row[0]), row[1])).collect();
    let is: Vec<String> = CODES.iter().map(|(code, meaning)| format!("| `{code}` | {meaning} |")).collect();
    assert!(said == CODES, "docs/errors.md should have these rows:\n{}", is.join("\n"));
}

#[test]
fn what_to_answer_a_caller_stands_in_the_reference() {
    let wait = std::time::Duration::from_secs(5);
    let errors = [
        BeginError::Full { retry_after: wait },
        BeginError::AllDown { retry_after: wait },
        BeginError::NoSuchSet { set: 1 },
        BeginError::TenantFull { retry_after: wait },
        BeginError::TooFast { retry_after: wait },
        BeginError::InvalidCall { field: "cost", rule: "" },
    ];
    let said: Vec<Vec<&str>> = rows(ERRORS).filter(|row| row.len() == 3).collect();
    let is = errors.map(|error| {
        let (status, retry_after) = error.answer();
        let with = if retry_after.is_some() { "yes" } else { "no" };
        [format!("`{}`", error.code()), status.to_string(), with.into()]
    });
    assert_eq!(said, is);
}

/// Read from the sources, as an enum cannot be walked.
#[test]
fn every_event_stands_in_the_reference() {
    let source = include_str!("../src/event.rs");
    let kinds = source.split("pub enum EventKind {").nth(1).unwrap().split("\n}\n").next().unwrap();
    let mut is: Vec<(String, Vec<&str>)> = Vec::new();
    for line in kinds.lines() {
        if let Some(name) = line.strip_prefix("    ").and_then(|line| line.strip_suffix(" {")) {
            is.push((snake_case(name), Vec::new()));
        } else if let Some(field) = line.strip_prefix("        ").filter(|field| !field.starts_with("///")) {
            is.last_mut().unwrap().1.push(field.split(':').next().unwrap());
        }
    }
    assert!(is.len() > 10 && is.contains(&("lost".into(), vec!["count"])), "{is:?}");
    let said: Vec<(String, Vec<&str>)> =
        rows(EVENTS).map(|row| (code(row[0]).into(), row[1].split(", ").map(code).collect())).collect();
    assert_eq!(said, is);
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[test]
fn a_default_that_differs_is_found() {
    let is = BTreeMap::from([("seed".to_owned(), json!(1))]);
    let said = listed(CONFIG, "| `seed`", "| `hash_key`");
    assert_eq!(said, BTreeMap::from([("seed".to_owned(), json!(0))]));
    assert!(std::panic::catch_unwind(|| compare(&said, &is)).is_err());
}
