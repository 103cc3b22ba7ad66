//! What one simulation showed.
//!
//! Load ℓ and capacity c of a bridge b at a moment, integrals over what is measured:
//!
//! ```text
//! excess   = ∫ Σ_b max(0, ℓ_b - c_b) dt / ∫ Σ_b ℓ_b dt     share of the work above capacity
//! bound    = ∫ max(0, Σ_b ℓ_b - Σ_b c_b) dt / ∫ Σ_b ℓ_b dt  the excess if every moment's load were
//!                                                          shared in proportion to capacity
//! load     = ∫ Σ_b ℓ_b dt / ∫ Σ_b c_b dt
//! p99_load = the ℓ_b / c_b that bridges do not pass in 99 % of their time
//! peak     = max ℓ_b / c_b of the watched bridge, while it is watched
//! overloaded = ∫ Σ_b n_b [ℓ_b > c_b] dt                     n_b: its calls; call-seconds
//! ```
//!
//! How even the load is, is looked at each second, over the bridges that take calls. u_b = ℓ_b / c_b, weighted
//! by c_b: the mean m = Σℓ_b / Σc_b, the busiest M = max u_b, the deviation s = √(Σ c_b (u_b - m)² / Σ c_b).
//!
//! ```text
//! max_over_mean     = ΣM / Σm            cv = Σs / Σm        over the seconds
//! max_over_mean_p99 = the M / m that is not passed in 99 % of the seconds
//! ```

use serde::{Deserialize, Serialize};

/// What one simulation showed, while it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The share of the work above the capacity of its bridge; 0 is best.
    pub excess: f64,
    /// The excess if every moment's load were shared in proportion to capacity.
    pub bound: f64,
    /// Load of the fleet on average, as a share of its capacity.
    pub load: f64,
    /// The load that bridges do not pass in 99 % of their time, as a share of their capacity, to 0.01.
    pub p99_load: f64,
    /// Seconds that calls spent on a bridge above its capacity, added up.
    pub overloaded: f64,
    /// Load of the busiest bridge over the mean load, >= 1; 1 is even.
    pub max_over_mean: f64,
    /// What that is not above in 99 % of the seconds.
    pub max_over_mean_p99: f64,
    /// Coefficient of variation of the load over the bridges; 0 is even.
    pub cv: f64,
    /// The highest load of the watched bridge, as a share of its capacity of the moment.
    pub peak: Option<f64>,
    /// What became of the calls.
    pub outcome: Outcome,
}

/// What became of the calls that came while it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Calls that came.
    pub calls: u64,
    /// Calls that the first bridge tried did not take.
    pub failed_first: u64,
    /// Calls that no bridge took.
    pub refused: u64,
    /// Calls that were lost with their bridge.
    pub lost: u64,
    /// Calls that went to another bridge than their home, where an algorithm gives them one.
    pub remapped: u64,
}

/// How even the load was, each time that it was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Evenness {
    mean: f64,
    max: f64,
    deviation: f64,
    max_over_mean: Vec<f64>,
}

impl Evenness {
    /// Looks at loads and capacities.
    pub(super) fn look(&mut self, bridges: impl Iterator<Item = (f64, f64)> + Clone) {
        let (load, capacity) = bridges.clone().fold((0.0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        if load == 0.0 {
            return;
        }
        let mean = load / capacity;
        let (max, squares) = bridges.fold((0.0f64, 0.0), |(max, squares), (load, capacity)| {
            let level = load / capacity;
            (max.max(level), squares + capacity * (level - mean) * (level - mean))
        });
        self.mean += mean;
        self.max += max;
        self.deviation += (squares / capacity).sqrt();
        self.max_over_mean.push(max / mean);
    }

    /// Mean and p99 of max/mean, and the CV; of an idle fleet those of an even one.
    pub(super) fn figures(&self) -> (f64, f64, f64) {
        let mut ratios = self.max_over_mean.clone();
        ratios.sort_unstable_by(f64::total_cmp);
        let Some(last) = ratios.len().checked_sub(1) else { return (1.0, 1.0, 0.0) };
        let p99 = ratios[(ratios.len() * 99).div_ceil(100).saturating_sub(1).min(last)];
        (self.max / self.mean, p99, self.deviation / self.mean)
    }
}

/// How long bridges had which load: microseconds by load / capacity, in hundredths.
#[derive(Clone, Debug)]
pub(super) struct Histogram(Vec<u64>);

impl Histogram {
    pub(super) fn new() -> Self {
        Self(vec![0; HIGHEST + 1])
    }

    pub(super) fn add(&mut self, load: u64, capacity: u64, micros: u64) {
        let hundredths = (load * 100 + capacity / 2) / capacity.max(1);
        self.0[(hundredths as usize).min(HIGHEST)] += micros;
    }

    /// The smallest load that is not passed in a share `p` of the time.
    pub(super) fn quantile(&self, p: f64) -> f64 {
        let wanted = (self.0.iter().sum::<u64>() as f64 * p).ceil() as u64;
        let mut seen = 0;
        let reached = self.0.iter().position(|micros| {
            seen += micros;
            seen >= wanted
        });
        reached.unwrap_or(HIGHEST) as f64 / 100.0
    }
}

/// 20 times the capacity; what is above counts as this.
const HIGHEST: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenness_is_over_capacity_and_counts_by_load() {
        let mut evenness = Evenness::default();
        // Levels 3 and 1 of equal capacity: M 3, m 2, s 1. Then 4 of capacity 2, 1 of 1: all on one level
        // but for an eighth: m 5/3, M 2, s √((2/9 + 4/9)/3).
        evenness.look([(3.0, 1.0), (1.0, 1.0)].into_iter());
        evenness.look([(4.0, 2.0), (1.0, 1.0)].into_iter());
        evenness.look([(0.0, 2.0), (0.0, 1.0)].into_iter());
        let (mean, p99, cv) = evenness.figures();
        let m = 2.0 + 5.0 / 3.0;
        let s = 1.0 + (2.0f64 / 9.0).sqrt();
        assert!((mean - 5.0 / m).abs() < 1e-12 && (cv - s / m).abs() < 1e-12, "{mean} {cv}");
        assert_eq!(p99, 1.5);
        assert_eq!(Evenness::default().figures(), (1.0, 1.0, 0.0));
    }

    #[test]
    fn a_quantile_counts_time_and_not_changes() {
        let mut histogram = Histogram::new();
        histogram.add(80, 100, 98_000_000);
        histogram.add(1_300, 1_000, 1_500_000);
        histogram.add(9, 1, 500_000);
        assert_eq!([0.5, 0.98, 0.99, 1.0].map(|p| histogram.quantile(p)), [0.8, 0.8, 1.3, 9.0]);
    }
}
