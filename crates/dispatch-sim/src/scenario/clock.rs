//! When calls come: a Poisson process whose rate is made of steps.

use rand_chacha::ChaCha8Rng;

use super::Step;
use super::calls::seconds;
use crate::draw::exponential;

/// Gives the moments at which calls come, in seconds, from 0 on.
#[derive(Clone, Debug)]
pub(super) struct Clock<'a> {
    /// Calls per second where the factor is 1.
    rate: f64,
    factor: f64,
    /// Those that are still to come.
    steps: &'a [Step],
    now: f64,
    until: f64,
}

impl<'a> Clock<'a> {
    /// At first, the factor of the first step holds, or 1.
    pub(super) fn new(rate: f64, steps: &'a [Step], until: f64) -> Self {
        Self { rate, factor: steps.first().map_or(1.0, |step| step.factor), steps, now: 0.0, until }
    }

    /// The factor of the moment.
    pub(super) fn factor(&self) -> f64 {
        self.factor
    }

    /// The next moment.
    pub(super) fn next(&mut self, rng: &mut ChaCha8Rng) -> Option<f64> {
        // As many calls at rate 1 are still to be waited for.
        let mut left = exponential(rng);
        loop {
            let rate = self.factor * self.rate;
            let until = self.steps.first().map_or(f64::INFINITY, |step| seconds(step.from));
            let next = if rate > 0.0 { self.now + left / rate } else { f64::INFINITY };
            if next < until || until == f64::INFINITY {
                self.now = next;
                return (next < self.until).then_some(next);
            }
            left -= (until - self.now) * rate;
            self.now = until;
            if let [step, rest @ ..] = self.steps {
                (self.factor, self.steps) = (step.factor, rest);
            }
        }
    }
}
