//! Snapshots that were cut off, changed or made up: refused with what is wrong, and never a panic.

use std::time::Duration;

use callsteer::*;

/// One of everything that is remembered.
fn dispatcher() -> Dispatcher {
    let config = Config {
        algorithm: Algorithm::Weighted,
        policies: [(2, vec![Route { set: 2, algorithm: Algorithm::Priority }])].into(),
        tenants: [("sales".into(), TenantLimits { max_calls: 9, max_rate: 9 })].into(),
        scaling: Some(ScalingConfig::default()),
        ..Config::default()
    };
    let mut dispatcher = Dispatcher::new(config).unwrap();
    let mut now = Time::from_secs(1_000);
    let mut ids = vec![];
    for (set, name, weight) in [(1, "a", 3), (1, "b", 2), (1, "c", 1), (2, "d", 1), (2, "e", 65_535)] {
        let attrs = [("zone".into(), "north".into())].into();
        let destination = Destination {
            weight,
            max_calls: 50,
            max_rate: 90,
            attrs,
            ..Destination::new(format!("sip:{name}"))
        };
        ids.push(dispatcher.add(set, destination, now).unwrap());
    }
    for n in 0..12u32 {
        now = now + Duration::from_millis(700);
        let id = format!("call-{n}");
        let call = Call {
            tenant: (n % 2 == 0).then_some("sales"),
            class: Some(["video", "voice"][n as usize % 2]),
            set: 1 + n % 2,
            ..Call::new(id.as_bytes())
        };
        let placed = dispatcher.begin(&call, now).unwrap();
        match n % 4 {
            0 => dispatcher.confirm(placed.lease, now).unwrap(),
            1 => {
                dispatcher.fail(placed.lease, Failure::reply(503), now).unwrap();
                dispatcher.next(placed.lease, now).unwrap();
            }
            2 => assert!(dispatcher.end(placed.lease, now)),
            _ => {}
        }
    }
    let report =
        Report { sequence: Some(7), active_calls: Some(3), capacity: Some(40), ..Report::score(0.3) };
    dispatcher.report(ids[0], report, now).unwrap();
    dispatcher.drain(ids[1], Some(Duration::from_secs(60)), now).unwrap();
    dispatcher.remove(ids[4], now).unwrap();
    while dispatcher.poll_probe(now + Duration::from_secs(9)).is_some() {}
    dispatcher
}

fn restore(bytes: &[u8]) -> Result<Dispatcher, SnapshotError> {
    Dispatcher::restore(&Snapshot::from_bytes(bytes)?)
}

#[test]
fn any_byte_that_was_changed_or_cut_off_is_noticed() {
    let bytes = dispatcher().snapshot().to_bytes();
    assert_eq!(restore(&bytes).unwrap().snapshot().to_bytes(), bytes);
    for length in 0..bytes.len() {
        let error = restore(&bytes[..length]).unwrap_err();
        assert_eq!(error.code(), "damaged_snapshot", "{length}: {error}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(restore(&longer).unwrap_err().code(), "damaged_snapshot");
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let error = restore(&changed).unwrap_err();
            let version = (8..12).contains(&place);
            let expected = if version { "snapshot_version" } else { "damaged_snapshot" };
            assert_eq!(error.code(), expected, "{place}: {error}");
        }
    }
}

#[test]
fn any_character_of_the_json_that_was_changed_is_noticed_or_means_the_same() {
    let snapshot = dispatcher().snapshot();
    let (bytes, text) = (snapshot.to_bytes(), snapshot.to_json());
    for place in (0..text.len()).step_by(3) {
        for other in [b'0', b'"', b' ', b'9'] {
            let mut changed = text.clone().into_bytes();
            changed[place] = other;
            let read = String::from_utf8(changed).ok().and_then(|text| Snapshot::from_json(&text).ok());
            assert!(read.is_none_or(|read| read.to_bytes() == bytes), "{place}");
        }
        assert!(Snapshot::from_json(&text[..place]).is_err(), "{place}");
    }
}

#[test]
fn what_was_made_up_with_its_checksum_is_refused_or_works_and_never_a_panic() {
    let bytes = dispatcher().snapshot().to_bytes();
    let (mut refused, mut works) = (0, 0);
    for place in HEADER..bytes.len() {
        for change in [0x01, 0x02, 0x10, 0x40, 0x80, 0xff, bytes[place], !bytes[place] & 0x7f] {
            let mut made_up = bytes.clone();
            made_up[place] ^= change;
            let sum = checksum(&made_up[HEADER..]);
            made_up[HEADER - 8..HEADER].copy_from_slice(&sum.to_le_bytes());
            match restore(&made_up) {
                Ok(dispatcher) => {
                    works += 1;
                    work(dispatcher);
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1_000 && works > 1_000, "{refused} refused, {works} work");
}

/// A day of calls.
fn work(mut dispatcher: Dispatcher) {
    let mut now = dispatcher.snapshot().now();
    for n in 0..6u32 {
        let id = format!("later-{n}");
        let call =
            Call { set: 1 + n % 2, tenant: Some("sales"), class: Some("video"), ..Call::new(id.as_bytes()) };
        if let Ok(placed) = dispatcher.begin(&call, now) {
            assert!(dispatcher.destination(placed.destination).is_some());
            dispatcher.fail(placed.lease, Failure::Timeout, now).unwrap();
            dispatcher.next(placed.lease, now).ok();
            dispatcher.confirm(placed.lease, now).unwrap();
        }
        while dispatcher.poll_probe(now).is_some() {}
        let ids: Vec<_> = dispatcher.iter().map(|(id, ..)| id).collect();
        for id in ids {
            dispatcher.report(id, Report::score(0.5), now).ok();
            dispatcher.probe_result(id, ProbeResult::Timeout, now).ok();
        }
        now = now + Duration::from_secs(4 * 3_600);
    }
    while dispatcher.poll_event(now).is_some() {}
    let stats = dispatcher.stats();
    assert_eq!(
        stats.begun + stats.adopted,
        u64::from(stats.calls) + stats.ended + stats.expired + stats.healed
    );
    let snapshot = dispatcher.snapshot();
    let again = Dispatcher::restore(&snapshot).unwrap().snapshot();
    assert_eq!(again.to_bytes(), snapshot.to_bytes());
}

/// SipHash-1-3 under the version, as `Snapshot` has it.
fn checksum(body: &[u8]) -> u64 {
    siphasher::sip::SipHasher13::new_with_keys(1, 0x910a_2dec_8902_5cc1).hash(body)
}

/// Magic, version, length, checksum.
const HEADER: usize = 8 + 4 + 8 + 8;
