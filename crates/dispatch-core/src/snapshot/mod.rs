//! Everything that a dispatcher knows, written down: bytes for machines, JSON for people.
//!
//! A snapshot describes what matters, not how it is kept: calls in the order of their deadlines,
//! members with their seats, whose turn it is. Tables, queues and orders are built anew from that.

mod format;
mod hex;
pub(crate) mod state;

use crate::config::Config;
use crate::time::Time;
use state::State;

/// Everything that a [`Dispatcher`](crate::Dispatcher) knows at one moment: made by
/// [`snapshot`](crate::Dispatcher::snapshot), and made a dispatcher again by
/// [`restore`](crate::Dispatcher::restore), which then decides as the first one would.
///
/// It has two written forms, [bytes](Self::to_bytes) and JSON, which mean the same. Both say in which
/// [version](Self::VERSION) of the format they are and carry a checksum of what is described, so that
/// one that was cut off or changed is refused. Neither holds a Call-ID or the name of a tenant that is
/// not in the configuration: both hold keyed hashes, and the key in [`Config::seed`] or
/// [`Config::hash_key`], so that a snapshot is as secret as its configuration.
///
/// What other [replicas](crate::replica) said is not in it: they say it again with their next full
/// deltas. A replica that starts again has a greater epoch: [`with_epoch`](Self::with_epoch).
///
/// ```
/// use callsteer::{Call, Config, Destination, Dispatcher, Snapshot, Time};
///
/// let now = Time::from_secs(90_000);
/// let mut dispatcher = Dispatcher::new(Config::default())?;
/// dispatcher.add(1, Destination::new("sip:10.0.0.1"), now)?;
/// let placed = dispatcher.begin(&Call::new(b"a84b4c76e66710"), now)?;
/// let bytes = dispatcher.snapshot().to_bytes();
///
/// // Later, in another process, whose clock began anew: the call is known by the same lease.
/// let mut dispatcher = Dispatcher::restore(&Snapshot::from_bytes(&bytes)?)?;
/// dispatcher.resume(Time::from_secs(3), std::time::Duration::from_secs(20));
/// assert_eq!(dispatcher.destination_of(placed.lease), Some(placed.destination));
/// assert!(dispatcher.end(placed.lease, Time::from_secs(4)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Snapshot(pub(crate) State);

impl Snapshot {
    /// The version of both forms: another one is refused. It changes with every release that keeps
    /// other things, or the same ones otherwise.
    pub const VERSION: u32 = 1;

    /// The configuration of the dispatcher.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.0.config
    }

    /// For a replica that starts again: what was said of its calls before means nothing to the others
    /// from now on. Changes nothing without `Config::replicas`.
    #[must_use]
    pub fn with_epoch(mut self, epoch: u64) -> Self {
        if let Some(replicas) = &mut self.0.config.replicas {
            replicas.epoch = epoch;
        }
        self
    }

    /// When it was made: the last time that the dispatcher had seen, since the epoch of its first clock.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.0.now
    }
}
