//! What came out: timings, claims, and how both are written.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::measure::Timing;

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) measured: Vec<Measured>,
    pub(crate) claims: Vec<Claim>,
}

/// One case at one size.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) suite: &'static str,
    pub(crate) case: String,
    /// Members, or calls in progress.
    pub(crate) n: usize,
    /// The median of all turns.
    pub(crate) nanos: f64,
    /// The least of them.
    pub(crate) least: f64,
}

/// Something that must be so.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Claim {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// At most, or at least.
    pub(crate) limit: f64,
    pub(crate) at_least: bool,
    pub(crate) holds: bool,
}

impl Report {
    pub(crate) fn add(&mut self, suite: &'static str, n: usize, timings: &[Timing]) {
        let measured = |timing: &Timing| {
            let (nanos, least) = (timing.nanos(), timing.least());
            Measured { suite, case: timing.name.clone(), n, nanos, least }
        };
        self.measured.extend(timings.iter().map(measured));
    }

    /// One case is at most so many times another of the same group.
    pub(crate) fn at_most(&mut self, n: usize, timings: &[Timing], ours: &str, limit: f64, other: &str) {
        let find = |name: &str| timings.iter().find(|timing| timing.name == name);
        let (Some(a), Some(b)) = (find(ours), find(other)) else { return };
        self.claim(format!("N = {n}: {ours} / {other}"), a.ratio(b), "x", limit, false);
    }

    pub(crate) fn claim(&mut self, what: String, value: f64, unit: &'static str, limit: f64, at_least: bool) {
        let holds = if at_least { value >= limit } else { value <= limit };
        self.claims.push(Claim { what, value, unit, limit, at_least, holds });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = plain(["suite", "case", "N", "ns, median", "least"]);
        for Measured { suite, case, n, nanos, least } in &self.measured {
            table.add_row([
                (*suite).to_string(),
                case.clone(),
                n.to_string(),
                figure(*nanos),
                figure(*least),
            ]);
        }
        right(&mut table, &[2, 3, 4]);
        writeln!(f, "{table}\n")?;
        let mut table = plain(["claim", "is", "must be", ""]);
        for Claim { what, value, unit, limit, at_least, holds } in &self.claims {
            let bound = format!("{} {} {unit}", if *at_least { ">=" } else { "<=" }, short(*limit));
            let verdict = if *holds { "" } else { "MISSED" };
            table.add_row([what.clone(), format!("{} {unit}", short(*value)), bound, verdict.into()]);
        }
        right(&mut table, &[1, 2]);
        let missed = self.claims.iter().filter(|claim| !claim.holds).count();
        write!(f, "{table}\n\n{} claims, {missed} missed", self.claims.len())
    }
}

fn plain<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    table
}

fn right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Nanoseconds, to three figures or so.
fn figure(nanos: f64) -> String {
    if nanos < 100.0 { format!("{nanos:.1}") } else { format!("{nanos:.0}") }
}

fn short(value: f64) -> String {
    if value < 0.1 {
        format!("{value:.4}")
    } else if value < 100.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}
