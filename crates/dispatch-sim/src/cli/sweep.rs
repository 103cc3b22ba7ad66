//! `callsteer bench --sweep`: one scenario with many values of its keys, as tasks that anybody may run.

use std::path::PathBuf;
use std::process::ExitCode;

use callsteer_sim::sweep::{Sweep, SweepError, Swept, Waiting, table};
use clap::Args;

use super::bar::Bar;
use super::{Done, print};

/// How a sweep goes.
#[derive(Args)]
#[group(id = "sweeping")]
pub(super) struct Sweeping {
    /// Simulate every combination of the values in this TOML file (docs/sweep.md) in place of the replays; where tasks are
    /// done already, only the others
    #[arg(long = "sweep", value_name = "GRID", requires = "out", conflicts_with_all = REPLAY)]
    grid: Option<PathBuf>,
    /// Where the tasks of a sweep and their results go
    #[arg(long, value_name = "FOLDER", requires = "grid")]
    out: Option<PathBuf>,
    /// Write the tasks of a sweep, and run none
    #[arg(long, requires = "grid")]
    tasks_only: bool,
    /// Run the task of a sweep with this id, and nothing else; may be given several times
    #[arg(long = "task", value_name = "ID", requires = "grid", conflicts_with = "tasks_only")]
    tasks: Vec<String>,
    /// Join the results of a sweep, and run nothing
    #[arg(long, requires = "grid", conflicts_with_all = ["tasks", "tasks_only"])]
    join: bool,
}

impl Sweeping {
    /// Does what is asked for, if it is a sweep.
    pub(super) fn run(&self, quiet: bool) -> Option<Done> {
        let (grid, out) = (self.grid.as_ref()?, self.out.as_ref()?);
        Some(Sweep::open(grid, out).map_err(Into::into).and_then(|sweep| self.sweep(&sweep, quiet)))
    }

    fn sweep(&self, sweep: &Sweep, quiet: bool) -> Done {
        if !self.tasks.is_empty() {
            let task = |id: &String| sweep.task(id).ok_or_else(|| format!("there is no task {id}"));
            let tasks = self.tasks.iter().map(task).collect::<Result<Vec<_>, _>>()?;
            run(sweep, &tasks, quiet)?;
            return Ok(ExitCode::SUCCESS);
        }
        if !self.join {
            let Waiting { tasks, damaged } = sweep.waiting();
            for what in damaged {
                eprintln!("callsteer: {what}: the task is run again");
            }
            let (waiting, of) = (tasks.len(), sweep.tasks().len());
            print(&format!("{of} tasks, {} of them done\n", of - waiting))?;
            if self.tasks_only {
                return Ok(ExitCode::SUCCESS);
            }
            run(sweep, &tasks, quiet)?;
        }
        let swept = sweep.join()?;
        print(&self.joined(&swept))?;
        Ok(ExitCode::SUCCESS)
    }

    fn joined(&self, swept: &Swept) -> String {
        let out = self.out.clone().unwrap_or_default();
        let [json, csv] = ["sweep.json", "sweep.csv"].map(|name| out.join(name));
        format!("{}Joined: {}, {}\n", table::render(swept), json.display(), csv.display())
    }
}

fn run(sweep: &Sweep, tasks: &[&callsteer_sim::sweep::Task], quiet: bool) -> Result<(), SweepError> {
    let bar = Bar::new("tasks", quiet);
    bar.begin("");
    sweep.run(tasks, &|done, of| bar.show(done, of))?;
    bar.hide();
    Ok(())
}

/// What is of the replays alone.
const REPLAY: [&str; 16] = [
    "trace",
    "format",
    "columns",
    "calls",
    "bridges",
    "weights",
    "max_calls",
    "capacity",
    "policies",
    "replays",
    "seed",
    "seeds",
    "json",
    "csv",
    "report",
    "log",
];
