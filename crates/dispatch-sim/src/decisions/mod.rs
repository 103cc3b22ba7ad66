//! Logs of decisions: written while deciding, replayed and checked decision by decision.
//!
//! A log is JSON lines. The first one is `{"config": {...}}`, each further one a step in the form of
//! the vectors (testdata/README.md): a command, when, its arguments, and what it gave. A log and the
//! configuration in it are all that a decision depends on, so a dispatcher of the same version decides
//! the same again, in any language.

mod check;
mod logged;

pub use check::{Difference, LogError, Verdict, check};
pub(crate) use logged::Logged;
