//! One line: its columns and attributes, and the destination that they mean.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::attrs::{self, Attr, MAX_WEIGHT};
use super::parse::ParseErrorKind;
use super::uri;
use crate::config::SetId;
use crate::destination::{Destination, Starts};
use crate::health::probe::Probing;

/// A line's columns, each with its place.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    pub(super) set: SetId,
    pub(super) uri: Word<'a>,
    pub(super) flags: Option<Word<'a>>,
    pub(super) bits: u32,
    pub(super) priority: i32,
    pub(super) attrs: Vec<Attr<'a>>,
    pub(super) comment: Option<Word<'a>>,
}

impl Fields<'_> {
    pub(super) fn attr(&self, name: &str) -> Option<&Attr<'_>> {
        self.attrs.iter().find(|attr| attr.is(name))
    }

    /// What names the destination in its set: the place to point at.
    pub(super) fn id(&self) -> Word<'_> {
        self.attr("duid").map_or(self.uri, |duid| duid.value)
    }

    pub(super) fn destination(&self) -> Result<Destination, Refusal> {
        let mut destination = Destination::new(uri::read(self.uri)?.normal());
        destination.priority = self.priority;
        // The operator's will outlives a probe's result, so `disabled` wins over `inactive`.
        destination.starts = match self.bits {
            bits if bits & DISABLED != 0 => Starts::Disabled,
            bits if bits & INACTIVE != 0 => Starts::Inactive,
            bits if bits & TRYING != 0 => Starts::Trying,
            _ => Starts::Active,
        };
        destination.probing = match self.bits {
            bits if bits & NO_PING != 0 => Probing::Never,
            bits if bits & PROBING != 0 => Probing::Flagged,
            _ => Probing::ByMode,
        };
        let has_weight = self.attr("weight").is_some();
        for attr in &self.attrs {
            match attr.known() {
                Some("duid") if attr.value.text.is_empty() => {
                    return Err(attr.name.refuse(ParseErrorKind::InvalidAttribute, "duid is empty"));
                }
                Some("duid") => destination.id = attr.value.text.to_owned(),
                Some("weight") => destination.weight = attr.number(1, MAX_WEIGHT)?,
                Some("rweight") if !has_weight => destination.weight = attr.number(1, MAX_WEIGHT)?,
                Some("maxload") => destination.max_calls = attr.number(0, MAX)?,
                Some("maxrate") => destination.max_rate = attr.number(0, MAX)?,
                known => {
                    if known == Some("rweight") {
                        attr.number(1, MAX_WEIGHT)?;
                    }
                    let name = known.unwrap_or(attr.name.text);
                    destination.attrs.insert(name.to_owned(), attr.value.text.to_owned());
                }
            }
        }
        Ok(destination)
    }
}

/// A piece of a line, and at which byte it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) at: usize,
    pub(super) text: &'a str,
}

impl<'a> Word<'a> {
    /// The pieces before and after byte `at` of it.
    pub(super) fn split(self, at: usize) -> (Self, Self) {
        let (left, right) = self.text.split_at_checked(at).unwrap_or((self.text, ""));
        (Self { text: left, ..self }, Self { at: self.at + left.len(), text: right })
    }

    pub(super) fn refuse(self, kind: ParseErrorKind, message: impl Into<String>) -> Refusal {
        Refusal { at: self.at, kind, message: message.into() }
    }
}

/// Why a line is none, and at which byte of it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) at: usize,
    pub(super) kind: ParseErrorKind,
    pub(super) message: String,
}

/// Reads the columns of a line; `None` where it is blank or a comment.
pub(super) fn read(text: &str) -> Result<Option<Fields<'_>>, Refusal> {
    let mut cursor = Cursor { text, at: 0 };
    let Some(set) = cursor.word(true)? else { return Ok(None) };
    let set = set_id(set)?;
    let Some(uri) = cursor.word(true)? else {
        let end = Word { at: cursor.at, text: "" };
        return Err(end.refuse(ParseErrorKind::MissingUri, format!("the URI after set id {set} is missing")));
    };
    let mut fields = Fields { set, uri, flags: None, bits: 0, priority: 0, attrs: Vec::new(), comment: None };
    let mut attrs = cursor.attrs_ahead()?;
    if attrs.is_none() {
        fields.flags = cursor.word(true)?;
        fields.bits = fields.flags.map_or(Ok(0), flags)?;
        attrs = cursor.attrs_ahead()?;
    }
    if attrs.is_none() {
        fields.priority = cursor.word(true)?.map_or(Ok(0), priority)?;
        attrs = cursor.word(false)?;
    }
    if let Some(word) = attrs {
        fields.attrs = attrs::read(word)?;
    }
    if let Some(word) = cursor.word(false)? {
        let message =
            format!("{:?} after the attributes: white space ends them, ';' separates them", word.text);
        return Err(word.refuse(ParseErrorKind::TrailingText, message));
    }
    let (_, comment) = Word { at: 0, text }.split(cursor.at);
    fields.comment = Some(comment).filter(|comment| !comment.text.is_empty());
    Ok(Some(fields))
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The next word; `None`, and the place of it, at the end or before a comment. A '#' inside of
    /// a word starts a comment in every column but the attributes.
    fn word(&mut self, hash_ends: bool) -> Result<Option<Word<'a>>, Refusal> {
        let (_, rest) = Word { at: 0, text: self.text }.split(self.at);
        let (_, rest) = rest.split(rest.text.len() - rest.text.trim_start_matches(BLANK).len());
        self.at = rest.at;
        if rest.text.is_empty() || rest.text.starts_with('#') {
            return Ok(None);
        }
        let ends = |c: char| BLANK.contains(&c) || (hash_ends && c == '#');
        let (word, rest) = rest.split(rest.text.find(ends).unwrap_or(rest.text.len()));
        self.at = rest.at;
        if let Some((at, char)) = word.text.char_indices().find(|(_, char)| is_invisible(*char)) {
            let message = format!("an invisible character (U+{:04X}): use spaces or tabs", u32::from(char));
            return Err(word.split(at).1.refuse(ParseErrorKind::InvisibleCharacter, message));
        }
        Ok(Some(word))
    }

    /// Attributes in place of flags or priority, as Kamailio takes them: they do not start with a
    /// digit, and a '=' or ';' tells them from a mistake.
    fn attrs_ahead(&mut self) -> Result<Option<Word<'a>>, Refusal> {
        let start = self.at;
        if let Some(word) = self.word(false)?
            && word.text.split('#').next().is_some_and(|text| text.contains('=') || text.starts_with(';'))
            && !word.text.starts_with(|c: char| c.is_ascii_digit())
        {
            return Ok(Some(word));
        }
        self.at = start;
        Ok(None)
    }
}

fn set_id(word: Word<'_>) -> Result<SetId, Refusal> {
    let digits = word.text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = word.split(digits);
    let signed = word.text.strip_prefix(['+', '-']).is_some_and(|text| whole(text).is_some());
    match whole(number.text) {
        Some(set) if rest.text.is_empty() && set <= MAX => Ok(set),
        _ if digits > 0 && !rest.text.is_empty() => Err(rest.refuse(
            ParseErrorKind::InvalidSet,
            format!("white space follows set id {}, not {:?}", number.text, rest.text),
        )),
        _ if digits > 0 || signed => Err(word.refuse(
            ParseErrorKind::InvalidSet,
            format!("a set id is 0 to {MAX}, without a sign, not {:?}", word.text),
        )),
        _ => Err(word.refuse(
            ParseErrorKind::MissingSet,
            format!("a line starts with the number of a set, not {:?}", word.text),
        )),
    }
}

fn flags(word: Word<'_>) -> Result<u32, Refusal> {
    let hex = word.text.strip_prefix("0x").or_else(|| word.text.strip_prefix("0X"));
    let bits = match hex {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None => whole(word.text),
    };
    bits.filter(|bits| bits & !KNOWN_BITS == 0).ok_or_else(|| {
        let message = format!(
            "flags are a sum of 1, 2, 4, 8, 16 and 32, decimal or hexadecimal (0x8), not {:?}",
            word.text
        );
        word.refuse(ParseErrorKind::InvalidFlags, message)
    })
}

fn priority(word: Word<'_>) -> Result<i32, Refusal> {
    whole(word.text).and_then(|number| i32::try_from(number).ok()).ok_or_else(|| {
        let message = format!("a priority is 0 to {MAX}, not {:?}", word.text);
        word.refuse(ParseErrorKind::InvalidPriority, message)
    })
}

/// A number of digits only; `None` where it is none or does not fit.
pub(super) fn whole(text: &str) -> Option<u32> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// What looks like white space, or like nothing, and separates nothing.
fn is_invisible(char: char) -> bool {
    let formats =
        ['\u{ad}', '\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}'];
    char.is_whitespace() || char.is_control() || formats.contains(&char)
}

/// The largest set id, priority and limit: Kamailio keeps them in 32 bits, with a sign.
pub(super) const MAX: u32 = i32::MAX as u32;

const BLANK: [char; 3] = [' ', '\t', '\r'];
const INACTIVE: u32 = 1;
const TRYING: u32 = 2;
const DISABLED: u32 = 4;
const PROBING: u32 = 8;
/// 16 keeps Kamailio from resolving the name at start. Callsteer never resolves.
const KNOWN_BITS: u32 = INACTIVE | TRYING | DISABLED | PROBING | 16 | NO_PING;
const NO_PING: u32 = 32;
