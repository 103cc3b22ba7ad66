//! A dispatcher for many threads: one short lock around each command, and none where only a hash or a turn decides.
//!
//! A decision changes what the next one sees (a limit, a count), so that decisions stand in line whatever the
//! lock looks like; what one costs is about a hundred nanoseconds, of which a proxy that places 50,000 calls a
//! second spends one percent of a core.
//!
//! A pick counts nothing. Each thread has a *lane* with what it may pick alone: a copy of the table of
//! `call_id_hash`, or some turns, taken at once. All of it is of one *edition* of the dispatcher; who changes
//! the dispatcher so that picks may be others makes a new edition before anybody hears that it is done.

mod guarded;
mod lane;

use alloc::boxed::Box;

use crate::call::{Blame, Call, Failure, Lease, Picked, Placed};
use crate::config::Config;
use crate::dispatcher::Dispatcher;
use crate::dispatcher::ahead::{Terms, prepare};
use crate::error::{BeginError, ConfigError, FailError, NextError, NoSuchCall};
use crate::stats::Stats;
use crate::threads;
use crate::time::Time;
use guarded::Guarded;
use lane::{Kept, Lane};

/// A [`Dispatcher`] that threads share by reference. Limits are exact, whoever asks.
///
/// What happens to calls has its own methods, which mean what they mean there. Everything else is
/// [`read`](Self::read) off the dispatcher, or done [`with`](Self::with) it.
///
/// ```
/// use callsteer::{Call, Config, Destination, SharedDispatcher, Time};
///
/// let shared = SharedDispatcher::new(Config::default())?;
/// shared.with(|dispatcher| dispatcher.add(1, Destination::new("sip:10.0.0.1"), Time::ZERO))?;
/// std::thread::scope(|scope| {
///     for call_id in ["one", "two"] {
///         let shared = &shared;
///         scope.spawn(move || shared.begin(&Call::new(call_id.as_bytes()), Time::ZERO));
///     }
/// });
/// assert_eq!(shared.stats().calls, 2);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SharedDispatcher {
    dispatcher: Guarded,
    lanes: Box<[Lane]>,
}

impl SharedDispatcher {
    /// A dispatcher without destinations.
    ///
    /// # Errors
    /// A configuration that [`Config::check`] refuses.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        Dispatcher::new(config).map(Self::from)
    }

    /// Looks at the dispatcher, alone. Nobody decides meanwhile, so be brief.
    pub fn read<T>(&self, look: impl FnOnce(&Dispatcher) -> T) -> T {
        look(&self.dispatcher.lock())
    }

    /// Does anything with the dispatcher, alone. Nobody decides meanwhile, so be brief; what threads know of
    /// [picks](Self::pick) they find out anew.
    pub fn with<T>(&self, act: impl FnOnce(&mut Dispatcher) -> T) -> T {
        let mut dispatcher = self.dispatcher.lock();
        // It may even become another one.
        dispatcher.new_edition();
        act(&mut dispatcher)
    }

    /// [`Dispatcher::begin`].
    ///
    /// # Errors
    /// As there.
    pub fn begin(&self, call: &Call<'_>, now: Time) -> Result<Placed, BeginError> {
        self.dispatcher.lock().begin(call, now)
    }

    /// [`Dispatcher::pick`]. Threads do not wait for each other where the first algorithm is `call_id_hash` without
    /// a bound, and hardly where all are `round_robin`, `weighted`, `priority` or `random`: a thread that finds
    /// others there takes up to 64 turns at once, so that turns are taken once each, but not in the order of time.
    /// Such a pick leaves no trace: its `now` does not count as the last one seen. With [`Config::scaling`] every pick
    /// looks at the clock first, and waits.
    ///
    /// # Errors
    /// As there.
    pub fn pick(&self, call: &Call<'_>, now: Time) -> Result<Picked, BeginError> {
        let Some(lane) = self.lanes.get(threads::number() % LANES) else {
            return self.dispatcher.lock().pick(call, now);
        };
        if lane.is_idle() {
            let mut dispatcher = self.dispatcher.lock();
            if !dispatcher.waited {
                return dispatcher.pick(call, now);
            }
        }
        let mut kept = lane.kept();
        match kept.pick(self.dispatcher.edition(), call, now) {
            Some(picked) => Ok(picked),
            None => self.pick_ahead(lane, &mut kept, call, now),
        }
    }

    /// [`Dispatcher::next`].
    ///
    /// # Errors
    /// As there.
    pub fn next(&self, lease: Lease, now: Time) -> Result<Placed, NextError> {
        self.dispatcher.lock().next(lease, now)
    }

    /// [`Dispatcher::next_call`].
    ///
    /// # Errors
    /// As there.
    pub fn next_call(&self, call_id: &[u8], now: Time) -> Result<Placed, NextError> {
        self.dispatcher.lock().next_call(call_id, now)
    }

    /// [`Dispatcher::confirm`].
    ///
    /// # Errors
    /// As there.
    pub fn confirm(&self, lease: Lease, now: Time) -> Result<(), NoSuchCall> {
        self.dispatcher.lock().confirm(lease, now)
    }

    /// [`Dispatcher::confirm_call`].
    ///
    /// # Errors
    /// As there.
    pub fn confirm_call(&self, call_id: &[u8], now: Time) -> Result<(), NoSuchCall> {
        self.dispatcher.lock().confirm_call(call_id, now)
    }

    /// [`Dispatcher::fail`].
    ///
    /// # Errors
    /// As there.
    pub fn fail(&self, lease: Lease, failure: Failure, now: Time) -> Result<Blame, FailError> {
        self.dispatcher.lock().fail(lease, failure, now)
    }

    /// [`Dispatcher::fail_call`].
    ///
    /// # Errors
    /// As there.
    pub fn fail_call(&self, call_id: &[u8], failure: Failure, now: Time) -> Result<Blame, FailError> {
        self.dispatcher.lock().fail_call(call_id, failure, now)
    }

    /// [`Dispatcher::end`].
    pub fn end(&self, lease: Lease, now: Time) -> bool {
        self.dispatcher.lock().end(lease, now)
    }

    /// [`Dispatcher::end_call`].
    pub fn end_call(&self, call_id: &[u8], now: Time) -> bool {
        self.dispatcher.lock().end_call(call_id, now)
    }

    /// [`Dispatcher::stats`].
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.dispatcher.lock().stats()
    }

    /// The dispatcher, for one owner again.
    #[must_use]
    pub fn into_inner(self) -> Dispatcher {
        self.dispatcher.into_inner()
    }

    /// Picks by the dispatcher, and keeps what is picked next.
    #[inline(never)]
    fn pick_ahead(
        &self,
        lane: &Lane,
        kept: &mut Kept,
        call: &Call<'_>,
        now: Time,
    ) -> Result<Picked, BeginError> {
        let mut dispatcher = self.dispatcher.lock();
        let batch = kept.batch(dispatcher.waited || lane.is_idle());
        lane.set_idle(batch == 0 && kept.is_empty());
        if lane.is_idle() {
            return dispatcher.pick(call, now);
        }
        prepare(&mut dispatcher, call.set, now);
        let edition = dispatcher.publish();
        kept.renew(edition, &dispatcher);
        let Some(terms) = Terms::of_turns(&dispatcher, call.set) else {
            if !kept.has_table(call.set)
                && let Some(table) = dispatcher.table(call.set)
            {
                kept.keep(call.set, table);
            }
            return dispatcher.pick(call, now);
        };
        kept.agree(call.set, terms);
        if let Some(picked) = kept.pick(edition, call, now) {
            return Ok(picked);
        }
        let picked = dispatcher.pick(call, now)?;
        kept.take(call.set, terms, (0..batch).map_while(|_| dispatcher.pick(call, now).ok()));
        Ok(picked)
    }
}

impl From<Dispatcher> for SharedDispatcher {
    fn from(dispatcher: Dispatcher) -> Self {
        let lanes = (0..LANES).map(|_| Lane::new()).collect();
        Self { dispatcher: Guarded::new(dispatcher), lanes }
    }
}

/// More than threads that usually pick at the same time; beyond, some share one.
const LANES: usize = 64;
