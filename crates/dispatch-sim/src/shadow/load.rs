//! Calls in progress at each destination of a set, over time.

use callsteer::{SetId, Time};

use super::calls::Course;
use super::fleet::Fleet;
use crate::figures::{Balance, LoadMeter};
use crate::workload::{Bridge, COST_UNIT, Window};

/// What a destination carried.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Carried {
    /// Calls that were placed there, first or by failing over.
    pub calls: u64,
    /// Calls in progress, on average over the time.
    pub mean: f64,
    /// Calls in progress, at most.
    pub peak: u32,
}

/// Calls in progress at each destination of a set.
pub(super) struct Load {
    meter: LoadMeter,
    carried: Vec<Carried>,
    calls: Vec<u32>,
    /// Σ calls · time, in call-seconds.
    sums: Vec<f64>,
    last: Time,
    span: (Time, Time),
}

impl Load {
    pub(super) fn new(course: &Course, fleet: &Fleet, set: SetId) -> Self {
        let members = fleet.sets.get(&set).map(Vec::as_slice).unwrap_or_default();
        let bridges: Vec<Bridge> =
            members.iter().map(|member| Bridge::new(member.destination.weight)).collect();
        let (from, until) = course.span;
        let (count, meter) = (bridges.len(), LoadMeter::new(&bridges, Window { from, until }));
        let (carried, calls, sums) = (vec![Carried::default(); count], vec![0; count], vec![0.0; count]);
        Self { meter, carried, calls, sums, last: from, span: course.span }
    }

    pub(super) fn begin(&mut self, place: usize, now: Time) {
        self.advance(now);
        self.meter.begin(place, COST_UNIT, now);
        self.calls[place] += 1;
        let carried = &mut self.carried[place];
        carried.calls += 1;
        carried.peak = carried.peak.max(self.calls[place]);
    }

    pub(super) fn end(&mut self, place: usize, now: Time) {
        self.advance(now);
        self.meter.end(place, COST_UNIT, now);
        self.calls[place] -= 1;
    }

    fn advance(&mut self, now: Time) {
        let seconds = now.since(self.last).as_secs_f64();
        for (sum, calls) in self.sums.iter_mut().zip(&self.calls) {
            *sum += f64::from(*calls) * seconds;
        }
        self.last = self.last.max(now);
    }

    /// How even it was, and what each destination carried.
    pub(super) fn finish(mut self) -> (Balance, Vec<Carried>) {
        let until = self.span.1;
        self.advance(until);
        // A call without cost brings the meter up to the last moment.
        if !self.calls.is_empty() {
            self.meter.begin(0, 0, until);
        }
        let seconds = until.since(self.span.0).as_secs_f64();
        for (carried, sum) in self.carried.iter_mut().zip(&self.sums) {
            carried.mean = if seconds > 0.0 { sum / seconds } else { 0.0 };
        }
        (self.meter.balance(), self.carried)
    }
}
