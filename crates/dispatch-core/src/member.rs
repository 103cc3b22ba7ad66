//! A destination as the dispatcher keeps it: its load, health and limits, and what is wanted of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use crate::config::{Config, SetId};
use crate::destination::{Destination, Starts};
use crate::health::Health;
use crate::health::eject::Attempts;
use crate::health::probe::ProbeClock;
use crate::health::slow_start::WarmUp;
use crate::load::score::{Estimate, Own};
use crate::rate::Rate;
use crate::slots::NONE;
use crate::standing::Standing;
use crate::time::Time;

/// What the operator wants of a destination. Survives probes and new lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Will {
    /// Takes calls.
    #[default]
    Enabled,
    /// Takes no new calls until it is enabled again.
    Disabled,
    /// Takes no new calls; those in progress are waited for, at most until the deadline.
    Draining,
}

impl Starts {
    pub(crate) const fn will(self) -> Will {
        match self {
            Self::Disabled => Will::Disabled,
            Self::Active | Self::Trying | Self::Inactive => Will::Enabled,
        }
    }
}

/// A destination as the dispatcher keeps it: what every call touches, which fits into one line of
/// the cache, its estimate and its profile.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Σ cost of its calls.
    pub(crate) load: u64,
    /// Calls counted in so far.
    pub(crate) placed: u64,
    /// Which change of any load was the last one here: the tie-break of `call_load`.
    pub(crate) touched: u64,
    /// Calls in progress there, of all replicas.
    pub(crate) calls: u32,
    /// Its seat in the set; [`NONE`] once removed.
    seat: u32,
    /// Where its set is kept.
    pub(crate) place: u32,
    /// What its set was last told.
    pub(crate) standing: Standing,
    /// Its calls are limited: a call looks at the profile, too.
    limited: bool,
    /// Its reports are compared with its calls.
    reports: bool,
    /// What its own calls and its reports say of its load.
    pub(crate) estimate: Box<Estimate>,
    profile: Box<Profile>,
}

/// What changes from time to time.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) destination: Destination,
    pub(crate) set: SetId,
    pub(crate) will: Will,
    /// The drain whose end has not been said yet.
    pub(crate) drain: Option<Drain>,
    pub(crate) health: Health,
    pub(crate) probes: ProbeClock,
    /// Its probe is due and waits for the prober.
    pub(crate) probe_queued: bool,
    /// Of its calls, those of other replicas, as far as known.
    pub(crate) elsewhere: u32,
    /// The most calls of this dispatcher, where `max_calls` is a limit.
    pub(crate) share: u32,
    /// What else other replicas say; `None` where nobody says anything.
    pub(crate) others: Option<Box<Others>>,
    pub(crate) rate: Rate,
    pub(crate) attempts: Attempts,
    pub(crate) warm_up: WarmUp,
    /// What its last report said besides.
    pub(crate) said: Said,
    /// The earliest timer armed for it.
    pub(crate) wakes: Option<Time>,
}

impl Deref for Member {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        &self.profile
    }
}

impl DerefMut for Member {
    fn deref_mut(&mut self) -> &mut Profile {
        &mut self.profile
    }
}

/// What reports said besides the load at the moment.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Said {
    /// When its last report was measured.
    pub(crate) at: Option<Time>,
    pub(crate) sequence: Option<u64>,
    /// Calls that it can carry.
    pub(crate) capacity: Option<u32>,
    pub(crate) draining: bool,
    /// Its score, over a minute or more if it says so.
    pub(crate) score: Option<f64>,
}

/// What other replicas say of a destination, besides how many calls they have there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Others {
    /// Σ cost of their calls.
    pub(crate) load: u64,
    /// Of that, by number of class.
    pub(crate) classes: Vec<u64>,
    /// More than half of all replicas find it down.
    pub(crate) outvoted: bool,
}

/// A drain under way.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Drain {
    /// When it is over whether calls are left or not.
    pub(crate) until: Option<Time>,
}

impl Member {
    /// Nobody's yet: without a call, and without a seat in its set.
    pub(crate) fn new(place: u32, touched: u64, profile: Profile) -> Self {
        let (standing, estimate, profile) = (Standing::Removed, Box::default(), Box::new(profile));
        let (load, placed, calls, limited, reports) = (0, 0, 0, false, false);
        Self {
            load,
            placed,
            touched,
            calls,
            seat: NONE,
            place,
            standing,
            limited,
            reports,
            estimate,
            profile,
        }
    }

    /// Its seat in the set; `None` once removed.
    #[inline]
    pub(crate) const fn seat(&self) -> Option<u32> {
        if self.seat == NONE { None } else { Some(self.seat) }
    }

    pub(crate) fn sit(&mut self, seat: Option<u32>) {
        self.seat = seat.unwrap_or(NONE);
    }

    /// Its calls, as its estimate sees them: those of other replicas count as own ones.
    pub(crate) const fn own(&self) -> Own {
        Own { calls: self.calls, load: self.load }
    }

    /// Counts a call in, as the change of this number.
    #[inline]
    pub(crate) fn count_in(&mut self, class: u16, cost: u32, change: u64, now: Time) {
        self.calls += 1;
        self.placed += 1;
        self.load += u64::from(cost);
        self.touched = change;
        if self.reports || class != 0 {
            let own = self.own();
            self.estimate.begin(class, cost, own, now);
        }
    }

    /// Counts a call out, as the change of this number.
    #[inline]
    pub(crate) fn count_out(&mut self, class: u16, cost: u32, change: u64, now: Time) {
        self.calls -= 1;
        self.load -= u64::from(cost);
        self.touched = change;
        if self.reports || class != 0 {
            let own = self.own();
            self.estimate.end(class, cost, own, now);
        }
    }

    /// Finds out what a call has to look at: its limits, or what it reported, changed.
    pub(crate) fn watch(&mut self) {
        let Destination { max_calls, max_rate, .. } = self.destination;
        self.limited = max_calls > 0 || max_rate > 0 || self.said.capacity.is_some();
        self.reports = self.estimate.is_measured();
    }

    /// Whether the number of its calls can change how it stands.
    #[inline]
    pub(crate) const fn is_limited(&self) -> bool {
        self.limited
    }

    /// When something is due here whether or not anybody calls.
    pub(crate) fn wake(&self, config: &Config, now: Time) -> Option<Time> {
        let drained = self.drain.and_then(|drain| drain.until);
        if self.seat == NONE {
            return drained;
        }
        let busy = self.health.busy_until().filter(|until| *until > now);
        let limit = (self.standing == Standing::TooFast).then_some(self.destination.max_rate);
        let rate = limit.map(|per_second| self.rate.allows_from(per_second));
        let probe = self.probe_due(config).filter(|_| !self.probe_queued);
        let warmer = self.warm_up.next_step(config.warm_up);
        let timers = [busy, rate, drained, probe, self.probes.timeout(), self.attempts.until(), warmer];
        timers.into_iter().flatten().min()
    }

    /// When its next probe leaves, if one is wanted and none is under way.
    pub(crate) fn probe_due(&self, config: &Config) -> Option<Time> {
        let probed = self.seat != NONE && self.will != Will::Disabled;
        let observed = self.health.observed();
        let due = self.probes.due(observed, self.destination.probing, config.probing.mode);
        due.filter(|_| probed)
    }

    /// Whether it can take a call; `panic` ignores what is known of its health.
    pub(crate) fn standing_at(&self, panic: bool, now: Time) -> Standing {
        match self.will {
            _ if self.seat == NONE => Standing::Removed,
            Will::Disabled => Standing::Disabled,
            Will::Draining => Standing::Draining,
            Will::Enabled if self.said.draining => Standing::Draining,
            Will::Enabled if !panic && !self.is_up() => Standing::Inactive,
            Will::Enabled if !panic && self.attempts.is_ejected() => Standing::Ejected,
            Will::Enabled if self.health.busy_until().is_some_and(|until| until > now) => Standing::Busy,
            Will::Enabled if self.is_full() => Standing::Full,
            Will::Enabled if !self.rate.allows(self.destination.max_rate, now) => Standing::TooFast,
            Will::Enabled => Standing::Candidate,
        }
    }

    /// Whether it is in service and nothing is known against it.
    pub(crate) fn is_healthy(&self) -> bool {
        self.is_in_service() && self.is_up() && !self.attempts.is_ejected()
    }

    /// Whether it is meant to take calls.
    pub(crate) fn is_in_service(&self) -> bool {
        self.seat != NONE && self.will == Will::Enabled && !self.said.draining
    }

    /// The weight that counts while it warms up, in tenths.
    pub(crate) fn share(&self) -> u32 {
        self.destination.weight * self.warm_up.tenths()
    }

    /// The weight that counts while it warms up.
    pub(crate) fn weight(&self) -> f64 {
        f64::from(self.share()) / 10.0
    }

    /// Calls of this dispatcher in progress there.
    pub(crate) fn own_calls(&self) -> u32 {
        self.calls - self.elsewhere
    }

    /// Σ cost of the calls of this dispatcher.
    pub(crate) fn own_load(&self) -> u64 {
        self.load - self.others.as_ref().map_or(0, |others| others.load)
    }

    /// Up by its own probes, and not down by those of most replicas.
    fn is_up(&self) -> bool {
        self.health.is_up() && !self.others.as_ref().is_some_and(|others| others.outvoted)
    }

    fn is_full(&self) -> bool {
        let limit = self.destination.max_calls;
        let all = f64::from(self.calls) + self.estimate.foreign();
        (limit > 0 && (self.calls >= limit || self.own_calls() >= self.share))
            || self.said.capacity.is_some_and(|most| all >= f64::from(most))
    }
}
