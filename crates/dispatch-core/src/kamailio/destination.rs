//! A destination as Kamailio keeps it.

use alloc::string::String;
use alloc::vec::Vec;

use super::state::{DISABLED, NO_PING, PROBING, State};
use super::{Params, Release, SLOTS, slots};
use crate::rng::Rng;
use crate::time::Time;

/// A line of a dispatcher.list, as Kamailio reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// Where calls go; what marks and probes know it by.
    pub uri: String,
    /// The second column, as a sum: 1 inactive, 2 trying, 4 disabled, 8 probing, 32 never probed.
    pub flags: u32,
    /// The third column.
    pub priority: i32,
    /// The attribute `duid`, by which calls are counted.
    pub duid: String,
    /// The attribute `maxload`: calls at most, 0 is no limit.
    pub maxload: u32,
    /// The attribute `weight`, 1 to 100; 0 is none.
    pub weight: u32,
    /// The attribute `rweight`, 1 to 100; 0 is none.
    pub rweight: u32,
    /// The attribute `latency`, in milliseconds: what is normal, as long as no probe was measured.
    pub latency: u32,
    /// The attribute `cc=1`: algorithm 13 looks at congestion in place of latency.
    pub congestion_control: bool,
    /// The attribute `ocmin`, 0 to 100: the least rate that algorithm 64 applies. The manual says that 10
    /// is the default; it is 0.
    pub overload_min: u32,
}

/// What probes measured: `ds_ping_latency_stats`, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// EST, the moving average.
    pub estimated: f64,
    /// AVG, what is normal.
    pub average: f64,
}

impl Latency {
    /// EST after one more sample of `ms`. `alpha` is `ds_latency_estimator_alpha` / 1000: the
    /// weight of the sample in master, of what was before in 5.6.
    #[must_use]
    pub fn sample(self, ms: f64, alpha: f64, release: Release) -> Self {
        let weight = if release == Release::V5 { 1.0 - alpha } else { alpha };
        Self { estimated: self.estimated + weight * (ms - self.estimated), ..self }
    }
}

/// A destination and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) destination: Destination,
    pub(super) state: State,
    /// Calls counted here.
    pub(super) load: u32,
    pub(super) latency: Latency,
    pub(super) overload: Overload,
}

impl Member {
    pub(super) fn new(destination: Destination, params: &Params) -> Self {
        let state = State::new(destination.flags).anew_without(params.ignored_flag());
        let normal = f64::from(destination.latency);
        let latency = Latency { estimated: normal, average: normal };
        let overload = Overload::default();
        Self { destination, state, load: 0, latency, overload }
    }

    pub(super) const fn is_up(&self) -> bool {
        !self.state.is_skipped()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.destination.maxload > 0 && self.load >= self.destination.maxload
    }

    /// Whether the next round of probes asks it.
    pub(super) const fn is_probed(&self, mode: u8) -> bool {
        let probing = self.state.has(PROBING);
        let wanted = match mode {
            1 => true,
            2 => self.state.is_skipped() && probing,
            _ => probing,
        };
        wanted && !self.state.has(DISABLED) && !self.state.has(NO_PING)
    }

    /// The priority of algorithm 13: PRIORITY - ESTIMATED_LATENCY_MS / PRIORITY in whole numbers, as the
    /// manual has it, where the latency, or the congestion, passes the priority; but at least 1.
    pub(super) fn adjusted_priority(&self) -> i32 {
        let Latency { estimated, average } = self.latency;
        let ms = if self.destination.congestion_control { estimated - average } else { estimated };
        let priority = self.destination.priority;
        let ms = ms.max(0.0) as i32;
        if priority > 0 && ms > priority { (priority - ms / priority).max(1) } else { priority }
    }
}

/// What a destination asked to be spared (RFC 7339): `ds_oc_set_attrs`.
#[derive(Clone, Debug, Default)]
pub(super) struct Overload {
    /// By the visits of selections that come by, whether it is passed by (0) or not (1).
    visits: Vec<usize>,
    next: usize,
    until: Time,
    sequence: u32,
}

impl Overload {
    /// Of 100 visits, `rate` pass it by from now on, in any order. Whether the sequence number is news.
    pub(super) fn set(&mut self, rate: u32, until: Time, sequence: u32, rng: &mut Rng) -> bool {
        if sequence <= self.sequence {
            return false;
        }
        let rate = rate.min(SLOTS);
        let visits = slots::shuffled(&[rate, SLOTS - rate], rng);
        *self = Self { visits, next: self.next, until, sequence };
        true
    }

    pub(super) fn spares(&self, now: Time) -> bool {
        now < self.until && self.visits.get(self.next) == Some(&0)
    }

    pub(super) fn visit(&mut self) {
        self.next = (self.next + 1) % SLOTS as usize;
    }
}
