//! What bridges say about their load, and in which forms they say it.

mod agent_check;
pub(crate) mod costs;
mod freeswitch;
#[cfg(feature = "json")]
mod json;
mod orca;
mod report;
mod resources;
pub(crate) mod score;
pub(crate) mod traffic;

pub use agent_check::{AgentAdmin, AgentCheck, AgentOperational, AgentWeight, UnknownWord};
pub use freeswitch::Heartbeat;
pub use orca::Orca;
pub use report::Report;
pub use resources::{Combine, Resource, Resources};
