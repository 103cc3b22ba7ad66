//! The calls of a scenario and a seed, each with all that its cost does: drawn without anybody's
//! choice, so every policy gets the same.

use callsteer::Time;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::clock::Clock;
use super::{Class, Scenario, Trace};
use crate::draw::{exponential, lognormal};
use crate::workload::{COST_UNIT, CallRecord};

/// One call. Costs are in thousandths of the unit of cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which of the calls it is, from 0.
    pub number: u64,
    /// When it comes.
    pub start: Time,
    /// When the bridge that takes it answers; it costs nothing before.
    pub answered: Time,
    /// When it ends.
    pub end: Time,
    /// Its cost when it is answered.
    pub cost: u32,
    /// What it costs from which moment on, in order of time: bursts begin and end, its set-up ends.
    pub changes: Vec<(Time, u32)>,
    /// Its cost on average, as far as anybody can know.
    pub expected: u32,
    /// The class that the dispatcher is told, an index into [`Scenario::classes`].
    pub label: usize,
    /// Drives what else is random about it: which dispatcher gets it, which bridge refuses it.
    pub luck: u64,
}

/// The calls of one seed, in order of start. Only the next one is in memory.
///
/// Moments, classes, lengths, factors, bursts and luck are drawn from streams of their own, so that
/// changing one of them leaves the others as they are.
pub struct Calls<'a> {
    scenario: &'a Scenario,
    source: Source<'a>,
    number: u64,
    /// Drives everything of the calls that are in progress at first, but for their bursts and luck.
    present: ChaCha8Rng,
    gaps: ChaCha8Rng,
    classes: ChaCha8Rng,
    lengths: ChaCha8Rng,
    factors: ChaCha8Rng,
    bursts: ChaCha8Rng,
    lucks: ChaCha8Rng,
    labels: ChaCha8Rng,
    /// Shares of the classes of calls that come, and of those that are in progress.
    shares: Vec<f64>,
    present_shares: Vec<f64>,
}

/// Where starts come from.
enum Source<'a> {
    /// So many calls are in progress at first, then they come at random.
    Drawn { present: u64, clock: Clock<'a> },
    /// Recorded calls.
    Recorded(&'a Trace, Box<dyn Iterator<Item = CallRecord> + 'a>),
}

/// What is known of a call before the rest is drawn, in seconds.
struct Sketch {
    start: f64,
    length: f64,
    class: usize,
    /// What its cost is multiplied by, where it is not drawn.
    factor: Option<f64>,
}

impl<'a> Calls<'a> {
    /// Draws them. A scenario begins with as many calls in progress as it has later at the rate of
    /// the first step; they come at time 0. With recorded calls it begins with none.
    ///
    /// # Panics
    /// Where the scenario needs recorded calls and has none.
    #[must_use]
    pub fn draw(scenario: &'a Scenario, seed: u64) -> Self {
        let stream = |number| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(number);
            rng
        };
        let mut present = stream(7);
        let source = if scenario.from_trace.starts {
            let trace = scenario.trace.as_ref().expect("a scenario of recorded calls has them");
            Source::Recorded(trace, Box::new(trace.calls.iter()))
        } else {
            let clock = Clock::new(scenario.rate(), &scenario.rate, seconds(scenario.window.until));
            Source::Drawn { present: poisson(clock.factor() * scenario.concurrent, &mut present), clock }
        };
        Self {
            scenario,
            source,
            number: 0,
            present,
            gaps: stream(0),
            classes: stream(1),
            lengths: stream(2),
            factors: stream(3),
            bursts: stream(4),
            lucks: stream(5),
            labels: stream(6),
            shares: scenario.classes.iter().map(|class| class.share).collect(),
            present_shares: scenario.classes.iter().map(|class| class.share * class.length).collect(),
        }
    }

    /// When the next call comes, for how long, and of which class.
    fn sketch(&mut self) -> Option<Sketch> {
        let scenario = self.scenario;
        let law = |class: &'a Class| class.lengths.as_ref().unwrap_or(&scenario.lengths);
        match &mut self.source {
            Source::Drawn { present, .. } if *present > 0 => {
                *present -= 1;
                let class = pick(&self.present_shares, &mut self.present);
                let Class { length, .. } = scenario.classes[class];
                let length = law(&scenario.classes[class]).draw_rest(length, &mut self.present);
                Some(Sketch { start: 0.0, length, class, factor: None })
            }
            Source::Drawn { clock, .. } => {
                let start = clock.next(&mut self.gaps)?;
                let class = pick(&self.shares, &mut self.classes);
                let Class { length, .. } = scenario.classes[class];
                let length = law(&scenario.classes[class]).draw(length, &mut self.lengths);
                Some(Sketch { start, length, class, factor: None })
            }
            Source::Recorded(trace, calls) => {
                let call = calls.next().filter(|call| call.start < scenario.window.until)?;
                let class = match &trace.class_of {
                    Some(class_of) => class_of[usize::from(call.class)],
                    None => pick(&self.shares, &mut self.classes),
                };
                let Class { length, .. } = scenario.classes[class];
                let length = if scenario.from_trace.lengths {
                    call.length.as_secs_f64()
                } else {
                    law(&scenario.classes[class]).draw(length, &mut self.lengths)
                };
                let factor = f64::from(call.cost) / f64::from(COST_UNIT);
                let factor = scenario.from_trace.costs.then_some(factor);
                Some(Sketch { start: seconds(call.start), length, class, factor })
            }
        }
    }

    /// The call that a sketch becomes. It is in a burst when it is answered as likely as at any other
    /// moment, so that its cost is on average that of its class.
    fn call(&mut self, Sketch { start, length, class, factor }: Sketch) -> Call {
        let luck = self.lucks.random();
        let cv = self.scenario.factor_cv;
        let drawn = if cv > 0.0 { lognormal(cv, &mut self.factors) } else { 1.0 };
        let factor = factor.unwrap_or(drawn);
        let label = if self.scenario.wrong_labels { pick(&self.shares, &mut self.labels) } else { class };
        let (class, set_up) = (&self.scenario.classes[class], self.scenario.set_up);
        let end = start + length;
        let answered = (start + set_up.lag.as_secs_f64()).min(end);
        let set_up_ends = answered + set_up.burst.as_secs_f64();

        let mut busy = class.extra > 0.0 && self.bursts.random::<f64>() < class.on_share();
        let mut in_set_up = set_up.extra > 0.0 && set_up_ends > answered;
        let cost = |busy: bool, in_set_up: bool| {
            let bursts = if busy { class.extra } else { 0.0 } + if in_set_up { set_up.extra } else { 0.0 };
            ((class.cost + bursts) * factor * f64::from(COST_UNIT)).round() as u32
        };
        let first = cost(busy, in_set_up);
        let mut changes = Vec::new();
        let mut switch = answered;
        loop {
            if class.extra > 0.0 {
                let mean = if busy { class.on } else { class.off };
                switch += exponential(&mut self.bursts) * mean;
            } else {
                switch = f64::INFINITY;
            }
            if in_set_up && set_up_ends < switch.min(end) {
                in_set_up = false;
                changes.push((time(set_up_ends), cost(busy, in_set_up)));
            }
            if switch >= end {
                break;
            }
            busy = !busy;
            changes.push((time(switch), cost(busy, in_set_up)));
        }
        let number = self.number;
        self.number += 1;
        Call {
            number,
            start: time(start),
            answered: time(answered),
            end: time(end),
            cost: first,
            changes,
            expected: (class.mean_cost() * factor * f64::from(COST_UNIT)).round() as u32,
            label,
            luck,
        }
    }
}

impl Iterator for Calls<'_> {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        let sketch = self.sketch()?;
        Some(self.call(sketch))
    }
}

/// One of these, by their shares.
fn pick(shares: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let mut draw = rng.random::<f64>() * shares.iter().sum::<f64>();
    let reached = shares.iter().position(|share| {
        draw -= share;
        draw < 0.0
    });
    reached.unwrap_or(shares.len() - 1)
}

/// A number of calls, so many on average: those that come in a time in which so many are expected.
fn poisson(mean: f64, rng: &mut ChaCha8Rng) -> u64 {
    let (mut number, mut waited) = (0, exponential(rng));
    while waited < mean {
        number += 1;
        waited += exponential(rng);
    }
    number
}

pub(super) fn seconds(time: Time) -> f64 {
    time.as_micros() as f64 / 1e6
}

fn time(seconds: f64) -> Time {
    Time::from_micros((seconds * 1e6) as u64)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::time::Duration;

    use super::*;
    use crate::scenario::{SetUp, Step, embedded};
    use crate::workload::Window;

    fn base16(hours: u64) -> Scenario {
        let window = Window { from: Time::ZERO, until: Time::from_secs(3_600 * hours) };
        Scenario { window, ..embedded::named("base16").unwrap() }
    }

    fn draw(scenario: &Scenario, seed: u64) -> Vec<Call> {
        Calls::draw(scenario, seed).collect()
    }

    /// Cost and microseconds of each part of a call.
    fn parts(call: &Call) -> Vec<(u32, u64)> {
        let starts = [(call.answered, call.cost)].into_iter().chain(call.changes.iter().copied());
        let ends = call.changes.iter().map(|change| change.0).chain([call.end]);
        starts.zip(ends).map(|((from, cost), until)| (cost, until.since(from).as_micros() as u64)).collect()
    }

    #[test]
    fn calls_have_the_rate_the_shares_the_lengths_and_the_costs_asked_for() {
        let scenario = base16(100);
        let calls = draw(&scenario, 1);
        let came: Vec<_> = calls.iter().filter(|call| call.start > Time::ZERO).collect();
        let close = |seen: f64, wanted: f64, what: &str| {
            assert!((seen / wanted - 1.0).abs() < 0.03, "{what}: {seen}, not {wanted}");
        };
        close(came.len() as f64 / 360_000.0, scenario.rate(), "calls per second");
        assert!(calls.is_sorted_by_key(|call| call.start));
        for (number, class) in scenario.classes.iter().enumerate() {
            let own: Vec<_> = came.iter().filter(|call| call.label == number).collect();
            let sum = |of: &dyn Fn(&Call) -> f64| own.iter().map(|call| of(call)).sum::<f64>();
            let seconds = sum(&|call| call.end.since(call.start).as_secs_f64());
            close(own.len() as f64 / came.len() as f64, class.share, "share");
            close(seconds / own.len() as f64, class.length, "mean length");
            let work = sum(&|call| {
                parts(call).iter().map(|(cost, micros)| f64::from(*cost) * *micros as f64).sum::<f64>()
            });
            close(work / 1e9 / seconds, class.mean_cost(), "mean cost, in time");
            let quiet = |(cost, _): &&(u32, u64), call: &Call| {
                f64::from(*cost) < f64::from(call.expected) * (class.cost + 0.01) / class.mean_cost()
            };
            let quiet = sum(&|call| {
                parts(call).iter().filter(|part| quiet(part, call)).map(|part| part.1 as f64).sum::<f64>()
            });
            close(1.0 - quiet / 1e6 / seconds, class.on_share(), "share in bursts");
            let expected = sum(&|call| f64::from(call.expected)) / 1e3 / own.len() as f64;
            close(expected, class.mean_cost(), "mean cost");
        }
    }

    #[test]
    fn as_many_calls_are_in_progress_at_first_as_later_and_of_the_same_kinds() {
        let scenario = base16(2);
        let seen = |at: Time| {
            let (mut calls, mut costs) = (0.0, 0.0);
            for seed in 1..=40 {
                for call in draw(&scenario, seed).iter().filter(|call| call.start <= at && at < call.end) {
                    (calls, costs) = (calls + 1.0, costs + f64::from(call.expected) / 1e3);
                }
            }
            (calls / 40.0, costs / calls)
        };
        // Each is a mean of 40 numbers of mean 200 and deviation 14; costs are those of 8,000 calls.
        for seconds in [0, 600, 7_000] {
            let (calls, cost) = seen(Time::from_secs(seconds));
            assert!((calls - 200.0).abs() < 7.0, "{calls} after {seconds} s");
            assert!((cost / scenario.mean_cost() - 1.0).abs() < 0.03, "{cost} after {seconds} s");
        }
    }

    #[test]
    fn the_rate_follows_its_steps() {
        let step = |hour: u64, factor| Step { from: Time::from_secs(3_600 * hour), factor };
        let scenario = Scenario { rate: vec![step(0, 0.5), step(10, 2.0), step(20, 1.0)], ..base16(30) };
        let calls = draw(&scenario, 3);
        let hours = [0..10, 10..20, 20..30].map(|hours: Range<u64>| {
            let hour = |call: &Call| call.start.as_micros() / 3_600_000_000;
            calls.iter().filter(|call| call.start > Time::ZERO && hours.contains(&hour(call))).count()
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
        let calls = draw(&scenario, 1);
        let minutes = 600..1_200;
        assert!(calls.len() > 500);
        assert!(calls.iter().all(|call| minutes.contains(&(call.start.as_micros() / 1_000_000))));
    }

    #[test]
    fn a_set_up_costs_nothing_at_first_and_more_then() {
        let second = Duration::from_secs(1);
        let set_up = SetUp { lag: second * 3, burst: second * 5, extra: 2.0 };
        let scenario = Scenario { set_up, factor_cv: 0.0, ..embedded::named("flat-cost").unwrap() };
        let calls = draw(&scenario, 1);
        let long = |call: &&Call| call.end > call.start + second * 8;
        assert!(calls.iter().filter(long).count() > 1_000);
        for call in calls.iter().filter(long) {
            assert_eq!(call.answered.since(call.start), second * 3);
            assert_eq!((call.cost, call.changes.len(), call.changes[0].1), (3_000, 1, 1_000));
            let lasted = call.changes[0].0.since(call.answered).as_micros();
            assert!(lasted.abs_diff(5_000_000) <= 1, "{lasted} to the microsecond");
        }
        let short = calls.iter().filter(|call| call.end < call.start + second * 3);
        assert!(short.clone().count() > 0 && short.clone().all(|call| call.answered == call.end));
    }

    #[test]
    fn a_seed_has_its_own_calls_and_another_fleet_gets_the_same() {
        let first = |name: &str, seed| draw(&embedded::named(name).unwrap(), seed)[300].clone();
        assert_eq!(first("base16", 1), first("base16", 1));
        assert_eq!(first("base16", 1), first("rolling-restart", 1));
        assert_ne!(first("base16", 1), first("base16", 2));
        let (own, other) = (first("base16", 1), first("wrong-labels", 1));
        assert_eq!(Call { label: 0, ..own }, Call { label: 0, ..other });
        // What a seed means is the same on every machine.
        let call = first("base16", 1);
        assert_eq!(
            (call.start.as_micros(), call.end.as_micros(), call.cost, call.label),
            (86_955_879, 154_146_164, 932, 2)
        );
    }
}
