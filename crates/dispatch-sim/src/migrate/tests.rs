//! What becomes of scripts and lists.

use std::collections::BTreeMap;
use std::time::Duration;

use callsteer::list::{Mode, parse};
use callsteer::{Algorithm, ProbingMode, Route};
use serde_json::json;

use super::*;

const LIST: &str = "1 sip:a 0 0 duid=a\n1 sip:b 0 0 duid=b\n2 sip:c 0 0 duid=c\n";

fn migrated(text: &str, list: &str, as_kamailio: bool) -> Migration {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kamailio.cfg");
    std::fs::write(&file, text).unwrap();
    let script = Script::read(&file, &BTreeMap::new()).unwrap();
    let list = parse(list.as_bytes(), Mode::Lenient).unwrap();
    migrate(&script, list, "dispatcher.list", Options { as_kamailio })
}

fn param(name: &str, value: &str) -> String {
    format!("modparam(\"dispatcher\", \"{name}\", {value})\n")
}

/// Fates and texts of one line of the script.
fn said(migration: &Migration, line: usize) -> Vec<(Fate, &str)> {
    let here = |one: &&Line| one.place.ends_with(&format!("kamailio.cfg:{line}"));
    migration.lines.iter().filter(here).map(|line| (line.fate, &*line.what)).collect()
}

#[test]
fn parameters_become_fields() {
    let check = |name: &str, value: &str, expected: serde_json::Value| {
        let migration = migrated(&param(name, value), LIST, false);
        assert_eq!(migration.config_changes(), expected, "{name}");
        assert_eq!(migration.config.check(), Ok(()));
        assert!(said(&migration, 1).iter().all(|(fate, _)| *fate == Fate::Carried), "{:?}", migration.lines);
    };
    check("ds_ping_interval", "30", json!({ "probing": { "interval": 30.0 } }));
    check("ds_ping_interval", "0", json!({ "probing": { "mode": "off" } }));
    check("ds_probing_threshold", "5", json!({ "health": { "probing_threshold": 5 } }));
    check("ds_inactive_threshold", "4", json!({ "health": { "inactive_threshold": 4 } }));
    check("ds_probing_mode", "0", json!({ "probing": { "mode": "suspects" } }));
    check("ds_probing_mode", "3", json!({ "probing": { "mode": "flagged" } }));
    check("ds_hash_initexpire", "90", json!({ "setup_timeout": 90.0 }));
    check("ds_hash_expire", "3600", json!({ "max_duration": 3600.0 }));
    let accepted = json!({ "probing": { "accepted": { "classes": [2, 3], "codes": [403] } } });
    check("ds_ping_reply_codes", "\"class=2;code=403;class=3\"", accepted);
    check("ds_load_mode", "1", json!({}));
    let timeout = migrated("modparam(\"tm\", \"fr_timer\", 2500)\n", LIST, false).config.probing.timeout;
    assert_eq!(timeout, Duration::from_millis(2_500));
    let off =
        migrated(&[param("ds_ping_interval", "0"), param("ds_probing_mode", "1")].concat(), LIST, false);
    assert_eq!(off.config.probing.mode, ProbingMode::Off);
}

#[test]
fn what_has_no_counterpart_is_named() {
    let check = |line: &str, fate: Fate, text: &str| {
        let migration = migrated(line, LIST, false);
        let said = said(&migration, 1);
        assert!(said.iter().any(|(is, what)| *is == fate && what.contains(text)), "{line}: {said:?}");
    };
    check(&param("xavp_dst", "\"x\""), Fate::Needless, "`next` knows");
    check(&param("ds_ping_from", "\"sip:a\""), Fate::Outside, "the prober writes From");
    check(&param("flags", "3"), Fate::Outside, "the user of the URI as the call's key");
    check(&param("flags", "6"), Fate::Lost, "only 1 and 2");
    check(&param("use_default", "1"), Fate::Lost, "a set of its own");
    check(&param("nonsense", "1"), Fate::Lost, "no such parameter");
    check(&param("ds_ping_interval", "UNKNOWN"), Fate::Lost, "nobody knows its value");
    check(&param("ds_probing_threshold", "0"), Fate::Lost, "at least 1");
    check(&param("ds_probing_mode", "7"), Fate::Lost, "0 to 3");
    check(&param("ds_ping_reply_codes", "\"code=20\""), Fate::Lost, "neither");
    check("request_route { ds_mark_dst(\"ip\"); }", Fate::Outside, "`fail`");
    check("request_route { ds_frob(); }", Fate::Lost, "no such function");
    check("event_route[dispatcher:dst-down] { exit; }", Fate::Outside, "`poll_event`");
    check("request_route { ds_select_dst(\"1\", \"12\"); }", Fate::Lost, "one destination here");
    check(
        "request_route { ds_select_dst(\"1\", \"$var(x)\"); }",
        Fate::Lost,
        "only a running Kamailio knows",
    );
    check(
        "request_route { ds_select_dst(\"1\", \"0\", \"3\"); }",
        Fate::Outside,
        "to 3 destinations at most",
    );
    check("request_route { ds_select_dst(\"1\", \"9\"); }", Fate::Differs, "is 9 what is meant?");
    check("include_file \"x.cfg\"", Fate::Lost, "not here");
}

#[test]
fn every_parameter_and_function_of_kamailio_has_a_line() {
    let params = names::PARAMETERS
        .iter()
        .map(|known| param(known.name, if known.kind == names::Kind::Number { "1" } else { "\"a\"" }));
    let calls =
        names::FUNCTIONS.iter().map(|known| format!("request_route {{ {}(\"1\", \"4\"); }}\n", known.name));
    let text: String = params.chain(calls).collect();
    let migration = migrated(&text, LIST, false);
    for line in 1..=text.lines().count() {
        assert!(!said(&migration, line).is_empty(), "line {line} of\n{text}");
    }
}

#[test]
fn selections_become_policies() {
    let route = |set, algorithm| Route { set, algorithm };
    let check = |body: &str, as_kamailio: bool, expected: &[(u32, Vec<Route>)]| {
        let migration = migrated(&format!("request_route {{ {body} }}"), LIST, as_kamailio);
        assert_eq!(migration.config.policies, expected.iter().cloned().collect(), "{body}");
        assert_eq!(migration.config.check(), Ok(()));
    };
    let (load, weighted) = (Algorithm::CallLoad, Algorithm::Weighted);
    let article = [(1, vec![route(1, load), route(2, weighted)])];
    check("if (!ds_select_dst(\"1\", \"10\")) { ds_select_dst(\"2\", \"9\"); }", false, &article);
    check("ds_select_routes(\"1=10;2=9\", \"0\");", false, &article);
    check(
        "ds_select_dst(\"1\", \"10\"); ds_select_dst(\"2\", \"9\");",
        false,
        &[(1, vec![route(1, load)]), (2, vec![route(2, weighted)])],
    );
    let exact = |alg| Algorithm::Kamailio { alg, use_default: false, unsigned_bytes: false };
    check("ds_select_dst(\"1\", \"0\");", true, &[(1, vec![route(1, exact(0))])]);
    check("ds_select_dst(\"1\", \"13\");", true, &[]);
    check("ds_select_dst(\"1\", \"12\");", true, &[]);

    let twice = migrated(
        "request_route { ds_select_dst(\"1\", \"10\");\nds_select_dst(\"1\", \"4\"); }",
        LIST,
        false,
    );
    assert_eq!(twice.config.policies[&1], [route(1, load)]);
    assert!(
        said(&twice, 2)
            .iter()
            .any(|(fate, what)| *fate == Fate::Lost && what.contains("another policy already"))
    );
}

#[test]
fn lines_of_the_list_are_named_where_they_mean_something_else() {
    let check = |algorithm: u16, list: &str, expected: &[(&str, Fate, &str)]| {
        let script = format!("request_route {{ ds_select_dst(\"1\", \"{algorithm}\"); }}");
        let migration = migrated(&script, list, false);
        let lines: Vec<_> =
            migration.lines.iter().filter(|line| line.place.starts_with("dispatcher.list")).collect();
        assert_eq!(lines.len(), expected.len(), "{list}: {lines:?}");
        for (line, (place, fate, text)) in lines.iter().zip(expected) {
            assert_eq!((&*line.place, line.fate), (*place, *fate));
            assert!(line.what.contains(text), "{line:?}");
        }
        migration
    };
    check(10, LIST, &[]);
    check(10, "1 sip:a 8junk\n1 sip:b\n", &[("dispatcher.list:1:9", Fate::Lost, "left out")]);
    check(10, "1 sip:a weight=5\n", &[("dispatcher.list:1", Fate::Differs, "call_load goes by it")]);
    check(4, "1 sip:a weight=5\n", &[]);
    check(
        4,
        "1 sip:a socket=udp:b:5060\n",
        &[("dispatcher.list:1", Fate::Outside, "socket=udp:b:5060: kept")],
    );
    check(4, "2 sip:a\n", &[("dispatcher.list", Fate::Lost, "set 1 is selected")]);
    let both = "1 sip:a weight=5;rweight=7\n";
    check(9, both, &[("dispatcher.list:1", Fate::Differs, "rweight is kept")]);
    let by_rweight = check(11, both, &[("dispatcher.list:1", Fate::Differs, "rweight is the weight here")]);
    assert_eq!(by_rweight.list.destinations()[0].1.weight, 7);
}

#[test]
fn what_is_not_said_and_differs_is_named() {
    let migration = migrated(&param("ds_ping_interval", "10"), LIST, false);
    let defaults: Vec<_> = migration.lines.iter().filter(|line| line.fate == Fate::Differs).collect();
    assert_eq!(defaults.len(), 4, "{defaults:?}");
    assert!(
        defaults[1].what.contains("ds_probing_threshold is not set: 1 in Kamailio, 3 here"),
        "{defaults:?}"
    );
}
