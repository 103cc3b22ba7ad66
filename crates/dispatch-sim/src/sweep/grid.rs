//! A grid as a file: TOML, whose keys `docs/sweep.md` describes.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::{Spanned, Table};

use super::SweepError;
use super::axes::{self, Axis};
use super::task::{RECORDED, Task};
use crate::scenario::file::{FileError, with_hint};
use crate::scenario::{Scenario, embedded, file};
use crate::simulation::policy::{self, Policy};

/// A scenario, values for some of its keys, policies and seeds: what a sweep is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Its name, in tables and JSON. A folder belongs to the grid of this name.
    pub name: String,
    /// What it shows, in one line.
    pub about: String,
    /// The name or the file of the scenario.
    pub base: String,
    /// The keys that change.
    pub axes: Vec<Axis>,
    /// The policies.
    pub policies: Vec<Policy>,
    /// One simulation per cell, policy and seed.
    pub seeds: Vec<u64>,
    /// Every combination of values; the last axis changes first.
    pub cells: Vec<Cell>,
}

/// One combination of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The value of each axis.
    pub values: Vec<Value>,
    /// The scenario.
    pub scenario: Scenario,
    /// The same as TOML. It has no name: that changes no result.
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    about: String,
    base: Spanned<String>,
    policies: Spanned<Vec<Spanned<String>>>,
    #[serde(default = "usual_seeds")]
    seeds: Spanned<Seeds>,
    axes: Spanned<Table>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a number of seeds, or a list of them")]
enum Seeds {
    Count(u64),
    List(Vec<u64>),
}

/// What is wrong, and where.
struct Refused(Range<usize>, String);

impl Grid {
    /// Reads a grid from its file; a base that is a file is looked for beside it.
    pub(super) fn read(path: &Path) -> Result<Self, SweepError> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| SweepError::Refused(format!("cannot read {name}: {error}")))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
            .map_err(|error| SweepError::Refused(format!("{name}:{error}")))
    }

    /// Reads a grid; a base that is a file is looked for in `folder`.
    ///
    /// # Errors
    /// Where it is not TOML, a key is unknown or missing, a value is out of its range, or a cell is no scenario.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, FileError> {
        let file: File = toml::from_str(text).map_err(|error| {
            FileError::at(text, error.span().unwrap_or_default().start, with_hint(error.message()))
        })?;
        file.grid(text, folder).map_err(|Refused(at, what)| FileError::at(text, at.start, what))
    }

    /// Every task: cell by cell, policy by policy, seed by seed.
    pub(super) fn tasks(&self) -> Result<Vec<Task>, SweepError> {
        let mut tasks = Vec::with_capacity(self.cells.len() * self.policies.len() * self.seeds.len());
        let mut seen = HashMap::new();
        for cell in &self.cells {
            let named = self.axes.iter().map(|axis| axis.key.clone()).zip(cell.values.iter().cloned());
            let named: Map<_, _> = named.collect();
            for (policy, seed) in
                self.policies.iter().flat_map(|of| self.seeds.iter().map(move |seed| (of, *seed)))
            {
                let task = Task::new(&self.name, named.clone(), policy.name, seed, &cell.text);
                if let Some(other) = seen.insert(task.id.clone(), cell) {
                    let [one, two] = [other, cell].map(|cell| self.label(&cell.values));
                    return Err(SweepError::Refused(format!("cells {one} and {two} are the same")));
                }
                tasks.push(task);
            }
        }
        Ok(tasks)
    }

    fn label(&self, values: &[Value]) -> String {
        label(&self.axes, values)
    }
}

impl File {
    fn grid(self, text: &str, folder: &Path) -> Result<Grid, Refused> {
        let base = base(self.base.get_ref(), folder).map_err(|what| Refused(self.base.span(), what))?;
        let policies = policies(&self.policies)?;
        let seeds = seeds(&self.seeds)?;
        let axes = axes::read(text, self.axes.get_ref()).map_err(|(at, what)| Refused(at, what.into()))?;
        let at = self.axes.span();
        let tasks = axes.iter().map(|axis| axis.values.len()).chain([policies.len(), seeds.len()]);
        let tasks = tasks.fold(1usize, usize::saturating_mul);
        check(!axes.is_empty(), &at, "a grid has an axis at least")?;
        check(tasks <= MOST_TASKS, &at, format!("{tasks} tasks are more than {MOST_TASKS}"))?;
        let count = axes.iter().map(|axis| axis.values.len()).product();
        let cells = (0..count).map(|number| cell(&base, &axes, number, &at)).collect::<Result<_, _>>()?;
        let base = self.base.into_inner();
        Ok(Grid { name: self.name, about: self.about, base, axes, policies, seeds, cells })
    }
}

/// The cell of this number: its digits, by the lengths of the axes, are those of its values.
fn cell(base: &Table, axes: &[Axis], number: usize, at: &Range<usize>) -> Result<Cell, Refused> {
    let mut rest = number;
    let mut chosen = vec![0; axes.len()];
    for (digit, axis) in chosen.iter_mut().zip(axes).rev() {
        *digit = rest % axis.values.len();
        rest /= axis.values.len();
    }
    let mut table = base.clone();
    for (axis, number) in axes.iter().zip(&chosen) {
        axis.set(*number, &mut table);
    }
    let values: Vec<_> =
        axes.iter().zip(&chosen).map(|(axis, number)| axis.values[*number].clone()).collect();
    match scenario(&table) {
        Ok((scenario, text)) => Ok(Cell { values, scenario, text }),
        Err(what) => Err(blame(base, axes, &chosen)
            .unwrap_or_else(|| Refused(at.clone(), format!("{}: {what}", label(axes, &values))))),
    }
}

/// The value that makes no scenario of the base, even alone.
fn blame(base: &Table, axes: &[Axis], chosen: &[usize]) -> Option<Refused> {
    axes.iter().zip(chosen).find_map(|(axis, number)| {
        let mut table = base.clone();
        axis.set(*number, &mut table);
        let what = scenario(&table).err()?;
        if !what.starts_with("unknown key") {
            return Some(Refused(axis.value_at(*number), what));
        }
        let meant = axis.elsewhere(base).find(|(_, table)| scenario(table).is_ok());
        let what =
            meant.map_or(what, |(key, _)| format!("unknown key `{}`; did you mean `{key}`?", axis.key));
        Some(Refused(axis.at(), what))
    })
}

/// The scenario of a table, and its text.
fn scenario(table: &Table) -> Result<(Scenario, String), String> {
    let mut table = table.clone();
    table.insert("name".into(), "".into());
    table.insert("about".into(), "".into());
    let text = toml::to_string(&table).map_err(|error| error.to_string())?;
    let scenario = file::parse(&text).map_err(|error| error.message)?;
    if scenario.needs_trace() { Err(RECORDED.into()) } else { Ok((scenario, text)) }
}

/// The base: an embedded scenario, or a file.
fn base(name: &str, folder: &Path) -> Result<Table, String> {
    let text = if let Some(text) = embedded::text(name) {
        text.to_owned()
    } else if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        std::fs::read_to_string(folder.join(name)).map_err(|error| format!("cannot read {name}: {error}"))?
    } else {
        let names: Vec<_> = embedded::all().into_iter().map(|scenario| scenario.name).collect();
        return Err(format!("there is no scenario `{name}`{}", near(name, names.iter().map(|name| &**name))));
    };
    let within = |error: FileError| format!("{name}:{error}");
    let parsed = file::parse(&text).map_err(within)?;
    if parsed.needs_trace() {
        return Err(RECORDED.into());
    }
    toml::from_str(&text).map_err(|error| error.message().into())
}

fn policies(names: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<Policy>, Refused> {
    let mut policies = Vec::new();
    for name in names.get_ref() {
        let policy = policy::named(name.get_ref()).ok_or_else(|| {
            let known = policy::ALL.iter().map(|policy| policy.name);
            Refused(
                name.span(),
                format!("there is no policy `{0}`{1}", name.get_ref(), near(name.get_ref(), known)),
            )
        })?;
        check(!policies.contains(&policy), &name.span(), "this policy stands twice")?;
        policies.push(policy);
    }
    check(!policies.is_empty(), &names.span(), "there is at least one policy")?;
    Ok(policies)
}

fn seeds(seeds: &Spanned<Seeds>) -> Result<Vec<u64>, Refused> {
    let (at, seeds) = (
        seeds.span(),
        match seeds.get_ref() {
            Seeds::Count(count) => (1..=(*count).min(MOST_SEEDS + 1)).collect(),
            Seeds::List(seeds) => seeds.clone(),
        },
    );
    check(
        (1..=MOST_SEEDS as usize).contains(&seeds.len()),
        &at,
        format!("there are 1 to {MOST_SEEDS} seeds"),
    )?;
    let twice = (1..seeds.len()).any(|n| seeds[..n].contains(&seeds[n]));
    check(!twice, &at, "a seed stands twice")?;
    Ok(seeds)
}

/// "fleet.dispatchers = 4, fleet.load = 0.9".
fn label(axes: &[Axis], values: &[Value]) -> String {
    let one = |(axis, value): (&Axis, &Value)| format!("{} = {value}", axis.key);
    axes.iter().zip(values).map(one).collect::<Vec<_>>().join(", ")
}

/// "; did you mean `base16`?", where something is near.
fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let far = |known: &&str| strsim::damerau_levenshtein(name, known);
    let nearest = known.min_by_key(far).filter(|known| far(known) <= 2.max(known.len() / 3));
    nearest.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default()
}

fn check(holds: bool, at: &Range<usize>, otherwise: impl Into<String>) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(Refused(at.clone(), otherwise.into())) }
}

fn usual_seeds() -> Spanned<Seeds> {
    Spanned::new(0..0, Seeds::Count(20))
}

const MOST_SEEDS: u64 = 1_000;
const MOST_TASKS: usize = 100_000;

#[cfg(test)]
mod tests;
