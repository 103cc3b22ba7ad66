//! What bridges say about their load, and in which forms they say it.

#[cfg(feature = "json")]
mod json;
mod orca;
mod report;

pub use orca::Orca;
pub use report::Report;
