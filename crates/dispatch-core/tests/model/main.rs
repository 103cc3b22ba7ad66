//! The dispatcher against a naive one: random commands, every answer and the whole state compared.

mod commands;
mod compare;
mod health;
mod naive;
mod outside;
mod pair;
mod state;
mod tables;

use std::collections::BTreeMap;

use callsteer::*;
use proptest::prelude::*;

use commands::{algorithm, command, step};
use naive::Naive;
use pair::Pair;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_dispatcher_does_what_the_naive_one_does(
        first in algorithm(),
        second in algorithm(),
        seed in any::<u64>(),
        warm_up in prop_oneof![Just(0u64), Just(30)],
        ejects in any::<bool>(),
        max_calls_total in prop_oneof![4 => Just(1_000u32), 1 => Just(6u32)],
        commands in proptest::collection::vec((step(), command()), 1..120),
    ) {
        let routes = vec![Route { set: 1, algorithm: first }, Route { set: 2, algorithm: second }];
        let config = Config {
            seed,
            algorithm: second,
            policies: [(1, routes)].into(),
            max_calls_total,
            tenants: [(String::from("sales"), TenantLimits { max_calls: 3, max_rate: 0 })].into(),
            warm_up: std::time::Duration::from_secs(warm_up),
            ejection: EjectionConfig { enabled: ejects, ..EjectionConfig::default() },
            probing: ProbingConfig { mode: ProbingMode::Off, ..ProbingConfig::default() },
            ..Config::default()
        };
        let real = Dispatcher::new(config.clone()).unwrap();
        let (leases, ids) = (BTreeMap::new(), vec![]);
        let mut pair = Pair { real, naive: Naive::new(config), leases, ids, at: 10_000 };
        for (step, command) in commands {
            pair.at = pair.at.saturating_add_signed(step);
            pair.run(command);
        }
    }
}
