//! What came out, for people: the workload, the table, the answer.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::estimate::Estimate;
use crate::report::{BridgeSummary, Report, Row, WorkloadSummary};
use crate::simulation::summary::Scenarios;
use crate::simulation::table::summary;

/// The report as text for a terminal, 100 columns wide.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    let workload = &report.workload;
    let _ = writeln!(text, "{}", textwrap::fill(&headline(workload, report.seeds.len()), WIDTH));
    for note in &workload.notes {
        let bullet = textwrap::Options::new(WIDTH).initial_indent("  - ").subsequent_indent("    ");
        let _ = writeln!(text, "{}", textwrap::fill(note, bullet));
    }
    let _ = writeln!(text, "\n{}\n", table(&report.policies));
    let _ = writeln!(text, "{}\n", textwrap::fill(LEGEND, WIDTH));
    let _ = writeln!(text, "{}", textwrap::fill(&report.answer, WIDTH));
    text
}

/// Scenarios of bursts, reports and faults as text for a terminal.
#[must_use]
pub fn scenarios(scenarios: &Scenarios) -> String {
    let seeds = scenarios.scenarios.first().map_or(0, |comparison| comparison.seeds.len());
    let mut text = textwrap::fill(SCENARIOS, WIDTH);
    let _ =
        write!(text, "\n{seeds} seeds; more of each: callsteer simulate NAME\n\n{}\n", summary(scenarios));
    for needed in &scenarios.bridges_needed {
        text += &crate::simulation::table::needed(needed);
    }
    text
}

pub(crate) fn headline(workload: &WorkloadSummary, replays: usize) -> String {
    let calls: u64 = workload.classes.iter().map(|class| class.calls).sum();
    format!(
        "{}: {}, {:.0} calls in progress on average, {} calls in {replays} x {:.0} min",
        workload.name,
        fleet(&workload.bridges),
        workload.calls_in_progress,
        thousands(calls),
        workload.measured_seconds / 60.0,
    )
}

/// "16 equal bridges for up to 24.1 average calls each".
pub(crate) fn fleet(bridges: &[BridgeSummary]) -> String {
    let n = bridges.len();
    let Some(first) = bridges.first() else { return "no bridges".into() };
    if bridges.iter().any(|bridge| bridge != first) {
        let weights = bridges.iter().map(|bridge| bridge.weight.to_string()).collect::<Vec<_>>().join(", ");
        let capacity: Option<f64> = bridges.iter().map(|bridge| bridge.capacity).sum();
        let together = capacity.map(|load| format!(" for up to {load:.0} average calls together"));
        return format!("{n} bridges of weights {weights}{}", together.unwrap_or_default());
    }
    let each = first.capacity.map(|load| format!(" for up to {load:.1} average calls each"));
    format!("{n} equal bridges{}", each.unwrap_or_default())
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "policy",
        "max/mean load",
        "CV of load",
        "busiest bridge, p99\n(average calls)",
        "calls\nrefused",
        "calls\nmoved",
    ]);
    for row in rows {
        let figures = [
            estimate(&row.max_over_mean, 2),
            estimate(&row.cv, 3),
            estimate(&row.busiest_p99, 1),
            thousands(row.totals.refused),
            thousands(row.totals.moved),
        ];
        let figures = figures.into_iter().map(|figure| Cell::new(figure).set_alignment(CellAlignment::Right));
        table.add_row(std::iter::once(Cell::new(&row.policy)).chain(figures));
    }
    table
}

fn estimate(estimate: &Estimate, decimals: usize) -> String {
    let interval = estimate.ci95.map(|ci95| format!(" ± {ci95:.decimals$}"));
    format!("{:.decimals$}{}", estimate.mean, interval.unwrap_or_default())
}

/// 39310 as 39,310.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

const WIDTH: usize = 100;

const SCENARIOS: &str = "With bursts of tool calls, reports of load and faults: how much of the work is above the \
capacity of its bridge (excess) with call_load, and what others leave of that. oracle knows every call; it, \
report+in_flight and raw_least_score are references and cannot be chosen.";

const LEGEND: &str = "Load: cost of a bridge's calls in progress, 1 being an average call. Max/mean and CV \
(coefficient of variation) are over the bridges, averaged over time; 1 and 0 are even. ±: 95 % interval over the \
replays. Every policy gets the same calls. call_load counts calls, call_load+costs is told what each costs. Among \
equal bridges priority takes turns, as round_robin does, and so does weighted, but for a bridge that warms up.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            [0, 999, 1_000, 39_310, 1_234_567].map(thousands),
            ["0", "999", "1,000", "39,310", "1,234,567"]
        );
    }

    #[test]
    fn an_interval_stands_only_where_there_is_one() {
        assert_eq!(estimate(&Estimate::new(vec![1.5]), 2), "1.50");
        assert_eq!(estimate(&Estimate::new(vec![1.5, 1.5]), 1), "1.5 ± 0.0");
    }
}
