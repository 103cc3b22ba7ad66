//! What came of a sweep, for people: the last axis across, everything else down.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::{Swept, plain};
use crate::simulation::table::percent;

/// The excess of each policy and cell as text for a terminal.
#[must_use]
pub fn render(swept: &Swept) -> String {
    let mut text = swept.sweep.clone();
    if !swept.about.is_empty() {
        let _ = write!(text, ": {}", swept.about);
    }
    let _ = writeln!(text, "\n{} with {} seeds; excess", swept.base, swept.seeds.len());
    let _ = writeln!(text, "{}", table(swept));
    text
}

fn table(swept: &Swept) -> Table {
    let mut table = Table::new();
    let Some((across, down)) = swept.axes.split_last() else { return table };
    let columns = across.values.iter().map(|value| format!("{}\n{}", name(&across.key), plain(value)));
    let header = down.iter().map(|axis| name(&axis.key).to_owned()).chain(["policy".into()]).chain(columns);
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    for cells in swept.cells.chunks(across.values.len()) {
        let Some(first) = cells.first() else { continue };
        for (number, row) in first.policies.iter().enumerate() {
            let values = first.values[..down.len()].iter().map(|value| right(plain(value)));
            let figures = cells.iter().map(|cell| right(percent(&cell.policies[number].excess)));
            table.add_row(values.chain([Cell::new(&row.policy)]).chain(figures));
        }
    }
    table
}

/// The key without its tables.
fn name(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn right(figure: String) -> Cell {
    Cell::new(figure).set_alignment(CellAlignment::Right)
}
