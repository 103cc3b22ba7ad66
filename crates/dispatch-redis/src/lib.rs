//! Several [Callsteer](callsteer) dispatchers over one fleet, through Redis or Valkey.
//!
//! A [`Replica`] tells the others what its dispatcher knows, and takes what they say; with
//! [`Limits::Leases`](callsteer::Limits) it leases each place of the engine. While the engine is lost each goes on
//! alone, by its share or on the places that it holds, and [`Replica::metrics`] says so.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use callsteer::{Call, Config, Destination, ReplicasConfig, SharedDispatcher, Time};
//! use callsteer_redis::Replica;
//!
//! let start = std::time::Instant::now();
//! let clock = move || Time::ZERO + start.elapsed();
//! let replicas = Some(ReplicasConfig::new("host-1", 1_764_000_000_000)); // the time of this start
//! let dispatcher = Arc::new(SharedDispatcher::new(Config { dispatchers: 4, replicas, ..Config::default() })?);
//! dispatcher.with(|dispatcher| dispatcher.add(1, Destination::new("sip:10.0.0.1"), clock()))?;
//!
//! let replica = Replica::join(dispatcher, clock, "redis://10.0.0.9:6379/0", "callsteer")?;
//! let placed = replica.begin(&Call::new(b"a84b4c76e66710@pc33")).await?;
//! replica.end(b"a84b4c76e66710@pc33").await;
//! # Ok(())
//! # }
//! ```
//!
//! What goes over the wire stands in `docs/wire-replica.md`, the same for the packages in Python and Node, which
//! also let any replica answer for any call. Here a proxy asks for its own calls only: what a call needs is
//! where its transaction is.
//!
//! # Features
//!
//! `tls`: `rediss://`, by rustls.

#![forbid(unsafe_code)]

mod engine;
mod places;
mod replica;
mod state;

pub use replica::{Begun, JoinError, Replica};
