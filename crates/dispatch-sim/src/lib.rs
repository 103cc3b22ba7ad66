//! Replays calls through the real dispatcher and measures how evenly each algorithm spreads them.
//!
//! ```
//! use callsteer_sim::{bank, compare, policy, progress};
//!
//! let workload = bank::workload(bank::bridges(16), 200.0);
//! let policies = [policy::named("round_robin"), policy::named("call_load")].map(Option::unwrap);
//! let report = compare::compare(&workload, &policies, &[1], &progress::unwatched)?;
//! assert!(report.row("call_load").unwrap().cv.mean < report.row("round_robin").unwrap().cv.mean);
//! # Ok::<(), compare::CompareError>(())
//! ```
//!
//! In reading order: a [`workload`] is a fleet and its calls, drawn ([`arrivals`], [`lengths`],
//! [`bank`]) or recorded ([`trace`]); [`replay`] leads it through one [`policy`] on
//! [`callsteer::Dispatcher`] itself and takes the [`figures`]; [`compare`] does so for every policy
//! and seed; a [`report`] and a [`sheet`] say what came out, for machines, a [`table`] and a [`page`] for people.
//!
//! Where costs vary in time, bridges report their load and things go wrong, a [`scenario`] takes the
//! workload's place and a [`simulation`] that of the replay.
//!
//! Many values of its keys are a [`sweep`]: tasks that one machine or a cluster runs, to the same bytes.
//!
//! A program that has calls in memory runs a [`bench`](mod@bench) on them. What is written for people and read from
//! files needs the feature `cli`; without it this is a library of few dependencies.
//!
//! A log of [`decisions`] is checked step by step; a replay can write one.

#![forbid(unsafe_code)]

pub mod arrivals;
pub mod bank;
pub mod bench;
pub mod compare;
pub mod course;
#[cfg(feature = "database")]
pub mod database;
pub mod decisions;
mod draw;
pub mod estimate;
pub mod figures;
pub mod lengths;
#[cfg(feature = "cli")]
pub mod migrate;
#[cfg(feature = "cli")]
pub mod page;
pub mod policy;
pub mod progress;
pub mod recorded;
pub mod replay;
pub mod report;
pub mod scenario;
#[cfg(feature = "cli")]
pub mod script;
#[cfg(feature = "cli")]
pub mod shadow;
#[cfg(feature = "csv")]
pub mod sheet;
pub mod simulation;
mod steps;
#[cfg(feature = "csv")]
pub mod sweep;
#[cfg(feature = "cli")]
pub mod table;
#[cfg(feature = "cli")]
pub mod trace;
pub mod workload;
