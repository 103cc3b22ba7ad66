//! The axes of a grid: keys of a scenario, each with a list of values.

use std::ops::Range;

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// A key of a scenario and the values that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The key with its tables: "fleet.dispatchers".
    pub key: String,
    /// Its values, in the order of the file.
    pub values: Vec<Json>,
    path: Vec<String>,
    tomls: Vec<Value>,
    at: Range<usize>,
    values_at: Vec<Range<usize>>,
}

impl Axis {
    /// The scenario with the value of this number, which is one of its own.
    pub(super) fn set(&self, number: usize, scenario: &mut Table) {
        set(scenario, &self.path, self.tomls[number].clone());
    }

    /// The scenario with that value in a table where it may have been meant; the whole key.
    pub(super) fn elsewhere(&self, scenario: &Table) -> impl Iterator<Item = (String, Table)> {
        TABLES.into_iter().map(|table| {
            let path: Vec<String> = [table].map(String::from).into_iter().chain(self.path.clone()).collect();
            let mut scenario = scenario.clone();
            set(&mut scenario, &path, self.tomls[0].clone());
            (path.join("."), scenario)
        })
    }

    /// Where its key stands.
    pub(super) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// Where the value of this number stands.
    pub(super) fn value_at(&self, number: usize) -> Range<usize> {
        self.values_at[number].clone()
    }
}

/// The axes of a grid's file, which is TOML, in its order; otherwise where it is wrong, and why.
pub(super) fn read(text: &str, axes: &Table) -> Result<Vec<Axis>, (Range<usize>, &'static str)> {
    let file = DeTable::parse(text).map_err(|error| (error.span().unwrap_or_default(), "this is no TOML"))?;
    let Some(DeValue::Table(places)) = file.get_ref().get("axes").map(Spanned::get_ref) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    walk(places, axes, &[], &mut found)?;
    found.sort_by_key(|axis| axis.at.start);
    Ok(found)
}

fn walk(
    places: &DeTable<'_>,
    values: &Table,
    path: &[String],
    found: &mut Vec<Axis>,
) -> Result<(), (Range<usize>, &'static str)> {
    for (key, place) in places {
        let path: Vec<String> = path.iter().cloned().chain([key.get_ref().to_string()]).collect();
        match (place.get_ref(), values.get(&**key.get_ref())) {
            (DeValue::Table(places), Some(Value::Table(values))) => walk(places, values, &path, found)?,
            (DeValue::Array(places), Some(Value::Array(tomls))) => {
                let values_at: Vec<_> = places.iter().map(Spanned::span).collect();
                if tomls.is_empty() {
                    return Err((place.span(), "an axis has at least one value"));
                }
                if let Some(again) = (1..tomls.len()).find(|n| tomls[..*n].contains(&tomls[*n])) {
                    return Err((values_at[again].clone(), "this value stands twice"));
                }
                let json = |value| serde_json::to_value(value).unwrap_or_default();
                found.push(Axis {
                    key: path.join("."),
                    values: tomls.iter().map(json).collect(),
                    path,
                    tomls: tomls.clone(),
                    at: key.span(),
                    values_at,
                });
            }
            _ => return Err((place.span(), "an axis is a list of values, such as [1, 2]")),
        }
    }
    Ok(())
}

fn set(scenario: &mut Table, path: &[String], value: Value) {
    match path {
        [key] => drop(scenario.insert(key.clone(), value)),
        [table, rest @ ..] => {
            let inner = scenario.entry(table).or_insert_with(|| Table::new().into());
            if !inner.is_table() {
                *inner = Table::new().into();
            }
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
        [] => {}
    }
}

/// Tables of a scenario that have keys of their own.
const TABLES: [&str; 6] = ["fleet", "calls", "set_up", "reports", "watch", "measure"];
