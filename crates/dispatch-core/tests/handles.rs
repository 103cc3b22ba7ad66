//! Handles and plans of what is no more: each command refuses them, says why, and changes nothing else.

use std::time::Duration;

use callsteer::{
    Call, Change, Config, Destination, DestinationId, Dispatcher, FailError, Failure, Inventory, NextError,
    NoSuchCall, NoSuchDestination, PlanError, ProbeError, ProbeResult, Probing, Report, ReportError,
    StalePlan, Time, UpdateError,
};

const NOW: Time = Time::from_secs(1);

#[test]
fn a_destination_that_left_is_refused_by_every_command() {
    for calls_go_on in [false, true] {
        let (mut dispatcher, ids) = fleet(["sip:stays", "sip:leaves"]);
        let gone = ids[1];
        let calls = if calls_go_on { 2 } else { 0 };
        for call in 0..calls {
            dispatcher.begin(&Call::new(&[call]), NOW).unwrap();
        }
        dispatcher.remove(gone, NOW).unwrap();
        let before = (dispatcher.stats(), dispatcher.status(ids[0]));

        assert_eq!(dispatcher.remove(gone, NOW), Err(NoSuchDestination));
        assert_eq!(dispatcher.set_enabled(gone, false, NOW), Err(NoSuchDestination));
        assert_eq!(dispatcher.drain(gone, Some(Duration::ZERO), NOW), Err(NoSuchDestination));
        let update = dispatcher.update(gone, Destination::new("sip:leaves"), NOW);
        assert_eq!(update, Err(UpdateError::NoSuchDestination));
        let probed = dispatcher.probe_result(gone, ProbeResult::Timeout, NOW);
        assert_eq!(probed, Err(ProbeError::NoSuchDestination));
        let report = dispatcher.report(gone, Report::score(0.5), NOW);
        assert_eq!(report, Err(ReportError::NoSuchDestination));
        let reconciled = dispatcher.reconcile(gone, Inventory::Count(1), NOW);
        assert_eq!(reconciled.is_ok(), calls_go_on, "a bridge may say what became of calls that go on");

        let after = (dispatcher.stats(), dispatcher.status(ids[0]));
        assert_eq!(after.1, before.1);
        assert_eq!((after.0.calls, after.0.reports), (before.0.calls, before.0.reports));
        let known = DestinationId::from_u64(gone.to_u64()).and_then(|id| dispatcher.status(id));
        assert_eq!(known.is_some(), calls_go_on);
    }
}

#[test]
fn a_call_that_ended_is_refused_by_every_report() {
    let (mut dispatcher, _) = fleet(["sip:a", "sip:b"]);
    let lease = dispatcher.begin(&Call::new(b"over"), NOW).unwrap().lease;
    assert!(dispatcher.end(lease, NOW));
    let before = dispatcher.stats();

    assert!(!dispatcher.end(lease, NOW) && !dispatcher.end_call(b"over", NOW));
    assert_eq!(dispatcher.confirm(lease, NOW), Err(NoSuchCall));
    assert_eq!(dispatcher.confirm_call(b"over", NOW), Err(NoSuchCall));
    assert_eq!(dispatcher.fail(lease, Failure::Timeout, NOW), Err(FailError::NoSuchCall));
    assert_eq!(dispatcher.fail_call(b"over", Failure::Timeout, NOW), Err(FailError::NoSuchCall));
    assert_eq!(dispatcher.next(lease, NOW), Err(NextError::NoSuchCall));
    assert_eq!(dispatcher.next_call(b"over", NOW), Err(NextError::NoSuchCall));
    assert_eq!((dispatcher.destination_of(lease), dispatcher.call_of(b"over")), (None, None));
    assert_eq!(dispatcher.stats(), before);
}

#[test]
fn a_plan_says_what_it_would_do_and_is_refused_once_the_fleet_is_another() {
    let (mut dispatcher, ids) = fleet(["sip:a", "sip:b"]);
    let list = |uris: &[&str]| uris.iter().map(|uri| (1, Destination::new(*uri))).collect::<Vec<_>>();

    let nothing = dispatcher.plan(&list(&["sip:b", "sip:a"])).unwrap();
    assert!(nothing.is_empty() && nothing.changes().is_empty());
    assert_eq!((nothing.kept(), nothing.to_string()), (2, "= 2 stay as they are\n".into()));

    let other = dispatcher.plan(&list(&["sip:b", "sip:c"])).unwrap();
    assert!(!other.is_empty());
    assert_eq!(other.kept(), 1);
    assert!(matches!(other.changes(), [Change::Remove { id, .. }, Change::Add { .. }] if *id == ids[0]));

    let twice = dispatcher.plan(&list(&["sip:a", "sip:a"])).unwrap_err();
    assert_eq!(twice, PlanError::Duplicate { index: 1, set: 1, id: "sip:a".into() });

    dispatcher.apply(nothing, NOW).unwrap();
    let stale = other.clone();
    dispatcher.apply(other, NOW).unwrap();
    assert_eq!(dispatcher.apply(stale, NOW), Err(StalePlan));
    assert_eq!((dispatcher.find(1, "sip:a"), dispatcher.find(1, "sip:b")), (None, Some(ids[1])));
}

/// It was due, and then it left, or its owner wants it probed no more.
#[test]
fn who_need_not_be_probed_any_more_is_not() {
    let (mut dispatcher, ids) = fleet(["sip:left", "sip:never", "sip:probed"]);
    let due = Time::from_secs(60);
    while dispatcher.poll_event(due).is_some() {}
    dispatcher.remove(ids[0], due).unwrap();
    let never = Destination { probing: Probing::Never, ..Destination::new("sip:never") };
    dispatcher.update(ids[1], never, due).unwrap();
    let mut probed = Vec::new();
    while let Some(probe) = dispatcher.poll_probe(due) {
        probed.push(probe.destination);
    }
    assert_eq!(probed, [ids[2]]);
}

fn fleet<const N: usize>(uris: [&str; N]) -> (Dispatcher, [DestinationId; N]) {
    let mut dispatcher = Dispatcher::new(Config::default()).unwrap();
    let ids = uris.map(|uri| dispatcher.add(1, Destination::new(uri), NOW).unwrap());
    (dispatcher, ids)
}
