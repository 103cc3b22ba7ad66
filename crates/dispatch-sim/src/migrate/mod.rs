//! From a kamailio.cfg and its list to a configuration of Callsteer; whatever is not carried over is named.

mod list;
mod params;
mod policies;

use std::collections::BTreeMap;
use std::fmt;

use callsteer::Config;
use callsteer::list::List;
use serde_json::Value as Json;

use crate::script::{Script, names};

/// What became of a kamailio.cfg.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The configuration.
    pub config: Config,
    /// The list.
    pub list: List,
    /// What became of each line, in the order of the files.
    pub lines: Vec<Line>,
}

/// What became of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// File and line; the file alone where it says nothing.
    pub place: String,
    /// What it became.
    pub fate: Fate,
    /// What stands there, and what stands for it here.
    pub what: String,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It stands in the configuration or in the list.
    Carried,
    /// It has no counterpart and needs none.
    Needless,
    /// It stands in the configuration or in the list, and does something else.
    Differs,
    /// The program around the library has to do it.
    Outside,
    /// It has no counterpart, or nobody knows what it means.
    Lost,
}

/// How to migrate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The same decisions as Kamailio's, by the algorithm `kamailio`, in place of the better ones.
    pub as_kamailio: bool,
}

/// Migrates a script, and a list that was read from `file`.
#[must_use]
pub fn migrate(script: &Script, list: List, file: &str, options: Options) -> Migration {
    let mut migration = Migration { config: Config::default(), list, lines: Vec::new() };
    for doubt in &script.doubts {
        migration.say(&doubt.place, Fate::Lost, doubt.message.clone());
    }
    params::carry(script, file, options, &mut migration);
    policies::carry(script, options, &mut migration);
    functions(script, &mut migration);
    let places = places(script);
    migration.lines.sort_by_key(|line| places.get(&line.place).copied().unwrap_or(usize::MAX));
    list::carry(script, file, &mut migration);
    migration
}

impl Migration {
    /// What of the configuration is not a default, as JSON.
    #[must_use]
    pub fn config_changes(&self) -> Json {
        let [new, old] = [&self.config, &Config::default()]
            .map(|config| serde_json::to_value(config).expect("a configuration has no foreign types"));
        changes(new, &old).unwrap_or_else(|| Json::Object(serde_json::Map::new()))
    }

    /// How many lines had this fate.
    #[must_use]
    pub fn count(&self, fate: Fate) -> usize {
        self.lines.iter().filter(|line| line.fate == fate).count()
    }

    fn say(&mut self, place: &dyn fmt::Display, fate: Fate, what: impl Into<String>) {
        self.lines.push(Line { place: place.to_string(), fate, what: what.into() });
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Carried => "carried",
            Self::Needless => "needless",
            Self::Differs => "differs",
            Self::Outside => "outside",
            Self::Lost => "lost",
        })
    }
}

/// Functions but the selections, and event routes.
fn functions(script: &Script, migration: &mut Migration) {
    let others =
        script.calls.iter().filter(|call| call.name.starts_with("ds_") && !names::selects(&call.name));
    for call in others {
        match names::function(&call.name) {
            Some(known) => migration.say(&call.place, Fate::Outside, format!("{call}: {}", known.here)),
            None => {
                migration.say(&call.place, Fate::Lost, format!("{call}: Kamailio 5.6 has no such function"));
            }
        }
    }
    for (block, place) in script.blocks.iter().filter(|(block, _)| block.contains("[dispatcher:")) {
        migration.say(place, Fate::Outside, format!("{block}: `poll_event` tells who is down and up"));
    }
}

/// The places of a script, in its order.
fn places(script: &Script) -> BTreeMap<String, usize> {
    let params = script.params.iter().map(|param| &param.place);
    let calls = script.calls.iter().map(|call| &call.place);
    let blocks = script.blocks.iter().map(|(_, place)| place);
    let doubts = script.doubts.iter().map(|doubt| &doubt.place);
    let mut places: Vec<_> = params.chain(calls).chain(blocks).chain(doubts).collect();
    places.sort_unstable();
    places.into_iter().enumerate().map(|(number, place)| (place.to_string(), number)).collect()
}

/// What of `new` is not in `old`.
fn changes(new: Json, old: &Json) -> Option<Json> {
    match (new, old) {
        (Json::Object(new), Json::Object(old)) => {
            let changed = |(key, new): (String, Json)| {
                let change = old.get(&key).map_or(Some(new.clone()), |old| changes(new, old));
                change.map(|change| (key, change))
            };
            let changed: serde_json::Map<_, _> = new.into_iter().filter_map(changed).collect();
            (!changed.is_empty()).then_some(Json::Object(changed))
        }
        (new, old) => (new != *old).then_some(new),
    }
}

#[cfg(test)]
mod tests;
