//! What several dispatchers over one fleet tell each other, and what becomes of it.
//!
//! Each replica says what it alone knows: its own calls per destination, what its probes and its calls
//! found out, what its operator wants. It says so in [`Delta`]s, which may be lost, come twice, late and
//! in any order: what is known after them depends only on which of them came, not on when. Counts are
//! states, never steps: a row replaces the older row of the same replica, and nobody writes the rows of
//! another.
//!
//! ```text
//! replica -> epoch, beat, floor, rows    the greater epoch replaces all of the smaller
//! row (set, id)                          the greater version wins; a full delta is the floor: what is
//!                                        not in it, and not younger, is no more
//! wish (set, id)                         the greater (version, author) wins, whoever says it
//! ```
//!
//! Destinations are named by their set and id, as keys mean something in one process only. Times are
//! spans from the moment of saying, so that clocks need not agree.
//!
//! [`Dispatcher::delta`](crate::Dispatcher::delta) and [`Dispatcher::merge`](crate::Dispatcher::merge) are
//! what a program calls; carrying deltas is its own affair. `docs/scaling.md` says what they cost and what
//! staleness does, `docs/wire-replica.md` what goes over the wire.

mod delta;
mod known;

pub use delta::{Count, Delta, Ejection, Wish};
pub(crate) use known::{Changed, Name, Replicas, Wanted};

use alloc::string::String;

use crate::time::Time;

/// What is known of another replica.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Heard {
    /// Its name.
    pub id: String,
    /// Its start.
    pub epoch: u64,
    /// When it was heard for the last time.
    pub at: Time,
    /// Whether that is so long ago that nothing of it counts.
    pub lost: bool,
    /// Its calls in progress, as it said last.
    pub calls: u32,
}
