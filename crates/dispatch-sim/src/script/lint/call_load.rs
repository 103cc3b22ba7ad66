//! Algorithm 10: a count that leaks where it is not looked after.

use callsteer::list::List;

use super::{
    CALL_LOAD_FAILED_STAY, CALL_LOAD_NEVER_ENDS, CALL_LOAD_NOT_CONFIRMED, CALL_LOAD_OFF, CALL_LOAD_RACE,
    CALL_LOAD_REPEATED, CALL_LOAD_TIES, CALL_LOAD_TIMEOUTS, CALL_LOAD_WITHOUT_DUID, Lints, members,
};
use crate::script::names::RETRANSMISSIONS;
use crate::script::{Call, Script};

pub(super) fn lint(script: &Script, list: Option<&List>, lints: &mut Lints) {
    let selections = script.selections();
    let by_load: Vec<_> = selections.iter().filter(|one| one.algorithm == Ok(CALL_LOAD)).collect();
    let Some(first) = by_load.first() else { return };
    let place = &first.call.place;
    lint_count(script, first.call, lints);

    let message = "algorithm 10: of equal loads the first of Kamailio's order always wins, so that it gets most calls of a quiet fleet";
    lints.add(place, CALL_LOAD_TIES, message, "Callsteer's call_load lets ties take turns");

    for selection in &by_load {
        let Some((set, list)) = selection.set.as_ref().ok().zip(list) else { continue };
        let lines: Vec<_> = members(list, *set);
        let uncounted = lines.iter().find(|entry| entry.kamailio().duid.is_empty());
        if let Some(entry) = uncounted {
            let message = format!(
                "algorithm 10 counts by duid, which {} of set {set} (line {} of the list) has not: it counts as idle, and gets every call",
                entry.destination().uri,
                entry.line()
            );
            let fix = "write duid=NAME for every destination of the set";
            lints.add(&selection.call.place, CALL_LOAD_WITHOUT_DUID, message, fix);
        }
    }
    let limited = by_load.iter().any(|selection| match (&selection.set, list) {
        (Ok(set), Some(list)) => members(list, *set).iter().any(|entry| entry.kamailio().maxload > 0),
        _ => false,
    });
    let children = script.children.unwrap_or(DEFAULT_CHILDREN);
    if limited && children != 1 {
        let message = format!(
            "{children} processes choose first and count then: calls that come together pass maxload (25 calls on 20 places)"
        );
        lints.add(
            place,
            CALL_LOAD_RACE,
            message,
            "keep room under the real limit; Callsteer does both at once",
        );
    }
}

/// Whether what is counted is counted out.
fn lint_count(script: &Script, selection: &Call, lints: &mut Lints) {
    let place = &selection.place;
    if script.number("ds_hash_size").unwrap_or(0) <= 0 {
        let message = "algorithm 10 without ds_hash_size: nobody is ever selected";
        lints.add(place, CALL_LOAD_OFF, message, r#"modparam("dispatcher", "ds_hash_size", 9)"#);
    }
    let is_reply =
        |call: &&Call| call.block.starts_with("onreply_route") || call.block.starts_with("reply_route");
    if script.calls_of("ds_load_update").filter(|call| !is_reply(call)).count() == 0 {
        let message = "ds_load_update() is called for no request: a call stays counted after its BYE or CANCEL, until it expires";
        lints.add(place, CALL_LOAD_NEVER_ENDS, message, r#"if (is_method("BYE|CANCEL")) ds_load_update();"#);
    }
    if script.calls_of("ds_load_update").filter(is_reply).count() == 0 {
        let message = "ds_load_update() is called for no reply: an answered call expires after ds_hash_initexpire, not ds_hash_expire";
        let fix = r#"in onreply_route: if (is_method("INVITE") && $rs =~ "^2") ds_load_update();"#;
        lints.add(place, CALL_LOAD_NOT_CONFIRMED, message, fix);
    }
    if script.calls_of("ds_load_unset").count() == 0 {
        let message = "ds_load_unset() is not called: a call that fails (486, 603, no answer) stays counted until it expires";
        let fix = "call it in failure_route where the call ends, or in onreply_route for every final reply above 299";
        lints.add(place, CALL_LOAD_FAILED_STAY, message, fix);
    }
    for (name, longest, why, fix) in [
        (
            "ds_hash_initexpire",
            600,
            "a call that was never answered stays counted that long",
            "set it a little above the longest ringing, to 60 or 180; here that is setup_timeout",
        ),
        (
            "ds_hash_expire",
            i64::MAX,
            "a call without BYE stays counted that long, and a longer one is no longer counted",
            "set it above your longest call; here that is max_duration",
        ),
    ] {
        let value = script.number(name);
        if value.is_none_or(|seconds| seconds > longest) {
            let seconds = value.unwrap_or(DEFAULT_EXPIRY);
            let state = if value.is_none() { "not set" } else { "set" };
            let message = format!("{name} is {state}: {seconds} s; {why}");
            let at = script.param("dispatcher", name).map_or(place, |param| &param.place);
            lints.add(at, CALL_LOAD_TIMEOUTS, message, fix);
        }
    }
    if !script.calls.iter().any(|call| RETRANSMISSIONS.contains(&&*call.name)) {
        let message = "nothing tells a retransmitted INVITE before it is placed: it is placed again, perhaps somewhere else";
        let fix = "if (t_precheck_trans()) { t_check_trans(); exit; } t_check_trans(); before ds_select_dst";
        lints.add(place, CALL_LOAD_REPEATED, message, fix);
    }
}

const CALL_LOAD: u16 = 10;
/// `ds_hash_initexpire` and `ds_hash_expire`, in seconds.
const DEFAULT_EXPIRY: i64 = 7_200;
const DEFAULT_CHILDREN: i64 = 8;
