//! What calls cost, learned from the reports of all bridges; the formulas stand in `score`.

#[cfg(feature = "serde")]
pub(crate) mod saved;

use alloc::vec::Vec;
use core::time::Duration;

use super::traffic::Traffic;
use crate::time::Time;

/// What calls cost, learned over all bridges.
#[derive(Clone, Debug)]
pub(crate) struct Costs {
    /// ĉ per class; `None` before a report of a bridge with such a call.
    classes: Vec<Option<f64>>,
    /// Σ load and Σ calls over reports, with forgetting.
    work: f64,
    calls: f64,
    /// c̄: 1 before any report, and while every bridge reports 0.
    mean: f64,
    /// Own calls.
    traffic: Traffic,
    /// How many reports taught something, and Σ of the greatest fall of a cost over them.
    lessons: u64,
    falls: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self {
            classes: Vec::new(),
            work: 0.0,
            calls: 0.0,
            mean: 1.0,
            traffic: Traffic::default(),
            lessons: 0,
            falls: 0.0,
        }
    }
}

impl Costs {
    pub(crate) const fn mean(&self) -> f64 {
        self.mean
    }

    /// ĉ of a class, or c̄ where nothing is known of it.
    pub(crate) fn of(&self, class: u16) -> f64 {
        self.classes.get(usize::from(class)).copied().flatten().unwrap_or_else(|| self.mean())
    }

    /// Whether a bridge reported more than 0.
    pub(super) fn is_learned(&self) -> bool {
        self.work > 0.0
    }

    /// How many reports taught something.
    pub(super) const fn lessons(&self) -> u64 {
        self.lessons
    }

    /// Σ of the greatest fall of a cost, (before - after) / after, over reports.
    pub(super) const fn falls(&self) -> f64 {
        self.falls
    }

    /// A call began here.
    pub(crate) fn count_call(&mut self, now: Time) {
        self.traffic.came(now);
    }

    /// Own calls per second.
    pub(crate) fn rate(&self, now: Time) -> f64 {
        self.traffic.rate(now)
    }

    /// Learns from the load `y` of a bridge with these own calls per class and `others`;
    /// `interval` since its last report, `members` in the fleet.
    pub(super) fn learn(
        &mut self,
        y: f64,
        own: impl Iterator<Item = u64> + Clone,
        others: f64,
        interval: Duration,
        members: u32,
    ) {
        let own = own.map(|calls| calls as f64);
        let members = f64::from(members.max(1));
        let calls = own.clone().sum::<f64>() + others;
        let keep = libm::exp(-1.0 / (FORGET_REPORTS * members));
        self.work = self.work * keep + y;
        self.calls = self.calls * keep + calls;
        let before = self.mean;
        self.mean = if self.work > 0.0 && self.calls > 0.0 { self.work / self.calls } else { 1.0 };
        let mean = self.mean;
        let within = |cost: f64| cost.clamp(LEAST_COST * mean, MOST_COST * mean);
        let first = within(y / calls.max(1.0));
        let classes = own.clone().count().max(self.classes.len());
        self.classes.resize(classes, None);
        let (mut expected, mut norm) = (mean * others, 1.0);
        let mut fall = before / mean;
        for (cost, calls) in self.classes.iter_mut().zip(own.clone()).filter(|(_, calls)| *calls > 0.0) {
            if cost.is_none() {
                fall = fall.max(before / first);
            }
            expected += *cost.get_or_insert(first) * calls;
            norm += calls * calls;
        }
        let share = (1.0 - decay(interval, LEARN)) / members;
        let step = GAIN * share.max(LEAST_SHARE) * (y - expected) / norm;
        for (cost, calls) in self.classes.iter_mut().zip(own).filter(|(_, calls)| *calls > 0.0) {
            let before = cost.unwrap_or(first);
            let after = within(before + step * calls);
            fall = fall.max(before / after);
            *cost = Some(after);
        }
        self.lessons += 1;
        self.falls += (fall - 1.0).clamp(0.0, MOST_FALL);
    }
}

/// exp(-span / tau), tau in seconds.
pub(super) fn decay(span: Duration, tau: f64) -> f64 {
    libm::exp(-span.as_secs_f64() / tau)
}

/// Reports per bridge over which the mean cost is taken. Fewer follow the hour, but make P jump.
const FORGET_REPORTS: f64 = 40.0;
/// s: how fast class costs follow; longer averages out more noise and learns later.
const LEARN: f64 = 120.0;
/// Step of the class costs. Larger learns faster and follows noise; beyond 2 / share it diverges.
const GAIN: f64 = 4.0;
/// The least step, so that a large fleet goes on learning.
const LEAST_SHARE: f64 = 0.0005;
/// A fall that counts as this one is as good as any: whoever hears of it looks again.
const MOST_FALL: f64 = 100.0;
/// A class costs no less and no more than this many mean calls: wrong labels do bounded harm.
const LEAST_COST: f64 = 0.1;
const MOST_COST: f64 = 10.0;
