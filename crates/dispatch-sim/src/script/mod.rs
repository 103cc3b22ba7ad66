//! kamailio.cfg, as far as the dispatcher goes: module parameters, and calls of its functions.
//!
//! Preprocessor lines, included files, comments and strings are read as Kamailio reads them; the rest
//! of the language is passed over, but for its blocks. What cannot be understood is a [`Doubt`].

mod lexer;
pub mod lint;
pub mod names;
mod preprocess;
mod read;
mod selections;
mod token;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

pub use selections::Selection;

/// What a kamailio.cfg says.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// `modparam(...)` of every module, in order.
    pub params: Vec<Param>,
    /// Calls of the dispatcher's functions, and of those that tell retransmissions, in order.
    pub calls: Vec<Call>,
    /// Modules loaded, without path and `.so`.
    pub modules: Vec<(String, Place)>,
    /// Routing blocks, such as `failure_route[NEXT]`.
    pub blocks: Vec<(String, Place)>,
    /// `children`: processes that serve one socket; 8 where it is not said.
    pub children: Option<i64>,
    /// What was not understood.
    pub doubts: Vec<Doubt>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named.
    pub file: Rc<str>,
    /// The line, from 1.
    pub line: usize,
}

/// A `modparam`.
#[derive(Clone, Debug)]
pub struct Param {
    /// Where it stands.
    pub place: Place,
    /// The module, or several: `"tm|dispatcher"`.
    pub module: String,
    /// The parameter.
    pub name: String,
    /// What it is set to.
    pub value: Value,
}

/// A function that is called.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where it stands.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<Value>,
    /// The routing block it stands in.
    pub block: String,
    /// The selection whose failure leads here: this one stands in the block of `if (!ds_select_dst(...))`.
    /// An index into [`Script::calls`].
    pub fallback_of: Option<usize>,
}

/// A value as far as a text shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A string.
    Text(String),
    /// What only a running Kamailio knows: a variable, an expression.
    Unknown(String),
}

/// Something that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub message: String,
}

/// Why a kamailio.cfg was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The file and, where one is known, the line.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

impl Script {
    /// Reads a file and those that it includes. `defines` are those of Kamailio's option `-A`.
    ///
    /// # Errors
    /// The file cannot be read, or has a string, a comment, a bracket or a condition without an end.
    pub fn read(file: &Path, defines: &BTreeMap<String, String>) -> Result<Self, ScriptError> {
        let mut reader = lexer::Lexer::new(defines);
        reader.file(file)?;
        read::script(reader.finish()?)
    }

    /// The last value that a parameter of a module was given, which is the one that counts.
    #[must_use]
    pub fn param(&self, module: &str, name: &str) -> Option<&Param> {
        self.params.iter().rev().find(|param| param.is_of(module) && param.name == name)
    }

    /// A whole number that a parameter of the dispatcher was given.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.param("dispatcher", name)?.value.number()
    }

    /// Whether a module is loaded.
    #[must_use]
    pub fn loads(&self, module: &str) -> bool {
        self.modules.iter().any(|(name, _)| name == module)
    }

    /// The calls of a function.
    pub fn calls_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Call> {
        self.calls.iter().filter(move |call| call.name == name)
    }
}

impl Param {
    /// Whether it is set for this module.
    #[must_use]
    pub fn is_of(&self, module: &str) -> bool {
        self.module.split('|').any(|one| one == module)
    }
}

impl Value {
    /// The number that it is, also one in quotes, as functions take it.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Unknown(_) => None,
        }
    }

    /// The text that it is; of a number, its digits.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Unknown(source) => f.write_str(source),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(Value::to_string).collect();
        write!(f, "{}({})", self.name, args.join(", "))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for ScriptError {}

#[cfg(test)]
mod tests;
