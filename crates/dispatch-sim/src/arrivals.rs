//! Calls drawn at random: when they come, of which class, for how long.

use std::time::Duration;

use callsteer::Time;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::draw::exponential;
use crate::lengths::Quantiles;
use crate::workload::{COST_UNIT, CallRecord};

/// A class of calls, as it is described.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its name in reports.
    pub name: String,
    /// Its share of the calls, relative to the others' shares.
    pub share: f64,
    /// What one of its calls costs a bridge while it lasts, relative to the others' costs.
    pub cost: f64,
    /// How long its calls last.
    pub lengths: Quantiles,
}

/// Calls of several classes that come at random moments: a Poisson process, so the times between
/// calls are exponential.
#[derive(Clone, Debug)]
pub struct Drawn {
    kinds: Vec<Kind>,
    /// Calls per second.
    rate: f64,
    until: Time,
}

impl Drawn {
    /// Calls of these classes until `until`, as many per second as keep `concurrent` calls in
    /// progress on average: Little's law, rate = concurrent / mean length.
    #[must_use]
    pub fn new(classes: &[Class], concurrent: f64, until: Time) -> Self {
        let shares: f64 = classes.iter().map(|class| class.share).sum();
        let mean = |of: &dyn Fn(&Class) -> f64| {
            classes.iter().map(|class| class.share / shares * of(class)).sum::<f64>()
        };
        let mean_length = mean(&|class| class.lengths.mean());
        let mean_cost = mean(&|class| class.cost);
        let mut upto = 0.0;
        let kind = |class: &Class| {
            upto += class.share / shares;
            let cost = (class.cost / mean_cost * f64::from(COST_UNIT)).round() as u32;
            Kind { upto, cost: cost.max(1), lengths: class.lengths.clone() }
        };
        Self { kinds: classes.iter().map(kind).collect(), rate: concurrent / mean_length, until }
    }

    /// Calls per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The load in progress on average, in average calls: rate x mean of (length x cost).
    #[must_use]
    pub fn offered_load(&self) -> f64 {
        let mut from = 0.0;
        let work = self.kinds.iter().map(|kind| {
            let share = kind.upto - std::mem::replace(&mut from, kind.upto);
            share * kind.lengths.mean() * f64::from(kind.cost) / f64::from(COST_UNIT)
        });
        self.rate * work.sum::<f64>()
    }

    /// The calls of `seed`, in order of start. Moments, classes and lengths are drawn from streams
    /// of their own, so that changing one of them leaves the others as they are.
    pub fn calls(&self, seed: u64) -> impl Iterator<Item = CallRecord> + '_ {
        let stream = |number| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(number);
            rng
        };
        let (mut gaps, mut classes, mut lengths) = (stream(0), stream(1), stream(2));
        let mut seconds = 0.0;
        std::iter::from_fn(move || {
            seconds += exponential(&mut gaps) / self.rate;
            let start = Time::from_micros((seconds * 1e6) as u64);
            let draw: f64 = classes.random();
            let class =
                self.kinds.partition_point(|kind| kind.upto <= draw).min(self.kinds.len().checked_sub(1)?);
            let kind = &self.kinds[class];
            let length = Duration::from_secs_f64(kind.lengths.at(lengths.random()));
            let call = CallRecord { start, length, cost: kind.cost, class: class as u16 };
            (start < self.until).then_some(call)
        })
    }
}

/// A class, as it is drawn from.
#[derive(Clone, Debug)]
struct Kind {
    /// The shares of the classes up to and including this one.
    upto: f64,
    /// In thousandths of an average call.
    cost: u32,
    lengths: Quantiles,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> Drawn {
        let class = |name: &str, share, cost, longest| Class {
            name: name.into(),
            share,
            cost,
            lengths: Quantiles::new([(0.0, 0.0), (0.5, 40.0), (1.0, longest)]).unwrap(),
        };
        Drawn::new(
            &[class("plain", 3.0, 1.0, 80.0), class("look-ups", 1.0, 5.0, 160.0)],
            100.0,
            Time::from_secs(36_000),
        )
    }

    #[test]
    fn little_s_law_gives_the_rate_and_the_load() {
        // Mean lengths 40 s and 60 s, shares 3/4 and 1/4: 45 s. Mean cost 2: costs 0.5 and 2.5.
        assert!((drawn().rate() - 100.0 / 45.0).abs() < 1e-9);
        assert!(
            (drawn().offered_load() - 100.0 / 45.0 * (0.75 * 40.0 * 0.5 + 0.25 * 60.0 * 2.5)).abs() < 1e-9
        );
    }

    #[test]
    fn drawn_calls_have_the_rate_the_shares_and_the_quantiles_asked_for() {
        let calls: Vec<_> = drawn().calls(1).collect();
        let n = calls.len() as f64;
        assert!((n - 80_000.0).abs() < 4.0 * 80_000f64.sqrt(), "{n} calls in 10 h at 100/45 per second");
        assert!(calls.is_sorted_by_key(|call| call.start));
        assert!(calls.last().unwrap().start < Time::from_secs(36_000));

        let look_ups: Vec<_> = calls.iter().filter(|call| call.class == 1).collect();
        assert!((look_ups.len() as f64 / n - 0.25).abs() < 4.0 * (0.25 * 0.75 / n).sqrt());
        assert!(look_ups.iter().all(|call| call.cost == 2_500));

        let mut lengths: Vec<_> = look_ups.iter().map(|call| call.length.as_secs_f64()).collect();
        lengths.sort_by(f64::total_cmp);
        for (p, seconds) in [(0.25, 20.0), (0.5, 40.0), (0.75, 100.0), (0.99, 157.6)] {
            let seen = lengths[(p * lengths.len() as f64) as usize];
            assert!((seen - seconds).abs() < 4.0, "quantile {p}: {seen} s, not {seconds} s");
        }
    }

    #[test]
    fn a_seed_gives_its_own_calls_and_always_the_same() {
        let first = |seed| drawn().calls(seed).next().unwrap();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        // What a seed means is the same on every machine.
        let call = first(1);
        assert_eq!((call.start.as_micros(), call.length.as_micros(), call.class), (231_739, 130_334_589, 1));
    }
}
