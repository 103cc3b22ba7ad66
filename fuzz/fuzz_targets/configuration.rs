//! A configuration as JSON: refused, or one that a dispatcher works with.

#![no_main]

use callsteer::{Call, Config, Destination, Dispatcher, Time};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let Ok(config) = serde_json::from_slice::<Config>(json) else { return };
    let checked = config.check().is_ok();
    let dispatcher = Dispatcher::new(config);
    assert_eq!(dispatcher.is_ok(), checked);
    let Ok(mut dispatcher) = dispatcher else { return };
    for (member, set) in [1, 1, 2].into_iter().enumerate() {
        dispatcher.add(set, Destination::new(member.to_string()), Time::ZERO).unwrap();
    }
    for call in 0..50_u64 {
        let now = Time::from_secs(call);
        if let Ok(placed) = dispatcher.begin(&Call::new(&call.to_le_bytes()), now) {
            assert!(dispatcher.destination(placed.destination).is_some());
        }
        while dispatcher.poll_probe(now).is_some() {}
    }
    let stats = dispatcher.stats();
    assert_eq!(stats.begun, u64::from(stats.calls) + stats.expired);
});
