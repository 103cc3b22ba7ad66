//! A task: one simulation, with everything that its result depends on.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SweepError;
use crate::scenario::file;
use crate::simulation::figures::Figures;
use crate::simulation::{policy, simulate};

/// One simulation of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What all of the below but `sweep` and `cell` is, and the version of Callsteer, as a hash.
    pub id: String,
    /// The name of the sweep.
    pub sweep: String,
    /// The values of the axes.
    pub cell: Map<String, Value>,
    /// The name of the policy.
    pub policy: String,
    /// The seed.
    pub seed: u64,
    /// The scenario as TOML, without a name.
    pub scenario: String,
}

/// What came of a task; it says of what, so that nobody takes it for that of another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The version of these keys: 1. New keys may be added to a version.
    pub schema: u32,
    /// The version of Callsteer.
    pub callsteer: String,
    /// The id of the task.
    pub id: String,
    /// Its policy.
    pub policy: String,
    /// Its seed.
    pub seed: u64,
    /// Its scenario.
    pub scenario: String,
    /// What the simulation showed.
    pub figures: Figures,
}

impl Task {
    pub(super) fn new(
        sweep: &str,
        cell: Map<String, Value>,
        policy: &str,
        seed: u64,
        scenario: &str,
    ) -> Self {
        let id = id(policy, seed, scenario);
        let [sweep, policy, scenario] = [sweep, policy, scenario].map(String::from);
        Self { id, sweep, cell, policy, seed, scenario }
    }

    /// Reads a task from its JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(json: &str) -> Result<Self, SweepError> {
        serde_json::from_str(json).map_err(|error| SweepError::Refused(format!("this is no task: {error}")))
    }

    /// The task as JSON, in one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("keys of its map are texts")
    }

    /// Simulates it.
    ///
    /// # Errors
    /// It was written by another version of Callsteer, or changed.
    pub fn run(&self) -> Result<Outcome, SweepError> {
        let refused = |why: String| SweepError::Refused(format!("task {}: {why}", self.id));
        if self.id != id(&self.policy, self.seed, &self.scenario) {
            return Err(refused(format!(
                "another version of callsteer than {VERSION} wrote it, or it was changed"
            )));
        }
        let policy = policy::named(&self.policy)
            .ok_or_else(|| refused(format!("there is no policy {}", self.policy)))?;
        let scenario = file::parse(&self.scenario).map_err(|error| refused(error.to_string()))?;
        if scenario.needs_trace() {
            return Err(refused(RECORDED.into()));
        }
        Ok(Outcome {
            schema: 1,
            callsteer: VERSION.into(),
            id: self.id.clone(),
            policy: self.policy.clone(),
            seed: self.seed,
            scenario: self.scenario.clone(),
            figures: simulate(&scenario, &policy, self.seed),
        })
    }
}

impl Outcome {
    /// Reads a result from its JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(json: &str) -> Result<Self, SweepError> {
        serde_json::from_str(json).map_err(|error| SweepError::Refused(format!("this is no result: {error}")))
    }

    /// The result as a line of JSON. The same task has the same bytes, on any machine.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("it has no maps and no foreign types") + "\n"
    }

    /// Whether it came of this task.
    #[must_use]
    pub fn is_of(&self, task: &Task) -> bool {
        (self.callsteer.as_str(), &self.id, &self.policy, self.seed, &self.scenario)
            == (VERSION, &task.id, &task.policy, task.seed, &task.scenario)
    }
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo). It finds a result; what that is of is then compared.
fn id(policy: &str, seed: u64, scenario: &str) -> String {
    let text = format!("{VERSION}\n{policy}\n{seed}\n{scenario}");
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

pub(super) const RECORDED: &str = "a sweep has no recorded calls, which this scenario needs";
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {
    use super::*;

    fn task(policy: &str, seed: u64) -> Task {
        let scenario = "name = \"\"\nabout = \"\"\n[measure]\nfrom = 10\nuntil = 30\n";
        Task::new("test", Map::new(), policy, seed, scenario)
    }

    #[test]
    fn an_id_is_of_the_content_and_of_nothing_else() {
        let own = task("call_load", 1);
        assert_eq!(
            Task::new("other", Map::from_iter([("a".into(), 1.into())]), "call_load", 1, &own.scenario).id,
            own.id
        );
        let others =
            [task("call_load", 2), task("random", 1), Task::new("test", Map::new(), "call_load", 1, "")];
        assert!(others.iter().all(|other| other.id != own.id));
    }

    #[test]
    fn a_result_is_read_as_it_was_written_to_the_last_bit() {
        let outcome = task("load_score", 3).run().unwrap();
        let json = outcome.to_json();
        let read = Outcome::parse(&json).unwrap();
        assert_eq!((&read, read.to_json()), (&outcome, json));
        assert!(read.figures.load > 0.0);
    }

    #[test]
    fn a_task_that_is_not_what_its_id_says_is_not_run() {
        let refused = |task: Task, expected: &str| {
            let error = task.run().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        refused(Task { seed: 2, ..task("call_load", 1) }, "or it was changed");
        refused(task("fastest", 1), "no policy fastest");
        refused(Task::new("test", Map::new(), "random", 1, "name = 1"), "1:8: ");
        let recorded = "name = ''\nabout = ''\ncalls.starts = 'trace'\ncalls.lengths = 'trace'\n";
        refused(Task::new("test", Map::new(), "random", 1, recorded), "no recorded calls");
    }
}
