//! Chooses the bridge that takes the next call, and keeps track of the call until it ends.
//!
//! A [`Dispatcher`] holds destinations in sets, decides which of them takes a call, counts the call
//! there, moves it on when it fails, and notices when destinations come and go. It carries no SIP,
//! opens no socket and reads no clock: a proxy or control plane tells it what happens, and when.
//!
//! # One call from begin to end
//!
//! ```
//! use callsteer::{Blame, Call, Config, Destination, Dispatcher, Failure, Time};
//!
//! let mut now = Time::from_secs(0);
//! let mut dispatcher = Dispatcher::new(Config::default())?;
//! for uri in ["sip:10.0.0.1", "sip:10.0.0.2"] {
//!     dispatcher.add(1, Destination { max_calls: 50, ..Destination::new(uri) }, now)?;
//! }
//!
//! // INVITE: a destination is chosen, and the call is counted there.
//! let call = Call { class: Some("healthcare"), ..Call::new(b"a84b4c76e66710@pc33") };
//! let placed = dispatcher.begin(&call, now)?;
//!
//! // 503: another one is tried; the first has one call less, and a failure to its name.
//! let blame = dispatcher.fail(placed.lease, Failure::reply(503), now)?;
//! assert_eq!(blame, Blame::Destination);
//! let moved = dispatcher.next(placed.lease, now)?;
//! assert_ne!(moved.destination, placed.destination);
//!
//! // 200, and later BYE.
//! dispatcher.confirm(placed.lease, now)?;
//! now = Time::from_secs(95);
//! assert!(dispatcher.end(placed.lease, now));
//! assert_eq!(dispatcher.stats().calls, 0);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Where to go on
//!
//! - [`Config`] and [`Destination`]: everything that can be set, with its default.
//! - [`Algorithm`]: how a destination is chosen, and what each algorithm promises.
//! - [`Dispatcher`]: commands, reports, polls and getters, in this order.
//! - [`Report`] with [`Orca`], [`AgentCheck`] and [`Heartbeat`]: what bridges say about their load.
//! - [`list`]: dispatcher.list, parsed, linted and written back.
//! - [`kamailio`]: what Kamailio's dispatcher decides, and a model of it.
//! - [`replica`]: several dispatchers over one fleet.
//! - [`Dispatcher::resume`], and with `serde` `Snapshot`: after a restart.
//! - [`metrics`]: Prometheus text. [`Scaler`] and [`erlang`]: how many bridges.
//!
//! Every refusal is an error with a `code()`, the same in every language: [`CODES`].
//!
//! # Features
//!
//! `std` (default) adds [`SharedDispatcher`], and changes nothing of what is decided. `serde` reads and writes configuration,
//! destinations and answers, and adds `Snapshot`. `json` (with `serde`) reads reports written as JSON.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod call;
mod calls;
mod capacity;
mod config;
mod destination;
mod dispatcher;
mod error;
mod event;
mod fleet;
mod hash;
mod health;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
pub mod kamailio;
pub mod list;
mod load;
mod member;
pub mod metrics;
mod rate;
pub mod replica;
mod rng;
mod select;
mod set;
#[cfg(feature = "std")]
mod shared;
mod slots;
#[cfg(feature = "serde")]
mod snapshot;
mod standing;
mod stats;
mod tenants;
#[cfg(feature = "std")]
mod threads;
mod time;

pub use call::{Blame, Call, Failure, Lease, Picked, Placed, Probe, ProbeResult};
pub use capacity::{ScaleEvent, Scaler, Usage, drain_candidates, erlang};
pub use config::{
    Algorithm, Config, EjectionConfig, HealthConfig, Limits, ProbingConfig, ProbingMode, ReplicasConfig,
    ReplyCodes, Route, ScalingConfig, SetId, TenantLimits, Threshold,
};
pub use destination::{Destination, DestinationId, Starts};
pub use dispatcher::{
    Capacity, Change, Dispatcher, Estimated, Explanation, Inventory, Plan, Reconciled, Row, Status,
};
pub use error::{
    AddError, BeginError, CODES, ConfigError, DeltaError, DestinationError, FailError, NextError, NoSuchCall,
    NoSuchDestination, PlanError, ProbeError, ReadError, ReportError, ScoreError, SnapshotError, StalePlan,
    UpdateError,
};
pub use event::{Event, EventKind};
pub use health::Observed;
pub use health::eject::Cause;
pub use health::probe::Probing;
pub use load::{
    AgentAdmin, AgentCheck, AgentOperational, AgentWeight, Combine, Heartbeat, Orca, Report, Resource,
    Resources, UnknownWord,
};
pub use member::Will;
#[cfg(feature = "std")]
pub use shared::SharedDispatcher;
#[cfg(feature = "serde")]
pub use snapshot::Snapshot;
pub use standing::Standing;
pub use stats::Stats;
pub use time::Time;

/// The examples of the README and of the book are compiled and run as tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/choose.md")]
    struct Choose;
    #[doc = include_str!("../../../docs/dispatcher-list.md")]
    struct DispatcherList;
}
