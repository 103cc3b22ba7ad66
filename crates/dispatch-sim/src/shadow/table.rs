//! What came out of a shadow, for people.

use std::fmt::Write;

use callsteer::kamailio::numbers;
use comfy_table::{Cell, CellAlignment, Table, presets};

use super::report::{Agreement, BalanceRow, CallRow, Report, SetReport};
use crate::table::thousands;

/// The report as text for a terminal, with at most so many calls of each set.
#[must_use]
pub fn render(report: &Report, calls: usize) -> String {
    let mut text = String::new();
    let all: usize = report.sets.iter().map(|set| set.calls.len()).sum();
    let _ = writeln!(text, "{}: {} calls in {:.0} s", report.source, thousands(all as u64), report.seconds);
    for note in &report.notes {
        let _ = writeln!(text, "  - {note}");
    }
    for set in &report.sets {
        of_set(set, calls, &mut text);
    }
    text
}

fn of_set(set: &SetReport, calls: usize, text: &mut String) {
    let _ =
        writeln!(text, "\nSet {}: {} calls, {}", set.set, thousands(set.calls.len() as u64), algorithm(set));
    for agreement in &set.agreement {
        let _ = writeln!(text, "  {}", in_words(agreement));
    }
    let shown = set.calls.len().min(calls);
    let groups = groups(set);
    if shown > 0 {
        let _ = writeln!(text, "\n{}", calls_table(&set.calls[..shown], &groups));
    }
    if shown < set.calls.len() {
        let _ = writeln!(
            text,
            "{} more calls: --calls N shows them, --json has them all",
            set.calls.len() - shown
        );
    }
    let row = |group: &Vec<&str>| {
        let row = set.balance.iter().find(|row| group.first() == Some(&&*row.policy))?.clone();
        Some(BalanceRow { policy: group.join(", "), ..row })
    };
    let rows: Vec<BalanceRow> =
        set.balance.first().cloned().into_iter().chain(groups.iter().filter_map(row)).collect();
    let _ = writeln!(text, "\n{}\n\n{}", balance_table(&rows), destinations_table(&rows));
}

fn algorithm(set: &SetReport) -> String {
    let name = |number: u16| numbers::number(number).map_or("no algorithm", |known| known.kamailio);
    match (set.algorithm, set.algorithm_said, &*set.agreement) {
        (_, true, [_, _, ..]) => "several of Kamailio's algorithms".into(),
        (Some(number), true, _) => format!("Kamailio's algorithm {number} ({})", name(number)),
        (Some(number), false, _) => {
            format!("which look like Kamailio's algorithm {number} ({})", name(number))
        }
        (None, ..) => "which look like none of Kamailio's algorithms that can be judged call by call".into(),
    }
}

fn in_words(agreement: &Agreement) -> String {
    let Agreement { algorithm, calls, agree, failovers, failovers_agree, misplaced } = agreement;
    if let Some(share) = misplaced {
        return format!(
            "model of {algorithm}: chance decides; by their number {:.1} % of the calls are elsewhere",
            100.0 * share
        );
    }
    if *calls == 0 {
        return format!("model of {algorithm}: no call that can be judged");
    }
    let moves = match failovers {
        0 => String::new(),
        _ => format!(", in {failovers_agree} of {failovers} moves by failing over"),
    };
    let share = 100.0 * *agree as f64 / *calls as f64;
    format!("model of {algorithm}: agrees in {agree} of {calls} calls ({share:.1} %){moves}")
}

fn calls_table(calls: &[CallRow], groups: &[Vec<&str>]) -> Table {
    let mut table = new_table();
    let header = ["at, s", "Call-ID", "kamailio", "model"].map(str::to_owned);
    table.set_header(header.into_iter().chain(groups.iter().map(|group| group.join("\n"))));
    for call in calls {
        let model = match (&call.model, call.agrees) {
            (_, Some(true)) => "the same".into(),
            (Some(id), Some(false)) => format!("not: {id}"),
            (None, Some(false)) => "not: nobody".into(),
            (_, None) => "?".into(),
        };
        let kamailio = if call.kamailio.is_empty() { "nobody".into() } else { call.kamailio.join(" > ") };
        let ours = groups.iter().map(|group| {
            let choice = group.first().and_then(|name| call.ours.get(*name)).cloned().flatten();
            choice.unwrap_or("nobody".into())
        });
        let head = [format!("{:.1}", call.at), short(&call.call_id), kamailio, model];
        table.add_row(head.into_iter().chain(ours));
    }
    table
}

/// Policies that did the same with every call stand together: equal weights make `weighted` round robin.
fn groups(set: &SetReport) -> Vec<Vec<&str>> {
    let mut groups: Vec<Vec<&BalanceRow>> = Vec::new();
    for row in set.balance.iter().skip(1) {
        let is_same = |one: &&BalanceRow| {
            one.destinations == row.destinations
                && set.calls.iter().all(|call| call.ours.get(&one.policy) == call.ours.get(&row.policy))
        };
        match groups.iter_mut().find(|group| group.first().is_some_and(is_same)) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups.iter().map(|group| group.iter().map(|row| &*row.policy).collect()).collect()
}

fn balance_table(rows: &[BalanceRow]) -> Table {
    let mut table = new_table();
    table.set_header([
        "policy",
        "max/mean load",
        "CV of load",
        "busiest, p99",
        "refused",
        "moved",
        "as Kamailio",
    ]);
    for row in rows {
        let figures = [
            format!("{:.2}", row.max_over_mean),
            format!("{:.3}", row.cv),
            format!("{:.0}", row.busiest_p99),
            thousands(row.refused as u64),
            thousands(row.moved),
            format!("{:.0} %", 100.0 * row.same),
        ];
        table.add_row(std::iter::once(Cell::new(&row.policy)).chain(figures.into_iter().map(right)));
    }
    table
}

/// Calls placed, and calls in progress on average and at most, by destination.
fn destinations_table(rows: &[BalanceRow]) -> Table {
    let mut table = new_table();
    let ids = rows.first().map(|row| row.destinations.iter().map(|one| one.id.clone())).into_iter().flatten();
    table.set_header(std::iter::once("calls (mean, peak)".to_owned()).chain(ids));
    for row in rows {
        let figures = row
            .destinations
            .iter()
            .map(|one| format!("{} ({:.1}, {})", thousands(one.calls), one.mean, one.peak));
        table.add_row(std::iter::once(Cell::new(&row.policy)).chain(figures.map(right)));
    }
    table
}

fn new_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table
}

fn right(figure: String) -> Cell {
    Cell::new(figure).set_alignment(CellAlignment::Right)
}

fn short(call_id: &str) -> String {
    match call_id.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &call_id[..at]),
        None => call_id.into(),
    }
}

/// Characters of a Call-ID that are shown.
const MOST: usize = 14;
