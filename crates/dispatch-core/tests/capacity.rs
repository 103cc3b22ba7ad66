//! The capacity signal, seen from the façade.

use std::time::Duration;

use callsteer::{
    Call, Config, Destination, DestinationId, Dispatcher, Event, EventKind, Report, ScaleEvent,
    ScalingConfig, Time,
};

const START: Time = Time::from_secs(100);

fn fleet(bridges: u32, max_calls: u32) -> (Dispatcher, Vec<DestinationId>) {
    let config = Config { scaling: Some(ScalingConfig::default()), ..Config::default() };
    let mut dispatcher = Dispatcher::new(config).unwrap();
    let add = |id: u32| {
        let destination = Destination { max_calls, ..Destination::new(id.to_string()) };
        dispatcher.add(1, destination, START).unwrap()
    };
    let ids = (0..bridges).map(add).collect();
    (dispatcher, ids)
}

fn begin(dispatcher: &mut Dispatcher, calls: std::ops::Range<u32>) {
    for call in calls {
        let call_id = call.to_string();
        let placed = dispatcher.begin(&Call::new(call_id.as_bytes()), START).unwrap();
        dispatcher.confirm(placed.lease, START).unwrap();
    }
}

fn scale_events(dispatcher: &mut Dispatcher, until: u64) -> Vec<(u64, ScaleEvent)> {
    let events = std::iter::from_fn(|| dispatcher.poll_event(START + Duration::from_secs(until)));
    let scale = |event: Event| match event.kind {
        EventKind::Scale { set: 1, to } => Some((event.at.since(START).as_secs(), to)),
        _ => None,
    };
    events.filter_map(scale).collect()
}

#[test]
fn utilisation_is_load_over_capacity_of_those_that_take_calls() {
    let (mut dispatcher, ids) = fleet(4, 10);
    begin(&mut dispatcher, 0..20);
    let utilisation = |dispatcher: &Dispatcher| dispatcher.capacity(1).unwrap().utilisation;
    assert_eq!(utilisation(&dispatcher), 0.5);
    dispatcher.drain(ids[0], None, START).unwrap();
    assert_eq!(dispatcher.capacity(1).unwrap().usage.members, 3);
    assert_eq!(utilisation(&dispatcher), 15.0 / 30.0);
    dispatcher.report(ids[1], Report::score(0.9), START).unwrap();
    assert_eq!(utilisation(&dispatcher), (9.0 + 5.0 + 5.0) / 30.0);
    for id in &ids[1..] {
        dispatcher.set_enabled(*id, false, START).unwrap();
    }
    assert_eq!(utilisation(&dispatcher), 1.0, "nobody takes calls: full, and not NaN");
    assert_eq!(dispatcher.capacity(2), None);
}

/// What arrives while a bridge starts is mostly over again by then.
#[test]
fn how_long_calls_last_is_learned_from_those_that_end() {
    let (mut dispatcher, _) = fleet(2, 100);
    assert_eq!(dispatcher.capacity(1).unwrap().usage.mean_duration, None);
    for second in 0..300u32 {
        let now = START + Duration::from_secs(second.into());
        let placed = dispatcher.begin(&Call::new(&second.to_le_bytes()), now).unwrap();
        dispatcher.confirm(placed.lease, now).unwrap();
        if let Some(ends) = second.checked_sub(10) {
            assert!(dispatcher.end_call(&ends.to_le_bytes(), now));
        }
    }
    let usage = dispatcher.capacity(1).unwrap().usage;
    assert_eq!(usage.mean_duration, Some(Duration::from_secs(10)));
    assert!((usage.arrival_rate - 1.0).abs() < 0.05, "{usage:?}");
}

#[test]
fn a_fleet_that_stays_too_full_is_told_once_to_grow_and_once_to_shrink_when_calls_have_ended() {
    let (mut dispatcher, _) = fleet(4, 10);
    begin(&mut dispatcher, 0..38);
    // Asking often changes nothing.
    let early: Vec<_> = (0..30).flat_map(|seconds| scale_events(&mut dispatcher, seconds)).collect();
    assert_eq!(early, [], "not before the hold time");
    assert_eq!(scale_events(&mut dispatcher, 200), [(31, ScaleEvent::Up { desired: 5 })]);
    assert_eq!(dispatcher.capacity(1).unwrap().desired, Some(5));
    let now = START + Duration::from_secs(200);
    for call in 0..30u32 {
        assert!(dispatcher.end_call(call.to_string().as_bytes(), now));
    }
    let events = scale_events(&mut dispatcher, 1_000);
    assert_eq!(events, [(501, ScaleEvent::Down { desired: 2 })], "300 s after it was seen");
}

#[test]
fn where_nobody_says_what_a_bridge_can_carry_nothing_is_said() {
    let (mut dispatcher, ids) = fleet(2, 0);
    begin(&mut dispatcher, 0..500);
    assert_eq!(scale_events(&mut dispatcher, 600), []);
    for id in ids {
        let now = START + Duration::from_secs(600);
        dispatcher.report(id, Report { capacity: Some(260), ..Report::default() }, now).unwrap();
    }
    assert_eq!(scale_events(&mut dispatcher, 700), [(631, ScaleEvent::Up { desired: 3 })]);
}

#[test]
fn those_with_the_fewest_calls_are_drained_first() {
    let (mut dispatcher, ids) = fleet(3, 10);
    begin(&mut dispatcher, 0..9);
    let most = dispatcher.destination_of(dispatcher.call_of(b"0").unwrap()).unwrap();
    for call in 1..9u32 {
        let lease = dispatcher.call_of(call.to_string().as_bytes()).unwrap();
        let off = dispatcher.destination_of(lease) != Some(most);
        if off && call % 2 == 0 || call == 3 {
            dispatcher.end(lease, START);
        }
    }
    let left = |id: &DestinationId| dispatcher.status(*id).unwrap().calls;
    let mut expected = ids.clone();
    expected.sort_by_key(|id| (left(id), *id));
    assert_eq!(dispatcher.drain_candidates(1, 2), expected[..2]);
    dispatcher.drain(expected[0], None, START).unwrap();
    assert_eq!(dispatcher.drain_candidates(1, 9), expected[1..], "who drains is no candidate");
}
