//! What came out, for people.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::compare::{Comparison, Row};
use super::needed::{Needed, Target};
use super::plan::Plan;
use super::policy::{BASELINE, FAVOURITE, ROUND_ROBIN};
use super::summary::{NotAhead, Scenarios, Together};
use crate::estimate::Estimate;

/// The comparison as text for a terminal: the figures that it is about, or all of them.
#[must_use]
pub fn render(comparison: &Comparison, all: bool) -> String {
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
    if all {
        let _ = writeln!(text, "{}\n{}", evenness(comparison), fates(comparison));
    }
    text
}

/// Several comparisons in a row each: excess of `call_load`, and what others have of it; all of them
/// together; and where the favourite does not win.
#[must_use]
pub fn summary(came_out: &Scenarios) -> String {
    let Scenarios { summary, scenarios, .. } = came_out;
    let others: Vec<_> = SUMMARY.iter().filter(|policy| summary.of(policy).is_some()).collect();
    let mut table = Table::new();
    let header = ["scenario".into(), format!("{BASELINE},\nexcess")];
    let ratios = others.iter().map(|policy| format!("{}\n/ {BASELINE}", policy.replace('+', "+\n")));
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header.into_iter().chain(ratios));
    for comparison in scenarios {
        let excess = comparison.row(BASELINE).map_or("-".into(), |row| percent(&row.excess));
        let ratio = |policy: &&&str| {
            let ratio = comparison.row(policy).and_then(|row| row.excess_ratio.as_ref());
            ratio.map_or("-".into(), |ratio| plain(ratio, 2))
        };
        let figures = std::iter::once(excess).chain(others.iter().map(ratio));
        table.add_row(std::iter::once(Cell::new(&comparison.scenario)).chain(figures.map(right)));
    }
    let mean = |policy: &&&str| summary.of(policy).map_or("-".into(), together);
    let means = std::iter::once(String::new()).chain(others.iter().map(mean));
    table.add_row(std::iter::once(Cell::new("geometric mean")).chain(means.map(right)));
    let mut text = format!("{table}\n");
    if let (Some(max), Some(cv)) = (&summary.max_over_mean_of_oracle, &summary.cv_of_oracle) {
        let _ = writeln!(
            text,
            "\n{FAVOURITE} / oracle, geometric mean: max/mean load {}, CV of load {}",
            together(max),
            together(cv)
        );
    }
    if !summary.not_ahead.is_empty() {
        let _ = writeln!(text, "\nWhere {FAVOURITE} does not win:");
    }
    for entry in &summary.not_ahead {
        let _ = writeln!(text, "  {:18} {}", entry.scenario, reason(entry));
    }
    text
}

/// Why the favourite does not win there.
pub(crate) fn reason(NotAhead { figure, policy, favourite, other, .. }: &NotAhead) -> String {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let (what, number): (_, fn(f64) -> String) = match *figure {
        "peak" => ("peak of the watched bridge", |peak| format!("{peak:.2}")),
        "failed_first" => ("failed first attempts", percent),
        _ => ("excess", percent),
    };
    let (own, other) = (number(*favourite), number(*other));
    if policy == BASELINE && *figure == "excess" {
        format!("{what}: {own}, no clear difference to {other} with {policy}")
    } else {
        format!("{what}: {own}, with {policy} {other}")
    }
}

fn together(Together { mean, ci95, .. }: &Together) -> String {
    format!("{mean:.2}{}", ci95.map(|ci95| format!(" ± {ci95:.2}")).unwrap_or_default())
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
        "{}: {}\n{} seeds; bridges needed so that {};\nit has {}, each for {:.1} calls on average\n{table}\n",
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

/// What is to stay below which value.
pub(crate) fn target(target: Target) -> String {
    match target {
        Target::P99Load(load) => format!("bridge load, p99, is below {load}"),
        Target::Excess(share) => format!("less than {} % of the work is above capacity", 100.0 * share),
    }
}

fn table(comparison: &Comparison) -> Table {
    let watched = comparison.watched_bridge;
    let fails = comparison.policies.iter().any(|row| row.failed_first.mean > 0.0 || row.refused > 0);
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

/// How even the load was, and how near to the oracle that is.
fn evenness(comparison: &Comparison) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "policy",
        "max/mean load",
        "/ oracle",
        "max/mean,\np99",
        "CV of load",
        "/ oracle",
        "excess\n/ oracle",
    ]);
    for row in &comparison.policies {
        let figures = [
            plain(&row.max_over_mean, 2),
            ratio(row.max_over_mean_of_oracle.as_ref()),
            plain(&row.max_over_mean_p99, 2),
            plain(&row.cv, 3),
            ratio(row.cv_of_oracle.as_ref()),
            ratio(row.excess_of_oracle.as_ref()),
        ];
        table.add_row(std::iter::once(Cell::new(&row.policy)).chain(figures.map(right)));
    }
    table
}

/// What became of the calls.
fn fates(comparison: &Comparison) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "policy",
        "overloaded\ncall-seconds",
        "calls",
        "failed first",
        "refused",
        "lost",
        "remapped",
    ]);
    for row in &comparison.policies {
        let figures = [
            plain(&row.overloaded, 0),
            row.calls.to_string(),
            percent(&row.failed_first),
            row.refused.to_string(),
            row.lost.to_string(),
            row.remapped.as_ref().map_or("-".into(), percent),
        ];
        table.add_row(std::iter::once(Cell::new(&row.policy)).chain(figures.map(right)));
    }
    table
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
pub(crate) fn percent(estimate: &Estimate) -> String {
    let interval = estimate.ci95.map(|ci95| format!(" ± {:.2}", 100.0 * ci95));
    format!("{:.2}{} %", 100.0 * estimate.mean, interval.unwrap_or_default())
}

/// The policies that a summary compares with `call_load`.
pub(crate) const SUMMARY: [&str; 4] = [FAVOURITE, "report+in_flight", "raw_least_score", "oracle"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_stands_only_where_there_is_one() {
        assert_eq!(percent(&Estimate::new(vec![0.015])), "1.50 %");
        assert_eq!(plain(&Estimate::new(vec![1.5, 1.5]), 1), "1.5 ± 0.0");
    }
}
