//! How long calls last: drawn from a table of quantiles.

/// Call lengths by their quantiles, in seconds.
///
/// Between two quantiles every length is equally likely (the table is interpolated linearly), also
/// below the first and above the last inner one. Real densities fall within such a step, so the mean
/// comes out a little high: by 4 % (176.9 s become 184.0 s) for the call centre of
/// [`bank`](crate::bank).
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    /// (probability, seconds), from probability 0 to 1.
    points: Vec<(f64, f64)>,
}

impl Quantiles {
    /// A table of (probability, seconds). `None` where the probabilities do not rise from exactly
    /// 0 to exactly 1, or the lengths fall, are negative or infinite.
    #[must_use]
    pub fn new(points: impl Into<Vec<(f64, f64)>>) -> Option<Self> {
        let points = points.into();
        let (first, last) = (points.first()?, points.last()?);
        let ends = first.0 == 0.0 && first.1 >= 0.0 && last.0 == 1.0 && last.1.is_finite();
        let rises = points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        (ends && rises).then_some(Self { points })
    }

    /// The length in seconds that a share `p` of the calls does not pass; 0 <= `p` <= 1.
    #[must_use]
    pub fn at(&self, p: f64) -> f64 {
        let above = self.points.partition_point(|point| point.0 <= p).clamp(1, self.points.len() - 1);
        let ((p0, low), (p1, high)) = (self.points[above - 1], self.points[above]);
        low + (high - low) * (p - p0) / (p1 - p0)
    }

    /// The length that calls do not pass in a share `p` of the time of all: of the calls that are in
    /// progress at some moment, this is how long they last. 0 <= `p` <= 1.
    #[must_use]
    pub fn of_those_in_progress(&self, p: f64) -> f64 {
        let mut left = p * self.mean();
        for pair in self.points.windows(2) {
            let [(p0, low), (p1, high)] = [pair[0], pair[1]];
            let time = (p1 - p0) * (low + high) / 2.0;
            if left < time {
                // Within a step, time up to a length grows with its square.
                return (low * low + left / time * (high * high - low * low)).sqrt();
            }
            left -= time;
        }
        self.at(1.0)
    }

    /// The mean length in seconds: the area under the interpolated table.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gives_back_its_own_quantiles_and_a_straight_line_between_them() {
        let table = Quantiles::new([(0.0, 0.0), (0.5, 100.0), (0.9, 300.0), (1.0, 1_000.0)]).unwrap();
        for (p, seconds) in
            [(0.0, 0.0), (0.25, 50.0), (0.5, 100.0), (0.7, 200.0), (0.9, 300.0), (1.0, 1_000.0)]
        {
            assert!((table.at(p) - seconds).abs() < 1e-9, "{p}: {}", table.at(p));
        }
        assert!((table.mean() - (25.0 + 80.0 + 65.0)).abs() < 1e-9);
    }

    #[test]
    fn long_calls_are_in_progress_more_often_than_they_come() {
        // Half of the calls last 10 s, half 30 s (nearly), so three of four seconds are of the long ones.
        let table = Quantiles::new([(0.0, 10.0), (0.5, 10.0), (0.500_000_001, 30.0), (1.0, 30.0)]).unwrap();
        assert_eq!(
            [0.1, 0.24, 0.26, 0.9].map(|p| table.of_those_in_progress(p).round()),
            [10.0, 10.0, 30.0, 30.0]
        );
        // Evenly from 0 to 1: time up to a length is its square.
        let even = Quantiles::new([(0.0, 0.0), (1.0, 1.0)]).unwrap();
        for p in [0.0, 0.25, 0.49, 1.0] {
            assert!((even.of_those_in_progress(p) - p.sqrt()).abs() < 1e-12);
        }
    }

    #[test]
    fn a_table_that_makes_no_sense_is_refused() {
        let refused = |points: &[(f64, f64)]| assert_eq!(Quantiles::new(points), None, "{points:?}");
        refused(&[]);
        refused(&[(0.0, 1.0)]);
        refused(&[(0.1, 1.0), (1.0, 2.0)]);
        refused(&[(0.0, 1.0), (0.9, 2.0)]);
        refused(&[(0.0, 2.0), (1.0, 1.0)]);
        refused(&[(0.0, -1.0), (1.0, 1.0)]);
        refused(&[(0.0, 1.0), (1.0, f64::INFINITY)]);
        refused(&[(0.0, 1.0), (0.5, f64::NAN), (1.0, 3.0)]);
        refused(&[(0.0, 1.0), (0.0, 2.0), (1.0, 3.0)]);
    }
}
