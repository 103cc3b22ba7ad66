//! What is replayed: a fleet of bridges, what happens to it, and the calls.

use std::time::Duration;

use callsteer::Time;

use crate::arrivals::Drawn;
use crate::recorded::Recorded;

/// A fleet, what happens to it, and the calls that come.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name in reports.
    pub name: String,
    /// Where its figures come from and what is assumed, one statement each.
    pub notes: Vec<String>,
    /// The bridges.
    pub bridges: Vec<Bridge>,
    /// When a bridge takes no new calls.
    pub outages: Vec<Outage>,
    /// The calls.
    pub calls: Calls,
    /// The names of the calls' classes.
    pub classes: Vec<String>,
    /// The part that is measured.
    pub window: Window,
}

/// A bridge, as it is and as the dispatcher is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// Its share of the work, 1..=65,535; the dispatcher knows it.
    pub weight: u32,
    /// Concurrent calls at most, which the dispatcher knows; 0 is no limit.
    pub max_calls: u32,
    /// The load that it can carry, in [`COST_UNIT`]s; it answers 503 with Retry-After to a call
    /// that would take it above. The dispatcher does not know it. `None` is no limit.
    pub capacity: Option<u64>,
}

/// A bridge takes no new calls for a while and answers 503 to calls and probes. Calls in progress
/// go on: a restart that waits for them, of which nobody told the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Which bridge, counted from 0.
    pub bridge: usize,
    /// Its first moment.
    pub from: Time,
    /// The moment at which the bridge takes calls again.
    pub until: Time,
}

/// One call of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// When it comes, since the workload's begin.
    pub start: Time,
    /// How long it lasts once placed.
    pub length: Duration,
    /// What it really costs its bridge while it lasts, in [`COST_UNIT`]s.
    pub cost: u32,
    /// Its class, an index into [`Workload::classes`].
    pub class: u16,
}

/// Where the calls come from.
#[derive(Clone, Debug)]
pub enum Calls {
    /// Drawn at random: other calls for each seed.
    Drawn(Drawn),
    /// Recorded: the same calls for each seed.
    Recorded(Recorded),
}

/// The part of a workload that is measured: `from <= t <= until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first moment: before it, the fleet warms up.
    pub from: Time,
    /// Its last moment: after it, the fleet only empties.
    pub until: Time,
}

/// The cost of an average call: costs and loads are whole thousandths of it, so that sums are exact.
pub const COST_UNIT: u32 = 1_000;

impl Workload {
    /// The calls of `seed`, in order of start.
    #[must_use]
    pub fn calls(&self, seed: u64) -> Box<dyn Iterator<Item = CallRecord> + '_> {
        match &self.calls {
            Calls::Drawn(drawn) => Box::new(drawn.calls(seed)),
            Calls::Recorded(calls) => Box::new(calls.iter()),
        }
    }
}

impl Bridge {
    /// A bridge without limits.
    #[must_use]
    pub const fn new(weight: u32) -> Self {
        Self { weight, max_calls: 0, capacity: None }
    }
}

impl Window {
    /// Whether `at` lies in it.
    #[must_use]
    pub fn contains(&self, at: Time) -> bool {
        self.from <= at && at <= self.until
    }

    /// How much of `from..until` lies in it.
    #[must_use]
    pub fn overlap(&self, from: Time, until: Time) -> Duration {
        self.until.min(until).since(self.from.max(from))
    }
}

/// Gives each bridge a capacity in proportion to its weight; a bridge of the mean weight can carry
/// `average` average calls.
pub fn set_capacity(bridges: &mut [Bridge], average: f64) {
    let weights: f64 = bridges.iter().map(|bridge| f64::from(bridge.weight)).sum();
    let unit = average * f64::from(COST_UNIT) * bridges.len() as f64 / weights;
    for bridge in bridges {
        bridge.capacity = Some((unit * f64::from(bridge.weight)).round() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_follows_the_weights() {
        let mut bridges = [10, 10, 8, 12].map(Bridge::new);
        set_capacity(&mut bridges, 24.0);
        assert_eq!(bridges.map(|bridge| bridge.capacity), [24_000, 24_000, 19_200, 28_800].map(Some));
    }

    #[test]
    fn only_the_part_inside_the_window_counts() {
        let window = Window { from: Time::from_secs(10), until: Time::from_secs(20) };
        let overlap = |from, until| window.overlap(Time::from_secs(from), Time::from_secs(until)).as_secs();
        assert_eq!([overlap(0, 5), overlap(5, 12), overlap(12, 15), overlap(15, 25)], [0, 2, 3, 5]);
        assert_eq!([overlap(5, 25), overlap(20, 25)], [10, 0]);
        assert!(window.contains(Time::from_secs(20)) && !window.contains(Time::from_secs(21)));
    }
}
