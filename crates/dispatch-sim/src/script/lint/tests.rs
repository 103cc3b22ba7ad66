//! Each lint of a script, where it is and where it is not.

use std::collections::{BTreeMap, BTreeSet};

use callsteer::list::{Mode, parse};

use super::*;

/// Nothing to say of it, but that ties go to the first.
const CLEAN: &str = r#"children=1
loadmodule "tm.so"
loadmodule "dispatcher.so"
modparam("dispatcher", "flags", 2)
modparam("dispatcher", "ds_ping_interval", 10)
modparam("dispatcher", "ds_probing_mode", 1)
modparam("dispatcher", "ds_probing_threshold", 3)
modparam("dispatcher", "ds_hash_size", 9)
modparam("dispatcher", "ds_hash_initexpire", 120)
modparam("dispatcher", "ds_hash_expire", 3600)
request_route {
  if (is_method("BYE|CANCEL")) ds_load_update();
  if (t_precheck_trans()) { t_check_trans(); exit; }
  ds_select_dst("1", "10");
}
onreply_route[R] { if (is_method("INVITE") && $rs =~ "^2") ds_load_update(); }
failure_route[F] {
  ds_mark_dst("tp");
  if (ds_next_dst()) { t_relay(); exit; }
  ds_load_unset();
}
"#;

const LIST: &str = "1 sip:a 0 9 duid=a;maxload=9\n1 sip:b 0 8 duid=b;maxload=9\n2 sip:c 0 9\n2 sip:d 0 8 weight=60;rweight=1\n";

fn lints(text: &str, list: &str) -> Vec<ScriptLint> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kamailio.cfg");
    std::fs::write(&file, text).unwrap();
    let script = Script::read(&file, &BTreeMap::new()).unwrap();
    lint(&script, Some(&parse(list.as_bytes(), Mode::Strict).unwrap()))
}

#[test]
fn every_lint_has_its_place_and_its_fix() {
    assert_eq!(lints(CLEAN, LIST).iter().map(|lint| lint.code).collect::<Vec<_>>(), [CALL_LOAD_TIES]);
    let mut seen = BTreeSet::from([CALL_LOAD_TIES]);
    // What is replaced by what, and the line and code of what is then said.
    let mut check = |old: &str, new: &str, line: usize, code: &'static str| {
        assert!(CLEAN.contains(old), "{old}");
        let lints = lints(&CLEAN.replace(old, new), LIST);
        let found = lints.iter().find(|lint| lint.code == code && lint.place.line == line);
        let found = found.unwrap_or_else(|| panic!("{new}: {lints:?}"));
        assert!(!found.message.is_empty() && !found.fix.is_empty());
        seen.insert(code);
    };
    let select = "ds_select_dst(\"1\", \"10\")";
    check("children=1", "include_file \"none.cfg\"", 1, NOT_UNDERSTOOD);
    check("\"flags\", 2", "\"flag\", 2", 4, UNKNOWN_PARAMETER);
    check("\"flags\", 2", "\"dst_avp\", \"$avp(x)\"", 4, UNKNOWN_PARAMETER);
    check("\"flags\", 2", "\"flags\", \"2\"", 4, PARAMETER_TYPE);
    check("\"flags\", 2", "\"list_file\", 2", 4, PARAMETER_TYPE);
    check("ds_next_dst", "ds_next_dest", 19, UNKNOWN_FUNCTION);
    check("\"10\");", "\"77\");", 14, UNKNOWN_ALGORITHM);
    check("\"10\");", "\"64\");", 14, NEWER_ALGORITHM);
    check("\"10\");", "\"9\");", 14, MISNUMBERED_ALGORITHM);
    check(select, "ds_select_dst(\"2\", \"8\")", 14, MISNUMBERED_ALGORITHM);
    check(select, "ds_select_dst(\"7\", \"4\")", 14, SET_NOT_IN_LIST);
    check("\"10\");", "\"9\");", 14, ALGORITHM_WITHOUT_WEIGHTS);
    check("\"10\");", "\"11\");", 14, ALGORITHM_WITHOUT_WEIGHTS);
    check("\"10\");", "\"0\");", 14, SHARE_TO_NEIGHBOUR);
    check("\"10\");", "\"3\");", 14, HASH_HAS_HOST);
    check("\"10\");", "\"7\");", 14, HASH_PVAR_MISSING);
    check("\"10\");", "\"13\");", 14, LATENCY_MISSING);
    check("\"10\");", "$var(a));", 14, NOT_UNDERSTOOD);
    check("\"ds_hash_size\", 9", "\"ds_hash_size\", 0", 14, CALL_LOAD_OFF);
    check(select, "ds_select_dst(\"2\", \"10\")", 14, CALL_LOAD_WITHOUT_DUID);
    check("if (is_method(\"BYE|CANCEL\")) ds_load_update();", "", 14, CALL_LOAD_NEVER_ENDS);
    check("\"^2\") ds_load_update();", "\"^2\") exit;", 14, CALL_LOAD_NOT_CONFIRMED);
    check("ds_load_unset();", "", 14, CALL_LOAD_FAILED_STAY);
    check("\"ds_hash_initexpire\", 120", "\"ds_hash_initexpire\", 7200", 9, CALL_LOAD_TIMEOUTS);
    check("modparam(\"dispatcher\", \"ds_hash_expire\", 3600)", "", 14, CALL_LOAD_TIMEOUTS);
    check("if (t_precheck_trans()) { t_check_trans(); exit; }", "", 14, CALL_LOAD_REPEATED);
    check("children=1", "children=4", 14, CALL_LOAD_RACE);
    check("children=1", "", 14, CALL_LOAD_RACE);
    check("ds_load_unset();", "ds_load_unset(); ds_reload();", 20, RELOAD_FORGETS);
    check("\"flags\", 2", "\"flags\", 1", 19, FAILOVER_OFF);
    check("if (ds_next_dst()) { t_relay(); exit; }", "", 14, FAILOVER_UNUSED);
    check("\"ds_ping_interval\", 10", "\"ds_ping_interval\", 0", 18, MARKED_FOR_EVER);
    check("\"ds_ping_interval\", 10", "\"ds_ping_interval\", 0", 14, PROBES_OFF);
    check("loadmodule \"tm.so\"", "", 5, PROBES_WITHOUT_TM);
    check("\"ds_probing_threshold\", 3", "\"ds_probing_threshold\", 1", 5, ONE_LOST_PROBE);

    let equal = "1 sip:a 0 0 duid=a\n1 sip:b 0 0 duid=b\n";
    let rpc = CLEAN.replace("children=1", "loadmodule \"ctl.so\"");
    let codes = |list: &str| lints(&rpc, list).into_iter().map(|lint| lint.code).collect::<Vec<_>>();
    assert!(codes(equal).contains(&ADD_TURNS_AROUND) && !codes(LIST).contains(&ADD_TURNS_AROUND));
    assert!(codes(LIST).contains(&RELOAD_FORGETS));
    seen.insert(ADD_TURNS_AROUND);

    let known: BTreeSet<_> = SCRIPT_LINTS.iter().map(|(code, ..)| *code).collect();
    assert_eq!(known.len(), SCRIPT_LINTS.len());
    assert_eq!(seen, known);
}

#[test]
fn a_mark_that_nobody_takes_back_is_an_error() {
    let codes = |mode: u8, state: &str| {
        let text = CLEAN.replace("\"ds_probing_mode\", 1", &format!("\"ds_probing_mode\", {mode}"));
        let text = text.replace("ds_mark_dst(\"tp\")", &format!("ds_mark_dst({state})"));
        lints(&text, LIST).iter().any(|lint| lint.code == MARKED_FOR_EVER)
    };
    assert_eq!([codes(1, ""), codes(1, "\"i\""), codes(0, "\"ip\""), codes(0, "\"a\"")], [false; 4]);
    assert_eq!([codes(0, ""), codes(0, "\"i\""), codes(2, "\"t\""), codes(3, "\"I\"")], [true; 4]);
}

#[test]
fn without_a_list_only_the_script_is_linted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kamailio.cfg");
    std::fs::write(&file, CLEAN.replace("\"10\");", "\"9\");")).unwrap();
    let script = Script::read(&file, &BTreeMap::new()).unwrap();
    let codes: Vec<_> = lint(&script, None).iter().map(|lint| lint.code).collect();
    assert_eq!(codes, [MISNUMBERED_ALGORITHM]);
}
