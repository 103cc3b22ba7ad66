//! A sweep: one scenario with many values of its keys, as tasks that anybody may run.
//!
//! A [`Grid`] names a scenario, axes of values for its keys, policies and seeds. A [`Task`] is one simulation of it and
//! says everything that its result depends on; its id is made of that. A [`Sweep`] keeps tasks and results in a folder:
//! whoever ran which task when, they come to the same [`Swept`]. `docs/sweep.md` describes grids and files.

mod axes;
mod folder;
mod grid;
mod swept;
#[cfg(feature = "cli")]
pub mod table;
mod task;

use std::fmt;
use std::path::Path;

use rayon::prelude::*;

use crate::progress::{Cancelled, Meter, Progress};
use folder::{Folder, Found};

pub use axes::Axis;
pub use grid::{Cell, Grid};
pub use swept::{Swept, SweptCell, plain};
pub use task::{Outcome, Task};

/// A grid, its tasks, and the folder where they and their results are.
#[derive(Debug)]
pub struct Sweep {
    grid: Grid,
    tasks: Vec<Task>,
    folder: Folder,
}

/// What is still to be done.
#[derive(Debug)]
pub struct Waiting<'a> {
    /// The tasks without a result, in the order of the grid.
    pub tasks: Vec<&'a Task>,
    /// What is wrong with results that cannot be read; their tasks are among those above.
    pub damaged: Vec<String>,
}

impl Sweep {
    /// Reads the grid, makes the folder where there is none yet, and writes the tasks there.
    ///
    /// # Errors
    /// The grid is wrong; the folder is that of another sweep, or cannot be written.
    pub fn open(grid: &Path, folder: &Path) -> Result<Self, SweepError> {
        let grid = Grid::read(grid)?;
        let tasks = grid.tasks()?;
        let folder = Folder::open(folder, &tasks)?;
        Ok(Self { grid, tasks, folder })
    }

    /// Every task, in the order of the grid.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// The task with this id.
    #[must_use]
    pub fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == id)
    }

    /// What is still to be done.
    #[must_use]
    pub fn waiting(&self) -> Waiting<'_> {
        let mut waiting = Waiting { tasks: Vec::new(), damaged: Vec::new() };
        for task in &self.tasks {
            match self.folder.find(task) {
                Found::Figures(_) => continue,
                Found::Nothing => {}
                Found::Damaged(what) => waiting.damaged.push(what),
            }
            waiting.tasks.push(task);
        }
        waiting
    }

    /// Runs these tasks on all processors; each result is kept as soon as it is there.
    ///
    /// # Errors
    /// A result cannot be written; `progress` did not want to go on.
    pub fn run(&self, tasks: &[&Task], progress: Progress<'_>) -> Result<(), SweepError> {
        let meter = Meter::new(tasks.len(), progress);
        // One at a time: the last ones of a grid may take a thousand times as long as the first.
        tasks.par_iter().with_max_len(1).try_for_each(|task| {
            meter.pulse()?;
            self.folder.keep(&task.run()?)?;
            Ok(meter.advance()?)
        })
    }

    /// Keeps a result that somebody else made.
    ///
    /// # Errors
    /// It is of no task of this sweep, or cannot be written.
    pub fn keep(&self, outcome: &Outcome) -> Result<(), SweepError> {
        if !self.task(&outcome.id).is_some_and(|task| outcome.is_of(task)) {
            return Err(SweepError::Refused(format!("{} is no task of this sweep", outcome.id)));
        }
        self.folder.keep(outcome)
    }

    /// Joins the results of all tasks, as `sweep.json` and `sweep.csv` in the folder.
    ///
    /// # Errors
    /// A task has no result, or one that cannot be read; a file cannot be written.
    pub fn join(&self) -> Result<Swept, SweepError> {
        let waiting = self.waiting();
        if let Some(task) = waiting.tasks.first() {
            let (done, of) = (self.tasks.len() - waiting.tasks.len(), self.tasks.len());
            let damaged = waiting.damaged.first().map(|what| format!("; {what}")).unwrap_or_default();
            let missing = format!("{done} of {of} tasks have a result, {} has none{damaged}", task.id);
            return Err(SweepError::Refused(missing));
        }
        let figures = self.tasks.iter().filter_map(|task| match self.folder.find(task) {
            Found::Figures(figures) => Some(figures),
            Found::Nothing | Found::Damaged(_) => None,
        });
        let swept = Swept::new(&self.grid, figures.collect());
        self.folder.write("sweep.json", &swept.to_json())?;
        self.folder.write("sweep.csv", &crate::sheet::sweep(&swept))?;
        Ok(swept)
    }
}

/// Why a sweep does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweepError {
    /// Something cannot be used: what, where and why.
    Refused(String),
    /// Whoever was told of the progress did not want to go on.
    Cancelled,
}

impl fmt::Display for SweepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(what) => f.write_str(what),
            Self::Cancelled => Cancelled.fmt(f),
        }
    }
}

impl std::error::Error for SweepError {}

impl From<Cancelled> for SweepError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}
