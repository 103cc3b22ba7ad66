//! Kamailio's own decisions, for those who come from there: its functions, and a model of its module.
//!
//! Known from asking Kamailio 5.6.3, and 6.2.0-dev1 (38711a3e), again and again: `cargo xtask kamailio` starts
//! the one that is installed, and `cargo xtask test` compares the model with it, on lists, states, marks
//! and calls that are new every time. Hashes, index order, states, and algorithms 0 to 5, 7, 8, 10, 12 and
//! 13 are the same bit for bit with the whole failover list; of 6, 9 and 11, whose order is random there,
//! the counts per 100 calls and what each selection fails over to. So are flags 1 and 2, `use_default`,
//! `ds_next_dst` of counted calls, repeated Call-IDs, `dispatcher.add`, `remove` and `reload`. Compared so
//! with 6.2.0-dev1: 14 and 15 as counts. From recordings only: rates of 64, expiry, and probing modes 0, 1
//! and 3; whom mode 2 probes was looked at in both. As the manual has it: `confirm`, congestion control
//! of 13, `Latency::sample`. Not there: congestion control of 11.
//!
//! - [`hash`], [`call_id_key`], [`uri_key`], [`username_key`], [`index_order`], [`slots_by_weight`],
//!   [`slots_by_rweight`], [`slots_by_rank`]: the functions.
//! - [`Dispatcher`]: the model, to compare with.
//! - [`numbers`]: what each number means, here and there.

mod calls;
mod circle;
mod destination;
mod dispatcher;
mod getters;
mod hash;
mod key;
mod latency;
pub mod numbers;
mod params;
mod selection;
mod set;
mod slots;
mod state;

pub use circle::index_order;
pub use destination::{Destination, Latency};
pub use dispatcher::Dispatcher;
pub use hash::{Bytes, hash};
pub use key::{call_id_key, uri_key, username_key};
pub use params::{Params, Release};
pub use selection::{Request, Selection};
pub use slots::{SLOTS, slots_by_rank, slots_by_rweight, slots_by_weight};
pub use state::{Change, Mark, State, StateError};

pub(crate) use circle::Circle;
pub(crate) use set::takes_turns;
pub(crate) use slots::shuffled;
