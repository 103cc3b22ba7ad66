//! Reads a dispatcher.list, and says by line and column what is wrong with it.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::fmt;

use super::line::{self, Refusal};
use super::{Entry, Line, List};
use crate::config::SetId;
use crate::destination::Destination;

/// What becomes of a list with a line that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The list is refused. Kamailio's `ds_load_mode` 1.
    #[default]
    Strict,
    /// The line is left out, and [`List::skipped`] says why. Kamailio's `ds_load_mode` 0.
    Lenient,
}

/// Reads a dispatcher.list. In [`Mode::Lenient`] this never fails.
///
/// # Errors
/// The first line that cannot be read: what is wrong with it, and where.
pub fn parse(input: &[u8], mode: Mode) -> Result<List, ParseError> {
    let mut list = List::new();
    let mut seen = BTreeMap::new();
    for (index, bytes) in input.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = index + 1;
        let read = match read(bytes, line) {
            Ok(Some(read)) => once(read, line, &mut seen),
            other => other,
        };
        let line = match read {
            Ok(Some(Read { set, destination, text, .. })) => {
                Line::Entry(Entry { line, set, destination, text: text.to_owned() })
            }
            Ok(None) => Line::Other(bytes.to_owned()),
            Err(Refusal { at, kind, message }) => {
                let error = ParseError { line, column: column(bytes, at), kind, message };
                if mode == Mode::Strict {
                    return Err(error);
                }
                list.skipped.push(error);
                Line::Other(bytes.to_owned())
            }
        };
        list.lines.push(line);
    }
    Ok(list)
}

/// Why a line cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1; a tab is one.
    pub column: usize,
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// What is wrong, with the value.
    pub message: String,
}

impl ParseError {
    /// The code, as in [`ERRORS`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl core::error::Error for ParseError {}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The file starts with a byte order mark.
    ByteOrderMark,
    /// More than 1,023 bytes: Kamailio takes what is beyond for another line.
    LineTooLong,
    /// A byte that is not UTF-8.
    NotUtf8,
    /// A control character, or one that looks like white space or nothing.
    InvisibleCharacter,
    /// The line does not start with a number.
    MissingSet,
    /// A number that is not a set id, or something glued to it.
    InvalidSet,
    /// Nothing follows the set id.
    MissingUri,
    /// Not a SIP URI.
    InvalidUri,
    /// Not a sum of known flags.
    InvalidFlags,
    /// Not a priority.
    InvalidPriority,
    /// An attribute without a name, with a quote that is not closed, or with a value out of range.
    InvalidAttribute,
    /// An attribute given twice.
    RepeatedAttribute,
    /// Something after the attributes.
    TrailingText,
    /// The set has this id on an earlier line.
    Duplicate,
}

impl ParseErrorKind {
    /// The code, as in [`ERRORS`].
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "byte_order_mark",
            Self::LineTooLong => "line_too_long",
            Self::NotUtf8 => "not_utf8",
            Self::InvisibleCharacter => "invisible_character",
            Self::MissingSet => "missing_set",
            Self::InvalidSet => "invalid_set",
            Self::MissingUri => "missing_uri",
            Self::InvalidUri => "invalid_uri",
            Self::InvalidFlags => "invalid_flags",
            Self::InvalidPriority => "invalid_priority",
            Self::InvalidAttribute => "invalid_attribute",
            Self::RepeatedAttribute => "repeated_attribute",
            Self::TrailingText => "trailing_text",
            Self::Duplicate => "duplicate",
        }
    }
}

/// The code of every [`ParseErrorKind`], with its meaning.
pub const ERRORS: &[(&str, &str)] = &[
    ("byte_order_mark", "the file starts with a byte order mark"),
    ("line_too_long", "a line has more than 1,023 bytes"),
    ("not_utf8", "a byte is not UTF-8"),
    ("invisible_character", "a control character, or one that looks like white space or nothing"),
    ("missing_set", "a line does not start with a number"),
    ("invalid_set", "a number is not a set id, or something is glued to it"),
    ("missing_uri", "nothing follows the set id"),
    ("invalid_uri", "not a SIP URI"),
    ("invalid_flags", "not a sum of known flags"),
    ("invalid_priority", "not a priority"),
    ("invalid_attribute", "an attribute has no name, an open quote, or a value out of range"),
    ("repeated_attribute", "an attribute is given twice"),
    ("trailing_text", "something follows the attributes"),
    ("duplicate", "the set has this id on an earlier line"),
];

/// What a line says.
pub(super) struct Read<'a> {
    pub(super) set: SetId,
    pub(super) destination: Destination,
    text: &'a str,
    /// Where its id stands.
    id_at: usize,
}

/// Reads one line, with or without its end.
pub(super) fn read(bytes: &[u8], line: usize) -> Result<Option<Read<'_>>, Refusal> {
    let refuse = |at, kind, message| Err(Refusal { at, kind, message });
    if line == 1 && bytes.starts_with(b"\xEF\xBB\xBF") {
        let message = "the file starts with a byte order mark: save it as UTF-8 without one".to_owned();
        return refuse(0, ParseErrorKind::ByteOrderMark, message);
    }
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let length = whole.strip_suffix(b"\r").unwrap_or(whole).len();
    if length > MAX_BYTES {
        let message =
            format!("a line of {length} bytes: Kamailio takes what follows {MAX_BYTES} for another line");
        return refuse(MAX_BYTES, ParseErrorKind::LineTooLong, message);
    }
    let text = match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or_default();
            return refuse(at, ParseErrorKind::NotUtf8, format!("byte 0x{byte:02X} is not UTF-8"));
        }
    };
    let visible = text.trim_end_matches(['\n', '\r', ' ', '\t']);
    // Comments too: a file with the line ends of an old Mac is one long comment.
    if let Some(at) = visible.find(['\0', '\r']) {
        let message = match bytes.get(at) {
            Some(b'\r') => "a carriage return inside of a line: lines end with a line feed",
            _ => "a NUL byte: Kamailio ends the line there",
        };
        return refuse(at, ParseErrorKind::InvisibleCharacter, message.to_owned());
    }
    let Some(fields) = line::read(visible)? else { return Ok(None) };
    let destination = fields.destination()?;
    Ok(Some(Read { set: fields.set, destination, text, id_at: fields.id().at }))
}

/// Refuses a line with an id that its set has.
fn once<'a>(
    read: Read<'a>,
    line: usize,
    seen: &mut BTreeMap<(SetId, String), usize>,
) -> Result<Option<Read<'a>>, Refusal> {
    let first = *seen.entry((read.set, read.destination.id.clone())).or_insert(line);
    if first == line {
        return Ok(Some(read));
    }
    let message = format!("set {} has {:?} on line {first}; give each a duid", read.set, read.destination.id);
    Err(Refusal { at: read.id_at, kind: ParseErrorKind::Duplicate, message })
}

/// The character that stands at a byte, counted from 1.
fn column(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or(bytes);
    // A byte that continues a character starts none.
    before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() + 1
}

/// What Kamailio reads of a line at once, without its end.
const MAX_BYTES: usize = 1_023;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use crate::destination::Starts;
    use crate::health::probe::Probing;

    fn error(input: &[u8]) -> ParseError {
        parse(input, Mode::Strict).unwrap_err()
    }

    #[test]
    fn every_error_stands_once_in_the_table() {
        let mut codes: Vec<_> = ERRORS.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ERRORS.len());
    }

    #[test]
    fn an_error_has_the_line_and_the_column_of_the_mistake() {
        let check = |input: &[u8], place: (usize, usize), code: &str| {
            let error = error(input);
            assert_eq!(((error.line, error.column), error.code()), (place, code), "{error}");
            assert!(ERRORS.iter().any(|(known, _)| *known == code));
        };
        check(b"\xEF\xBB\xBF1 sip:a\n", (1, 1), "byte_order_mark");
        check(b"1 sip:a\n\xEF\xBB\xBF1 sip:b\n", (2, 1), "invisible_character");
        check(b"1 sip:a\n1 sip:b \xFF\n", (2, 9), "not_utf8");
        check(b"# \xC3\xBC\n# \xC3\xBC \xFF", (2, 5), "not_utf8");
        check(b"1 sip:a\0 8\n", (1, 8), "invisible_character");
        check(b"# one\r1 sip:a\r", (1, 6), "invisible_character");
        check(b"1 sip:a\x0B8", (1, 8), "invisible_character");
        check(b"1\xC2\xA0sip:a", (1, 2), "invisible_character");
        check("# ".repeat(512).as_bytes(), (1, 1024), "line_too_long");
        check(b"sip:a 0 0", (1, 1), "missing_set");
        check(b" 4294967298 sip:a", (1, 2), "invalid_set");
        check(b"-1 sip:a", (1, 1), "invalid_set");
        check(b"12.0.0.1:5060", (1, 3), "invalid_set");
        check(b"2 # c", (1, 3), "missing_uri");
        check(b"2 sip:a:99999", (1, 9), "invalid_uri");
        check(b"2 sip:a 64", (1, 9), "invalid_flags");
        check(b"2 sip:a 0x", (1, 9), "invalid_flags");
        check(b"2 sip:a AP", (1, 9), "invalid_flags");
        check(b"2 sip:a 0 -5", (1, 11), "invalid_priority");
        check(b"2 sip:a 0 0 duid=a;weight=5.5", (1, 27), "invalid_attribute");
        check(b"2 sip:a 0 0 duid=a;weight", (1, 20), "invalid_attribute");
        check(b"2 sip:a 0 0 duid=", (1, 13), "invalid_attribute");
        check(b"2 sip:a 0 0 duid=a,weight=5", (1, 19), "invalid_attribute");
        check(b"2 sip:a 0 0 duid=\"a\"b", (1, 21), "invalid_attribute");
        check(b"2 sip:a 0 0 duid=a;DUID=b", (1, 20), "repeated_attribute");
        check(b"2 sip:a 0 0 weight=5; duid=a", (1, 23), "trailing_text");
        check(b"2 sip:a\n3 sip:a\n2 sip:b 0 0 duid=sip:a", (3, 18), "duplicate");
    }

    #[test]
    fn a_line_says_what_it_looks_like() {
        let check = |text: &str, change: fn(&mut Destination)| {
            let mut expected = Destination::new("sip:a");
            change(&mut expected);
            let list = parse(text.as_bytes(), Mode::Strict).unwrap();
            assert_eq!(list.destinations(), [(2, expected)], "{text}");
        };
        check("2 sip:a", |_| ());
        check("002\tsip:a#c", |_| ());
        check("2 sip:a 1", |d| d.starts = Starts::Inactive);
        check("2 sip:a 2#c", |d| d.starts = Starts::Trying);
        check("2 sip:a 7", |d| d.starts = Starts::Disabled);
        check("2 sip:a 0x18 7", |d| (d.probing, d.priority) = (Probing::Flagged, 7));
        check("2 sip:a 40", |d| d.probing = Probing::Never);
        check("2 sip:a weight=5 # c", |d| d.weight = 5);
        check("2 sip:a 0 ;WEIGHT=5;", |d| d.weight = 5);
        check("2 sip:a 0 0 rweight=5;maxload=7;maxrate=8", |d| {
            (d.weight, d.max_calls, d.max_rate) = (5, 7, 8);
        });
        check("2 sip:a 0 0 Mine=x=#y;weight=65535;RWeight=40;flag", |d| {
            d.weight = 65_535;
            let attrs = [("Mine", "x=#y"), ("rweight", "40"), ("flag", "")];
            d.attrs = attrs.map(|(name, value)| (name.into(), value.into())).into();
        });
        check("2 sip:a 0 0 duid='x;\"y\"'", |d| d.id = "x;\"y\"".into());
    }

    #[test]
    fn lenient_leaves_out_what_strict_refuses() {
        let input = b"1 sip:a\nsip:b\n1 sip:a\n1 sip:c";
        let list = parse(input, Mode::Lenient).unwrap();
        assert_eq!(list.entries().map(|entry| entry.line()).collect::<Vec<_>>(), [1, 4]);
        assert_eq!(list.skipped().iter().map(|error| error.line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(list.skipped().first(), Some(&error(input)));
        assert_eq!(list.skipped().last().map(ParseError::code), Some("duplicate"));
    }

    #[test]
    fn columns_count_characters_and_not_bytes() {
        assert_eq!(error("1 sip:ü ü\n".as_bytes()).column, 9);
        assert_eq!(error("\t1\tsip:a\t-1\n".as_bytes()).column, 10);
    }

    #[test]
    fn a_message_starts_with_the_place() {
        let message = error(b"\n1 sip:a 0 0 weight=0").to_string();
        let expected = "line 2, column 20: weight is 1 to 65535, not \"0\"; flags 4 keeps calls away";
        assert_eq!(message, expected);
    }
}
