//! Failing over, marks, probes, reloads.

use callsteer::list::List;

use super::{
    ADD_TURNS_AROUND, FAILOVER_OFF, FAILOVER_UNUSED, Lints, MARKED_FOR_EVER, ONE_LOST_PROBE, PROBES_OFF,
    PROBES_WITHOUT_TM, RELOAD_FORGETS,
};
use crate::script::{Call, Script, names};

pub(super) fn lint(script: &Script, list: Option<&List>, lints: &mut Lints) {
    let Some(selection) = script.calls.iter().find(|call| names::selects(&call.name)) else { return };
    lint_failover(script, selection, lints);
    lint_probes(script, selection, lints);
    lint_marks(script, lints);

    let reload = script.calls_of("ds_reload").next();
    let by_rpc = script.modules.iter().find(|(name, _)| RPC.contains(&&**name)).map(|(_, place)| place);
    if let Some(place) = reload.map(|call| &call.place).or(by_rpc) {
        let message = "a reload sets every load to 0 and every state to that of the list: who was disabled takes calls, who is full looks idle";
        let fix = "write flags 4 into the list for who is switched off, and reload when it is quiet; Callsteer's apply keeps loads and states";
        lints.add(place, RELOAD_FORGETS, message, fix);
    }
    if let Some(place) = by_rpc.filter(|_| list.is_none_or(has_equal_priorities)) {
        let message = "dispatcher.add and dispatcher.remove turn the order of equal priorities around, in every set: hashes and turns move";
        let fix = "give each destination of a set a priority of its own; Callsteer moves nobody else";
        lints.add(place, ADD_TURNS_AROUND, message, fix);
    }
}

fn lint_failover(script: &Script, selection: &Call, lints: &mut Lints) {
    let keeps = script.number("flags").unwrap_or(0) & 2 != 0;
    let next = script.calls.iter().find(|call| call.name.starts_with("ds_next_"));
    match (next, keeps) {
        (Some(next), false) => {
            let message = format!("{} without flags 2: there is never a next one", next.name);
            lints.add(&next.place, FAILOVER_OFF, message, r#"modparam("dispatcher", "flags", 2)"#);
        }
        (None, _) => {
            let message = "ds_next_dst() is not called: a call whose destination fails is lost";
            let fix = "in failure_route: if (t_branch_timeout() || t_check_status(\"5..\")) if (ds_next_dst()) { t_relay(); exit; }";
            lints.add(&selection.place, FAILOVER_UNUSED, message, fix);
        }
        (Some(_), true) => {}
    }
}

fn lint_probes(script: &Script, selection: &Call, lints: &mut Lints) {
    if script.number("ds_ping_interval").unwrap_or(0) == 0 {
        let message = "ds_ping_interval is 0: nobody is probed, and calls alone find out who is down";
        let fix = r#"modparam("dispatcher", "ds_ping_interval", 10), with ds_probing_mode 1"#;
        return lints.add(&selection.place, PROBES_OFF, message, fix);
    }
    let Some(interval) = script.param("dispatcher", "ds_ping_interval") else { return };
    if !script.loads("tm") {
        lints.add(
            &interval.place,
            PROBES_WITHOUT_TM,
            "probes are sent by tm, which is not loaded",
            r#"loadmodule "tm.so""#,
        );
    }
    if script.number("ds_probing_threshold").unwrap_or(1) <= 1 {
        let message = "ds_probing_threshold is 1: one lost OPTIONS takes a destination down";
        lints.add(
            &interval.place,
            ONE_LOST_PROBE,
            message,
            r#"modparam("dispatcher", "ds_probing_threshold", 3)"#,
        );
    }
}

/// Who is marked as down comes back by a probe, or never.
fn lint_marks(script: &Script, lints: &mut Lints) {
    let probes = script.number("ds_ping_interval").unwrap_or(0) > 0;
    let probes_all = script.number("ds_probing_mode").unwrap_or(0) == 1;
    for mark in script.calls_of("ds_mark_dst") {
        let state = mark.args.first().map_or(Some("i".into()), super::super::Value::text);
        let Some(state) = state.map(|state| state.to_ascii_lowercase()) else { continue };
        if !state.starts_with(['i', 't']) {
            continue;
        }
        let message = match (probes, probes_all || state.ends_with('p')) {
            (false, _) => {
                format!("{mark}: nobody is probed (ds_ping_interval 0), so that who is down stays down")
            }
            (true, false) => {
                format!("{mark} asks for no probe, and ds_probing_mode is not 1: who is down stays down")
            }
            (true, true) => continue,
        };
        let fix = r#"ds_mark_dst("ip") or ds_mark_dst("tp"), and a ds_ping_interval"#;
        lints.add(&mark.place, MARKED_FOR_EVER, message, fix);
    }
}

fn has_equal_priorities(list: &List) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    list.entries().any(|entry| !seen.insert((entry.set(), entry.destination().priority)))
}

/// Modules by which `dispatcher.add`, `remove` and `reload` are reached.
const RPC: [&str; 4] = ["ctl", "jsonrpcs", "xmlrpc", "xhttp_rpc"];
