//! Chooses the bridge that takes the next call.

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
pub mod list;
mod load;
mod member;
pub mod metrics;
mod rate;
mod rng;
mod select;
mod set;
mod slots;
mod tenants;
mod time;

pub use call::{Blame, Call, Failure, Lease, Placed, Probe, ProbeResult};
pub use capacity::{ScaleEvent, Scaler, Usage, drain_candidates, erlang};
pub use config::{
    Algorithm, Config, EjectionConfig, HealthConfig, ProbingConfig, ProbingMode, ReplyCodes, Route,
    ScalingConfig, SetId, TenantLimits, Threshold,
};
pub use destination::{Destination, DestinationId, Starts};
pub use dispatcher::{
    Capacity, Change, Dispatcher, Estimated, Explanation, Inventory, Plan, Reconciled, Row, Stats, Status,
};
pub use error::{
    AddError, BeginError, CODES, ConfigError, DestinationError, FailError, NextError, NoSuchCall,
    NoSuchDestination, PlanError, ProbeError, ReadError, ReportError, ScoreError, StalePlan, UpdateError,
};
pub use event::{Event, EventKind};
pub use health::Observed;
pub use health::eject::Cause;
pub use health::probe::Probing;
pub use load::{
    AgentAdmin, AgentCheck, AgentOperational, AgentWeight, Combine, Heartbeat, Orca, Report, Resource,
    Resources, UnknownWord,
};
pub use member::{Standing, Will};
pub use time::Time;
