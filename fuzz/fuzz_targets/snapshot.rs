//! A snapshot, which the input describes: refused, or a dispatcher that works, whatever it says.

#![no_main]

use std::time::Duration;

use callsteer::{Call, Dispatcher, Failure, Inventory, ProbeResult, Report, Snapshot};
use libfuzzer_sys::fuzz_target;
use siphasher::sip::SipHasher13;

fuzz_target!(|input: &[u8]| {
    // As it stands; and as a state with the header that belongs to it, or hardly anything would be one.
    for bytes in [input.to_vec(), with_header(input)] {
        let Ok(snapshot) = Snapshot::from_bytes(&bytes) else { continue };
        let json = snapshot.to_json();
        if let Ok(dispatcher) = Dispatcher::restore(&snapshot) {
            let again = Snapshot::from_json(&json).expect("what was written is read");
            assert_eq!(again.to_bytes(), snapshot.to_bytes());
            work(dispatcher);
        }
    }
    if let Ok(text) = str::from_utf8(input) {
        let _refused_by_its_checksum = Snapshot::from_json(text).is_err();
    }
});

/// A day of calls; nothing is lost or counted twice, and it can be saved and restored again.
fn work(mut dispatcher: Dispatcher) {
    let mut now = dispatcher.snapshot().now();
    let ids: Vec<_> = dispatcher.iter().map(|(id, ..)| id).take(8).collect();
    let sets: Vec<_> = dispatcher.sets().take(4).collect();
    for (round, set) in (0..6u8).zip(sets.iter().cycle()) {
        let id = [b'c', round];
        let call = Call { set: *set, tenant: Some("sales"), class: Some("video"), ..Call::new(&id) };
        if let Ok(placed) = dispatcher.begin(&call, now) {
            assert!(dispatcher.destination(placed.destination).is_some());
            dispatcher.fail(placed.lease, Failure::Timeout, now).expect("it is in progress");
            dispatcher.next(placed.lease, now).ok();
            dispatcher.confirm(placed.lease, now).expect("it is in progress");
        }
        dispatcher.poll_probe(now);
        for id in &ids {
            dispatcher.report(*id, Report::score(0.5), now).ok();
            dispatcher.probe_result(*id, ProbeResult::Timeout, now).ok();
            dispatcher.reconcile(*id, Inventory::Count(1), now).ok();
        }
        now = now + Duration::from_secs(4 * 3_600);
    }
    for _ in 0..64 {
        dispatcher.poll_event(now);
    }
    let stats = dispatcher.stats();
    assert_eq!(
        stats.begun + stats.adopted,
        u64::from(stats.calls) + stats.ended + stats.expired + stats.healed
    );
    let snapshot = dispatcher.snapshot();
    let again = Dispatcher::restore(&snapshot).expect("what works can be restored").snapshot();
    assert_eq!(again.to_bytes(), snapshot.to_bytes());
}

/// The magic word, the version, the length, and SipHash-1-3 under the version.
fn with_header(body: &[u8]) -> Vec<u8> {
    let sum = SipHasher13::new_with_keys(1, 0x910a_2dec_8902_5cc1).hash(body);
    let length = (body.len() as u64).to_le_bytes();
    [b"callster", &Snapshot::VERSION.to_le_bytes()[..], &length, &sum.to_le_bytes(), body].concat()
}
