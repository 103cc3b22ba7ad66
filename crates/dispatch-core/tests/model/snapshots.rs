//! A dispatcher that is restored after every command goes on as one that never was.

use std::time::Duration;

use callsteer::*;
use proptest::prelude::*;

use crate::commands::{Command, algorithm, call_id, command, step};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_restored_dispatcher_decides_as_the_first_one(
        config in config(), commands in proptest::collection::vec((step(), command(), 0..4u8), 1..100)
    ) {
        let mut first = Twin::new(config.clone());
        let mut second = Twin::new(config);
        for (number, (step, command, polls)) in commands.into_iter().enumerate() {
            let answer = first.run(step, command.clone(), polls);
            prop_assert_eq!(second.run(step, command.clone(), polls), answer, "{}: {:?}", number, command);
            let snapshot = first.dispatcher.snapshot();
            let bytes = snapshot.to_bytes();
            same(&second, &first)?;
            let read = match number % 2 {
                0 => Snapshot::from_bytes(&bytes),
                _ => Snapshot::from_json(&snapshot.to_json()),
            };
            second.dispatcher = Dispatcher::restore(&read.unwrap()).unwrap();
            same(&second, &first)?;
        }
    }

    #[test]
    fn a_resumed_dispatcher_decides_as_the_first_one_by_another_clock(
        config in config(), before in proptest::collection::vec((step(), command()), 1..40), away in 0..90_000u64,
        after in proptest::collection::vec((step(), command(), 0..4u8), 1..40), clock in prop_oneof![Just(0u64), 0..9_000_000u64],
    ) {
        let mut first = Twin::new(config.clone());
        for (step, command) in before {
            first.run(step, command, 0);
        }
        first.dispatcher.poll_probe(first.now());
        let restored = Dispatcher::restore(&first.dispatcher.snapshot()).unwrap();
        let mut second = Twin { dispatcher: restored, ids: first.ids.clone(), leases: first.leases.clone(), at: clock };
        // Where the first one's time went backwards it counts as the last one seen.
        first.at = first.dispatcher.snapshot().now().as_micros() / 1_000 + away;
        second.dispatcher.resume(second.now(), Duration::from_millis(away));
        first.dispatcher.resume(first.now(), Duration::from_millis(away));
        let apart = i128::from(first.at) - i128::from(clock);
        for (step, command, polls) in after {
            // By a clock that begins at 0, nothing was before that.
            let step = step.max(-i64::try_from(second.at.min(first.at)).unwrap());
            first.run(step, command.clone(), polls);
            second.run(step, command, polls);
            same(&second, &first)?;
            // What is overdue there may be before the first moment of this clock.
            let told = first.dispatcher.next_deadline().map(|at| i128::from(at.as_micros()) - 1_000 * apart);
            let deadline = second.dispatcher.next_deadline().map(|at| i128::from(at.as_micros()));
            prop_assert_eq!(deadline, told.map(|at| at.max(0)));
        }
    }
}

/// Both know the same; else what differs, line by line.
fn same(one: &Twin, other: &Twin) -> Result<(), TestCaseError> {
    let (one, other) = (one.dispatcher.snapshot(), other.dispatcher.snapshot());
    if one.to_bytes() != other.to_bytes() {
        let (one, other) = (one.to_json(), other.to_json());
        let lines = one.lines().zip(other.lines()).filter(|(one, other)| one != other);
        prop_assert!(false, "{:#?}", lines.take(9).collect::<Vec<_>>());
    }
    Ok(())
}

/// A dispatcher, and what a caller would remember of it.
struct Twin {
    dispatcher: Dispatcher,
    ids: Vec<DestinationId>,
    leases: Vec<Option<Lease>>,
    at: u64,
}

impl Twin {
    fn new(config: Config) -> Self {
        let dispatcher = Dispatcher::new(config).unwrap();
        Self { dispatcher, ids: vec![], leases: vec![None; 14], at: 10_000_000 }
    }

    fn now(&self) -> Time {
        Time::from_millis(self.at)
    }

    /// Does it; everything that was answered.
    fn run(&mut self, step: i64, command: Command, polls: u8) -> String {
        self.at = self.at.saturating_add_signed(step);
        let now = self.now();
        let answer = self.command(command, now);
        let dispatcher = &mut self.dispatcher;
        let probe = (polls % 2 == 1).then(|| dispatcher.poll_probe(now));
        let event = (polls == 2).then(|| dispatcher.poll_event(now));
        let events: Vec<_> =
            (0..if polls == 3 { 99 } else { 0 }).map_while(|_| dispatcher.poll_event(now)).collect();
        let capacity = dispatcher.capacity(1);
        let call = Call { class: Some("class-1"), ..Call::new(b"nobody") };
        let why = dispatcher.explain(&call);
        format!(
            "{answer} {probe:?} {event:?} {events:?} {:?} {capacity:?} {why:?}",
            dispatcher.next_deadline()
        )
    }

    fn command(&mut self, command: Command, now: Time) -> String {
        let dispatcher = &mut self.dispatcher;
        let id = |n: usize| {
            self.ids
                .get(n % self.ids.len().max(1))
                .copied()
                .unwrap_or(DestinationId::from_u64(1 << 40).unwrap())
        };
        let lease = |name: usize| self.leases[name].unwrap_or(Lease::from_u64(1 << 40).unwrap());
        match command {
            Command::Add(set, destination) => {
                let added = dispatcher.add(set, destination, now);
                self.ids.extend(added.iter());
                format!("{added:?}")
            }
            Command::Remove(n) => format!("{:?}", dispatcher.remove(id(n), now)),
            Command::Update(n, destination) => {
                let of = dispatcher.destination(id(n)).map_or(String::new(), |old| old.id.clone());
                format!("{:?}", dispatcher.update(id(n), Destination { id: of, ..destination }, now))
            }
            Command::Enable(n, enabled) => format!("{:?}", dispatcher.set_enabled(id(n), enabled, now)),
            Command::Drain(n, deadline) => {
                format!("{:?}", dispatcher.drain(id(n), deadline.map(Duration::from_millis), now))
            }
            Command::Apply(list, _) => {
                let plan = dispatcher.plan(&list);
                format!("{:?}", plan.map(|plan| dispatcher.apply(plan, now)))
            }
            Command::Begin { name, set, key, cost, tenant } => {
                let (id, key) = (call_id(name), key.map(|key| vec![key]));
                let class = ["class-0", "class-1", "class-2"].get(name % 4).copied();
                let call = Call { set, key: key.as_deref(), cost, tenant, class, ..Call::new(&id) };
                let placed = dispatcher.begin(&call, now);
                if let Ok(placed) = placed {
                    self.leases[name] = Some(placed.lease);
                }
                format!("{placed:?}")
            }
            Command::Pick { name, set, key, cost } => {
                let (id, key) = (call_id(name), key.map(|key| vec![key]));
                format!(
                    "{:?}",
                    dispatcher.pick(&Call { set, key: key.as_deref(), cost, ..Call::new(&id) }, now)
                )
            }
            Command::Next(name, _) => format!("{:?}", dispatcher.next(lease(name), now)),
            Command::Confirm(name, true) => format!("{:?}", dispatcher.confirm_call(&call_id(name), now)),
            Command::Confirm(name, false) => format!("{:?}", dispatcher.confirm(lease(name), now)),
            Command::Fail(name, failure, _) => format!("{:?}", dispatcher.fail(lease(name), failure, now)),
            Command::End(name, _) => format!("{:?}", dispatcher.end(lease(name), now)),
            Command::Probe(n, result) => format!("{:?}", dispatcher.probe_result(id(n), result, now)),
            Command::Report(n, report, _) => {
                let score = report.active_calls.map(|calls| f64::from(calls) / 5.0);
                format!("{:?}", dispatcher.report(id(n), Report { score, ..report }, now))
            }
            Command::Reconcile(n, names, true) => {
                let ids: Vec<_> = names.into_iter().map(call_id).collect();
                let ids: Vec<_> = ids.iter().map(Vec::as_slice).collect();
                format!("{:?}", dispatcher.reconcile(id(n), Inventory::Calls(&ids), now))
            }
            Command::Reconcile(n, names, false) => {
                format!("{:?}", dispatcher.reconcile(id(n), Inventory::Count(names.len() as u32), now))
            }
        }
    }
}

/// Everything that is remembered somewhere is switched on here and there.
fn config() -> impl Strategy<Value = Config> {
    let kamailio = proptest::sample::select(vec![0u16, 4, 6, 8, 9, 10, 11, 14, 15])
        .prop_map(|alg| Algorithm::Kamailio { alg, use_default: alg == 4, unsigned_bytes: false });
    let algorithm = || prop_oneof![4 => algorithm(), 1 => kamailio.clone()];
    let modes = prop_oneof![1 => Just(ProbingMode::Off), 1 => Just(ProbingMode::Suspects), 3 => Just(ProbingMode::All)];
    let limits = prop_oneof![3 => Just((1_000u32, 1_024usize)), 1 => Just((6, 3))];
    (algorithm(), algorithm(), any::<u64>(), modes, any::<[bool; 4]>(), limits).prop_map(
        |(first, second, seed, mode, [warms, scales, panics, several], (max_calls_total, max_events))| {
            Config {
                seed,
                algorithm: second,
                policies: [(
                    1,
                    vec![Route { set: 1, algorithm: first }, Route { set: 2, algorithm: second }],
                )]
                .into(),
                max_calls_total,
                max_events,
                tenants: [(String::from("sales"), TenantLimits { max_calls: 3, max_rate: 2 })].into(),
                warm_up: Duration::from_secs(if warms { 30 } else { 0 }),
                probing: ProbingConfig { mode, ..ProbingConfig::default() },
                scaling: scales
                    .then(|| ScalingConfig { hold: Duration::from_secs(2), ..ScalingConfig::default() }),
                health: HealthConfig {
                    panic_threshold: if panics { 0.5 } else { 0.0 },
                    ..HealthConfig::default()
                },
                dispatchers: if several { 3 } else { 1 },
                ..Config::default()
            }
        },
    )
}
