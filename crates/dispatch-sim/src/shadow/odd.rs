//! What of a recording does not fit together, counted.

use super::record::Selected;

/// What does not fit, counted, with the line or packet of the first.
#[derive(Default)]
pub(super) struct Odd {
    strangers: Option<(usize, usize, String)>,
    pub(super) repeated: usize,
    pub(super) placed_twice: usize,
    pub(super) orphans: usize,
}

impl Odd {
    /// A selection whose destination, or set, the list does not have.
    pub(super) fn stranger(&mut self, number: usize, selected: &Selected) {
        let uri = selected.destination.as_deref().unwrap_or("nobody");
        let set = selected.set.map(|set| format!(" of set {set}")).unwrap_or_default();
        let (count, ..) = self.strangers.get_or_insert_with(|| (0, number, format!("{uri}{set}")));
        *count += 1;
    }

    /// What to say of it.
    pub(super) fn notes(self, unfinished: usize) -> Vec<String> {
        let Self { strangers, repeated, placed_twice, orphans } = self;
        let mut notes = Vec::new();
        if let Some((count, number, uri)) = strangers {
            notes.push(format!("{count} selections are left out, as the list does not have where they went; the first is {uri} (line or packet {number})"));
        }
        for (count, what) in [
            (unfinished, "calls had no end: they last until the last moment"),
            (repeated, "INVITEs came again and went to the same destination"),
            (placed_twice, "INVITEs came again and were placed a second time, elsewhere"),
            (orphans, "ends, answers and failures are of calls that began before, or were not placed"),
        ] {
            if count > 0 {
                notes.push(format!("{count} {what}"));
            }
        }
        notes
    }
}
