//! dispatcher.list: the text file in which Kamailio keeps its destinations, read, checked and written.

mod attrs;
mod kamailio;
mod line;
mod lint;
mod parse;
mod uri;
mod weights;
mod write;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::config::SetId;
use crate::destination::Destination;
use crate::error::{AddError, UpdateError};

pub use lint::{LINTS, Lint, Severity, lint};
pub use parse::{ERRORS, Mode, ParseError, ParseErrorKind, parse};
pub use write::write;

/// A dispatcher.list: every line of it, comments included.
///
/// ```
/// use callsteer::Destination;
/// use callsteer::list::{List, Mode, lint, parse, write};
///
/// let file = b"# bridges\n1 sip:10.0.0.1:5060 0 0 duid=b1;weight=60 # old\n1 sip:10.0.0.2 8 0 duid=b2\n";
/// let mut list = parse(file, Mode::Strict)?;
/// assert_eq!(write(&list), file);
/// assert_eq!(list.destinations()[0].1.weight, 60);
/// assert_eq!(lint(&list)[0].code, "first_without_weight");
///
/// list.update(1, Destination { id: "b2".into(), weight: 40, ..Destination::new("sip:10.0.0.2") })?;
/// assert!(write(&list).ends_with(b"1 sip:10.0.0.2 0 0 duid=b2;weight=40\n"));
///
/// let error = parse(b"1 sip:10.0.0.1 8junk\n", Mode::Strict).unwrap_err();
/// assert_eq!((error.line, error.column, error.code()), (1, 16, "invalid_flags"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    lines: Vec<Line>,
    skipped: Vec<ParseError>,
}

impl List {
    /// A list without lines.
    #[must_use]
    pub const fn new() -> Self {
        Self { lines: Vec::new(), skipped: Vec::new() }
    }

    /// Adds a destination as a last line, in the canonical form. The line ends as the first one does.
    ///
    /// # Errors
    /// The set has this id, or a value cannot be written so that it is read back as it is.
    pub fn push(&mut self, set: SetId, destination: Destination) -> Result<(), AddError> {
        if self.entries().any(|entry| entry.is(set, &destination.id)) {
            return Err(AddError::Duplicate { set, id: destination.id });
        }
        let mut text = write::canonical(set, &destination).map_err(AddError::Invalid)?;
        let end = self.line_end();
        if let Some(last) = self.lines.last_mut() {
            last.finish(end);
        }
        text.push_str(end);
        let line = self.lines.len() + 1;
        self.lines.push(Line::Entry(Entry { line, set, destination, text }));
        Ok(())
    }

    /// Gives the destination with this id a new description; its line is written anew, in the
    /// canonical form, and keeps its comment and its end.
    ///
    /// # Errors
    /// The set has no such id, or a value cannot be written so that it is read back as it is.
    pub fn update(&mut self, set: SetId, destination: Destination) -> Result<(), UpdateError> {
        let entry = self.lines.iter_mut().find_map(|line| match line {
            Line::Entry(entry) if entry.is(set, &destination.id) => Some(entry),
            _ => None,
        });
        let entry = entry.ok_or(UpdateError::NoSuchDestination)?;
        let mut text = write::canonical(set, &destination).map_err(UpdateError::Invalid)?;
        if let Some(comment) = line::read(entry.text()).ok().flatten().and_then(|fields| fields.comment) {
            text.push(' ');
            text.push_str(comment.text);
        }
        text.push_str(entry.end());
        entry.text = text;
        entry.destination = destination;
        Ok(())
    }

    /// Takes out the line of a destination and says what it was; `None` where there is none.
    pub fn remove(&mut self, set: SetId, id: &str) -> Option<Destination> {
        let is_it = |line: &Line| matches!(line, Line::Entry(entry) if entry.is(set, id));
        let index = self.lines.iter().position(is_it)?;
        let removed = self.lines.remove(index);
        for line in self.lines.iter_mut().skip(index) {
            if let Line::Entry(entry) = line {
                entry.line -= 1;
            }
        }
        match removed {
            Line::Entry(entry) => Some(entry.destination),
            Line::Other(_) => None,
        }
    }

    /// The lines that are destinations, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.lines.iter().filter_map(|line| match line {
            Line::Entry(entry) => Some(entry),
            Line::Other(_) => None,
        })
    }

    /// What a [`Dispatcher`](crate::Dispatcher) plans and applies: sets and destinations, in the
    /// order of [`entries`](Self::entries), which has the line of the one that an error counts.
    #[must_use]
    pub fn destinations(&self) -> Vec<(SetId, Destination)> {
        self.entries().map(|entry| (entry.set, entry.destination.clone())).collect()
    }

    /// The lines that [`Mode::Lenient`] left out, with the reason, as they were counted then.
    /// They stay in the file.
    #[must_use]
    pub fn skipped(&self) -> &[ParseError] {
        &self.skipped
    }

    fn line_end(&self) -> &'static str {
        match self.lines.first() {
            Some(line) if line.bytes().ends_with(b"\r\n") => "\r\n",
            _ => "\n",
        }
    }
}

/// A line that is a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    line: usize,
    set: SetId,
    destination: Destination,
    /// As it stands in the file, with its end.
    text: String,
}

impl Entry {
    /// Which line it is, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The set that the destination belongs to.
    #[must_use]
    pub const fn set(&self) -> SetId {
        self.set
    }

    /// What the line says.
    #[must_use]
    pub const fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The line as it stands in the file, without its end.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim_end_matches(['\r', '\n'])
    }

    fn end(&self) -> &str {
        self.text.strip_prefix(self.text()).unwrap_or_default()
    }

    fn is(&self, set: SetId, id: &str) -> bool {
        self.set == set && self.destination.id == id
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Entry(Entry),
    /// A comment, a blank line, or one that was skipped: its bytes, with its end.
    Other(Vec<u8>),
}

impl Line {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Entry(entry) => entry.text.as_bytes(),
            Self::Other(bytes) => bytes,
        }
    }

    /// Ends a last line that has no end.
    fn finish(&mut self, end: &str) {
        if !self.bytes().ends_with(b"\n") {
            match self {
                Self::Entry(entry) => entry.text = entry.text().to_string() + end,
                Self::Other(bytes) => bytes.extend_from_slice(end.as_bytes()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn list(file: &str) -> List {
        parse(file.as_bytes(), Mode::Strict).unwrap()
    }

    fn text(list: &List) -> String {
        String::from_utf8(write(list)).unwrap()
    }

    #[test]
    fn a_pushed_line_follows_an_unfinished_one_and_ends_as_the_first() {
        let check = |file: &str, expected: &str| {
            let mut list = list(file);
            list.push(2, Destination::new("sip:b")).unwrap();
            assert_eq!(text(&list), expected);
            assert_eq!(list.entries().last().unwrap().line(), list.lines.len());
        };
        check("", "2 sip:b\n");
        check("# c", "# c\n2 sip:b\n");
        check("2 sip:a", "2 sip:a\n2 sip:b\n");
        check("2 sip:a\n\n", "2 sip:a\n\n2 sip:b\n");
        check("# c\r\n2 sip:a", "# c\r\n2 sip:a\r\n2 sip:b\r\n");
    }

    #[test]
    fn an_id_stands_once_in_a_set() {
        let mut list = list("1 sip:a\n");
        let duplicate = AddError::Duplicate { set: 1, id: "sip:a".into() };
        assert_eq!(list.push(1, Destination::new("sip:a")), Err(duplicate));
        assert_eq!(list.push(2, Destination::new("sip:a")), Ok(()));
    }

    #[test]
    fn an_update_keeps_the_comment_and_the_other_lines() {
        let mut list = list("# top\n1\tsip:a   0 0 duid=a;weight=10\t# why\r\n1 sip:b\n");
        let changed = Destination { id: "a".into(), weight: 20, ..Destination::new("sip:c") };
        list.update(1, changed.clone()).unwrap();
        assert_eq!(text(&list), "# top\n1 sip:c 0 0 duid=a;weight=20 # why\r\n1 sip:b\n");
        assert_eq!(list.destinations(), vec![(1, changed.clone()), (1, Destination::new("sip:b"))]);
        assert_eq!(list.update(2, changed), Err(UpdateError::NoSuchDestination));
    }

    #[test]
    fn a_removed_line_is_gone_and_the_following_ones_move_up() {
        let mut list = list("1 sip:a\n# c\n1 sip:b\n");
        assert_eq!(list.remove(1, "sip:a"), Some(Destination::new("sip:a")));
        assert_eq!(list.remove(1, "sip:a"), None);
        assert_eq!(text(&list), "# c\n1 sip:b\n");
        assert_eq!(list.entries().next().unwrap().line(), 2);
    }
}
