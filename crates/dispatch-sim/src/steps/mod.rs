//! Steps: commands to a dispatcher and what they gave, as testdata/README.md writes them.
//!
//! The vectors of all languages and logs of decisions are made of steps. The test of the vectors
//! (`vectors` of the crate `callsteer`) includes this folder by its path.

pub(crate) mod answers;
pub(crate) mod command;
pub(crate) mod driver;
pub(crate) mod format;
