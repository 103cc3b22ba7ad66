//! One bridge as it really is: its load, its capacity of the moment, and what it reports.
//!
//! Load is constant between changes, so integrals over time are exact sums of whole numbers:
//! load in thousandths of the unit of cost, time in microseconds.

use callsteer::{Report, Time};

use crate::scenario::FaultKind;

/// A bridge.
#[derive(Clone, Debug)]
pub(super) struct Bridge {
    /// The bursts and the rest of its calls: Σ cost now.
    pub(super) load: u64,
    /// Σ average cost of its calls.
    pub(super) expected: u64,
    /// Calls in progress.
    pub(super) calls: u32,
    /// Its capacity when all is well.
    nominal: u64,
    /// Its capacity now.
    pub(super) capacity: u64,
    pub(super) absent: bool,
    pub(super) drained: bool,
    /// The share of calls that it answers 503.
    pub(super) fails: f64,
    silent: bool,
    /// Score and active calls that all its reports say.
    frozen: Option<(f64, u32)>,
    /// Up to when it is accounted for.
    pub(super) since: Time,
    /// ∫ load dt.
    pub(super) work: u128,
    /// ∫ max(0, load - capacity) dt.
    pub(super) excess: u128,
    /// ∫ calls dt while load > capacity.
    pub(super) overloaded: u128,
    /// `work` and time of the last report.
    reported: (i128, Time),
}

impl Bridge {
    pub(super) fn new(capacity: u64) -> Self {
        Self {
            load: 0,
            expected: 0,
            calls: 0,
            nominal: capacity,
            capacity,
            absent: false,
            drained: false,
            fails: 0.0,
            silent: false,
            frozen: None,
            since: Time::ZERO,
            work: 0,
            excess: 0,
            overloaded: 0,
            reported: (0, Time::ZERO),
        }
    }

    /// Accounts for the time since the last change; its microseconds.
    pub(super) fn advance(&mut self, now: Time) -> u64 {
        let span = now.as_micros() - self.since.as_micros();
        self.since = now;
        self.work += u128::from(self.load) * u128::from(span);
        if self.load > self.capacity {
            self.excess += u128::from(self.load - self.capacity) * u128::from(span);
            self.overloaded += u128::from(self.calls) * u128::from(span);
        }
        span
    }

    /// Work and excess count from here on.
    pub(super) fn forget(&mut self) {
        self.reported.0 -= self.work as i128;
        (self.work, self.excess, self.overloaded) = (0, 0, 0);
    }

    /// Whether somebody who chooses well could give it its part of the load.
    pub(super) fn takes_calls(&self) -> bool {
        !self.absent && !self.drained && self.fails < 1.0
    }

    /// Something goes wrong (`begins`), or is well again.
    pub(super) fn fault(&mut self, kind: FaultKind, begins: bool) {
        match kind {
            FaultKind::Absent => self.absent = begins,
            FaultKind::Dead => (self.absent, self.fails) = (begins, if begins { 1.0 } else { 0.0 }),
            FaultKind::Drained => self.drained = begins,
            FaultKind::Capacity(share) => {
                let factor = if begins { share } else { 1.0 };
                self.capacity = (self.nominal as f64 * factor).round() as u64;
            }
            FaultKind::Fails(share) => self.fails = if begins { share } else { 0.0 },
            FaultKind::Silent => self.silent = begins,
            FaultKind::Frozen(score) => self.frozen = begins.then_some((score, self.calls)),
        }
    }

    /// What it reports, up to date, where its measuring error is `error` (0.05: 5 % too much): the
    /// mean since the report before. `None` where it is silent, or not there.
    pub(super) fn report(&mut self, error: f64, now: Time) -> Option<Report> {
        let work = self.work as i128;
        let (before, since) = std::mem::replace(&mut self.reported, (work, now));
        let span = now.since(since).as_micros();
        if self.silent || self.absent || span == 0 {
            return None;
        }
        let mean = (work - before) as f64 / span as f64 / self.capacity as f64;
        let (score, active) = self.frozen.unwrap_or(((mean * (1.0 + error)).max(0.0), self.calls));
        Some(Report {
            score: Some(score),
            active_calls: Some(active),
            measured_at: Some(now),
            ..Report::default()
        })
    }
}
