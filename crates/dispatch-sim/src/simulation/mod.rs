//! Simulations: a scenario's calls through a policy, event by event, and what that shows.

mod bridge;
mod chooser;
pub mod compare;
mod dispatchers;
pub mod figures;
mod fleet;
pub mod needed;
pub mod plan;
pub mod policy;
mod references;
mod run;
mod slots;
pub mod summary;
#[cfg(feature = "cli")]
pub mod table;

use crate::course::Course;
use crate::scenario::Scenario;
use chooser::Chooser;
use dispatchers::Dispatchers;
use figures::Figures;
use policy::{Kind, Policy};
use references::References;
use run::Simulation;

pub use run::MAX_ATTEMPTS;

/// Leads the calls, which are those of `scenario` and `seed`, through the policy.
///
/// # Panics
/// Where the scenario has a weight outside 1..=65,535 or a fault of a bridge that there is not, or needs
/// recorded calls and has none.
#[must_use]
pub fn simulate(scenario: &Scenario, policy: &Policy, seed: u64) -> Figures {
    let mut simulation = Simulation::new(scenario, chooser(scenario, policy, seed), seed);
    simulation.run();
    simulation.fleet.figures(simulation.outcome)
}

/// As [`simulate`], for the load of each bridge over time, as a share of its capacity of the moment.
///
/// # Panics
/// As [`simulate`].
#[must_use]
pub fn record(scenario: &Scenario, policy: &Policy, seed: u64) -> Course {
    let mut simulation = Simulation::new(scenario, chooser(scenario, policy, seed), seed);
    simulation.fleet.record(scenario);
    simulation.run();
    simulation.fleet.course().expect("it was recorded")
}

fn chooser<'a>(scenario: &'a Scenario, policy: &Policy, seed: u64) -> Box<dyn Chooser + 'a> {
    match policy.kind {
        Kind::Reference(rule) => Box::new(References::new(scenario, rule, seed)),
        Kind::Dispatcher { algorithm, ejection, slow_start } => {
            Box::new(Dispatchers::new(scenario, algorithm, ejection, slow_start, seed))
        }
    }
}
