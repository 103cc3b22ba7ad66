//! Kamailio's own decisions, for those who come from there: its functions, and a model of its module.
//!
//! Written from recordings of Kamailio 5.6.3 and 6.2.0-dev1, and checked against every one of them:
//! hashes, index order, states, and algorithms 0 to 4, 8, 10 and 12 bit for bit, 9 and 11 as counts
//! per 100 calls. Seen in 5.6.3 besides: a repeated Call-ID, no duid, `dispatcher.add` and `remove`,
//! `use_default` with 9, 10 and 11. The rest is as the manual has it: algorithms 5, 6, 7, 13, 14, 15
//! and 64, `flags` 1, probing mode 2, failing over with counted calls. Not there: congestion control
//! of 11, and what 13 does with `use_default`, which in 5.6.3 can select an inactive one.
//!
//! - [`hash`], [`call_id_key`], [`uri_key`], [`index_order`], [`slots_by_weight`],
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
pub mod numbers;
mod params;
mod set;
mod slots;
mod state;

pub use circle::index_order;
pub use destination::{Destination, Latency};
pub use dispatcher::Dispatcher;
pub use hash::{Bytes, hash};
pub use key::{call_id_key, uri_key};
pub use params::{Params, Release};
pub use set::{Request, Selection};
pub use slots::{SLOTS, slots_by_rank, slots_by_rweight, slots_by_weight};
pub use state::{Change, Mark, State, StateError};

pub(crate) use circle::Circle;
pub(crate) use set::takes_turns;
pub(crate) use slots::shuffled;
