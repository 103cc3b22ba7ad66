//! The preprocessor of a kamailio.cfg: definitions, conditions, substitutions.

use std::collections::BTreeMap;

use super::{Doubt, Place, ScriptError};

pub(super) struct Preprocessor {
    defines: BTreeMap<String, String>,
    /// What is replaced inside of strings, by what.
    substitutions: Vec<(String, String)>,
    conditions: Vec<Condition>,
    pub(super) doubts: Vec<Doubt>,
}

struct Condition {
    place: Place,
    holds: Holds,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    /// Nobody knows here: both branches are read.
    Unknown,
}

impl Preprocessor {
    pub(super) fn new(defines: &BTreeMap<String, String>) -> Self {
        let (substitutions, conditions, doubts) = (Vec::new(), Vec::new(), Vec::new());
        Self { defines: defines.clone(), substitutions, conditions, doubts }
    }

    /// What a name stands for.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        self.defines.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// Whether the text here is left out.
    pub(super) fn skips(&self) -> bool {
        self.conditions.iter().any(|condition| condition.holds == Holds::No)
    }

    /// A string with what `#!subst` and `#!substdef` replace in it.
    pub(super) fn substitute(&self, text: String) -> String {
        self.substitutions.iter().fold(text, |text, (what, by)| text.replace(what, by))
    }

    /// The condition that is still open.
    pub(super) fn open(&self) -> Option<&Place> {
        self.conditions.last().map(|condition| &condition.place)
    }

    /// A line that starts with `#!` or `!!`.
    pub(super) fn directive(&mut self, line: &str, place: &Place) -> Result<(), ScriptError> {
        let line = line.get(2..).unwrap_or_default();
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match name {
            "ifdef" => self.condition(place, self.defines.contains_key(rest)),
            "ifndef" => self.condition(place, !self.defines.contains_key(rest)),
            "ifexp" => {
                self.conditions.push(Condition { place: place.clone(), holds: Holds::Unknown });
                if !self.skips() {
                    self.doubt(
                        place,
                        format!("the condition {rest:?} is not evaluated: both branches are read"),
                    );
                }
            }
            "else" => match self.conditions.last_mut() {
                Some(condition) => condition.holds = condition.holds.otherwise(),
                None => return refuse(place, "#!else without #!ifdef"),
            },
            "endif" => {
                if self.conditions.pop().is_none() {
                    return refuse(place, "#!endif without #!ifdef");
                }
            }
            _ if self.skips() => {}
            _ => self.definition(name, rest, place),
        }
        Ok(())
    }

    fn definition(&mut self, name: &str, rest: &str, place: &Place) {
        let (defined, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let value = without_comment(value.trim());
        match name {
            "define" | "redefine" => drop(self.defines.insert(defined.into(), value.into())),
            "trydef" | "trydefine" => {
                self.defines.entry(defined.into()).or_insert_with(|| value.into());
            }
            "subst" | "substdef" | "substdefs" => self.substitution(name, rest, place),
            "KAMAILIO" | "OPENSER" | "SER" | "ALL" | "MAXCOMPAT" => {}
            // The interpreter of a script that starts itself.
            _ if name.starts_with('/') => {}
            _ => self.doubt(place, format!("#!{name} is not understood")),
        }
    }

    /// `/what/by/flags`, with any character for the `/`.
    fn substitution(&mut self, name: &str, rest: &str, place: &Place) {
        let rest = rest.trim_matches('"');
        let mut parts = rest.chars().next().map(|mark| rest.split(mark).skip(1)).into_iter().flatten();
        let (Some(what), Some(by)) = (parts.next(), parts.next()) else {
            return self.doubt(place, format!("#!{name} {rest} is not understood"));
        };
        if what.is_empty() || what.contains(['\\', '.', '*', '+', '?', '[', '(', '^', '$', '|']) {
            return self.doubt(place, format!("#!{name} {rest}: regular expressions are not followed"));
        }
        self.substitutions.push((what.into(), by.into()));
        match name {
            "substdef" => drop(self.defines.insert(what.into(), by.into())),
            "substdefs" => drop(self.defines.insert(what.into(), format!("\"{by}\""))),
            _ => {}
        }
    }

    fn condition(&mut self, place: &Place, holds: bool) {
        let holds = if holds { Holds::Yes } else { Holds::No };
        self.conditions.push(Condition { place: place.clone(), holds });
    }

    fn doubt(&mut self, place: &Place, message: String) {
        self.doubts.push(Doubt { place: place.clone(), message });
    }
}

impl Holds {
    const fn otherwise(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// A value without the comment behind it; a string keeps its `#`.
fn without_comment(value: &str) -> &str {
    let mut quote = None;
    for (at, char) in value.char_indices() {
        match (quote, char) {
            (None, '#') => return value[..at].trim_end(),
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            _ => {}
        }
    }
    value
}

fn refuse(place: &Place, message: &str) -> Result<(), ScriptError> {
    Err(ScriptError { place: place.to_string(), message: message.into() })
}
