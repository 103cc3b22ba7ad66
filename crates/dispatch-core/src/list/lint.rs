//! What a list says that its owner may not mean.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::attrs::KNOWN;
use super::line::{self, Fields};
use super::uri::{self, Uri};
use super::{Entry, List, weights};
use crate::config::SetId;

/// Something that a list may not mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// The code, as in [`LINTS`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

/// How bad a [`Lint`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It works here as it looks, but is surprising, or works otherwise in Kamailio.
    Warning,
    /// It does not do here what it looks like.
    Error,
}

/// Everything in a list that its owner may not mean, in the order of the file.
///
/// Lines that were skipped are not among it: [`List::skipped`] has those.
#[must_use]
pub fn lint(list: &List) -> Vec<Lint> {
    let rows: Vec<Row<'_>> = list.entries().filter_map(Row::new).collect();
    let mut lints = Lints::default();
    let mut sets: BTreeMap<SetId, Vec<&Row<'_>>> = BTreeMap::new();
    let mut uris: BTreeMap<String, Vec<&Row<'_>>> = BTreeMap::new();
    for row in &rows {
        lint_uri(row, &mut lints);
        lint_flags(row, &mut lints);
        lint_attrs(row, &mut lints);
        lint_twins(row, uris.entry(row.entry.destination.uri.to_ascii_lowercase()).or_default(), &mut lints);
        sets.entry(row.entry.set).or_default().push(row);
    }
    for members in sets.values() {
        lint_members(members, &mut lints);
        weights::lint(members, &mut lints);
    }
    lints.0.sort_by_key(|lint| (lint.line, lint.column));
    lints.0
}

/// The code of every lint, with its severity and its meaning.
pub const LINTS: &[(&str, Severity, &str)] = &[
    (WEIGHT_IN_URI, Severity::Error, "an attribute is written as a parameter of the URI"),
    (URI_WITHOUT_SCHEME, Severity::Warning, "the URI has no scheme"),
    (NON_ASCII_URI, Severity::Warning, "the URI is not ASCII"),
    (UNKNOWN_TRANSPORT, Severity::Warning, "the URI has a transport that SIP does not know"),
    (HEX_FLAGS, Severity::Warning, "the flags are hexadecimal"),
    (CONTRADICTORY_FLAGS, Severity::Warning, "two flags contradict each other"),
    (UNKNOWN_ATTRIBUTE, Severity::Warning, "an attribute means nothing to Callsteer and Kamailio"),
    (HASH_IN_VALUE, Severity::Warning, "a '#' inside of an attribute starts no comment"),
    (WEIGHT_OVER_100, Severity::Warning, "Kamailio ignores a weight above 100"),
    (WEIGHT_AND_RWEIGHT, Severity::Warning, "a destination has a weight and an rweight"),
    (WEIGHT_MISSING, Severity::Warning, "a destination has no weight, others of its set have one"),
    (FIRST_WITHOUT_WEIGHT, Severity::Warning, "Kamailio sends every call to this one, which has no weight"),
    (WEIGHTS_NOT_100, Severity::Warning, "the weights of a set do not add up to 100"),
    (RWEIGHTS_ROUNDED, Severity::Warning, "Kamailio rounds the rweights of a set badly"),
    (DUPLICATE_URI, Severity::Warning, "a set has a URI twice"),
    (URI_IN_OTHER_SET, Severity::Warning, "another set has the URI too"),
    (MISSING_DUID, Severity::Warning, "a destination has no duid but needs one"),
    (SINGLE_MEMBER, Severity::Warning, "a set has one member"),
];

const WEIGHT_IN_URI: &str = "weight_in_uri";
const URI_WITHOUT_SCHEME: &str = "uri_without_scheme";
const NON_ASCII_URI: &str = "non_ascii_uri";
const UNKNOWN_TRANSPORT: &str = "unknown_transport";
const HEX_FLAGS: &str = "hex_flags";
const CONTRADICTORY_FLAGS: &str = "contradictory_flags";
const UNKNOWN_ATTRIBUTE: &str = "unknown_attribute";
const HASH_IN_VALUE: &str = "hash_in_value";
const WEIGHT_OVER_100: &str = "weight_over_100";
const WEIGHT_AND_RWEIGHT: &str = "weight_and_rweight";
pub(super) const WEIGHT_MISSING: &str = "weight_missing";
pub(super) const FIRST_WITHOUT_WEIGHT: &str = "first_without_weight";
pub(super) const WEIGHTS_NOT_100: &str = "weights_not_100";
pub(super) const RWEIGHTS_ROUNDED: &str = "rweights_rounded";
const DUPLICATE_URI: &str = "duplicate_uri";
const URI_IN_OTHER_SET: &str = "uri_in_other_set";
const MISSING_DUID: &str = "missing_duid";
const SINGLE_MEMBER: &str = "single_member";

/// An entry, taken apart once more: a destination no longer knows how it was written.
pub(super) struct Row<'a> {
    pub(super) entry: &'a Entry,
    pub(super) fields: Fields<'a>,
    uri: Uri<'a>,
}

impl<'a> Row<'a> {
    pub(super) fn new(entry: &'a Entry) -> Option<Self> {
        let fields = line::read(entry.text()).ok().flatten()?;
        let uri = uri::read(fields.uri).ok()?;
        Some(Self { entry, fields, uri })
    }

    pub(super) fn has(&self, attr: &str) -> bool {
        self.fields.attr(attr).is_some()
    }

    /// Where an attribute stands; the URI where there is none.
    pub(super) fn place(&self, attr: &str) -> usize {
        self.fields.attr(attr).map_or(self.fields.uri.at, |attr| attr.name.at)
    }

    /// A weight as Kamailio takes it: 0 for none, and for one above 100.
    pub(super) fn kamailio(&self, attr: &str) -> u32 {
        let weight = self.fields.attr(attr).and_then(|attr| line::whole(attr.value.text));
        weight.filter(|weight| *weight <= 100).unwrap_or_default()
    }
}

#[derive(Default)]
pub(super) struct Lints(Vec<Lint>);

impl Lints {
    pub(super) fn add(
        &mut self,
        row: &Row<'_>,
        at: usize,
        code: &'static str,
        message: String,
        fix: impl Into<String>,
    ) {
        let text = row.entry.text();
        let column = text.get(..at).unwrap_or(text).chars().count() + 1;
        let known = LINTS.iter().find(|(known, ..)| *known == code);
        let severity = known.map_or(Severity::Warning, |(_, severity, _)| *severity);
        self.0.push(Lint { line: row.entry.line, column, code, severity, message, fix: fix.into() });
    }
}

fn lint_uri(row: &Row<'_>, lints: &mut Lints) {
    let uri = row.fields.uri;
    for (at, name, value) in row.uri.parameters() {
        if OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            let message =
                format!("{name} is a parameter of the URI here, which neither Callsteer nor Kamailio reads");
            lints.add(
                row,
                at,
                WEIGHT_IN_URI,
                message,
                format!("write it as an attribute: URI 0 0 {name}={value}"),
            );
        }
        let known = TRANSPORTS.iter().any(|known| value.eq_ignore_ascii_case(known));
        if name.eq_ignore_ascii_case("transport") && !known {
            let message = format!("{value:?} is not a transport");
            lints.add(row, at, UNKNOWN_TRANSPORT, message, format!("write one of {}", TRANSPORTS.join(", ")));
        }
    }
    if !row.uri.has_scheme {
        let message = format!("{:?} is read as {:?}", uri.text, row.uri.normal());
        lints.add(row, uri.at, URI_WITHOUT_SCHEME, message, format!("write {}", row.uri.normal()));
    }
    if let Some(at) = uri.text.find(|c: char| !c.is_ascii()) {
        let message = format!("{:?} is not ASCII, as a URI is", uri.text);
        lints.add(
            row,
            uri.at + at,
            NON_ASCII_URI,
            message,
            "write a host in its xn-- form and %XX elsewhere",
        );
    }
}

fn lint_flags(row: &Row<'_>, lints: &mut Lints) {
    let Some(flags) = row.fields.flags else { return };
    let bits = row.fields.bits;
    if flags.text.starts_with("0x") || flags.text.starts_with("0X") {
        let message = format!(
            "Kamailio 5 reads flags 0 here, and {:?} as attributes",
            flags.text.get(1..).unwrap_or_default()
        );
        lints.add(row, flags.at, HEX_FLAGS, message, format!("write {bits}"));
    }
    if (bits & 7).count_ones() > 1 {
        let message = "inactive (1), trying (2) and disabled (4) exclude each other: 4 wins over 1, 1 over 2";
        lints.add(row, flags.at, CONTRADICTORY_FLAGS, message.to_owned(), "write one of them");
    }
    if bits & 40 == 40 {
        let message = "probed (8) and never probed (32) exclude each other: it is never probed";
        lints.add(row, flags.at, CONTRADICTORY_FLAGS, message.to_owned(), "write one of them");
    }
}

fn lint_attrs(row: &Row<'_>, lints: &mut Lints) {
    for attr in &row.fields.attrs {
        let (name, value) = (attr.name, attr.value);
        if attr.known().is_none() {
            let message = format!("{:?} is no attribute of Kamailio or Callsteer; it is kept", name.text);
            lints.add(
                row,
                name.at,
                UNKNOWN_ATTRIBUTE,
                message,
                format!("leave it if it is your own; known are {}", KNOWN.join(", ")),
            );
        }
        if let Some(at) = value.text.find('#') {
            let message = format!("the '#' is part of {} and starts no comment", name.text);
            lints.add(row, value.at + at, HASH_IN_VALUE, message, "write white space before a comment");
        }
        if (attr.is("weight") || attr.is("rweight")) && row.kamailio(name.text) == 0 {
            let message = format!("Kamailio ignores {} {}: it takes 1 to 100", name.text, value.text);
            lints.add(row, value.at, WEIGHT_OVER_100, message, "scale the weights of the set to 100 at most");
        }
    }
    if row.has("weight") && row.has("rweight") {
        let message = "weight is the weight; rweight is kept, and counts only in Kamailio's algorithm 11";
        lints.add(row, row.place("rweight"), WEIGHT_AND_RWEIGHT, message.to_owned(), "write one of them");
    }
}

/// Compares an entry with earlier ones that have its URI.
fn lint_twins<'a>(row: &'a Row<'a>, earlier: &mut Vec<&'a Row<'a>>, lints: &mut Lints) {
    let (set, at) = (row.entry.set, row.fields.uri.at);
    let same = earlier.iter().find(|twin| twin.entry.set == set);
    if let Some(twin) = same {
        let message = format!(
            "set {set} has this URI on line {}: each counts its own calls and limits",
            twin.entry.line
        );
        lints.add(row, at, DUPLICATE_URI, message, "write one line with the weight and maxload of both");
    } else if let Some(twin) = earlier.first() {
        let (set, line) = (twin.entry.set, twin.entry.line);
        let message = format!("set {set} has this URI on line {line}: each counts its own calls and limits");
        lints.add(row, at, URI_IN_OTHER_SET, message, "leave it if the limits of both may add up");
    }
    earlier.push(row);
}

fn lint_members(members: &[&Row<'_>], lints: &mut Lints) {
    if let [only] = members {
        let message =
            format!("set {} has one member: nobody takes its calls when it is down or full", only.entry.set);
        lints.add(only, only.fields.uri.at, SINGLE_MEMBER, message, "add another, or a route to another set");
    }
    let others_have = members.iter().any(|row| row.has("duid"));
    for row in members.iter().filter(|row| !row.has("duid")) {
        let reason = match (row.has("maxload"), others_have) {
            (true, _) => "Kamailio's algorithm 10 counts calls by duid",
            (_, true) => "others of the set have one",
            _ => continue,
        };
        let message = format!("no duid: {reason}; here the URI is the id, and a new URI a new destination");
        lints.add(row, row.place("maxload"), MISSING_DUID, message, "write duid=NAME, unique in the set");
    }
}

/// What an operator may look for in the URI.
const OWN: [&str; 5] = ["weight", "rweight", "maxload", "maxrate", "duid"];
const TRANSPORTS: [&str; 6] = ["udp", "tcp", "tls", "sctp", "ws", "wss"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::{Mode, parse};

    fn codes(file: &str) -> Vec<(usize, usize, &'static str)> {
        let lints = lint(&parse(file.as_bytes(), Mode::Strict).unwrap());
        lints.iter().map(|lint| (lint.line, lint.column, lint.code)).collect()
    }

    #[test]
    fn every_lint_stands_once_in_the_table() {
        let mut codes: Vec<_> = LINTS.iter().map(|(code, ..)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), LINTS.len());
    }

    #[test]
    fn a_line_is_linted_where_it_is_odd() {
        let check = |columns: &str, expected: &[(usize, &'static str)]| {
            let file = format!("1 {columns}\n1 sip:other\n");
            let expected: Vec<_> = expected.iter().map(|(column, code)| (1, *column, *code)).collect();
            let here = codes(&file).into_iter().filter(|(line, ..)| *line == 1).collect::<Vec<_>>();
            assert_eq!(here, expected, "{columns}");
        };
        check("sip:a;lr;transport=TLS 8 5 duid=a;socket=udp:a:5060", &[]);
        check("sip:a;weight=10 8", &[(9, WEIGHT_IN_URI)]);
        check("a:5060", &[(3, URI_WITHOUT_SCHEME)]);
        check("sip:müller;transport=foo", &[(8, NON_ASCII_URI), (14, UNKNOWN_TRANSPORT)]);
        check("sip:a 0x8", &[(9, HEX_FLAGS)]);
        check("sip:a 5", &[(9, CONTRADICTORY_FLAGS)]);
        check("sip:a 40", &[(9, CONTRADICTORY_FLAGS)]);
        check(
            "sip:a 0 0 mine=5;b=c#d",
            &[(13, UNKNOWN_ATTRIBUTE), (20, UNKNOWN_ATTRIBUTE), (23, HASH_IN_VALUE)],
        );
        check("sip:a 0 0 weight=101", &[(20, WEIGHT_OVER_100)]);
        check("sip:a 0 0 weight=5;rweight=5", &[(22, WEIGHT_AND_RWEIGHT)]);
        check("sip:a 0 0 maxload=5", &[(13, MISSING_DUID)]);
    }

    #[test]
    fn a_set_is_linted_by_its_members() {
        let check = |file: &str, expected: &[(usize, usize, &'static str)]| {
            assert_eq!(codes(file), expected, "{file}");
        };
        check("1 sip:a\n1 sip:b\n2 sip:c\n2 sip:d\n", &[]);
        check("1 sip:a\n", &[(1, 3, SINGLE_MEMBER)]);
        check("1 sip:a 0 0 duid=a\n1 sip:b", &[(2, 3, MISSING_DUID)]);
        check("1 sip:a 0 0 duid=a\n1 SIP:A 0 0 duid=b", &[(2, 3, DUPLICATE_URI)]);
        check("1 sip:a\n1 sip:b\n2 sip:a\n2 sip:c", &[(3, 3, URI_IN_OTHER_SET)]);
        // Recorded: 50, 50 and none send every call to the last line.
        check("1 sip:a weight=50\n1 sip:b weight=50\n1 sip:c\n", &[(3, 3, FIRST_WITHOUT_WEIGHT)]);
        check("1 sip:a\n1 sip:b weight=50\n1 sip:c weight=50\n", &[(1, 3, WEIGHT_MISSING)]);
        check("1 sip:a 0 9\n1 sip:b weight=50\n", &[(1, 3, FIRST_WITHOUT_WEIGHT)]);
        check("1 sip:a rweight=5\n1 sip:b\n", &[(2, 3, WEIGHT_MISSING)]);
        let weights = "1 sip:a weight=10\n1 sip:b weight=10\n1 sip:c weight=8\n1 sip:d weight=10\n";
        check(weights, &[(1, 9, WEIGHTS_NOT_100)]);
        check(&weights.replace("weight", "rweight"), &[]);
        check("1 sip:a weight=33\n1 sip:b weight=33\n1 sip:c weight=33\n", &[]);
    }

    #[test]
    fn many_equal_rweights_leave_the_rest_to_one() {
        let file = |hosts: usize| (0..hosts).map(|n| format!("1 sip:h{n} rweight=1\n")).collect::<String>();
        assert_eq!(codes(&file(7)), []);
        assert_eq!(codes(&file(26)), [(1, 10, RWEIGHTS_ROUNDED)]);
        let lints = lint(&parse(file(101).as_bytes(), Mode::Strict).unwrap());
        assert!(lints[0].message.contains("sends 100 here, where 1 are due"), "{}", lints[0].message);
    }
}
