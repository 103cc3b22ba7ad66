//! A configuration and what is then commanded; run, both dispatchers do it.

use std::collections::BTreeMap;
use std::time::Duration;

use callsteer::*;
use proptest::prelude::*;

use crate::commands::{Command, algorithm, command, step};
use crate::naive::Naive;
use crate::pair::Pair;

#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) config: Config,
    /// Milliseconds from the command before, and the command.
    pub(crate) commands: Vec<(i64, Command)>,
}

pub(crate) fn history() -> impl Strategy<Value = History> {
    let limits = prop_oneof![4 => Just(1_000u32), 1 => Just(6u32)];
    let warm_up = prop_oneof![Just(0u64), Just(30)];
    let config = (algorithm(), algorithm(), any::<u64>(), warm_up, any::<bool>(), limits);
    let commands = proptest::collection::vec((step(), command()), 1..120);
    (config, commands).prop_map(|((first, second, seed, warm_up, ejects, max_calls_total), commands)| {
        let routes = vec![Route { set: 1, algorithm: first }, Route { set: 2, algorithm: second }];
        let config = Config {
            seed,
            algorithm: second,
            policies: [(1, routes)].into(),
            max_calls_total,
            tenants: [(String::from("sales"), TenantLimits { max_calls: 3, max_rate: 0 })].into(),
            warm_up: Duration::from_secs(warm_up),
            ejection: EjectionConfig { enabled: ejects, ..EjectionConfig::default() },
            probing: ProbingConfig { mode: ProbingMode::Off, ..ProbingConfig::default() },
            ..Config::default()
        };
        History { config, commands }
    })
}

impl History {
    /// Panics where the dispatchers differ.
    pub(crate) fn run(self) {
        let real = Dispatcher::new(self.config.clone()).unwrap();
        let (leases, ids) = (BTreeMap::new(), vec![]);
        let mut pair = Pair { real, naive: Naive::new(self.config), leases, ids, at: 10_000 };
        #[cfg(feature = "internals")]
        let mut ahead = crate::ahead::Ahead::default();
        for (step, command) in self.commands {
            pair.at = pair.at.saturating_add_signed(step);
            pair.run(command);
            #[cfg(feature = "internals")]
            ahead.check(&pair.real, Time::from_millis(pair.at));
        }
    }
}
