//! What came out, for people.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::compare::{Comparison, Row};
use super::needed::{Needed, Target};
use super::plan::Plan;
use super::policy::{BASELINE, ROUND_ROBIN};
use crate::estimate::Estimate;

/// The comparison as text for a terminal.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}: {}", comparison.scenario, comparison.about);
    let _ = writeln!(
        text,
        "{} x {:.0} min; load of the fleet {}; excess if shared perfectly {}",
        comparison.seeds.len(),
        comparison.measured_seconds / 60.0,
        percent(&comparison.load),
        percent(&comparison.bound),
    );
    let _ = writeln!(text, "{}", table(comparison));
    text
}

/// Several comparisons in a row each: excess of `call_load`, and what others have of it.
#[must_use]
pub fn summary(comparisons: &[Comparison]) -> String {
    let ran = |policy: &&&str| comparisons.iter().any(|comparison| comparison.row(policy).is_some());
    let others: Vec<_> = SUMMARY.iter().filter(ran).collect();
    let mut table = Table::new();
    let header = ["scenario".into(), format!("{BASELINE},\nexcess")];
    let ratios = others.iter().map(|policy| format!("{policy}\n/ {BASELINE}"));
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header.into_iter().chain(ratios));
    for comparison in comparisons {
        let excess = comparison.row(BASELINE).map_or("-".into(), |row| percent(&row.excess));
        let ratio = |policy: &&&str| ratio(comparison.row(policy).and_then(|row| row.excess_ratio.as_ref()));
        let figures = std::iter::once(excess).chain(others.iter().map(ratio));
        table.add_row(std::iter::once(Cell::new(&comparison.scenario)).chain(figures.map(right)));
    }
    format!("{table}\n")
}

/// The bridges that each policy needs as text for a terminal.
#[must_use]
pub fn needed(needed: &Needed) -> String {
    let mut table = Table::new();
    let header = ["policy".into(), "bridges".into(), format!("/ {BASELINE}"), format!("/ {ROUND_ROBIN}")];
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    for row in &needed.policies {
        let bridges = row.bridges.as_ref();
        let figures = [
            bridges.map_or(format!("> {}", needed.most), |bridges| plain(bridges, 2)),
            ratio(row.call_load_ratio.as_ref()),
            ratio(row.round_robin_ratio.as_ref()),
        ];
        table.add_row(std::iter::once(Cell::new(&row.policy)).chain(figures.map(right)));
    }
    format!(
        "{}: {}\n{} seeds; bridges needed so that {}; it has {}, each for {:.1} calls on average\n{table}\n",
        needed.scenario,
        needed.about,
        needed.seeds.len(),
        target(needed.target),
        needed.bridges,
        needed.calls_per_bridge,
    )
}

/// A plan as text for a terminal.
#[must_use]
pub fn plan(plan: &Plan) -> String {
    let Plan { demand, erlang, .. } = plan;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "policy",
        "bridges",
        "with spare",
        "scale up at",
    ]);
    let unknown = || "-".to_string();
    for row in &plan.policies {
        let figures = [
            row.bridges.as_ref().map_or("too many".into(), |bridges| plain(bridges, 2)),
            row.with_spare.map_or_else(unknown, |bridges| bridges.to_string()),
            row.scale_up_at.map_or_else(unknown, |load| format!("{:.1} %", 100.0 * load)),
        ];
        table.add_row(std::iter::once(Cell::new(&row.policy)).chain(figures.map(right)));
    }
    let slots = erlang.slots.map_or_else(unknown, |slots| slots.to_string());
    let bridges = erlang.bridges.map_or_else(unknown, |bridges| format!("{bridges:.2}"));
    format!(
        "{:.1} calls in progress ({:.0} per hour of {} s), bridges for {} calls each\n\
         Target: {}; simulated with {} seeds\n{table}\n\
         Spare for a lead time of {} s: {:.1} calls that come meanwhile and stay\n\
         Scale up at: calls in progress and spare / calls that the bridges carry\n\
         Erlang B, {} % blocked: {slots} places, {bridges} bridges, if all were one and calls cost the same\n",
        demand.calls,
        demand.calls_per_hour(),
        demand.mean_length,
        demand.calls_per_bridge,
        target(plan.target),
        plan.seeds.len(),
        demand.lead_time,
        plan.spare_calls,
        100.0 * erlang.blocking,
    )
}

fn target(target: Target) -> String {
    match target {
        Target::P99Load(load) => format!("bridge load, p99, is below {load}"),
        Target::Excess(share) => format!("less than {} % of the work is above capacity", 100.0 * share),
    }
}

fn table(comparison: &Comparison) -> Table {
    let watched = comparison.watched_bridge;
    let fails = comparison.policies.iter().any(|row| row.failed_first.mean > 0.0);
    let mut header =
        vec!["policy".into(), "excess".into(), format!("/ {BASELINE}"), "bridge load, p99".into()];
    if let Some(bridge) = watched {
        header.extend([format!("peak of bridge {bridge}"), format!("/ {BASELINE}")]);
    }
    if fails {
        header.extend(["failed first".into(), "refused".into()]);
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    for row in &comparison.policies {
        table.add_row(cells(row, watched.is_some(), fails));
    }
    table
}

fn cells(row: &Row, watched: bool, fails: bool) -> Vec<Cell> {
    let mut figures = vec![percent(&row.excess), ratio(row.excess_ratio.as_ref()), plain(&row.p99_load, 2)];
    if watched {
        let peak = row.peak.as_ref().map_or("-".into(), |peak| plain(peak, 2));
        figures.extend([peak, ratio(row.peak_ratio.as_ref())]);
    }
    if fails {
        figures.extend([percent(&row.failed_first), row.refused.to_string()]);
    }
    std::iter::once(Cell::new(&row.policy)).chain(figures.into_iter().map(right)).collect()
}

fn right(figure: String) -> Cell {
    Cell::new(figure).set_alignment(CellAlignment::Right)
}

fn ratio(ratio: Option<&Estimate>) -> String {
    ratio.map_or("-".into(), |ratio| plain(ratio, 3))
}

fn plain(estimate: &Estimate, decimals: usize) -> String {
    let interval = estimate.ci95.map(|ci95| format!(" ± {ci95:.decimals$}"));
    format!("{:.decimals$}{}", estimate.mean, interval.unwrap_or_default())
}

/// 0.0312 ± 0.0021 as 3.12 ± 0.21 %.
fn percent(estimate: &Estimate) -> String {
    let interval = estimate.ci95.map(|ci95| format!(" ± {:.2}", 100.0 * ci95));
    format!("{:.2}{} %", 100.0 * estimate.mean, interval.unwrap_or_default())
}

/// The policies that a summary compares with `call_load`.
const SUMMARY: [&str; 4] = ["load_score", "report+in_flight", "raw_least_score", "oracle"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_stands_only_where_there_is_one() {
        assert_eq!(percent(&Estimate::new(vec![0.015])), "1.50 %");
        assert_eq!(plain(&Estimate::new(vec![1.5, 1.5]), 1), "1.5 ± 0.0");
    }
}
