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
//! ```

/// What one simulation showed, while it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// The share of the work above the capacity of its bridge; 0 is best.
    pub excess: f64,
    /// The excess if every moment's load were shared in proportion to capacity.
    pub bound: f64,
    /// Load of the fleet on average, as a share of its capacity.
    pub load: f64,
    /// The load that bridges do not pass in 99 % of their time, as a share of their capacity, to 0.01.
    pub p99_load: f64,
    /// The highest load of the watched bridge, as a share of its capacity of the moment.
    pub peak: Option<f64>,
    /// What became of the calls.
    pub outcome: Outcome,
}

/// What became of the calls that came while it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Calls that came.
    pub calls: u64,
    /// Calls that the first bridge tried did not take.
    pub failed_first: u64,
    /// Calls that no bridge took.
    pub refused: u64,
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
    fn a_quantile_counts_time_and_not_changes() {
        let mut histogram = Histogram::new();
        histogram.add(80, 100, 98_000_000);
        histogram.add(1_300, 1_000, 1_500_000);
        histogram.add(9, 1, 500_000);
        assert_eq!([0.5, 0.98, 0.99, 1.0].map(|p| histogram.quantile(p)), [0.8, 0.8, 1.3, 9.0]);
    }
}
