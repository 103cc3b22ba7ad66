//! What happens to calls allocates nothing once as many have been in progress.

use std::time::Duration;

use callsteer::*;

#[test]
fn a_call_from_begin_to_end_allocates_nothing() {
    for algorithm in [
        Algorithm::RoundRobin,
        Algorithm::CallIdHash { bound: None },
        Algorithm::CallIdHash { bound: Some(1.25) },
        Algorithm::Weighted,
        Algorithm::CallLoad,
        Algorithm::LoadScore,
        Algorithm::Priority,
        Algorithm::Random,
        Algorithm::PowerOfTwo,
    ] {
        let mut fleet = Fleet::new(algorithm);
        fleet.work(10_000);
        let allocated = allocation_counter::measure(|| fleet.work(10_000));
        assert_eq!((allocated.count_total, allocated.bytes_total), (0, 0), "{algorithm:?}");
        assert!(fleet.moved > 1_000 && fleet.dispatcher.stats().calls == 500, "{algorithm:?}");
    }
}

/// Whoever makes names up for every call fills no memory: idle tenants are dropped, and 63 classes told apart.
#[test]
fn names_without_end_are_not_kept() {
    let tenant_default = TenantLimits { max_calls: 1, max_rate: 1 };
    let config = Config { tenant_default, algorithm: Algorithm::LoadScore, ..Config::default() };
    let mut dispatcher = Dispatcher::new(config).unwrap();
    dispatcher.add(1, Destination::new("sip:a"), Time::ZERO).unwrap();
    let mut begin_and_end = |numbers: core::ops::Range<u64>| {
        for number in numbers {
            let (name, now) = (format!("{number:0>200}"), Time::from_millis(10 * number));
            let call = Call {
                class: Some(&name),
                tenant: Some(&name),
                key: Some(name.as_bytes()),
                ..Call::new(name.as_bytes())
            };
            let placed = dispatcher.begin(&call, now).unwrap();
            assert!(dispatcher.end(placed.lease, now));
        }
    };
    begin_and_end(0..10_000);
    let kept = allocation_counter::measure(|| begin_and_end(10_000..110_000)).bytes_current;
    assert!(kept < 100_000, "{kept} bytes are kept of 100,000 names of 200 bytes");
}

/// 500 calls in progress in a fleet where every tenth call fails over, and reports come in.
struct Fleet {
    dispatcher: Dispatcher,
    bridges: Vec<DestinationId>,
    live: Vec<Lease>,
    number: u64,
    moved: u64,
    now: Time,
}

impl Fleet {
    fn new(algorithm: Algorithm) -> Self {
        let tenants = [(String::from("sales"), TenantLimits { max_calls: 10_000, max_rate: 0 })].into();
        // Failed calls are to be moved on, not to take their bridges out.
        let ejection = EjectionConfig { enabled: false, ..EjectionConfig::default() };
        let config = Config { algorithm, tenants, ejection, ..Config::default() };
        let mut dispatcher = Dispatcher::new(config).unwrap();
        let bridge = |number: u32| Destination {
            weight: 1 + number % 3,
            max_calls: 100,
            ..Destination::new(format!("sip:10.0.0.{number}"))
        };
        let bridges = (0..20).map(|number| dispatcher.add(1, bridge(number), Time::ZERO).unwrap()).collect();
        let mut fleet =
            Self { dispatcher, bridges, live: Vec::with_capacity(501), number: 0, moved: 0, now: Time::ZERO };
        (0..500).for_each(|_| fleet.begin());
        fleet
    }

    fn work(&mut self, calls: usize) {
        for call in 0..calls {
            self.now = self.now + Duration::from_millis(20);
            let ended = self.live.swap_remove(call * 7919 % self.live.len());
            assert!(self.dispatcher.end(ended, self.now));
            self.begin();
            if call % 50 == 0 {
                let bridge = self.bridges[call / 50 % self.bridges.len()];
                self.dispatcher.report(bridge, Report::score(0.5), self.now).unwrap();
            }
        }
    }

    fn begin(&mut self) {
        self.number += 1;
        let (dispatcher, now) = (&mut self.dispatcher, self.now);
        let call_id = self.number.to_be_bytes();
        let call = Call { tenant: Some("sales"), class: Some("voice"), ..Call::new(&call_id) };
        let placed = dispatcher.begin(&call, now).unwrap();
        assert_eq!(dispatcher.begin(&call, now), Ok(placed), "a repeated INVITE");
        if self.number.is_multiple_of(10) {
            dispatcher.fail(placed.lease, Failure::reply(500), now).unwrap();
            dispatcher.next(placed.lease, now).unwrap();
            self.moved += 1;
        }
        dispatcher.confirm_call(&call_id, now).unwrap();
        self.live.push(placed.lease);
    }
}
