//! How the lengths of calls spread around their mean, and how long those in progress still go on.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::draw;
use crate::lengths::Quantiles;

/// How lengths spread around their mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Lengths {
    /// Lognormal with this coefficient of variation.
    Lognormal(f64),
    /// Pareto with this tail index, above 1: P(length > s) falls as s^-index.
    Pareto(f64),
    /// Three of four calls last a fifth of the mean, one 3.4 times the mean, each lognormal with this
    /// coefficient of variation.
    Bimodal(f64),
    /// As this table has them, stretched to the mean.
    Quantiles(Quantiles),
}

impl Lengths {
    /// The length of a call in seconds.
    #[must_use]
    pub fn draw(&self, mean: f64, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Lognormal(cv) => lognormal(mean, *cv, 0.0, rng),
            Self::Pareto(index) => pareto(mean * (index - 1.0) / index, *index, rng),
            Self::Bimodal(cv) => bimodal(mean, *cv, SHORT_CALLS, 0.0, rng),
            Self::Quantiles(table) => table.at(rng.random()) * mean / table.mean(),
        }
    }

    /// How long a call goes on, in seconds, that is found in progress: a uniform part of its length. Of
    /// such calls long ones are more likely than of those that come, in proportion to their length
    /// (renewal theory). For a lognormal law that adds its σ² to μ, for Pareto's it takes 1 from the
    /// index.
    #[must_use]
    pub fn draw_rest(&self, mean: f64, rng: &mut ChaCha8Rng) -> f64 {
        let length = match self {
            Self::Lognormal(cv) => lognormal(mean, *cv, 1.0, rng),
            Self::Pareto(index) => pareto(mean * (index - 1.0) / index, index - 1.0, rng),
            Self::Bimodal(cv) => bimodal(mean, *cv, SHORT_CALLS * SHORT, 1.0, rng),
            Self::Quantiles(table) => table.of_those_in_progress(rng.random()) * mean / table.mean(),
        };
        length * rng.random::<f64>()
    }
}

/// With `by` times σ² added to μ.
fn lognormal(mean: f64, cv: f64, by: f64, rng: &mut ChaCha8Rng) -> f64 {
    // exp(σ²) = 1 + cv², which is what adding σ² to μ multiplies by.
    let longer = 1.0 + by * cv * cv;
    longer * mean * draw::lognormal(cv, rng)
}

fn pareto(least: f64, index: f64, rng: &mut ChaCha8Rng) -> f64 {
    least * draw::pareto(index, rng)
}

fn bimodal(mean: f64, cv: f64, short: f64, by: f64, rng: &mut ChaCha8Rng) -> f64 {
    let multiple = if rng.random::<f64>() < short { SHORT } else { LONG };
    lognormal(mean * multiple, cv, by, rng)
}

/// Of the bimodal law: the share of short calls, and lengths of both kinds / mean; together the mean is 1.
const SHORT_CALLS: f64 = 0.75;
const SHORT: f64 = 0.2;
const LONG: f64 = 3.4;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn mean(lengths: &Lengths, draw: fn(&Lengths, f64, &mut ChaCha8Rng) -> f64) -> f64 {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        (0..200_000).map(|_| draw(lengths, 180.0, &mut rng)).sum::<f64>() / 200_000.0 / 180.0
    }

    /// Errors of the mean are those of 200,000 draws.
    #[test]
    fn lengths_have_their_mean_and_rests_half_their_mean_square_over_it() {
        let table = Quantiles::new([(0.0, 0.0), (0.5, 1.0), (1.0, 5.0)]).unwrap();
        // Mean squares / mean², by hand: 1 + cv²; 1/(α(α-2)) · (α-1)²; .75 · .2² + .25 · 3.4² times
        // 1 + cv²; of the table ∫x² = 1/6 + (125 - 1)/24, mean 1.75.
        let check = |lengths: Lengths, square: f64| {
            let (whole, rest) = (mean(&lengths, Lengths::draw), mean(&lengths, Lengths::draw_rest));
            assert!((whole - 1.0).abs() < 0.015, "{lengths:?}: {whole}");
            assert!((rest / (square / 2.0) - 1.0).abs() < 0.02, "{lengths:?}: {rest}, {square}");
        };
        check(Lengths::Lognormal(0.8), 1.64);
        check(Lengths::Pareto(4.0), 9.0 / 8.0);
        check(Lengths::Bimodal(0.3), (0.03 + 0.25 * 11.56) * 1.09);
        check(Lengths::Quantiles(table), (1.0 / 6.0 + 124.0 / 24.0) / 1.75 / 1.75);
        assert!((mean(&Lengths::Pareto(1.8), Lengths::draw) - 1.0).abs() < 0.1);
    }
}
