//! Random numbers by their law, computed with `libm`: the same bits on every machine.
//!
//! `rand_distr` would do, did it not take logarithms from the C library of the machine as soon as any crate
//! of the build enables a feature of `num-traits`.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Exponential with mean 1, by inversion.
pub(crate) fn exponential(rng: &mut ChaCha8Rng) -> f64 {
    -libm::log(above_zero(rng))
}

/// Normal with mean 0 and deviation 1. Marsaglia's polar method: G. Marsaglia, T. A. Bray, "A convenient method
/// for generating normal variables", SIAM Review 6 (1964); the second number that it gives is left.
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    loop {
        let [x, y] = [rng.random::<f64>(), rng.random()].map(|uniform| 2.0 * uniform - 1.0);
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * (-2.0 * libm::log(square) / square).sqrt();
        }
    }
}

/// Lognormal with mean 1 and this coefficient of variation: σ² = ln(1 + cv²), μ = -σ²/2.
pub(crate) fn lognormal(cv: f64, rng: &mut ChaCha8Rng) -> f64 {
    let variance = libm::log1p(cv * cv);
    libm::exp(variance.sqrt() * normal(rng) - variance / 2.0)
}

/// Pareto with least value 1 and this tail index, by inversion.
pub(crate) fn pareto(index: f64, rng: &mut ChaCha8Rng) -> f64 {
    libm::pow(above_zero(rng), -1.0 / index)
}

/// Uniform, above 0 and at most 1.
fn above_zero(rng: &mut ChaCha8Rng) -> f64 {
    1.0 - rng.random::<f64>()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// The mean and the mean square of so many numbers that their errors are below 0.01.
    fn moments(draw: impl Fn(&mut ChaCha8Rng) -> f64) -> (f64, f64) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let numbers: Vec<f64> = (0..400_000).map(|_| draw(&mut rng)).collect();
        let mean = |of: fn(&f64) -> f64| numbers.iter().map(of).sum::<f64>() / numbers.len() as f64;
        (mean(|x| *x), mean(|x| x * x))
    }

    #[test]
    fn laws_have_their_mean_and_mean_square() {
        let check = |(mean, square): (f64, f64), wanted: (f64, f64), law: &str| {
            assert!((mean - wanted.0).abs() < 0.01, "{law}: mean {mean}");
            assert!((square / wanted.1 - 1.0).abs() < 0.02, "{law}: mean square {square}");
        };
        check(moments(exponential), (1.0, 2.0), "exponential");
        check(moments(normal), (0.0, 1.0), "normal");
        check(moments(|rng| lognormal(0.8, rng)), (1.0, 1.64), "lognormal");
        // α / (α - 1) and α / (α - 2).
        check(moments(|rng| pareto(5.0, rng)), (1.25, 5.0 / 3.0), "Pareto");
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert!((0..10_000).all(|_| lognormal(0.0, &mut rng) == 1.0));
    }

    #[test]
    fn a_normal_number_has_its_tails() {
        let share = |beyond: f64| moments(|rng| f64::from(u8::from(normal(rng).abs() > beyond))).0;
        for (beyond, wanted) in [(1.0, 0.3173), (2.0, 0.0455), (3.0, 0.0027)] {
            assert!((share(beyond) - wanted).abs() < 0.002, "{beyond}");
        }
    }
}
