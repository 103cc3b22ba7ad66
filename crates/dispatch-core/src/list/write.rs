//! Writes a dispatcher.list.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use super::List;
use super::attrs::stray_comma;
use super::line::Refusal;
use super::parse::{self, ParseErrorKind};
use crate::config::SetId;
use crate::destination::{Destination, Starts};
use crate::error::DestinationError;
use crate::health::probe::Probing;

/// The file as it was read, byte for byte, with the changes made to the list since.
#[must_use]
pub fn write(list: &List) -> Vec<u8> {
    list.lines.iter().flat_map(|line| line.bytes().iter().copied()).collect()
}

/// A destination as a line without an end: the columns that are needed, the attributes in a fixed order.
pub(super) fn canonical(set: SetId, destination: &Destination) -> Result<String, DestinationError> {
    destination.check()?;
    if destination.uri.contains([' ', '\t', '\r', '\n', '#']) {
        return Err(unwritable(destination, "uri", &destination.uri));
    }
    let text = render(set, destination);
    match parse::read(text.as_bytes(), 0) {
        Ok(Some(read)) => match first_difference(&read.destination, destination) {
            None if read.set == set => Ok(text),
            None => Err(unwritable(destination, "set", &set)),
            Some((field, value)) => Err(unwritable(destination, field, &value)),
        },
        Ok(None) => Err(unwritable(destination, "uri", &destination.uri)),
        Err(Refusal { kind, message, .. }) => Err(match kind {
            ParseErrorKind::InvalidSet => unwritable(destination, "set", &set),
            ParseErrorKind::InvalidPriority => unwritable(destination, "priority", &destination.priority),
            ParseErrorKind::InvalidUri | ParseErrorKind::MissingUri => {
                unwritable(destination, "uri", &destination.uri)
            }
            _ => unwritable(destination, "line", &message),
        }),
    }
}

fn render(set: SetId, destination: &Destination) -> String {
    let Destination { uri, id, weight, max_calls, max_rate, priority, probing, starts, attrs } = destination;
    let starts = match starts {
        Starts::Active => 0,
        Starts::Inactive => 1,
        Starts::Trying => 2,
        Starts::Disabled => 4,
    };
    let probing = match probing {
        Probing::ByMode => 0,
        Probing::Flagged => 8,
        Probing::Never => 32,
    };
    let flags: u32 = starts + probing;
    let own = [
        ("duid", id.clone(), id != uri),
        // Without it, an rweight would be the weight.
        ("weight", weight.to_string(), *weight != 1 || attrs.contains_key("rweight")),
        ("maxload", max_calls.to_string(), *max_calls != 0),
        ("maxrate", max_rate.to_string(), *max_rate != 0),
    ];
    let own = own.into_iter().filter(|(.., wanted)| *wanted).map(|(name, value, _)| attribute(name, &value));
    let others = attrs.iter().map(|(name, value)| attribute(name, value));
    let attrs = own.chain(others).collect::<Vec<_>>().join(";");

    let mut line = format!("{set} {uri}");
    let columns = match (flags, *priority, attrs.is_empty()) {
        (0, 0, true) => 0,
        (_, 0, true) => 1,
        (_, _, true) => 2,
        (_, _, false) => 3,
    };
    for column in [flags.to_string(), priority.to_string(), attrs].iter().take(columns) {
        // A String takes all that is written to it.
        let _ = write!(line, " {column}");
    }
    line
}

fn attribute(name: &str, value: &str) -> String {
    let quote = match value {
        "" => return name.to_string(),
        _ if value.contains('"') => "'",
        _ if value.contains([';', '\'']) || stray_comma(value).is_some() => "\"",
        _ => "",
    };
    format!("{name}={quote}{value}{quote}")
}

fn first_difference(read: &Destination, meant: &Destination) -> Option<(&'static str, String)> {
    let attrs = || format!("{:?}", meant.attrs);
    [
        ("uri", read.uri == meant.uri, meant.uri.clone()),
        ("id", read.id == meant.id, meant.id.clone()),
        ("weight", read.weight == meant.weight, meant.weight.to_string()),
        ("attrs", read.attrs == meant.attrs, attrs()),
        ("line", read == meant, meant.uri.clone()),
    ]
    .into_iter()
    .find(|(_, same, _)| !same)
    .map(|(field, _, value)| (field, value))
}

fn unwritable(destination: &Destination, field: &'static str, value: &dyn ToString) -> DestinationError {
    let rule = "is one that a dispatcher.list can hold";
    DestinationError { id: destination.id.clone(), field, rule, value: value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_line_has_the_columns_that_are_needed() {
        let check = |change: fn(&mut Destination), expected: &str| {
            let mut destination = Destination::new("sip:a");
            change(&mut destination);
            assert_eq!(canonical(2, &destination).unwrap(), expected);
        };
        check(|_| (), "2 sip:a");
        check(|d| d.starts = Starts::Disabled, "2 sip:a 4");
        check(|d| (d.starts, d.probing) = (Starts::Inactive, Probing::Flagged), "2 sip:a 9");
        check(|d| d.priority = 5, "2 sip:a 0 5");
        check(|d| d.id = "x".into(), "2 sip:a 0 0 duid=x");
        check(
            |d| (d.weight, d.max_calls, d.max_rate) = (2, 3, 4),
            "2 sip:a 0 0 weight=2;maxload=3;maxrate=4",
        );
        check(|d| d.id = "a;b".into(), "2 sip:a 0 0 duid=\"a;b\"");
        check(|d| d.id = "a,\\".into(), "2 sip:a 0 0 duid=a,\\");
        check(|d| d.id = "a,b=c".into(), "2 sip:a 0 0 duid=\"a,b=c\"");
        check(|d| d.id = "a\"b".into(), "2 sip:a 0 0 duid='a\"b'");
        check(|d| drop(d.attrs.insert("rweight".into(), "9".into())), "2 sip:a 0 0 weight=1;rweight=9");
        check(|d| drop(d.attrs.insert("x".into(), String::new())), "2 sip:a 0 0 x");
    }

    #[test]
    fn what_would_be_read_back_as_something_else_is_refused_by_field() {
        let check = |set: SetId, change: fn(&mut Destination), field: &str| {
            let mut destination = Destination::new("sip:a");
            change(&mut destination);
            assert_eq!(canonical(set, &destination).map_err(|error| error.field), Err(field));
        };
        check(2_147_483_648, |_| (), "set");
        check(1, |d| d.weight = 0, "weight");
        check(1, |d| d.priority = -1, "priority");
        check(1, |d| d.uri = "http://a/".into(), "uri");
        check(1, |d| d.uri = "sip:a#b".into(), "uri");
        check(1, |d| d.uri = "#".into(), "uri");
        check(1, |d| d.uri = "sip:a 8".into(), "uri");
        check(1, |d| d.id = "a b".into(), "line");
        check(1, |d| d.id = "a\n2 sip:b".into(), "line");
        check(1, |d| d.id = "'\"".into(), "line");
        check(1, |d| d.max_calls = u32::MAX, "line");
        check(1, |d| drop(d.attrs.insert("weight".into(), "5".into())), "weight");
        check(1, |d| drop(d.attrs.insert("maxload".into(), "5".into())), "attrs");
        check(1, |d| drop(d.attrs.insert("Socket".into(), "5".into())), "attrs");
    }
}
