//! The one façade: commands, reports from outside, polls, getters; no algorithm of its own.

#[cfg(feature = "std")]
#[allow(unreachable_pub, reason = "`internals` shows it to the tests of threads")]
pub mod ahead;
mod capacity;
mod commands;
mod eject;
mod epoch;
mod explain;
mod getters;
mod pick;
mod place;
mod plan;
mod polls;
mod reconcile;
mod replicate;
mod report;
mod reports;
#[cfg(feature = "serde")]
mod saved;

use crate::call::Lease;
use crate::calls::{Calls, Ended};
use crate::config::Config;
use crate::destination::DestinationId;
use crate::error::ConfigError;
use crate::event::{EventKind, Events};
use crate::fleet::Fleet;
use crate::rng::Rng;
use crate::slots::Key;
use crate::standing::Standing;
use crate::stats::Stats;
use crate::time::Time;

use capacity::Scaling;
use epoch::Epoch;
use replicate::Replication;

pub use capacity::Capacity;
pub use explain::{Estimated, Explanation, Row};
pub use getters::Status;
pub use plan::{Change, Plan};
pub use reconcile::{Inventory, Reconciled};

/// Decides which destination takes the next call, and keeps track of calls and destinations.
///
/// It does nothing by itself: it opens no socket and reads no clock. Methods come in four kinds.
/// *Commands* change what is decided; *reports* say what happened outside; *polls* are called
/// until they give `None`; *getters* never change anything. Each method that takes `now` first
/// brings everything up to that time: deadlines of calls, timers of destinations. A `now` before
/// the last one seen counts as the last one seen. A command that is refused changes nothing but
/// its count in [`Stats`].
///
/// ```
/// use callsteer::{Call, Config, Destination, Dispatcher, Failure, Time};
///
/// let now = Time::from_secs(1);
/// let mut dispatcher = Dispatcher::new(Config::default())?;
/// let one = dispatcher.add(1, Destination::new("sip:10.0.0.1"), now)?;
/// let two = dispatcher.add(1, Destination::new("sip:10.0.0.2"), now)?;
///
/// let placed = dispatcher.begin(&Call::new(b"a84b4c76e66710"), now)?;
/// dispatcher.fail(placed.lease, Failure::Timeout, now)?;
/// let other = dispatcher.next(placed.lease, now)?;
/// assert_ne!(other.destination, placed.destination);
/// dispatcher.confirm(placed.lease, now)?;
/// assert!(dispatcher.end(placed.lease, now));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dispatcher {
    config: Config,
    /// The last time seen.
    now: Time,
    epoch: Epoch,
    /// No call reaches its deadline before, and no scaler looks.
    no_deadline_before: Time,
    rng: Rng,
    fleet: Fleet,
    calls: Calls,
    events: Events,
    counts: Stats,
    scaling: Scaling,
    /// Dispatchers over the fleet of whose calls only reports tell, this one included.
    unheard: u32,
    /// What other replicas say; `None` where there are none.
    replication: Option<alloc::boxed::Box<Replication>>,
    /// Seats tried by the call at hand; kept for its allocation.
    tried: alloc::vec::Vec<u32>,
}

impl Dispatcher {
    /// A dispatcher without destinations.
    ///
    /// # Errors
    /// A configuration that [`Config::check`] refuses.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            now: Time::ZERO,
            epoch: Epoch::default(),
            no_deadline_before: Time::ZERO,
            rng: Rng::new(config.seed),
            fleet: Fleet::new(&config),
            calls: Calls::new(config.setup_timeout, config.max_duration),
            events: Events::new(config.max_events),
            counts: Stats::default(),
            scaling: Scaling::default(),
            unheard: config.dispatchers,
            replication: config.replicas.as_ref().map(|_| alloc::boxed::Box::default()),
            tried: alloc::vec::Vec::new(),
            config,
        })
    }

    /// Brings everything up to `now`, in the order of time, so that it does not matter how often
    /// anybody asks; gives the time that counts.
    #[inline]
    fn advance(&mut self, now: Time) -> Time {
        let now = self.time_of(now);
        if self.is_due(now) {
            self.catch_up(now);
        }
        self.now = now;
        now
    }

    /// The time that counts when the caller's clock shows `now`.
    #[inline]
    fn time_of(&self, now: Time) -> Time {
        self.now.max(self.epoch.kept(now))
    }

    /// Whether anything may have to be done first.
    #[inline]
    fn is_due(&self, now: Time) -> bool {
        now >= self.no_deadline_before || now >= self.fleet.no_timer_before()
    }

    /// Does whatever is due up to `now`, and finds out until when nothing is.
    #[inline(never)]
    fn catch_up(&mut self, now: Time) {
        self.do_what_is_due(now);
        let first = self.calls.next_deadline().map(|(at, _)| at);
        let next_call = now + self.config.setup_timeout.min(self.config.max_duration);
        self.no_deadline_before = match self.config.scaling {
            Some(_) => Time::ZERO,
            None => first.map_or(next_call, |at| at.min(next_call)),
        };
    }

    fn do_what_is_due(&mut self, now: Time) {
        loop {
            let call = self.calls.next_deadline().filter(|(at, _)| *at <= now);
            let timer = self.fleet.next_timer().filter(|at| *at <= now);
            let first = call.map(|(at, _)| at).into_iter().chain(timer).min().unwrap_or(now);
            if let Some(at) = self.arm_look(first) {
                self.now = self.now.max(at);
                self.consider_size();
                continue;
            }
            match (call, timer) {
                (Some((at, lease)), timer) if timer.is_none_or(|timer| at <= timer) => {
                    self.now = self.now.max(at);
                    self.expire(lease);
                }
                (_, Some(at)) => {
                    self.now = self.now.max(at);
                    if let Some(key) = self.fleet.wake() {
                        self.wake(key);
                    }
                }
                (_, None) => break,
            }
        }
    }

    /// A call reached its deadline.
    fn expire(&mut self, lease: Lease) {
        let Some(Ended { destination, class, cost, confirmed, .. }) = self.calls.end(lease) else { return };
        self.counts.expired += 1;
        let kind = EventKind::Expired { lease, destination: DestinationId(destination), confirmed };
        self.events.push(self.now, kind);
        self.release(destination, class, cost);
    }

    /// A timer of a destination ran out: whatever is due there is done. One that was removed may
    /// still have a drain.
    fn wake(&mut self, key: Key) {
        let Some(member) = self.fleet.members.find(key) else { return };
        if member.probes.timeout().is_some_and(|at| at <= self.now) {
            self.observe(key, false);
            if let Some(member) = self.fleet.seated(key) {
                member.probes.gave_up();
            }
        }
        let Some(member) = self.fleet.members.find(key) else { return };
        let overdue = member.drain.and_then(|drain| drain.until).is_some_and(|until| until <= self.now);
        if member.probe_due(&self.config).is_some_and(|due| due <= self.now) {
            self.fleet.queue_probe(key);
        }
        if overdue {
            self.drained(key);
        }
        self.let_back(key);
        self.fleet.reconsider(key, &self.config, self.now);
    }

    /// A call left its destination: it may have been the last one that was waited for.
    fn release(&mut self, destination: Key, class: u16, cost: u16) {
        if self.fleet.release(destination, class, u32::from(cost), &self.config, self.now) {
            self.settle(destination);
        }
    }

    /// Says that a drain is over, and forgets who was removed, where no call is left.
    fn settle(&mut self, key: Key) {
        let Some(member) = self.fleet.members.find(key).filter(|member| member.calls == 0) else { return };
        let removed = member.standing == Standing::Removed;
        if member.drain.is_some() {
            self.drained(key);
        }
        if removed && let Some(member) = self.fleet.forget(key) {
            let (destination, id) = (DestinationId(key), member.destination.id.clone());
            self.events.push(self.now, EventKind::Removed { destination, set: member.set, id });
        }
    }

    fn drained(&mut self, key: Key) {
        let Some(member) = self.fleet.members.find_mut(key) else { return };
        if member.drain.take().is_some() {
            let kind = EventKind::Drained { destination: DestinationId(key), left: member.calls };
            self.events.push(self.now, kind);
        }
    }
}
