//! A benchmark on recorded calls that a program holds in memory: what the bindings call.
//! `callsteer bench --trace` does the same with a file.
//!
//! ```
//! use callsteer_sim::bench::{Options, bench};
//! use callsteer_sim::progress::unwatched;
//! use callsteer_sim::recorded::{Recorder, Recording};
//!
//! let mut calls = Recorder::default();
//! for n in 0..1_000 {
//!     let duration = if n % 3 == 0 { 300.0 } else { 20.0 };
//!     calls.record(&Recording { start: f64::from(n), duration, class: "all", cost: 1.0 })?;
//! }
//! let report = bench(calls, &Options { bridges: 4, ..Options::default() }, &unwatched)?;
//! assert!(report.row("call_load").unwrap().cv.mean < report.row("random").unwrap().cv.mean);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use crate::compare::{CompareError, compare};
use crate::policy::{self, Policy};
use crate::progress::Progress;
use crate::recorded::Recorder;
use crate::report::Report;
use crate::workload::{Bridge, set_capacity};

/// What is compared on which fleet, and how often. The defaults are those of `callsteer bench`.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// How many equal bridges there are, where `weights` is empty; 1 to [`MOST_BRIDGES`].
    pub bridges: usize,
    /// The weight of each bridge, 1 to 65,535; where it is not empty, `bridges` does not count.
    pub weights: Vec<u32>,
    /// Concurrent calls that the dispatcher gives a bridge at most; 0 is no limit.
    pub max_calls: u32,
    /// The load that a bridge of mean weight can carry, in average calls, the others in proportion;
    /// above it a bridge answers 503. `None` is no limit.
    pub capacity: Option<f64>,
    /// The policies.
    pub policies: Vec<Policy>,
    /// Replays per policy, with the seeds `seed`, `seed` + 1 and so on.
    pub replays: u16,
    /// The first seed.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bridges: 16,
            weights: Vec::new(),
            max_calls: 0,
            capacity: None,
            policies: policy::ALL.into(),
            replays: 10,
            seed: 1,
        }
    }
}

impl Options {
    /// The fleet.
    #[must_use]
    pub fn fleet(&self) -> Vec<Bridge> {
        let equal = vec![1; self.bridges];
        let weights = if self.weights.is_empty() { &equal } else { &self.weights };
        let bridge = |weight: &u32| Bridge { max_calls: self.max_calls, ..Bridge::new(*weight) };
        let mut fleet: Vec<_> = weights.iter().map(bridge).collect();
        if let Some(capacity) = self.capacity {
            set_capacity(&mut fleet, capacity);
        }
        fleet
    }

    /// The seed of each replay.
    #[must_use]
    pub fn seeds(&self) -> Vec<u64> {
        (0..self.replays).map(|n| self.seed.wrapping_add(u64::from(n))).collect()
    }

    /// Says what cannot be.
    fn check(&self) -> Result<(), BenchError> {
        let refused = |problem: String| Err(BenchError::Options(problem));
        let bridges = if self.weights.is_empty() { self.bridges } else { self.weights.len() };
        if !(1..=MOST_BRIDGES).contains(&bridges) {
            return refused(format!("a fleet has 1 to {MOST_BRIDGES} bridges, not {bridges}"));
        }
        if let Some(capacity) = self.capacity.filter(|load| !(*load > 0.0 && *load <= MOST_CAPACITY)) {
            return refused(format!("a capacity is above 0 and at most {MOST_CAPACITY}, not {capacity}"));
        }
        if self.policies.is_empty() || self.replays == 0 {
            return refused("there is at least one policy, and one replay".into());
        }
        Ok(())
    }
}

/// Replays these calls through each policy.
///
/// # Errors
/// See [`BenchError`].
pub fn bench(calls: Recorder, options: &Options, progress: Progress<'_>) -> Result<Report, BenchError> {
    options.check()?;
    if calls.is_empty() {
        return Err(BenchError::NoCalls);
    }
    let workload = calls.workload("calls", options.fleet());
    Ok(compare(&workload, &options.policies, &options.seeds(), progress)?)
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BenchError {
    /// There are no calls.
    NoCalls,
    /// An option is out of its range: which, and what it may be.
    Options(String),
    /// The dispatcher does not take a bridge, or whoever was told of the progress cancelled.
    Compare(CompareError),
}

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCalls => f.write_str("there are no calls"),
            Self::Options(problem) => f.write_str(problem),
            Self::Compare(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BenchError {}

impl From<CompareError> for BenchError {
    fn from(error: CompareError) -> Self {
        Self::Compare(error)
    }
}

/// The largest fleet.
pub const MOST_BRIDGES: usize = 4_096;
/// The highest capacity, in average calls.
pub const MOST_CAPACITY: f64 = 1_000_000.0;

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Mutex;

    use super::*;
    use crate::recorded::Recording;

    fn calls(n: u32) -> Recorder {
        let mut calls = Recorder::default();
        for second in 0..n {
            let call = Recording { start: f64::from(second), duration: 60.0, class: "all", cost: 1.0 };
            calls.record(&call).unwrap();
        }
        calls
    }

    #[test]
    fn every_replay_is_told_and_a_report_has_each_policy() {
        let told = Mutex::new(Vec::new());
        let options = Options { bridges: 4, replays: 2, ..Options::default() };
        let report = bench(calls(100), &options, &|done, of| {
            told.lock().unwrap().push((done, of));
            ControlFlow::Continue(())
        })
        .unwrap();
        let mut told = told.into_inner().unwrap();
        told.sort_unstable();
        let replays = 2 * policy::ALL.len();
        assert_eq!(told, (1..=replays).map(|done| (done, replays)).collect::<Vec<_>>());
        assert_eq!((report.policies.len(), report.seeds), (policy::ALL.len(), vec![1, 2]));
    }

    #[test]
    fn whoever_is_told_of_the_progress_can_cancel_also_within_a_long_replay() {
        let policies = vec![policy::named("round_robin").unwrap()];
        let options = Options { policies, replays: 1, ..Options::default() };
        let told = Mutex::new(Vec::new());
        let cancelled = bench(calls(70_000), &options, &|done, _| {
            told.lock().unwrap().push(done);
            ControlFlow::Break(())
        });
        assert_eq!(cancelled, Err(BenchError::Compare(CompareError::Cancelled)));
        assert_eq!(*told.lock().unwrap(), [0], "before the only replay is done");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let check = |calls, options: Options, expected: &str| {
            let refused = bench(calls, &options, &|_, _| panic!("nothing is replayed")).unwrap_err();
            assert_eq!(refused.to_string(), expected);
        };
        check(calls(0), Options::default(), "there are no calls");
        let none = Options { bridges: 0, ..Options::default() };
        check(calls(1), none, "a fleet has 1 to 4096 bridges, not 0");
        let negative = Options { capacity: Some(-1.0), ..Options::default() };
        check(calls(1), negative, "a capacity is above 0 and at most 1000000, not -1");
        let no_policy = Options { policies: Vec::new(), ..Options::default() };
        check(calls(1), no_policy, "there is at least one policy, and one replay");
        let weightless = Options { weights: vec![1, 0], ..Options::default() };
        let refused = bench(calls(1), &weightless, &crate::progress::unwatched).unwrap_err();
        assert!(matches!(refused, BenchError::Compare(CompareError::Bridge(_))), "{refused}");
    }
}
