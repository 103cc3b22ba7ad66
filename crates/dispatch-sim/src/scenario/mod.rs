//! A scenario: a fleet, calls whose cost varies in time, reports of load, faults.

pub mod calls;
mod clock;
pub mod embedded;
pub mod file;
mod lengths;
mod recorded;

use std::time::Duration;

use callsteer::Time;

use crate::workload::{COST_UNIT, Window};

pub use lengths::Lengths;
pub use recorded::{FromTrace, Trace};

/// Everything that a simulation is made of; with a seed, it says what happens to the microsecond.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name on the command line and in reports.
    pub name: String,
    /// What it shows, in one line.
    pub about: String,
    /// The weight of each bridge, 1..=65,535; capacities are in proportion.
    pub weights: Vec<u32>,
    /// The classes of calls.
    pub classes: Vec<Class>,
    /// How the lengths of a class spread around their mean.
    pub lengths: Lengths,
    /// What is taken from recorded calls rather than drawn.
    pub from_trace: FromTrace,
    /// Those calls; [`with_trace`](Self::with_trace) sets them.
    pub trace: Option<Trace>,
    /// What multiplies a call's cost as long as it lasts: lognormal, mean 1, this coefficient of
    /// variation.
    pub factor_cv: f64,
    /// What happens between a call's choice of a bridge and its everyday.
    pub set_up: SetUp,
    /// Whether the dispatcher is told the class of a call drawn at random in place of its own.
    pub wrong_labels: bool,
    /// Calls in progress on average, where the rate is 1.
    pub concurrent: f64,
    /// Load of the fleet on average, as a share of its capacity, where the rate is 1.
    pub load: f64,
    /// How the rate of calls changes, in order of time, relative to the one for `concurrent`.
    /// Before the first step it is that of the first step; without steps always 1.
    pub rate: Vec<Step>,
    /// Dispatchers, each of which sees only its own calls, and the reports.
    pub dispatchers: u32,
    /// How often the dispatchers tell each other what they know; `None` where they do not.
    pub shared_every: Option<Duration>,
    /// How bridges report their load.
    pub reports: Reporting,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// A bridge whose peak is of interest.
    pub watch: Option<Watch>,
    /// The part that is measured; before it, the fleet and the estimates warm up.
    pub window: Window,
}

/// A class of calls: it costs its bridge `cost`, and `extra` more during bursts of tool calls, which
/// begin and end at random moments (exponential times on and off).
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its name, which is told to the dispatcher.
    pub name: String,
    /// Its share of the arrivals, relative to the others' shares.
    pub share: f64,
    /// What a call costs while no tools run.
    pub cost: f64,
    /// What it costs more during a burst.
    pub extra: f64,
    /// Mean seconds between bursts.
    pub off: f64,
    /// Mean seconds of a burst.
    pub on: f64,
    /// Mean length of a call in seconds.
    pub length: f64,
    /// How lengths spread around it, where not as [`Scenario::lengths`].
    pub lengths: Option<Lengths>,
}

/// How a call begins: the bridge that takes it answers after `lag`, costs of the call included; for
/// `burst` after that it costs `extra` more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SetUp {
    /// From the choice of the bridge to its answer, up to which the call costs nothing.
    pub lag: Duration,
    /// For how long the call costs more at first.
    pub burst: Duration,
    /// How much more, in the unit of the classes' costs.
    pub extra: f64,
}

/// From a moment on, calls come at this many times the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The moment.
    pub from: Time,
    /// The multiple.
    pub factor: f64,
}

/// How every bridge reports its load: the mean since the report before, divided by its capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reporting {
    /// From one report of a bridge to its next.
    pub interval: Duration,
    /// Whether all bridges measure at the same moments; otherwise each has a phase of its own.
    pub aligned: bool,
    /// Standard deviation of the measuring error, as a share of the load (normal).
    pub noise: f64,
    /// A report arrives after this at least,
    pub delay_min: Duration,
    /// and this at most (uniform).
    pub delay_max: Duration,
    /// This share of the reports never arrives.
    pub lost: f64,
}

/// Something that goes wrong with a bridge for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// Which bridge, counted from 0.
    pub bridge: usize,
    /// Its first moment.
    pub from: Time,
    /// The moment from which all is well again.
    pub until: Time,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong with a bridge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind {
    /// It is not there yet: it joins at the end of this fault, which must begin at time 0.
    Absent,
    /// It has died: its calls are lost, new ones fail, and it sends no reports.
    Dead,
    /// The operator drains it: no new calls; those in progress go on.
    Drained,
    /// It has only this share of its capacity.
    Capacity(f64),
    /// It answers 503 without Retry-After, at once, to this share of the calls.
    Fails(f64),
    /// It sends no reports.
    Silent,
    /// Its reports say this score, whatever its load, and the active calls that it had at first.
    Frozen(f64),
}

/// A bridge whose peak is of interest: the highest load / capacity of the moment, from `from` until
/// `until`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    /// Which bridge, counted from 0.
    pub bridge: usize,
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
}

impl Scenario {
    /// Calls per second where the rate is 1. Little's law: concurrent / mean length.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.concurrent / self.mean(|class| class.length)
    }

    /// What a call in progress costs on average: classes count by the time that their calls take. A
    /// set-up counts as if every call outlasted it.
    #[must_use]
    pub fn mean_cost(&self) -> f64 {
        let SetUp { lag, burst, extra } = self.set_up;
        let length = self.mean(|class| class.length);
        let bursts = self.mean(|class| class.mean_cost() * (class.length - lag.as_secs_f64()).max(0.0));
        let factor = self.trace.as_ref().filter(|_| self.from_trace.costs).map_or(1.0, Trace::mean_cost);
        factor * (bursts + extra * burst.as_secs_f64()) / length
    }

    /// The capacity of each bridge, in thousandths of the unit of cost: mean load of all / `load`,
    /// shared by weight.
    #[must_use]
    pub fn capacities(&self) -> Vec<u64> {
        let weights: u64 = self.weights.iter().map(|weight| u64::from(*weight)).sum();
        let total = self.concurrent * self.mean_cost() / self.load * f64::from(COST_UNIT);
        self.weights
            .iter()
            .map(|weight| (total * f64::from(*weight) / weights as f64).round() as u64)
            .collect()
    }

    /// Over the arrivals.
    fn mean(&self, of: impl Fn(&Class) -> f64) -> f64 {
        let shares: f64 = self.classes.iter().map(|class| class.share).sum();
        self.classes.iter().map(|class| class.share / shares * of(class)).sum()
    }
}

impl Class {
    /// The share of a call's time that is in bursts.
    #[must_use]
    pub fn on_share(&self) -> f64 {
        self.on / (self.on + self.off)
    }

    /// What a call costs on average.
    #[must_use]
    pub fn mean_cost(&self) -> f64 {
        self.cost + self.extra * self.on_share()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_rate_and_mean_cost_follow_by_hand() {
        let class = |share, cost, extra, length| Class {
            name: String::new(),
            share,
            cost,
            extra,
            off: 3.0,
            on: 1.0,
            length,
            lengths: None,
        };
        let scenario = Scenario {
            // Mean costs 2 and 1, lengths 100 and 300, so 25 % of the calls in progress are of the first.
            classes: vec![class(1.0, 1.0, 4.0, 100.0), class(1.0, 1.0, 0.0, 300.0)],
            weights: vec![1, 1, 2],
            concurrent: 80.0,
            load: 0.5,
            ..embedded::named("base16").unwrap()
        };
        assert!((scenario.rate() - 0.4).abs() < 1e-12);
        assert!((scenario.mean_cost() - 1.25).abs() < 1e-12);
        assert_eq!(scenario.capacities(), [50_000, 50_000, 100_000]);
    }
}
