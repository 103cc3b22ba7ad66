//! Every line that was recorded from a real Kamailio: read as it reads it, or one of the named differences.

use std::collections::BTreeSet;

use callsteer::list::{ERRORS, LINTS, List, Mode, parse, write};
use callsteer::{Destination, Probing, SetId, Starts};
use serde_json::Value;

/// What we do with a line, where it is not what Kamailio does.
#[derive(Clone, Copy)]
enum Ours {
    /// Refused, with this code; Kamailio takes it.
    Refused(&'static str),
    /// Taken, as this; Kamailio refuses it or reads something else.
    Read(&'static str),
}
use Ours::{Read, Refused};

/// By case: what we do, as `docs/dispatcher-list.md` explains it.
const DIFFERENCES: &[(&str, Ours)] = &[
    // Numbers that wrap, or end where they do not look like it.
    ("set glued to uri", Refused("invalid_set")),
    ("set 2147483648", Refused("invalid_set")),
    ("set 4294967298", Refused("invalid_set")),
    ("no set id", Refused("missing_set")),
    ("no set id, flags", Refused("missing_set")),
    ("flags overflow", Refused("invalid_flags")),
    ("flags 64", Refused("invalid_flags")),
    ("flags 255", Refused("invalid_flags")),
    ("flags 0xZZ", Refused("invalid_flags")),
    ("flags word", Refused("invalid_flags")),
    ("flags negative", Refused("invalid_flags")),
    ("flags 8junk", Refused("invalid_flags")),
    ("prio negative", Refused("invalid_priority")),
    ("prio word", Refused("invalid_priority")),
    ("prio 2147483648", Refused("invalid_priority")),
    ("prio 99999999999", Refused("invalid_priority")),
    ("prio hex", Refused("invalid_priority")),
    ("prio 1.5", Refused("invalid_priority")),
    // Hexadecimal flags mean what they say, and the operator's will wins over a probe's result.
    ("flags hex 0x8", Read("2 sip:127.0.0.1:6002 AP 0 duid=sip:127.0.0.1:6002 weight=1 maxload=0")),
    ("flags hex 0X8", Read("2 sip:127.0.0.1:6002 AP 0 duid=sip:127.0.0.1:6002 weight=1 maxload=0")),
    ("flags hex 0x18 prio 7", Read("2 sip:127.0.0.1:6002 AP 7 duid=sip:127.0.0.1:6002 weight=1 maxload=0")),
    ("flags 5", Read("2 sip:127.0.0.1:6002 DX 0 duid=sip:127.0.0.1:6002 weight=1 maxload=0")),
    // Attributes that Kamailio ignores, cuts or takes only in part.
    ("comment glued to attrs", Refused("invalid_attribute")),
    ("weight=0", Refused("invalid_attribute")),
    ("weight=-1", Refused("invalid_attribute")),
    ("weight=abc", Refused("invalid_attribute")),
    ("weight=5.5", Refused("invalid_attribute")),
    ("weight empty", Refused("invalid_attribute")),
    ("weight no =", Refused("invalid_attribute")),
    ("weight=101", Read("2 sip:127.0.0.1:6002 AX 0 duid=sip:127.0.0.1:6002 weight=101 maxload=0")),
    ("weight twice", Refused("repeated_attribute")),
    ("rweight=0", Refused("invalid_attribute")),
    ("rweight=-5", Refused("invalid_attribute")),
    ("rweight=101", Read("2 sip:127.0.0.1:6002 AX 0 duid=sip:127.0.0.1:6002 weight=101 maxload=0")),
    ("maxload=-1", Refused("invalid_attribute")),
    ("maxload=abc", Refused("invalid_attribute")),
    ("maxload=99999999999", Refused("invalid_attribute")),
    ("attrs with space", Refused("trailing_text")),
    ("attrs all quoted", Refused("invalid_attribute")),
    ("attrs =x", Refused("invalid_attribute")),
    ("attrs comma", Refused("invalid_attribute")),
    ("extra column", Refused("trailing_text")),
    // One id, one destination.
    ("duplicate line", Refused("duplicate")),
    ("duplicate uri other prio", Refused("duplicate")),
    ("duplicate duid", Refused("duplicate")),
    // URIs that cannot be called.
    ("uri port 0", Refused("invalid_uri")),
    ("uri port empty", Refused("invalid_uri")),
    ("uri bad ip", Refused("invalid_uri")),
    // Names are not resolved, and IPv6 needs no route: the recorder had neither.
    ("uri no scheme host", Read("2 sip:localhost:6002 AX 0 duid=sip:localhost:6002 weight=1 maxload=0")),
    ("uri localhost", Read("2 sip:localhost:6002 AX 0 duid=sip:localhost:6002 weight=1 maxload=0")),
    (
        "uri unresolvable",
        Read("2 sip:no-such-host.invalid:5060 AX 0 duid=sip:no-such-host.invalid:5060 weight=1 maxload=0"),
    ),
    ("uri ipv6", Read("2 sip:[::1]:6002 AX 0 duid=sip:[::1]:6002 weight=1 maxload=0")),
    ("uri ipv6 no port", Read("2 sip:[2001:db8::1] AX 0 duid=sip:[2001:db8::1] weight=1 maxload=0")),
    (
        "uri ipv6 tcp",
        Read("2 sip:[::1]:6002;transport=tcp AX 0 duid=sip:[::1]:6002;transport=tcp weight=1 maxload=0"),
    ),
    ("uri ipv6 upper", Read("2 sip:[2001:DB8::A]:5060 AX 0 duid=sip:[2001:DB8::A]:5060 weight=1 maxload=0")),
    // Lines that are cut, or are not the lines that an editor shows.
    ("NUL byte in line", Refused("invisible_character")),
    ("CR only", Refused("invisible_character")),
    ("long line 1100 (attrs cut)", Refused("line_too_long")),
    ("long line: tail looks like an entry", Refused("line_too_long")),
    ("long comment whose tail looks like an entry", Refused("line_too_long")),
];

/// What each recording of a start had in its file, and whether we take it in strict mode.
const STARTS: &[(&str, &str, bool)] = &[
    ("bad line (set only)", "1 sip:127.0.0.1:6001\n2\n9 sip:127.0.0.1:6009\n", false),
    ("bad uri", "1 sip:127.0.0.1:6001\n2 foo:127.0.0.1\n9 sip:127.0.0.1:6009\n", false),
    ("only comments", "# a\n# b\n", true),
    ("empty file", "", true),
    ("negative set", "1 sip:127.0.0.1:6001\n-1 sip:127.0.0.1:6002\n", false),
];

const RECORDINGS: [(&str, &str); 2] = [
    ("deb", include_str!("../../../testdata/kamailio/list_parsing.deb.json")),
    ("head", include_str!("../../../testdata/kamailio/list_parsing.head.json")),
];

const DOCS: &str = include_str!("../../../docs/dispatcher-list.md");

#[test]
fn every_recorded_line_is_read_as_kamailio_does_or_differs_by_name() {
    let mut used = BTreeSet::new();
    for (flavour, recording) in recordings() {
        let texts = (recording["before"].as_str().unwrap(), recording["after"].as_str().unwrap());
        for case in recording["cases"].as_array().unwrap() {
            let name = case["case"].as_str().unwrap();
            let theirs = Answer::of_kamailio(case, flavour);
            let ours = Answer::of_callsteer(case, texts, flavour);
            let difference = DIFFERENCES.iter().find(|(case, _)| *case == name);
            let expected = match difference {
                _ if theirs.is_same(&ours) => continue,
                None => panic!(
                    "{flavour}, {name}: {theirs:?} in Kamailio, {ours:?} here, and no difference named"
                ),
                Some((_, Refused(code))) => Answer::Refused(Some((*code).into())),
                Some((_, Read(line))) => Answer::Read(vec![as_shown(line, flavour)]),
            };
            assert_eq!(ours, expected, "{flavour}, {name}");
            used.insert(name.to_owned());
        }
    }
    let stale: Vec<_> =
        DIFFERENCES.iter().map(|(name, _)| name).filter(|name| !used.contains(**name)).collect();
    assert!(stale.is_empty(), "differences that are none: {stale:?}");
}

#[test]
fn a_list_starts_as_with_kamailio_but_lenient_leaves_out_every_bad_line() {
    for (flavour, recording) in recordings() {
        for case in recording["startup"].as_array().unwrap() {
            let name = case["case"].as_str().unwrap();
            let (_, file, strict) = STARTS.iter().find(|(start, ..)| *start == name).unwrap();
            let mode = if case["ds_load_mode"] == 1 { Mode::Strict } else { Mode::Lenient };
            let ours = parse(file.as_bytes(), mode);
            assert_eq!(ours.is_ok(), *strict || mode == Mode::Lenient, "{flavour}, {name}");
            // A line without a URI keeps Kamailio from starting in both modes.
            if name != "bad line (set only)" {
                assert_eq!(case["started"], ours.is_ok(), "{flavour}, {name}");
            }
            if let (Ok(list), Some(sets)) = (ours, case["targets"].as_object()) {
                let theirs: BTreeSet<_> = sets.keys().filter(|key| *key != "error").cloned().collect();
                let here: BTreeSet<_> = list.entries().map(|entry| entry.set().to_string()).collect();
                assert_eq!(here, theirs, "{flavour}, {name}");
            }
        }
    }
}

#[test]
fn every_code_is_explained_in_the_docs() {
    let codes = ERRORS.iter().map(|(code, _)| code).chain(LINTS.iter().map(|(code, ..)| code));
    let missing: Vec<_> = codes.filter(|code| !DOCS.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What came of a line.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// A comment or a blank line.
    Nothing,
    /// Refused; ours has a code.
    Refused(Option<String>),
    /// Read as these destinations, sorted.
    Read(Vec<String>),
}

impl Answer {
    fn of_kamailio(case: &Value, flavour: &str) -> Self {
        let sets = case["parsed"].as_object().unwrap();
        let members = sets.iter().flat_map(|(set, members)| {
            members.as_array().unwrap().iter().map(move |member| shown_by_kamailio(set, member, flavour))
        });
        let mut members: Vec<_> = members.collect();
        members.sort();
        match case["log"].as_array().unwrap().is_empty() {
            _ if !members.is_empty() => Self::Read(members),
            true => Self::Nothing,
            false => Self::Refused(None),
        }
    }

    fn of_callsteer(case: &Value, (before, after): (&str, &str), flavour: &str) -> Self {
        let file = [before.as_bytes(), &line(case), after.as_bytes()].concat();
        // The line without an end is the last one.
        let neighbours = if case["line"].is_null() { 1 } else { 2 };
        let file = if neighbours == 1 { &file[..file.len() - after.len()] } else { &file[..] };
        let list = parse(file, Mode::Lenient).unwrap();
        let strict = parse(file, Mode::Strict);
        assert_eq!(write(&list), file, "{case}");
        assert_eq!(strict.as_ref().err(), list.skipped().first(), "{case}");
        assert_eq!(around(&list), neighbours, "{case}");
        if let Some(error) = list.skipped().first() {
            return Self::Refused(Some(error.code().into()));
        }
        let mut members: Vec<_> = list
            .destinations()
            .iter()
            .filter(|(set, _)| ![1, 9].contains(set))
            .map(|(set, destination)| shown(*set, destination, flavour))
            .collect();
        members.sort();
        if members.is_empty() { Self::Nothing } else { Self::Read(members) }
    }

    fn is_same(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Refused(_), Self::Refused(_))) || self == other
    }
}

/// How many of the lines before and after the one that counts were read.
fn around(list: &List) -> usize {
    list.entries().filter(|entry| [1, 9].contains(&entry.set())).count()
}

fn shown_by_kamailio(set: &str, member: &Value, flavour: &str) -> String {
    let number = |key: &str| member.get(key).and_then(Value::as_i64).unwrap_or_default();
    let uri = member["uri"].as_str().map(bytes).unwrap();
    let uri = String::from_utf8(uri).unwrap();
    let duid = member.get("attr_duid").and_then(Value::as_str).unwrap_or(&uri);
    let weight = [number("attr_weight"), number("attr_rweight"), 1].into_iter().find(|weight| *weight != 0);
    let line = format!(
        "{set} {uri} {} {} duid={duid} weight={} maxload={}",
        member["flags"].as_str().unwrap(),
        member["priority"],
        weight.unwrap(),
        number("attr_maxload"),
    );
    as_shown(&line, flavour)
}

fn shown(set: SetId, destination: &Destination, flavour: &str) -> String {
    let state = match destination.starts {
        Starts::Active => 'A',
        Starts::Trying => 'T',
        Starts::Inactive => 'I',
        Starts::Disabled => 'D',
    };
    // The package shows flag 8, master shows flag 32.
    let probing = match destination.probing {
        Probing::Flagged if flavour == "deb" => 'P',
        Probing::Never if flavour == "head" => 'N',
        _ => 'X',
    };
    let Destination { uri, id, weight, max_calls, priority, .. } = destination;
    format!("{set} {uri} {state}{probing} {priority} duid={id} weight={weight} maxload={max_calls}")
}

/// Master does not show flag 8.
fn as_shown(line: &str, flavour: &str) -> String {
    if flavour == "head" { line.replacen(" AP ", " AX ", 1) } else { line.into() }
}

/// The bytes of a recorded line; those that were recorded with their length only are built again.
fn line(case: &Value) -> Vec<u8> {
    let start = "2 sip:127.0.0.1:6002 0 0 duid=";
    let tail = "7 sip:127.0.0.1:6007\n";
    let (text, length) = match case["case"].as_str().unwrap() {
        "no newline at end" => return b"2 sip:127.0.0.1:6002 8 5".to_vec(),
        "long attrs 900" => (format!("{start}{};weight=50\n", "x".repeat(870)), 911),
        "long line 1100 (attrs cut)" => (format!("{start}{};weight=50\n", "x".repeat(1060)), 1101),
        "long line: tail looks like an entry" => (format!("{start}{}     {tail}", "x".repeat(988)), 1044),
        "long comment whose tail looks like an entry" => (format!("#{}{tail}", "c".repeat(1022)), 1044),
        _ => return bytes(case["line"].as_str().unwrap()),
    };
    assert_eq!(text.len(), length);
    let recorded = case["line"].as_str().unwrap();
    let (kept, _) = recorded.split_once("...").unwrap();
    assert!(text.starts_with(kept) && recorded.contains(&length.to_string()), "{recorded}");
    text.into_bytes()
}

/// Recorded strings are latin-1 views of bytes.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect()
}

fn recordings() -> impl Iterator<Item = (&'static str, Value)> {
    RECORDINGS.iter().map(|(flavour, text)| (*flavour, serde_json::from_str(text).unwrap()))
}
