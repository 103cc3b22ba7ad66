//! Calls and call rates per tenant.

use core::hash::{BuildHasherDefault, Hasher};
use core::num::NonZeroU64;

use hashbrown::HashMap;

use crate::config::TenantLimits;
use crate::hash::mix;
use crate::rate::Rate;
use crate::time::Time;

/// What each tenant has, by the keyed hash of its name.
#[derive(Clone, Debug)]
pub(crate) struct Tenants {
    known: HashMap<NonZeroU64, Tenant, BuildHasherDefault<HashedAlready>>,
    /// Tenants before idle ones are dropped.
    at_most: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tenant {
    calls: u32,
    rate: Rate,
}

/// What a tenant's limits say to one more call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Welcome,
    Full,
    TooFast { until: Time },
}

impl Default for Tenants {
    fn default() -> Self {
        Self { known: HashMap::default(), at_most: FEW }
    }
}

impl Tenants {
    /// What the limits say to one more call.
    pub(crate) fn admission(&self, tenant: NonZeroU64, limits: TenantLimits, now: Time) -> Admission {
        let known = self.known.get(&tenant).copied().unwrap_or_default();
        if limits.max_calls > 0 && known.calls >= limits.max_calls {
            return Admission::Full;
        }
        if !known.rate.allows(limits.max_rate, now) {
            return Admission::TooFast { until: known.rate.allows_from(limits.max_rate) };
        }
        Admission::Welcome
    }

    pub(crate) fn begin(&mut self, tenant: NonZeroU64, limits: TenantLimits, now: Time) {
        self.forget_idle(now);
        let tenant = self.known.entry(tenant).or_default();
        tenant.calls += 1;
        tenant.rate.count(limits.max_rate, now);
    }

    pub(crate) fn end(&mut self, tenant: NonZeroU64) {
        if let Some(tenant) = self.known.get_mut(&tenant) {
            tenant.calls -= 1;
        }
    }

    pub(crate) fn calls(&self, tenant: NonZeroU64) -> u32 {
        self.known.get(&tenant).map_or(0, |tenant| tenant.calls)
    }

    /// Drops those without calls and without a rate to remember, once they may be half of all.
    fn forget_idle(&mut self, now: Time) {
        if self.known.len() >= self.at_most {
            self.known.retain(|_, tenant| tenant.calls > 0 || !tenant.rate.is_idle(now));
            self.at_most = FEW.max(2 * self.known.len());
        }
    }
}

/// Names are hashed under the secret key before they get here.
#[derive(Clone, Copy, Debug, Default)]
struct HashedAlready(u64);

impl Hasher for HashedAlready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| mix(hash ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

const FEW: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_without_calls_do_not_pile_up() {
        let mut tenants = Tenants::default();
        for number in 1..=100_000u64 {
            let tenant = NonZeroU64::new(mix(number)).unwrap();
            tenants.begin(tenant, TenantLimits { max_calls: 0, max_rate: 10 }, Time::from_secs(number));
            assert_eq!(tenants.calls(tenant), 1);
            tenants.end(tenant);
        }
        assert!(tenants.known.len() <= FEW);
    }
}
