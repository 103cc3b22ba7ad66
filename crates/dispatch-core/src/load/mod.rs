//! What bridges say about their load, and in which forms they say it.

#[cfg(feature = "json")]
mod json;
mod report;
pub(crate) mod score;

pub use report::Report;
