//! Recorded calls in a scenario: what is taken from them, and what follows for its rate and load.

use std::sync::Arc;

use callsteer::Time;

use super::{Lengths, Scenario};
use crate::lengths::Quantiles;
use crate::recorded::Recorded;
use crate::workload::{COST_UNIT, CallRecord, Calls, Workload};

/// What a scenario takes from recorded calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FromTrace {
    /// When calls come. The class of a call is that of its record where every class of the records is
    /// one of the scenario's; otherwise it is drawn.
    pub starts: bool,
    /// How long they last: each as its record has it with `starts`, otherwise drawn from the lengths of
    /// all.
    pub lengths: bool,
    /// What multiplies a call's cost, in place of a factor that is drawn; only with `starts`.
    pub costs: bool,
}

/// Recorded calls, as a scenario uses them.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub(super) calls: Arc<Recorded>,
    /// The scenario's class of each class of the records, where there is one for each.
    pub(super) class_of: Option<Vec<usize>>,
    /// Of a call in progress / of a call.
    mean_cost: f64,
}

impl Trace {
    /// What a call in progress costs on average, where a call costs 1 on average.
    pub(super) fn mean_cost(&self) -> f64 {
        self.mean_cost
    }
}

impl FromTrace {
    /// Whether anything is taken from them.
    #[must_use]
    pub fn anything(self) -> bool {
        self.starts || self.lengths || self.costs
    }
}

impl Scenario {
    /// Whether it cannot be simulated before it has got recorded calls.
    #[must_use]
    pub fn needs_trace(&self) -> bool {
        self.from_trace.anything() && self.trace.is_none()
    }

    /// The scenario with these recorded calls. With `starts` its calls in progress are as many as
    /// theirs, by Little's law; with `lengths` its classes have their mean length.
    ///
    /// # Errors
    /// The workload is not of recorded calls; they end before what is measured ends.
    pub fn with_trace(mut self, workload: Workload) -> Result<Self, String> {
        let Workload { calls: Calls::Recorded(calls), classes, .. } = workload else {
            return Err("these calls were not recorded".into());
        };
        let sum = |of: fn(CallRecord) -> f64| calls.iter().map(of).sum::<f64>();
        let (number, time) = (calls.iter().count() as f64, sum(|call| call.length.as_secs_f64()));
        let work = sum(|call| call.length.as_secs_f64() * f64::from(call.cost) / f64::from(COST_UNIT));
        if time <= 0.0 {
            return Err("no recorded call lasts longer than 0 s".into());
        }
        let own = |name: &String| self.classes.iter().position(|class| class.name == *name);
        let class_of: Option<Vec<usize>> = classes.iter().map(own).collect();
        if let Some(class_of) = class_of.as_ref().filter(|_| self.from_trace.starts) {
            let mut came = vec![0u32; self.classes.len()];
            calls.iter().for_each(|call| came[class_of[usize::from(call.class)]] += 1);
            for (class, came) in self.classes.iter_mut().zip(came) {
                class.share = f64::from(came) / number;
            }
        }
        if self.from_trace.lengths {
            let table = quantiles(&calls).ok_or("no table can be made of their lengths")?;
            self.lengths = Lengths::Quantiles(table);
            for class in &mut self.classes {
                (class.length, class.lengths) = (time / number, None);
            }
        }
        if self.from_trace.starts {
            let last = calls.iter().last().map_or(Time::ZERO, |call| call.start);
            if last < self.window.until {
                return Err(format!(
                    "the last recorded call comes after {:.1} s, and {} measures until {:.1} s: its file says \
                     [measure] until",
                    last.since(Time::ZERO).as_secs_f64(),
                    self.name,
                    self.window.until.since(Time::ZERO).as_secs_f64()
                ));
            }
            let mean_length = self.concurrent / self.rate();
            self.concurrent = number / last.since(Time::ZERO).as_secs_f64() * mean_length;
        }
        self.trace = Some(Trace { calls: Arc::new(calls), class_of, mean_cost: work / time });
        Ok(self)
    }
}

/// The lengths as a table of [`STEPS`] steps.
fn quantiles(calls: &Recorded) -> Option<Quantiles> {
    let mut lengths: Vec<f64> = calls.iter().map(|call| call.length.as_secs_f64()).collect();
    lengths.sort_unstable_by(f64::total_cmp);
    let step = |step: usize| (step as f64 / STEPS as f64, lengths[step * (lengths.len() - 1) / STEPS]);
    Quantiles::new((0..=STEPS).map(step).collect::<Vec<_>>())
}

const STEPS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::{Recorder, Recording};
    use crate::scenario::calls::Calls as Drawn;
    use crate::scenario::embedded;
    use crate::workload::{Bridge, Window};

    /// A call every 2 s, of 30 and 90 s in turn, which cost 1 and 3.
    fn workload(classes: [&str; 2]) -> Workload {
        let mut calls = Recorder::default();
        for n in 0..2_000u32 {
            let odd = n % 2 == 1;
            let call = Recording {
                start: f64::from(2 * n),
                duration: if odd { 90.0 } else { 30.0 },
                class: classes[usize::from(odd)],
                cost: if odd { 3.0 } else { 1.0 },
            };
            calls.record(&call).unwrap();
        }
        calls.workload("test", vec![Bridge::new(1)])
    }

    fn scenario(starts: bool, lengths: bool, costs: bool) -> Scenario {
        let window = Window { from: Time::from_secs(600), until: Time::from_secs(3_600) };
        let from_trace = FromTrace { starts, lengths, costs };
        Scenario { from_trace, window, ..embedded::named("base16").unwrap() }
    }

    #[test]
    fn calls_come_and_last_as_they_were_recorded_and_cost_in_proportion() {
        let scenario = scenario(true, true, true).with_trace(workload(["questions", "agent"])).unwrap();
        // Mean length 60 s at one every 2 s; three of four seconds cost 1.5 and one 0.5.
        assert!((scenario.concurrent - 30.0).abs() < 0.1, "{}", scenario.concurrent);
        let base = scenario.clone().with_trace(workload(["questions", "agent"])).unwrap();
        assert_eq!(base, scenario);
        for (n, call) in (0u64..).zip(Drawn::draw(&scenario, 1).take(1_000)) {
            let odd = n % 2 == 1;
            assert_eq!(call.start, Time::from_secs(2 * n));
            assert_eq!(call.end, call.start + std::time::Duration::from_secs(if odd { 90 } else { 30 }));
            let class = &scenario.classes[call.label];
            assert_eq!(class.name, if odd { "agent" } else { "questions" });
            let expected = class.mean_cost() * if odd { 1_500.0 } else { 500.0 };
            assert!((f64::from(call.expected) - expected).abs() < 1.0);
        }
    }

    #[test]
    fn classes_that_the_scenario_has_not_are_drawn() {
        let scenario = scenario(true, true, false).with_trace(workload(["questions", "all"])).unwrap();
        let labels: Vec<_> = Drawn::draw(&scenario, 1).map(|call| call.label).collect();
        assert!((0..scenario.classes.len()).all(|class| labels.contains(&class)));
    }

    #[test]
    fn lengths_alone_are_drawn_from_those_recorded() {
        let scenario = scenario(false, true, false).with_trace(workload(["a", "b"])).unwrap();
        assert_eq!(scenario.concurrent, 200.0);
        let calls: Vec<_> = Drawn::draw(&scenario, 1).filter(|call| call.start > Time::ZERO).collect();
        let seconds = |call: &crate::scenario::calls::Call| call.end.since(call.start).as_secs_f64().round();
        let short = calls.iter().filter(|call| seconds(call) == 30.0).count() as f64 / calls.len() as f64;
        assert!((short - 0.5).abs() < 0.03, "{short}");
    }

    #[test]
    fn a_trace_that_is_too_short_is_refused() {
        let mut long = scenario(true, false, false);
        long.window.until = Time::from_secs(4_000);
        let error = long.with_trace(workload(["a", "b"])).unwrap_err();
        assert!(error.starts_with("the last recorded call comes after 3998.0 s"), "{error}");
    }
}
