//! What the user decides once. Every default lives here and nowhere else.

mod algorithm;
#[cfg(feature = "serde")]
mod by_name;
mod health;
mod replicas;
mod scaling;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::error::ConfigError;

pub use algorithm::Algorithm;
pub use health::{EjectionConfig, HealthConfig, ProbingConfig, ProbingMode, ReplyCodes};
pub use replicas::{Limits, ReplicasConfig};
pub use scaling::{ScalingConfig, Threshold};

/// A set of destinations, numbered as in a dispatcher.list.
pub type SetId = u32;

/// One step of a policy: this set, by this algorithm.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Route {
    /// The set whose destinations are tried.
    pub set: SetId,
    /// How one of them is chosen.
    pub algorithm: Algorithm,
}

/// The configuration of a [`Dispatcher`](crate::Dispatcher).
///
/// ```
/// use callsteer::{Algorithm, Config};
/// let config = Config { algorithm: Algorithm::RoundRobin, seed: 7, ..Config::default() };
/// assert_eq!(config.setup_timeout.as_secs(), 60);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Config {
    /// Drives every random choice: ties at the start, `random`, probe jitter. Give each
    /// dispatcher over the same fleet another one. Default 0.
    pub seed: u64,
    /// The secret key of `call_id_hash`. Dispatchers that must agree share it. Default: the seed.
    pub hash_key: Option<u64>,
    /// The algorithm of a set without a policy of its own. Default `call_load`.
    pub algorithm: Algorithm,
    /// For a call to this set: the routes to try, in order. Default: the set itself by `algorithm`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "by_name::lists"))]
    pub policies: BTreeMap<SetId, Vec<Route>>,
    /// A call that is not confirmed for this long after `begin` or `next` ends. Default 60 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub setup_timeout: Duration,
    /// A confirmed call ends after this long. Default 2 h.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub max_duration: Duration,
    /// Calls in progress at most, over all sets; bounds the memory. Default 10,000,000.
    pub max_calls_total: u32,
    /// What a refused caller is told to wait where nothing better is known. Default 5 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub retry_after: Duration,
    /// Limits of named tenants.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "by_name::each"))]
    pub tenants: BTreeMap<String, TenantLimits>,
    /// Limits of every other tenant. Default: none.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "by_name::deserialize"))]
    pub tenant_default: TenantLimits,
    /// Dispatchers over the same fleet, each of which sees its own calls and all reports. Default 1.
    pub dispatchers: u32,
    /// Who this one is among them, where they tell each other what they know; `None`, the default, where
    /// they do not.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "by_name::optional"))]
    pub replicas: Option<ReplicasConfig>,
    /// One that joins a set that takes calls, or comes back, has its weight ramped up from 10 % to
    /// 100 % in this time; zero switches that off. Default 120 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::seconds"))]
    pub warm_up: Duration,
    /// When a destination counts as down, and up again.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "by_name::deserialize"))]
    pub health: HealthConfig,
    /// When calls that fail take a destination out for a while.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "by_name::deserialize"))]
    pub ejection: EjectionConfig,
    /// Which destinations are probed, and how often.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "by_name::deserialize"))]
    pub probing: ProbingConfig,
    /// When a set should grow or shrink; `None`, the default, says nothing of it.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "by_name::optional"))]
    pub scaling: Option<ScalingConfig>,
    /// Events kept for `poll_event`; the oldest is dropped beyond that. Default 1,024.
    pub max_events: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 0,
            hash_key: None,
            algorithm: Algorithm::default(),
            policies: BTreeMap::new(),
            setup_timeout: Duration::from_secs(60),
            max_duration: Duration::from_secs(2 * 3600),
            max_calls_total: 10_000_000,
            retry_after: Duration::from_secs(5),
            tenants: BTreeMap::new(),
            tenant_default: TenantLimits::default(),
            dispatchers: 1,
            replicas: None,
            warm_up: Duration::from_secs(120),
            health: HealthConfig::default(),
            ejection: EjectionConfig::default(),
            probing: ProbingConfig::default(),
            scaling: None,
            max_events: 1_024,
        }
    }
}

/// What one tenant may use at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct TenantLimits {
    /// Concurrent calls at most; 0 is no limit.
    pub max_calls: u32,
    /// New calls per second at most, with at most one second's worth at once; 0 is no limit.
    pub max_rate: u32,
}

impl Config {
    /// Says what is wrong, and where; a dispatcher refuses a configuration that this refuses.
    ///
    /// # Errors
    /// The first field found with a value that cannot work.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_times()?;
        self.algorithm.check("algorithm")?;
        for routes in self.policies.values() {
            if routes.is_empty() || routes.len() > MAX_ROUTES {
                return refuse("policies", "a policy has 1 to 255 routes");
            }
            for route in routes {
                route.algorithm.check("policies")?;
            }
        }
        self.health.check()?;
        self.ejection.check()?;
        self.probing.check()?;
        if let Some(scaling) = &self.scaling {
            scaling.check()?;
        }
        if !(1..=1_000).contains(&self.dispatchers) {
            return refuse("dispatchers", "is 1 to 1000");
        }
        if let Some(replicas) = &self.replicas {
            replicas.check(self.dispatchers)?;
        }
        if self.max_calls_total == 0 {
            return refuse("max_calls_total", "is at least 1");
        }
        if self.max_events == 0 {
            return refuse("max_events", "is at least 1");
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), ConfigError> {
        check_times(&[
            ("setup_timeout", self.setup_timeout),
            ("max_duration", self.max_duration),
            ("retry_after", self.retry_after),
        ])?;
        if self.warm_up > LONGEST {
            return refuse("warm_up", "is 0 to 10 years");
        }
        Ok(())
    }

    /// The most calls that this dispatcher itself places where at most `max_calls` may be.
    pub(crate) fn share(&self, max_calls: u32) -> u32 {
        self.replicas.as_ref().map_or(max_calls, |replicas| replicas.share(max_calls, self.dispatchers))
    }

    /// The routes of a call to `set`.
    pub(crate) fn routes(&self, set: SetId) -> Vec<Route> {
        let own = || alloc::vec![Route { set, algorithm: self.algorithm }];
        self.policies.get(&set).cloned().unwrap_or_else(own)
    }
}

fn check_times(times: &[(&'static str, Duration)]) -> Result<(), ConfigError> {
    for (field, span) in times {
        if *span < Duration::from_millis(1) || *span > LONGEST {
            return refuse(field, "is 1 ms to 10 years");
        }
    }
    Ok(())
}

fn refuse(field: &'static str, rule: &'static str) -> Result<(), ConfigError> {
    Err(ConfigError { field, rule })
}

const MAX_ROUTES: usize = 255;
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

#[cfg(test)]
mod tests {
    #[cfg(feature = "json")]
    use alloc::string::ToString;

    use super::*;

    fn check(change: impl FnOnce(&mut Config), field: Option<&str>) {
        let mut config = Config::default();
        change(&mut config);
        assert_eq!(config.check().err().map(|error| error.field), field);
    }

    #[test]
    fn a_configuration_that_cannot_work_is_refused_by_field() {
        check(|_| (), None);
        check(|c| c.setup_timeout = Duration::ZERO, Some("setup_timeout"));
        check(|c| c.max_duration = Duration::MAX, Some("max_duration"));
        check(|c| c.algorithm = Algorithm::CallIdHash { bound: Some(0.99) }, Some("algorithm"));
        check(|c| c.algorithm = Algorithm::CallIdHash { bound: Some(f64::NAN) }, Some("algorithm"));
        check(|c| c.algorithm = Algorithm::CallIdHash { bound: Some(1.0) }, None);
        check(|c| drop(c.policies.insert(1, Vec::new())), Some("policies"));
        check(|c| c.health.probing_threshold = 0, Some("health"));
        check(|c| c.health.panic_threshold = 1.01, Some("health.panic_threshold"));
        check(|c| c.health.panic_threshold = f64::NAN, Some("health.panic_threshold"));
        check(|c| c.ejection.failure_share = 0.0, Some("ejection.failure_share"));
        check(|c| c.ejection.max_share = 1.5, Some("ejection.max_share"));
        check(|c| c.ejection.consecutive_failures = 0, Some("ejection"));
        check(|c| c.ejection.base_time = Duration::ZERO, Some("ejection.base_time"));
        check(|c| c.dispatchers = 0, Some("dispatchers"));
        let replica = |id| Some(ReplicasConfig::new(id, 1));
        check(|c| (c.dispatchers, c.replicas) = (2, replica("a")), None);
        check(|c| c.replicas = replica("a"), Some("dispatchers"));
        check(|c| (c.dispatchers, c.replicas) = (2, replica("")), Some("replicas.id"));
        check(|c| c.warm_up = Duration::MAX, Some("warm_up"));
        check(|c| c.probing.accepted.classes = alloc::vec![7], Some("probing.accepted.classes"));
        check(|c| c.probing.accepted.codes = alloc::vec![99], Some("probing.accepted.codes"));
        check(|c| c.probing.accepted.classes.clear(), Some("probing.accepted"));
        check(|c| c.max_calls_total = 0, Some("max_calls_total"));
        check(|c| c.max_events = 0, Some("max_events"));
    }
    /// Every default, and options that stand beside a name.
    #[cfg(feature = "json")]
    #[test]
    fn a_configuration_that_is_written_is_read_as_it_was() {
        let bounded = Algorithm::CallIdHash { bound: Some(1.25) };
        let mut config = Config { algorithm: bounded, hash_key: Some(u64::MAX), ..Config::default() };
        config.setup_timeout = Duration::from_micros(1_500_001);
        config.policies.insert(7, alloc::vec![Route { set: 1, algorithm: Algorithm::Weighted }]);
        for config in [Config::default(), config] {
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config, "{text}");
        }
        let error = serde_json::from_str::<Config>(r#"{"algorithm": 7}"#).unwrap_err().to_string();
        assert!(error.contains("the name of an algorithm, or a map from it to its options"), "{error}");
        let error = serde_json::from_str::<Config>(r#"{"warm_up": -1}"#).unwrap_err().to_string();
        assert!(error.contains("negative"), "{error}");
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_list_is_no_part_of_a_configuration() {
        let parts = ["tenant_default", "replicas", "health", "ejection", "probing", "scaling"];
        let parts = parts.map(|part| alloc::format!(r#"{{"{part}": HERE}}"#));
        let within = [r#"{"tenants": {"sales": HERE}}"#, r#"{"policies": {"1": [HERE]}}"#].map(String::from);
        for part in parts.into_iter().chain(within) {
            let place = part.find("HERE").unwrap();
            for list in ["[]", "[1]", "1"] {
                let text = part.replace("HERE", list);
                let error = serde_json::from_str::<Config>(&text).unwrap_err().to_string();
                let at = error.rsplit_once("column ").and_then(|(_, column)| column.parse::<usize>().ok());
                assert!(error.contains("expected its fields by name"), "{text}: {error}");
                assert!(at.is_some_and(|at| (place..=text.len()).contains(&at)), "{text}: {error}");
            }
        }
        let nothing = r#"{"replicas": null, "scaling": null, "health": {}}"#;
        assert_eq!(serde_json::from_str::<Config>(nothing).unwrap(), Config::default());
    }
}
