//! The folder of a sweep: `tasks.jsonl`, `results/ID.json`, and what they are joined to.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::SweepError;
use super::task::{Outcome, Task};
use crate::simulation::figures::Figures;

/// Where tasks and results are.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// What there is of a task.
pub(super) enum Found {
    Figures(Figures),
    Nothing,
    /// What cannot be read, and why.
    Damaged(String),
}

impl Folder {
    /// Makes the folder, unless there is one, and writes the tasks there.
    pub(super) fn open(path: &Path, tasks: &[Task]) -> Result<Self, SweepError> {
        let folder = Self(path.into());
        if let Some(task) = tasks.first() {
            folder.belongs_to(&task.sweep)?;
        }
        let results = path.join(RESULTS);
        fs::create_dir_all(&results).map_err(|error| cannot("make", &results, &error))?;
        folder.write(TASKS, &tasks.iter().map(|task| task.to_json() + "\n").collect::<String>())?;
        Ok(folder)
    }

    /// Another grid would take over what this one has, and nobody would know any more what is whose.
    fn belongs_to(&self, sweep: &str) -> Result<(), SweepError> {
        let path = self.0.join(TASKS);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            other => other.map_err(|error| cannot("read", &path, &error))?,
        };
        let (name, folder) = (path.display(), self.0.display());
        let first = Task::parse(text.lines().next().unwrap_or_default());
        match first.map_err(|error| SweepError::Refused(format!("{name}: {error}")))?.sweep {
            own if own == sweep => Ok(()),
            other => Err(SweepError::Refused(format!(
                "{folder} has the tasks of the sweep `{other}`, not of `{sweep}`: give another folder"
            ))),
        }
    }

    /// The result of a task.
    pub(super) fn find(&self, task: &Task) -> Found {
        let path = self.result(&task.id);
        let read = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Found::Nothing,
            Err(error) => Err(error.to_string()),
            Ok(text) => Outcome::parse(&text).map_err(|error| error.to_string()),
        };
        match read {
            Ok(outcome) if outcome.is_of(task) => Found::Figures(outcome.figures),
            Ok(_) => Found::Damaged(format!("{}: this is the result of another task", path.display())),
            Err(why) => Found::Damaged(format!("{}: {why}", path.display())),
        }
    }

    /// Keeps a result.
    pub(super) fn keep(&self, outcome: &Outcome) -> Result<(), SweepError> {
        replace(&self.result(&outcome.id), &outcome.to_json())
    }

    /// Writes a file beside the results.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), SweepError> {
        replace(&self.0.join(name), text)
    }

    fn result(&self, id: &str) -> PathBuf {
        self.0.join(RESULTS).join(format!("{id}.json"))
    }
}

/// Writes a file as a whole or not at all, whatever happens to this process.
fn replace(path: &Path, text: &str) -> Result<(), SweepError> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| cannot("write", path, &error))
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> SweepError {
    SweepError::Refused(format!("cannot {what} {}: {error}", path.display()))
}

const TASKS: &str = "tasks.jsonl";
const RESULTS: &str = "results";
