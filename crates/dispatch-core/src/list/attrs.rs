//! The attributes of a line.

use alloc::format;
use alloc::vec::Vec;

use super::line::{Refusal, Word, whole};
use super::parse::ParseErrorKind;

/// An attribute: `name=value`, quotes taken off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attr<'a> {
    pub(super) name: Word<'a>,
    pub(super) value: Word<'a>,
}

impl Attr<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.text.eq_ignore_ascii_case(name)
    }

    /// The name as Kamailio or Callsteer knows it.
    pub(super) fn known(&self) -> Option<&'static str> {
        KNOWN.iter().copied().find(|name| self.is(name))
    }

    pub(super) fn number(&self, least: u32, most: u32) -> Result<u32, Refusal> {
        let name = self.name.text;
        let place = if self.value.text.is_empty() { self.name } else { self.value };
        match whole(self.value.text) {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            number => {
                let hint = if number == Some(0) { "; flags 4 keeps calls away" } else { "" };
                let message = format!("{name} is {least} to {most}, not {:?}{hint}", self.value.text);
                Err(place.refuse(ParseErrorKind::InvalidAttribute, message))
            }
        }
    }
}

/// Reads `name=value;name=value`.
pub(super) fn read(word: Word<'_>) -> Result<Vec<Attr<'_>>, Refusal> {
    let mut attrs: Vec<Attr<'_>> = Vec::new();
    let mut rest = word;
    loop {
        (_, rest) = rest.split(rest.text.len() - rest.text.trim_start_matches(';').len());
        if rest.text.is_empty() {
            return Ok(attrs);
        }
        let (name, after) = rest.split(rest.text.find(['=', ';']).unwrap_or(rest.text.len()));
        let named = |c: char| c.is_ascii_graphic() && !"\"'#,".contains(c);
        if name.text.is_empty() || !name.text.chars().all(named) {
            let message = format!("{:?} is not an attribute's name: name=value;name=value", name.text);
            return Err(name.refuse(ParseErrorKind::InvalidAttribute, message));
        }
        if let Some(first) = attrs.iter().find(|attr| attr.is(name.text)) {
            let message = format!("{} is given twice, as {:?} before", name.text, first.value.text);
            return Err(name.refuse(ParseErrorKind::RepeatedAttribute, message));
        }
        let (value, next) =
            if after.text.starts_with('=') { read_value(after.split(1).1)? } else { after.split(0) };
        attrs.push(Attr { name, value });
        rest = next;
    }
}

/// The value that a piece starts with, and what follows.
fn read_value(word: Word<'_>) -> Result<(Word<'_>, Word<'_>), Refusal> {
    let refuse = |word: Word<'_>, message: &str| Err(word.refuse(ParseErrorKind::InvalidAttribute, message));
    if let Some(quote) = word.text.chars().next().filter(|c| QUOTES.contains(c)) {
        let (_, inner) = word.split(1);
        let Some(end) = inner.text.find(quote) else {
            return refuse(
                word,
                "the quote is not closed before the end or white space, which ends it in Kamailio",
            );
        };
        let (value, rest) = inner.split(end);
        let (_, rest) = rest.split(1);
        return match value.text.find('\\') {
            Some(at) => refuse(value.split(at).1, "quotes know no escapes"),
            None if !rest.text.is_empty() && !rest.text.starts_with(';') => {
                refuse(rest, "';' or the end follows a closing quote")
            }
            None => Ok((value, rest)),
        };
    }
    let (value, rest) = word.split(word.text.find(';').unwrap_or(word.text.len()));
    if let Some(at) = value.text.find(QUOTES) {
        return refuse(value.split(at).1, "a quote inside of a value: quotes go around a whole value");
    }
    match stray_comma(value.text) {
        Some(at) => refuse(value.split(at).1, "attributes are separated by ';', not by ','"),
        None => Ok((value, rest)),
    }
}

/// A comma that looks as if it separated two attributes.
pub(super) fn stray_comma(value: &str) -> Option<usize> {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let separates = |rest: &str| rest.split_once('=').is_some_and(|(name, _)| name.bytes().all(named));
    value.match_indices(',').map(|(at, _)| at).find(|at| value.get(at + 1..).is_some_and(separates))
}

/// The largest weight; Kamailio's is 100.
pub(super) const MAX_WEIGHT: u32 = 65_535;

/// The attributes that Kamailio knows, and `maxrate`, which only Callsteer does.
pub(super) const KNOWN: [&str; 16] = [
    "duid",
    "weight",
    "rweight",
    "maxload",
    "maxrate",
    "socket",
    "sockname",
    "ping_socket",
    "ping_from",
    "obproxy",
    "latency",
    "probing_count",
    "cc",
    "ocmin",
    "ocmax",
    "ocrate",
];

const QUOTES: [char; 2] = ['"', '\''];
