//! Measuring side by side: cases of a group take turns in one process, and ratios are taken per turn.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long everything takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Whether this is for a look, and not for the record.
    pub(crate) quick: bool,
    /// For how long a case runs at each of its turns.
    pub(crate) turn: Duration,
    /// How many turns each case has.
    pub(crate) turns: usize,
}

impl Effort {
    pub(crate) const QUICK: Self = Self { quick: true, turn: Duration::from_micros(500), turns: 11 };
    pub(crate) const FULL: Self = Self { quick: false, turn: Duration::from_millis(2), turns: 41 };

    /// The first of these, or the second for a quick look.
    pub(crate) const fn pick<T: Copy>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// Something to measure: does it so many times.
pub(crate) struct Case<'a> {
    name: String,
    run: Box<dyn FnMut(u64) + 'a>,
}

impl<'a> Case<'a> {
    /// What is measured is one call of `once`, whose result is used.
    pub(crate) fn new<T>(name: impl Into<String>, mut once: impl FnMut() -> T + 'a) -> Self {
        let run = move |times| {
            for _ in 0..times {
                black_box(once());
            }
        };
        Self { name: name.into(), run: Box::new(run) }
    }

    fn nanos(&mut self, times: u64) -> f64 {
        let start = Instant::now();
        (self.run)(times);
        start.elapsed().as_nanos() as f64 / times as f64
    }

    /// As `nanos`, once the caches have forgotten who was before.
    fn warm_nanos(&mut self, times: u64) -> f64 {
        (self.run)(times / 4);
        self.nanos(times)
    }

    /// Warms up, and says how often it runs in one turn.
    fn calibrate(&mut self, turn: Duration) -> u64 {
        // The first time builds what is built when it is needed.
        (self.run)(1);
        let mut times = 1;
        loop {
            let taken = self.nanos(times) * times as f64;
            if taken >= turn.as_nanos() as f64 / 2.0 || times > 1 << 30 {
                return ((times as f64 * turn.as_nanos() as f64 / taken.max(1.0)) as u64).max(1);
            }
            times *= 2;
        }
    }
}

/// What one case took, per turn.
#[derive(Clone, Debug)]
pub(crate) struct Timing {
    pub(crate) name: String,
    turns: Vec<f64>,
}

impl Timing {
    /// The median, in nanoseconds.
    pub(crate) fn nanos(&self) -> f64 {
        median(&self.turns)
    }

    /// The least of all turns, in nanoseconds: what nobody disturbed.
    pub(crate) fn least(&self) -> f64 {
        self.turns.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The median of this by `other`, turn by turn: what slows both does not count.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        median(&self.turns.iter().zip(&other.turns).map(|(a, b)| a / b).collect::<Vec<_>>())
    }
}

/// Measures these side by side.
pub(crate) fn compare(mut cases: Vec<Case<'_>>, effort: Effort) -> Vec<Timing> {
    let times: Vec<u64> = cases.iter_mut().map(|case| case.calibrate(effort.turn)).collect();
    let mut timings: Vec<Timing> =
        cases.iter().map(|case| Timing { name: case.name.clone(), turns: Vec::new() }).collect();
    for _ in 0..effort.turns {
        for ((case, times), timing) in cases.iter_mut().zip(&times).zip(&mut timings) {
            timing.turns.push(case.warm_nanos(*times));
        }
    }
    timings
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A cheap stream of numbers, for keys and for whose call ends next (Marsaglia: Xorshift RNGs, 2003).
#[derive(Clone, Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) const fn below(&mut self, n: usize) -> usize {
        ((self.next() as u128 * n as u128) >> 64) as usize
    }
}
