//! Recorded calls, 24 bytes each, in order of start.

use std::time::Duration;

use callsteer::Time;

use crate::workload::{COST_UNIT, CallRecord};

/// Calls that were recorded: the same for each seed. Ten million take 240 MB.
#[derive(Clone, Debug)]
pub struct Recorded {
    calls: Vec<Compact>,
    /// What a cost is multiplied by, for costs in [`COST_UNIT`]s.
    unit: f64,
}

impl Recorded {
    /// The calls, in order of start.
    pub fn iter(&self) -> impl Iterator<Item = CallRecord> + '_ {
        self.calls.iter().map(|call| CallRecord {
            start: Time::from_micros(call.start),
            length: Duration::from_micros(call.length),
            cost: (f64::from(call.cost) * self.unit).round().max(1.0) as u32,
            class: call.class,
        })
    }
}

/// Calls with costs in [`COST_UNIT`]s and starts since the workload's begin.
impl FromIterator<CallRecord> for Recorded {
    fn from_iter<I: IntoIterator<Item = CallRecord>>(calls: I) -> Self {
        let compact = |call: CallRecord| Compact {
            start: call.start.as_micros(),
            length: call.length.as_micros() as u64,
            cost: call.cost as f32,
            class: call.class,
        };
        let mut recorded = Self { calls: calls.into_iter().map(compact).collect(), unit: 1.0 };
        recorded.sort();
        recorded
    }
}

impl Recorded {
    fn sort(&mut self) {
        if !self.calls.is_sorted_by_key(|call| call.start) {
            self.calls
                .sort_unstable_by_key(|call| (call.start, call.length, call.cost.to_bits(), call.class));
        }
    }
}

/// Takes calls in any order, with starts since any moment and costs in any unit.
#[derive(Debug, Default)]
pub struct Recorder {
    calls: Vec<Compact>,
    /// Σ cost.
    costs: f64,
}

impl Recorder {
    /// Takes one call: its start in microseconds since any moment, its cost above 0 in any unit.
    pub fn push(&mut self, start: i64, length: Duration, cost: f32, class: u16) {
        let start = start.wrapping_sub(i64::MIN) as u64;
        self.calls.push(Compact { start, length: length.as_micros() as u64, cost, class });
        self.costs += f64::from(cost);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The calls, of which the first starts at 0 and the average one costs [`COST_UNIT`].
    #[must_use]
    pub fn finish(self) -> Recorded {
        let unit = self.calls.len() as f64 / self.costs * f64::from(COST_UNIT);
        let mut recorded = Recorded { calls: self.calls, unit };
        recorded.calls.shrink_to_fit();
        recorded.sort();
        let first = recorded.calls.first().map_or(0, |call| call.start);
        for call in &mut recorded.calls {
            call.start -= first;
        }
        recorded
    }
}

/// One call.
#[derive(Clone, Copy, Debug)]
struct Compact {
    /// In microseconds.
    start: u64,
    /// In microseconds.
    length: u64,
    cost: f32,
    class: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_24_bytes() {
        assert_eq!(size_of::<Compact>(), 24);
    }

    #[test]
    fn calls_come_out_in_order_of_start_with_costs_relative_to_their_mean() {
        let mut recorder = Recorder::default();
        let second = Duration::from_secs(1);
        recorder.push(5_000_000, second, 3.0, 1);
        recorder.push(-2_000_000, second * 9, 1.0, 0);
        let calls: Vec<_> = recorder.finish().iter().collect();
        let call =
            |start, length, cost, class| CallRecord { start: Time::from_secs(start), length, cost, class };
        assert_eq!(calls, [call(0, second * 9, 500, 0), call(7, second, 1_500, 1)]);
        assert_eq!(calls.iter().rev().copied().collect::<Recorded>().iter().collect::<Vec<_>>(), calls);
    }
}
