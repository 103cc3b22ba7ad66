//! A figure over several seeds: its mean, its 95 % interval, its ratio to another one.

use serde::Serialize;

/// A figure over several seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Its mean.
    pub mean: f64,
    /// The true mean is within this of `mean` in 95 % of all cases (Student's t); `None` for one seed.
    pub ci95: Option<f64>,
    /// Its value for each seed.
    pub values: Vec<f64>,
}

impl Estimate {
    /// Of these values, one per seed.
    #[must_use]
    pub fn new(values: Vec<f64>) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let ci95 = values.len().checked_sub(2).map(|row| {
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            STUDENT_T[row.min(STUDENT_T.len() - 1)] * (squares / (n - 1.0) / n).sqrt()
        });
        Self { mean, ci95, values }
    }

    /// How many times `base` this is, paired by seed: R = Σx / Σy, the ratio of the means. A mean of
    /// the ratios would let a seed in which hardly anything happened count as much as any other.
    ///
    /// Interval: x - R·y has the mean 0, so the standard error of R is that of its mean, divided by
    /// the mean of y (delta method). `None` where `base` is 0 in every seed.
    #[must_use]
    pub fn ratio_to(&self, base: &Self) -> Option<Self> {
        if base.mean <= 0.0 {
            return None;
        }
        let mean = self.mean / base.mean;
        let pairs = || self.values.iter().zip(&base.values);
        let rest = Self::new(pairs().map(|(x, y)| (x - mean * y) / base.mean).collect());
        Some(Self { mean, ci95: rest.ci95, values: pairs().map(|(x, y)| x / y).collect() })
    }
}

/// 97.5 % quantiles of Student's t for 1, 2, ... 30 degrees of freedom; the last one serves for
/// more, a little too wide (1.96 in the limit).
const STUDENT_T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_of_two_values_is_wide_and_one_value_has_none() {
        // Mean 2, standard error 1, t(1) = 12.706.
        let two = Estimate::new(vec![1.0, 3.0]);
        assert!((two.mean - 2.0).abs() < 1e-12 && (two.ci95.unwrap() - 12.706).abs() < 1e-9);
        assert_eq!(Estimate::new(vec![5.0]).ci95, None);
        assert_eq!(Estimate::new(vec![5.0; 100]).ci95, Some(0.0));
    }

    #[test]
    fn a_ratio_is_that_of_the_means_and_pairing_makes_it_sharp() {
        let base = Estimate::new(vec![1.0, 3.0, 8.0]);
        let half = Estimate::new(vec![0.5, 1.5, 4.0]).ratio_to(&base).unwrap();
        assert_eq!((half.mean, half.ci95), (0.5, Some(0.0)));
        // Means 5 and 4; x - R y = (0, 1, -1) - ... by hand: R = 1.25, rests (0.75, 0.25, -1) / 4.
        let other = Estimate::new(vec![2.0, 4.0, 9.0]).ratio_to(&base).unwrap();
        let deviation = ((0.75f64.powi(2) + 0.25f64.powi(2) + 1.0) / 2.0).sqrt() / 4.0;
        assert!((other.mean - 1.25).abs() < 1e-12);
        assert!((other.ci95.unwrap() - 4.303 * deviation / 3f64.sqrt()).abs() < 1e-9);
        assert_eq!(base.ratio_to(&Estimate::new(vec![0.0; 3])), None);
    }
}
