//! The embedded scenarios. All are `base16` with a change or two, which its line says.

use std::time::Duration;

use callsteer::Time;

use super::{Class, Fault, FaultKind, Lengths, Reporting, Scenario, Step, Watch};
use crate::workload::Window;

/// Every embedded scenario.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let mut all = workloads();
    all.extend(fleets());
    all.extend(reports());
    all.extend(faults());
    all
}

/// The embedded scenario of this name.
#[must_use]
pub fn named(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

/// Other calls on the same fleet.
fn workloads() -> Vec<Scenario> {
    let flat = |class: Class| Class { cost: 1.0, extra: 0.0, ..class };
    let tools = |class: Class| Class { extra: 3.0 * class.extra, ..class };
    vec![
        base16(),
        Scenario {
            lengths: Lengths::Bimodal(0.3),
            ..titled("bimodal", "most calls are short, one of four is 17 times as long")
        },
        Scenario {
            lengths: Lengths::Pareto(1.8),
            ..titled("heavy-tail", "lengths of infinite variance (Pareto, index 1.8)")
        },
        Scenario {
            rate: DAY.iter().zip(0..).map(|(factor, hour)| step(10 * hour, *factor)).collect(),
            window: Window { from: START, until: minutes(240) },
            ..titled("diurnal", "a day of calls within four hours, from 15 % of the rate to 115 %")
        },
        Scenario {
            load: 0.6,
            rate: [0, 20, 40, 60]
                .into_iter()
                .flat_map(|at| [step(at, 1.0), step(at + 10, 2.2), step(at + 13, 1.0)])
                .collect(),
            ..titled("flash-crowd", "load 0.6; every 20 min, 2.2 times as many calls come for 3 min")
        },
        Scenario {
            classes: classes().map(tools).into(),
            ..titled("tools-x3", "bursts of tool calls cost three times as much")
        },
        Scenario {
            classes: classes().map(flat).into(),
            factor_cv: 0.0,
            load: 0.9,
            ..titled("flat-cost", "every call costs the same all the time: nothing to learn; load 0.9")
        },
        Scenario {
            wrong_labels: true,
            ..titled("wrong-labels", "the dispatcher is told the class of some other call")
        },
    ]
}

/// The same calls on other fleets, or through several dispatchers.
fn fleets() -> Vec<Scenario> {
    let fleet = |name, about, weights: &[u32], concurrent| Scenario {
        weights: weights.into(),
        concurrent,
        ..titled(name, about)
    };
    vec![
        fleet("4x12", "4 bridges, 50 calls", &[1; 4], 50.0),
        fleet("16x50", "16 bridges, 800 calls", &[1; 16], 800.0),
        fleet("64", "64 bridges, 800 calls", &[1; 64], 800.0),
        fleet("weights-10-10-8-10", "4 bridges of almost equal capacity, 50 calls", &[10, 10, 8, 10], 50.0),
        fleet(
            "mixed-1-2-4",
            "12 bridges of capacity 1, 2 and 4, 200 calls",
            &[1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4],
            200.0,
        ),
        Scenario {
            dispatchers: 4,
            ..titled("dispatchers-4", "4 dispatchers: each sees its own calls, and the reports")
        },
        Scenario {
            dispatchers: 16,
            ..titled("dispatchers-16", "16 dispatchers: each sees its own calls, and the reports")
        },
    ]
}

/// Reports that come late, wrong, or not at all.
fn reports() -> Vec<Scenario> {
    let reports = Reporting { interval: Duration::from_secs(30), ..REPORTS };
    let silent = |bridge| always(bridge, FaultKind::Silent);
    let watch = Some(Watch { bridge: 0, from: START, until: END });
    vec![
        Scenario { reports, ..titled("reports-30", "bridges report every 30 s") },
        Scenario {
            reports: Reporting { lost: 0.3, ..REPORTS },
            ..titled("lost-reports", "30 % of the reports are lost")
        },
        Scenario {
            faults: (0..4).map(silent).collect(),
            ..titled("silent-reports", "4 of the 16 bridges never report")
        },
        Scenario {
            faults: (0..16).map(silent).collect(),
            ..titled("no-reports", "no bridge ever reports: load_score has no more to go by than call_load")
        },
        Scenario {
            faults: vec![Fault { bridge: 0, from: START, until: END, kind: FaultKind::Frozen(0.02) }],
            watch,
            ..titled("frozen-report", "after 20 min the reports of bridge 1 say 2 % whatever its load is")
        },
    ]
}

/// Bridges that fail, slow down, join or restart.
fn faults() -> Vec<Scenario> {
    let fault =
        |bridge, from, until, kind| Fault { bridge, from: minutes(from), until: minutes(until), kind };
    let watch = |from, until| Some(Watch { bridge: 0, from: minutes(from), until: minutes(until) });
    let restarts = (0..16).flat_map(|bridge| {
        let from = 20 + 3 * bridge as u64;
        [fault(bridge, from, from + 3, FaultKind::Drained), fault(bridge, from + 3, from + 5, COLD)]
    });
    vec![
        Scenario {
            faults: vec![fault(0, 30, 50, FaultKind::Capacity(0.5))],
            watch: watch(30, 50),
            ..titled("throttled", "bridge 1 has half its capacity from minute 30 to 50")
        },
        Scenario {
            faults: vec![fault(0, 20, 40, FaultKind::Fails(1.0))],
            window: Window { from: START, until: minutes(40) },
            ..titled("black-hole", "bridge 1 answers 503 to every call for 20 min, which are measured")
        },
        Scenario {
            faults: vec![fault(0, 20, 80, FaultKind::Fails(0.3))],
            ..titled("grey-failure", "bridge 1 answers 503 to 30 % of the calls")
        },
        Scenario {
            faults: vec![fault(0, 0, 40, FaultKind::Absent), fault(0, 40, 42, COLD)],
            watch: watch(40, 42),
            ..titled("cold-join", "bridge 1 joins at minute 40, for 2 min with 30 % of its capacity")
        },
        Scenario {
            faults: restarts.collect(),
            ..titled(
                "rolling-restart",
                "each bridge in turn: drained for 3 min, then 2 min with 30 % of its capacity",
            )
        },
    ]
}

fn base16() -> Scenario {
    Scenario {
        name: "base16".into(),
        about: "16 equal bridges, 200 calls with bursts of tool calls, mean load 0.8, reports every 5 s"
            .into(),
        weights: vec![1; 16],
        classes: classes().into(),
        lengths: Lengths::Lognormal(1.5),
        factor_cv: 0.4,
        wrong_labels: false,
        concurrent: 200.0,
        load: 0.8,
        rate: Vec::new(),
        dispatchers: 1,
        reports: REPORTS,
        faults: Vec::new(),
        watch: None,
        window: Window { from: START, until: END },
    }
}

fn titled(name: &str, about: &str) -> Scenario {
    Scenario { name: name.into(), about: about.into(), ..base16() }
}

fn classes() -> [Class; 5] {
    let class = |name: &str, share, cost, extra, off, on, length| Class {
        name: name.into(),
        share,
        cost,
        extra,
        off,
        on,
        length,
    };
    [
        class("agent", 0.25, 1.0, 3.0, 20.0, 6.0, 240.0),
        class("questions", 0.25, 0.6, 0.8, 45.0, 2.0, 110.0),
        class("orders", 0.2, 0.8, 1.5, 30.0, 4.0, 180.0),
        class("routing", 0.15, 0.7, 1.0, 60.0, 3.0, 120.0),
        class("support", 0.15, 0.9, 2.0, 15.0, 5.0, 257.0),
    ]
}

/// A bridge on which this is wrong all the time.
fn always(bridge: usize, kind: FaultKind) -> Fault {
    Fault { bridge, from: Time::ZERO, until: Time::MAX, kind }
}

fn step(minute: u64, factor: f64) -> Step {
    Step { from: minutes(minute), factor }
}

const fn minutes(minutes: u64) -> Time {
    Time::from_secs(60 * minutes)
}

const START: Time = minutes(20);
const END: Time = minutes(80);
const COLD: FaultKind = FaultKind::Capacity(0.3);
const REPORTS: Reporting = Reporting {
    interval: Duration::from_secs(5),
    noise: 0.05,
    delay_min: Duration::from_millis(200),
    delay_max: Duration::from_millis(1_000),
    lost: 0.0,
};
/// The rate by hour of a working day.
const DAY: [f64; 24] = [
    0.15, 0.15, 0.15, 0.15, 0.2, 0.3, 0.5, 0.75, 0.95, 1.1, 1.15, 1.1, 1.0, 1.0, 1.1, 1.15, 1.1, 1.0, 0.8,
    0.6, 0.45, 0.3, 0.2, 0.15,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own_and_says_in_a_line_what_it_shows() {
        let mut names: Vec<_> = all().into_iter().map(|scenario| scenario.name).collect();
        let n = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), n);
        assert!(all().iter().all(|scenario| (15..=90).contains(&scenario.about.len())));
    }

    #[test]
    fn faults_concern_bridges_that_there_are() {
        for scenario in all() {
            let bridges = scenario.weights.len();
            assert!(scenario.faults.iter().all(|fault| fault.bridge < bridges), "{}", scenario.name);
            assert!(scenario.watch.is_none_or(|watch| watch.bridge < bridges), "{}", scenario.name);
        }
    }
}
