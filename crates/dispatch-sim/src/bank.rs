//! The embedded workload: calls as long as those of a real call centre, a bank's.
//!
//! Real: the lengths and the shares of the classes. Source: "Anonymous Bank" call centre data,
//! SEE Centre, Technion, February 1999, 27,077 calls served by an agent, of which the four classes
//! below are 26,761; described in L. Brown et al., "Statistical Analysis of a Telephone Call Center:
//! A Queueing-Science Perspective", JASA 100 (2005). Quantiles were computed from the public file.
//!
//! Assumed: what a call costs (the bank's agents were people), the even rate of calls, the capacity
//! of a bridge, and the outage. Every report says so.

use std::time::Duration;

use callsteer::Time;

use crate::arrivals::{Class, Drawn};
use crate::lengths::Quantiles;
use crate::workload::{Bridge, Calls, Outage, Window, Workload, set_capacity};

/// `concurrent` calls of the bank's on average, over these bridges. Where no bridge has a capacity,
/// each gets one in proportion to its weight: 1.75 times the load of its share.
#[must_use]
pub fn workload(mut bridges: Vec<Bridge>, concurrent: f64) -> Workload {
    let classes = classes();
    let drawn = Drawn::new(&classes, concurrent, UNTIL);
    if bridges.iter().all(|bridge| bridge.capacity.is_none()) {
        let share = drawn.offered_load() / bridges.len() as f64;
        set_capacity(&mut bridges, HEADROOM * share);
    }
    let outage = Outage { bridge: bridges.len() - 1, from: OUTAGE_FROM, until: OUTAGE_FROM + OUTAGE };
    Workload {
        name: "bank calls".into(),
        notes: NOTES.map(String::from).into(),
        outages: vec![outage],
        bridges,
        calls: Calls::Drawn(drawn),
        classes: classes.into_iter().map(|class| class.name).collect(),
        window: Window { from: WARM_UP, until: UNTIL },
    }
}

/// `n` equal bridges.
#[must_use]
pub fn bridges(n: usize) -> Vec<Bridge> {
    vec![Bridge::new(1); n]
}

/// The classes of calls.
///
/// The cost is assumed to be 1 for the talk itself and 1 more for each record that is looked up
/// while the caller waits: none for general questions and for calls back, one for an account, three
/// for securities (quotes, holdings, the order).
fn classes() -> Vec<Class> {
    let class = |name: &str, share, cost, quantiles: [f64; 16]| Class {
        name: name.into(),
        share,
        cost,
        lengths: Quantiles::new(PROBABILITIES.into_iter().zip(quantiles).collect::<Vec<_>>())
            .expect("the tables below rise from 0 to 1"),
    };
    vec![
        class("PS accounts", 18_289.0, 2.0, PS_SECONDS),
        class("NW general questions", 4_982.0, 1.0, NW_SECONDS),
        class("NE securities", 2_507.0, 4.0, NE_SECONDS),
        class("TT calls back", 983.0, 1.0, TT_SECONDS),
    ]
}

const NOTES: [&str; 3] = [
    "real: call lengths and shares of the classes, from the Anonymous Bank call centre (SEE Centre, Technion, \
     February 1999; Brown et al., JASA 2005)",
    "assumed: a call costs 1, and 1 more per record looked up (general questions and calls back 1, accounts 2, \
     securities 4); calls come at the same rate all the time",
    "assumed: the last bridge answers 503 to new calls and probes for 10 min after 1 h, its calls go on; a bridge \
     at its capacity answers 503 with Retry-After",
];

/// 99.8 % of the calls are shorter.
const WARM_UP: Time = Time::from_secs(30 * 60);
const UNTIL: Time = Time::from_secs(150 * 60);
const OUTAGE_FROM: Time = Time::from_secs(60 * 60);
const OUTAGE: Duration = Duration::from_secs(10 * 60);
const HEADROOM: f64 = 1.75;

/// 1 stands for the longest call seen, 0 for no time at all.
const PROBABILITIES: [f64; 16] =
    [0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0];
const PS_SECONDS: [f64; 16] = [
    0.0, 2.0, 11.0, 35.0, 56.0, 74.0, 94.0, 118.0, 149.0, 194.0, 264.0, 412.0, 580.0, 1035.0, 1759.0, 3736.0,
];
const NW_SECONDS: [f64; 16] =
    [0.0, 3.0, 7.0, 14.0, 27.0, 37.0, 48.0, 61.0, 78.0, 105.0, 146.0, 239.0, 371.0, 734.0, 1542.0, 2005.0];
const NE_SECONDS: [f64; 16] = [
    0.0, 2.0, 4.0, 31.0, 69.0, 103.0, 140.0, 178.0, 232.0, 302.0, 431.0, 641.0, 861.0, 1437.0, 2576.0, 4264.0,
];
const TT_SECONDS: [f64; 16] =
    [0.0, 1.0, 3.0, 3.0, 5.0, 8.0, 14.0, 25.0, 53.0, 92.0, 155.0, 303.0, 443.0, 933.0, 1708.0, 1708.0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_calls_are_in_progress_on_average() {
        let workload = workload(bridges(16), 200.0);
        let window = workload.window;
        let in_progress: f64 = (1..=5)
            .flat_map(|seed| workload.calls(seed))
            .map(|call| window.overlap(call.start, call.start + call.length).as_secs_f64())
            .sum::<f64>()
            / (5.0 * window.until.since(window.from).as_secs_f64());
        assert!((in_progress - 200.0).abs() < 6.0, "{in_progress}");
    }

    #[test]
    fn mean_lengths_are_within_a_tenth_of_the_real_ones() {
        let real = [184.9, 107.0, 276.6, 103.2];
        for (class, real) in classes().iter().zip(real) {
            let error = class.lengths.mean() / real - 1.0;
            assert!((0.0..0.1).contains(&error), "{}: {error:+.3}", class.name);
        }
    }
}
