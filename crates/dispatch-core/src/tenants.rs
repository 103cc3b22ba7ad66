//! Calls and call rates per tenant.

#[cfg(feature = "serde")]
use alloc::vec::Vec;
use core::hash::{BuildHasherDefault, Hasher};
use core::num::NonZeroU64;

use hashbrown::HashMap;

use crate::config::TenantLimits;
use crate::hash::mix;
use crate::rate::Rate;
use crate::slots::{Key, NONE, Slots};
use crate::time::Time;

/// What each tenant has, by the keyed hash of its name, and by an index for as long as it has calls.
#[derive(Clone, Debug)]
pub(crate) struct Tenants {
    known: HashMap<NonZeroU64, Key, BuildHasherDefault<HashedAlready>>,
    tenants: Slots<Tenant>,
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
        Self { known: HashMap::default(), tenants: Slots::new(), at_most: FEW }
    }
}

impl Tenants {
    /// What the limits say to one more call.
    pub(crate) fn admission(&self, tenant: NonZeroU64, limits: TenantLimits, now: Time) -> Admission {
        let known = self.find(tenant).copied().unwrap_or_default();
        if limits.max_calls > 0 && known.calls >= limits.max_calls {
            return Admission::Full;
        }
        if !known.rate.allows(limits.max_rate, now) {
            return Admission::TooFast { until: known.rate.allows_from(limits.max_rate) };
        }
        Admission::Welcome
    }

    /// Counts a call in; the index under which it is counted out. [`NONE`] where there are more tenants than can be counted.
    pub(crate) fn begin(&mut self, tenant: NonZeroU64, limits: TenantLimits, now: Time) -> u32 {
        self.forget_idle(now);
        let key = match self.known.get(&tenant) {
            Some(key) => *key,
            None => {
                let Ok(key) = self.tenants.insert(Tenant::default()) else { return NONE };
                self.known.insert(tenant, key);
                key
            }
        };
        if let Some(tenant) = self.tenants.find_mut(key) {
            tenant.calls += 1;
            tenant.rate.count(limits.max_rate, now);
        }
        key.index()
    }

    pub(crate) fn end(&mut self, index: u32) {
        if let Some(tenant) = self.tenants.at_mut(index) {
            tenant.calls -= 1;
        }
    }

    pub(crate) fn calls(&self, tenant: NonZeroU64) -> u32 {
        self.find(tenant).map_or(0, |tenant| tenant.calls)
    }

    /// Every tenant's index, hash and rate, in order of the hash, and how many there may be before
    /// idle ones are dropped.
    #[cfg(feature = "serde")]
    pub(crate) fn known(&self) -> (Vec<(u32, NonZeroU64, Rate)>, usize) {
        let with_rate =
            |(hash, key): (&NonZeroU64, &Key)| Some((key.index(), *hash, self.tenants.find(*key)?.rate));
        let mut known: Vec<_> = self.known.iter().filter_map(with_rate).collect();
        known.sort_unstable_by_key(|(_, hash, _)| *hash);
        (known, self.at_most)
    }

    /// These tenants, none with a call yet, under the indexes from 0 on; `None` where that cannot be.
    #[cfg(feature = "serde")]
    pub(crate) fn restored(
        known: impl ExactSizeIterator<Item = (NonZeroU64, Rate)>,
        at_most: usize,
    ) -> Option<Self> {
        if at_most < FEW.max(known.len()) || at_most > FEW.max(2 * known.len()) {
            return None;
        }
        let mut restored = Self { at_most, ..Self::default() };
        for (hash, rate) in known {
            let key = restored.tenants.insert(Tenant { calls: 0, rate }).ok()?;
            if restored.known.insert(hash, key).is_some() {
                return None;
            }
        }
        Some(restored)
    }

    /// Counts a call in that is a part of what is remembered.
    #[cfg(feature = "serde")]
    pub(crate) fn restore(&mut self, index: u32) -> Option<()> {
        self.tenants.at_mut(index)?.calls += 1;
        Some(())
    }

    fn find(&self, tenant: NonZeroU64) -> Option<&Tenant> {
        self.tenants.find(*self.known.get(&tenant)?)
    }

    /// Drops those without calls and without a rate to remember, once they may be half of all.
    fn forget_idle(&mut self, now: Time) {
        if self.known.len() >= self.at_most {
            let Self { known, tenants, .. } = self;
            known.retain(|_, key| {
                let idle = |tenant: &Tenant| tenant.calls == 0 && tenant.rate.is_idle(now);
                let keep = !tenants.find(*key).is_some_and(idle);
                if !keep {
                    tenants.remove(*key);
                }
                keep
            });
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
            let limits = TenantLimits { max_calls: 0, max_rate: 10 };
            let index = tenants.begin(tenant, limits, Time::from_secs(number));
            assert_eq!(tenants.calls(tenant), 1);
            tenants.end(index);
        }
        assert!(tenants.known.len() <= FEW && tenants.tenants.len() as usize <= FEW);
    }
}
