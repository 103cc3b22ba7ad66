//! What came of a whole sweep, for machines. Its keys are described in `docs/sweep.md`.

use serde::Serialize;
use serde_json::Value;

use super::grid::Grid;
use crate::estimate::Estimate;
use crate::simulation::compare::{Comparison, Row};
use crate::simulation::figures::Figures;

/// What came of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Swept {
    /// The version of these keys: 1. New keys may be added to a version.
    pub schema: u32,
    /// The version of Callsteer.
    pub callsteer: String,
    /// The name of the grid.
    pub sweep: String,
    /// What it shows, in one line.
    pub about: String,
    /// The scenario that was changed.
    pub base: String,
    /// One simulation per cell, policy and seed.
    pub seeds: Vec<u64>,
    /// What was changed.
    pub axes: Vec<SweptAxis>,
    /// What each combination showed; the last axis changes first.
    pub cells: Vec<SweptCell>,
}

/// A key of the scenario and the values that it took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SweptAxis {
    /// The key.
    pub key: String,
    /// The values.
    pub values: Vec<Value>,
}

/// What one combination of values showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SweptCell {
    /// The value of each axis, in their order.
    pub values: Vec<Value>,
    /// How long was measured per simulation, in seconds.
    pub measured_seconds: f64,
    /// The bridge that was watched, counted from 1.
    pub watched_bridge: Option<usize>,
    /// Load of the fleet on average, as a share of its capacity.
    pub load: Estimate,
    /// The excess if every moment's load were shared in proportion to capacity: nobody can do better.
    pub bound: Estimate,
    /// The policies, in the order of the grid.
    pub policies: Vec<Row>,
}

impl Swept {
    /// Of what every task showed, in their order.
    pub(super) fn new(grid: &Grid, figures: Vec<Figures>) -> Self {
        let of_cell = grid.policies.len() * grid.seeds.len();
        let cells = grid.cells.iter().zip(figures.chunks(of_cell)).map(|(cell, figures)| {
            let runs: Vec<_> = figures.chunks(grid.seeds.len()).map(<[_]>::to_vec).collect();
            let showed = Comparison::new(&cell.scenario, &grid.policies, &grid.seeds, &runs);
            SweptCell {
                values: cell.values.clone(),
                measured_seconds: showed.measured_seconds,
                watched_bridge: showed.watched_bridge,
                load: showed.load,
                bound: showed.bound,
                policies: showed.policies,
            }
        });
        let axes =
            grid.axes.iter().map(|axis| SweptAxis { key: axis.key.clone(), values: axis.values.clone() });
        Self {
            schema: 1,
            callsteer: env!("CARGO_PKG_VERSION").into(),
            sweep: grid.name.clone(),
            about: grid.about.clone(),
            base: grid.base.clone(),
            seeds: grid.seeds.clone(),
            axes: axes.collect(),
            cells: cells.collect(),
        }
    }

    /// As JSON, with a newline at its end. The same results have the same bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("keys of its maps are texts") + "\n"
    }
}

/// A value as one writes it where nothing else stands: a text without quotes.
#[must_use]
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}
