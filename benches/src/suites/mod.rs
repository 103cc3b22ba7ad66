//! What is measured, one file per question.

pub(crate) mod calls;
mod changes;
mod hashing;
pub(crate) mod loads;
mod shared;
mod turns;

use callsteer::{Algorithm, Config, Destination, Dispatcher, ProbingConfig, ProbingMode, Time};

use crate::measure::{Effort, Numbers};
use crate::report::Report;

pub(crate) use calls::Crowd;

/// A name, and what measures.
pub(crate) type Suite = (&'static str, fn(Effort, &mut Report));

/// All of them, in the order of the table.
pub(crate) const SUITES: &[Suite] = &[
    ("turns", turns::run),
    ("hashing", hashing::run),
    ("loads", loads::run),
    ("calls", calls::run),
    ("changes", changes::run),
    ("shared", shared::run),
];

/// A configuration with this algorithm, and no probes in between.
pub(crate) fn config(algorithm: Algorithm) -> Config {
    let probing = ProbingConfig { mode: ProbingMode::Off, ..ProbingConfig::default() };
    Config { algorithm, probing, ..Config::default() }
}

/// So many members; `weights` in turn.
pub(crate) fn destinations(members: usize, weights: &[u32]) -> impl Iterator<Item = Destination> {
    (0..members).map(move |index| Destination {
        weight: weights[index % weights.len()],
        ..Destination::new(format!("sip:10.{}.{}.{}", index >> 16, index >> 8 & 255, index & 255))
    })
}

pub(crate) fn dispatcher(config: Config, members: usize, weights: &[u32]) -> anyhow::Result<Dispatcher> {
    let mut dispatcher = Dispatcher::new(config)?;
    for destination in destinations(members, weights) {
        dispatcher.add(1, destination, Time::ZERO)?;
    }
    Ok(dispatcher)
}

/// The member of each of 8 calls per member, in steady state.
pub(crate) fn live(members: usize) -> Vec<u64> {
    let mut numbers = Numbers::new(5);
    let mut live: Vec<u64> = (0..8 * members).map(|call| (call % members) as u64).collect();
    for call in (1..live.len()).rev() {
        live.swap(call, numbers.below(call + 1));
    }
    live
}

/// Weights of 8 classes.
pub(crate) const CLASSES: [u32; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
