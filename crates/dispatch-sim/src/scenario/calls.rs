//! The calls of a scenario and a seed, each with all its bursts, drawn before anybody places them:
//! so every policy gets the same.

use std::ops::Range;
use std::time::Duration;

use callsteer::Time;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, LogNormal, Pareto};

use super::{Class, Lengths, Scenario};
use crate::workload::COST_UNIT;

/// The calls of one seed, in order of start.
#[derive(Clone, Debug)]
pub struct Calls {
    calls: Vec<Call>,
    /// When bursts begin and end, of all calls.
    switches: Vec<Time>,
}

/// One call. Costs are in thousandths of the unit of cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it comes.
    pub start: Time,
    /// When it ends.
    pub end: Time,
    /// Its cost between bursts.
    pub quiet: u32,
    /// Its cost in a burst.
    pub busy: u32,
    /// Its cost on average, as far as anybody can know.
    pub expected: u32,
    /// Whether it begins in a burst.
    pub starts_busy: bool,
    /// The class that the dispatcher is told, an index into [`Scenario::classes`].
    pub label: usize,
    /// Drives what else is random about it: which dispatcher gets it, which bridge refuses it.
    pub luck: u64,
    switches: Range<usize>,
}

impl Calls {
    /// Draws them. Calls that came before time 0 and are still in progress come at time 0, so that
    /// the scenario begins with as many calls as it has later.
    ///
    /// Moments, classes, lengths, factors, bursts and luck are drawn from streams of their own, so
    /// that changing one of them leaves the others as they are.
    ///
    /// # Panics
    /// Where a mean length, a coefficient of variation or a Pareto index is out of its range.
    #[must_use]
    pub fn draw(scenario: &Scenario, seed: u64) -> Self {
        let stream = |number| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(number);
            rng
        };
        let (mut gaps, mut classes, mut lengths) = (stream(0), stream(1), stream(2));
        let (mut factors, mut bursts, mut luck, mut labels) = (stream(3), stream(4), stream(5), stream(6));
        let factor = LogNormal::from_mean_cv(1.0, scenario.factor_cv).expect("a coefficient of variation");
        let shares: f64 = scenario.classes.iter().map(|class| class.share).sum();
        let (mut clock, mut drawn) = (Clock::new(scenario), Self { calls: Vec::new(), switches: Vec::new() });
        while let Some(start) = clock.next(&mut gaps) {
            let class = pick(&scenario.classes, shares, &mut classes);
            let length = length(scenario.lengths, scenario.classes[class].length, &mut lengths);
            let (factor, luck) = (factor.sample(&mut factors), luck.random());
            let other = pick(&scenario.classes, shares, &mut labels);
            let end = start + length;
            if end > 0.0 {
                let label = if scenario.wrong_labels { other } else { class };
                drawn.add(&scenario.classes[class], start.max(0.0)..end, factor, label, luck, &mut bursts);
            }
        }
        drawn
    }

    /// All calls, in order of start.
    #[must_use]
    pub fn all(&self) -> &[Call] {
        &self.calls
    }

    /// When bursts of this call begin and end, in order.
    #[must_use]
    pub fn switches(&self, call: &Call) -> &[Time] {
        &self.switches[call.switches.clone()]
    }

    /// A call that goes on from `seconds.start` to `seconds.end`. It is in a burst at its first moment
    /// as likely as at any other, so that its cost is on average that of its class.
    fn add(
        &mut self,
        class: &Class,
        seconds: Range<f64>,
        factor: f64,
        label: usize,
        luck: u64,
        rng: &mut ChaCha8Rng,
    ) {
        let first = self.switches.len();
        let starts_busy = class.extra > 0.0 && rng.random::<f64>() < class.on_share();
        let (mut busy, mut at) = (starts_busy, seconds.start);
        let mut next = || {
            at += Distribution::<f64>::sample(&Exp1, rng) * if busy { class.on } else { class.off };
            busy = !busy;
            (class.extra > 0.0 && at < seconds.end).then(|| time(at))
        };
        self.switches.extend(std::iter::from_fn(&mut next));
        let cost = |cost: f64| (cost * factor * f64::from(COST_UNIT)).round() as u32;
        self.calls.push(Call {
            start: time(seconds.start),
            end: time(seconds.end),
            quiet: cost(class.cost),
            busy: cost(class.cost + class.extra),
            expected: cost(class.mean_cost()),
            starts_busy,
            label,
            luck,
            switches: first..self.switches.len(),
        });
    }
}

impl Call {
    /// What it costs after so many of its switches.
    #[must_use]
    pub fn cost(&self, switches: usize) -> u32 {
        if self.starts_busy == switches.is_multiple_of(2) { self.busy } else { self.quiet }
    }
}

/// Gives the moments at which calls come: a Poisson process whose rate is made of steps.
struct Clock<'a> {
    scenario: &'a Scenario,
    seconds: f64,
    rate: f64,
}

impl<'a> Clock<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self { scenario, seconds: -BEFORE.as_secs_f64(), rate: scenario.rate() }
    }

    /// The next moment, in seconds, until the end of what is measured.
    fn next(&mut self, rng: &mut ChaCha8Rng) -> Option<f64> {
        // As many calls at rate 1 are still to be waited for.
        let mut left: f64 = Exp1.sample(rng);
        loop {
            let steps = &self.scenario.rate;
            let passed = steps.iter().filter(|step| seconds(step.from) <= self.seconds).count();
            let factor = steps.get(passed.saturating_sub(1)).map_or(1.0, |step| step.factor);
            let until = steps.get(passed.max(1)).map_or(f64::INFINITY, |step| seconds(step.from));
            if factor == 0.0 && until == f64::INFINITY {
                return None;
            }
            let come = left / (factor * self.rate);
            if self.seconds + come < until {
                self.seconds += come;
                return (self.seconds < seconds(self.scenario.window.until)).then_some(self.seconds);
            }
            left -= (until - self.seconds) * factor * self.rate;
            self.seconds = until;
        }
    }
}

/// One of the classes, by their shares.
fn pick(classes: &[Class], shares: f64, rng: &mut ChaCha8Rng) -> usize {
    let mut draw = rng.random::<f64>() * shares;
    let reached = classes.iter().position(|class| {
        draw -= class.share;
        draw < 0.0
    });
    reached.unwrap_or(classes.len() - 1)
}

/// A length in seconds.
fn length(lengths: Lengths, mean: f64, rng: &mut ChaCha8Rng) -> f64 {
    let lognormal = |mean, cv, rng: &mut ChaCha8Rng| {
        LogNormal::from_mean_cv(mean, cv).expect("a mean and a coefficient of variation").sample(rng)
    };
    match lengths {
        Lengths::Lognormal(cv) => lognormal(mean, cv, rng),
        Lengths::Pareto(index) => {
            Pareto::new(mean * (index - 1.0) / index, index).expect("an index above 1").sample(rng)
        }
        Lengths::Bimodal(cv) => {
            let multiple = if rng.random::<f64>() < 0.75 { 0.2 } else { 3.4 };
            lognormal(mean * multiple, cv, rng)
        }
    }
}

fn seconds(time: Time) -> f64 {
    time.as_micros() as f64 / 1e6
}

fn time(seconds: f64) -> Time {
    Time::from_micros((seconds * 1e6) as u64)
}

/// Calls that came earlier have ended, but for less than one of 100.
const BEFORE: Duration = Duration::from_secs(6 * 3_600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Step, embedded};
    use crate::workload::Window;

    fn base16(hours: u64) -> Scenario {
        let window = Window { from: Time::ZERO, until: Time::from_secs(3_600 * hours) };
        Scenario { window, ..embedded::named("base16").unwrap() }
    }

    /// Microseconds that the call spends in bursts.
    fn busy(calls: &Calls, call: &Call) -> u64 {
        let ends = calls.switches(call).iter().copied().chain([call.end]);
        let mut since = call.start;
        let spans = ends.map(|at| at.since(std::mem::replace(&mut since, at)).as_micros() as u64);
        spans
            .enumerate()
            .filter(|(switches, _)| call.cost(*switches) == call.busy)
            .map(|(_, span)| span)
            .sum()
    }

    #[test]
    fn calls_have_the_rate_the_shares_the_lengths_and_the_bursts_asked_for() {
        let scenario = base16(100);
        let calls = Calls::draw(&scenario, 1);
        let came: Vec<_> = calls.all().iter().filter(|call| call.start > Time::ZERO).collect();
        let close = |seen: f64, wanted: f64, what: &str| {
            assert!((seen / wanted - 1.0).abs() < 0.03, "{what}: {seen}, not {wanted}");
        };
        close(came.len() as f64 / 360_000.0, scenario.rate(), "calls per second");
        assert!(calls.all().is_sorted_by_key(|call| call.start));
        for (number, class) in scenario.classes.iter().enumerate() {
            let own: Vec<_> = came.iter().filter(|call| call.label == number).collect();
            let sum = |of: &dyn Fn(&Call) -> f64| own.iter().map(|call| of(call)).sum::<f64>();
            let seconds = sum(&|call| call.end.since(call.start).as_secs_f64());
            close(own.len() as f64 / came.len() as f64, class.share, "share");
            close(seconds / own.len() as f64, class.length, "mean length");
            close(
                sum(&|call| busy(&calls, call) as f64) / 1e6 / seconds,
                class.on_share(),
                "share in bursts",
            );
            close(
                sum(&|call| f64::from(call.quiet)) / 1e3 / own.len() as f64,
                class.cost,
                "mean cost in quiet",
            );
            close(
                sum(&|call| f64::from(call.expected)) / 1e3 / own.len() as f64,
                class.mean_cost(),
                "mean cost",
            );
        }
    }

    #[test]
    fn as_many_calls_are_in_progress_at_first_as_later() {
        let scenario = base16(2);
        let in_progress = |at: Time| {
            let of = |seed| {
                Calls::draw(&scenario, seed)
                    .all()
                    .iter()
                    .filter(|call| call.start <= at && at < call.end)
                    .count()
            };
            (1..=40).map(of).sum::<usize>() as f64 / 40.0
        };
        // Each is a mean of 40 numbers of mean 200 and deviation 14.
        for seconds in [0, 600, 7_000] {
            let seen = in_progress(Time::from_secs(seconds));
            assert!((seen - 200.0).abs() < 7.0, "{seen} after {seconds} s");
        }
    }

    #[test]
    fn the_rate_follows_its_steps() {
        let step = |hour: u64, factor| Step { from: Time::from_secs(3_600 * hour), factor };
        let scenario = Scenario { rate: vec![step(0, 0.5), step(10, 2.0), step(20, 1.0)], ..base16(30) };
        let calls = Calls::draw(&scenario, 3);
        let hours = [0..10, 10..20, 20..30].map(|hours: Range<u64>| {
            let hour = |call: &Call| call.start.as_micros() / 3_600_000_000;
            calls.all().iter().filter(|call| call.start > Time::ZERO && hours.contains(&hour(call))).count()
        });
        for (seen, factor) in hours.into_iter().zip([0.5, 2.0, 1.0]) {
            let expected = 36_000.0 * scenario.rate() * factor;
            assert!((seen as f64 / expected - 1.0).abs() < 0.03, "{seen} calls, not {expected}");
        }
    }

    #[test]
    fn at_rate_0_nobody_calls() {
        let step = |minute: u64, factor| Step { from: Time::from_secs(60 * minute), factor };
        let scenario = Scenario { rate: vec![step(0, 0.0), step(10, 1.0), step(20, 0.0)], ..base16(1) };
        let calls = Calls::draw(&scenario, 1);
        let minutes = 600..1_200;
        assert!(calls.all().len() > 500);
        assert!(calls.all().iter().all(|call| minutes.contains(&(call.start.as_micros() / 1_000_000))));
    }

    #[test]
    fn lengths_have_their_mean_whatever_their_law() {
        for (lengths, error) in
            [(Lengths::Lognormal(1.5), 0.02), (Lengths::Pareto(1.8), 0.1), (Lengths::Bimodal(0.3), 0.02)]
        {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let mean = (0..100_000).map(|_| length(lengths, 180.0, &mut rng)).sum::<f64>() / 100_000.0;
            assert!((mean / 180.0 - 1.0).abs() < error, "{lengths:?}: {mean}");
        }
    }

    #[test]
    fn a_seed_has_its_own_calls_and_another_fleet_gets_the_same() {
        let first = |name: &str, seed| Calls::draw(&embedded::named(name).unwrap(), seed).all()[300].clone();
        assert_eq!(first("base16", 1), first("base16", 1));
        assert_eq!(first("base16", 1), first("rolling-restart", 1));
        assert_ne!(first("base16", 1), first("base16", 2));
        let (own, other) = (first("base16", 1), first("wrong-labels", 1));
        assert_eq!(Call { label: 0, ..own }, Call { label: 0, ..other });
        // What a seed means is the same on every machine.
        let call = first("base16", 1);
        assert_eq!(
            (call.start.as_micros(), call.end.as_micros(), call.quiet, call.label),
            (105_156_103, 234_668_239, 865, 0)
        );
    }
}
