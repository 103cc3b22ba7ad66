//! What came out, as CSV for a spreadsheet. Its columns are described in `docs/bench.md`.

use csv::Writer;

use crate::estimate::Estimate;
use crate::report::Report;
use crate::simulation::compare::{Comparison, Row};
use crate::sweep::{Swept, plain};

/// A row per policy, the most even one first.
#[must_use]
pub fn bench(report: &Report) -> String {
    let names = columns(&["max_over_mean", "cv", "busiest_p99"]);
    let header = text(["policy"]).chain(names).chain(text(["calls", "refused", "moved"]));
    sheet(
        header,
        report.policies.iter().map(|row| {
            let figures = [&row.max_over_mean, &row.cv, &row.busiest_p99].map(Some);
            let totals = [row.totals.calls, row.totals.refused, row.totals.moved];
            text([&*row.policy]).chain(numbers(figures)).chain(totals.map(|number| number.to_string()))
        }),
    )
}

/// A row per scenario and policy.
#[must_use]
pub fn simulate(comparisons: &[Comparison]) -> String {
    let header = text(["scenario", "policy"]).chain(simulated());
    let rows = comparisons.iter().flat_map(|comparison| {
        let row = |row: &Row| text([&*comparison.scenario, &row.policy]).chain(figures(row));
        comparison.policies.iter().map(row)
    });
    sheet(header, rows)
}

/// A row per cell of a grid and policy: the values of its axes, the policy, and its figures.
#[must_use]
pub fn sweep(swept: &Swept) -> String {
    let keys = swept.axes.iter().map(|axis| axis.key.clone());
    let rows = swept.cells.iter().flat_map(|cell| {
        let values = move || cell.values.iter().map(plain);
        cell.policies.iter().map(move |row| values().chain([row.policy.clone()]).chain(figures(row)))
    });
    sheet(keys.chain(text(["policy"])).chain(simulated()), rows)
}

/// The names of what simulations show of a policy.
fn simulated() -> impl Iterator<Item = String> {
    columns(&FIGURES).chain(text(["calls", "refused", "lost"]))
}

/// What they show.
fn figures(row: &Row) -> impl Iterator<Item = String> + use<> {
    let figures = [
        Some(&row.excess),
        row.excess_ratio.as_ref(),
        row.excess_of_oracle.as_ref(),
        Some(&row.overloaded),
        Some(&row.max_over_mean),
        row.max_over_mean_of_oracle.as_ref(),
        Some(&row.max_over_mean_p99),
        Some(&row.cv),
        row.cv_of_oracle.as_ref(),
        Some(&row.p99_load),
        row.peak.as_ref(),
        row.peak_ratio.as_ref(),
        Some(&row.failed_first),
        row.remapped.as_ref(),
    ];
    let totals = [row.calls, row.refused, row.lost].map(|number| number.to_string());
    numbers(figures).chain(totals)
}

fn sheet<H, R>(header: H, rows: impl Iterator<Item = R>) -> String
where
    H: Iterator<Item = String>,
    R: Iterator<Item = String>,
{
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(header).expect(IN_MEMORY);
    for row in rows {
        writer.write_record(row).expect(IN_MEMORY);
    }
    String::from_utf8(writer.into_inner().expect(IN_MEMORY)).expect("made of strings")
}

/// The names of figures, each followed by that of half the width of its interval.
fn columns<'a>(figures: &'a [&str]) -> impl Iterator<Item = String> + use<'a> {
    figures.iter().flat_map(|figure| [(*figure).to_owned(), format!("{figure}_ci95")])
}

/// Their values; what is not known is empty.
fn numbers<const N: usize>(figures: [Option<&Estimate>; N]) -> impl Iterator<Item = String> + use<N> {
    let text = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    figures
        .map(|figure| [text(figure.map(|of| of.mean)), text(figure.and_then(|of| of.ci95))])
        .into_iter()
        .flatten()
}

fn text<const N: usize>(words: [&str; N]) -> impl Iterator<Item = String> + use<N> {
    words.map(String::from).into_iter()
}

const FIGURES: [&str; 14] = [
    "excess",
    "excess_ratio",
    "excess_of_oracle",
    "overloaded",
    "max_over_mean",
    "max_over_mean_of_oracle",
    "max_over_mean_p99",
    "cv",
    "cv_of_oracle",
    "p99_load",
    "peak",
    "peak_ratio",
    "failed_first",
    "remapped",
];
const IN_MEMORY: &str = "memory takes rows of one length";
