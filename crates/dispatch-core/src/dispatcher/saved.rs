//! Snapshots: everything saved, and a dispatcher made of it.

use alloc::boxed::Box;

use super::Dispatcher;
use super::capacity::Scaling;
use super::epoch::Epoch;
use super::replicate::Replication;
use crate::calls::Calls;
use crate::capacity::Scaler;
use crate::config::Config;
use crate::error::SnapshotError;
use crate::event::Events;
use crate::fleet::Fleet;
use crate::rng::Rng;
use crate::snapshot::{Snapshot, state};
use crate::stats::Stats;
use crate::time::Time;

impl Dispatcher {
    /// Everything that it knows, as of the last time seen. Changes nothing; takes time in proportion to
    /// destinations and to the most calls that were ever in progress.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let (calls, tenants) = self.calls.saved();
        let (waiting, lost) = self.events.waiting();
        let Scaling { scalers, at, seen } = &self.scaling;
        let sets = scalers.iter().map(|(set, scaler)| (*set, scaler.seen())).collect();
        Snapshot(state::State {
            config: self.config.clone(),
            now: self.now,
            rng: self.rng.state(),
            beat: self.replication.as_ref().map_or(0, |replication| replication.beat()),
            counts: self.stats(),
            fleet: self.fleet.saved(),
            calls,
            tenants,
            events: state::Events { lost, waiting },
            scaling: state::Scaling { at: *at, seen: *seen, sets },
        })
    }

    /// The dispatcher that the snapshot was made of: the same handles mean the same calls and
    /// destinations, and whatever comes next, it decides the same.
    ///
    /// It goes on in the time of the one before. Where the clock is another one by now, or time passed
    /// meanwhile, [`resume`](Self::resume) says so.
    ///
    /// # Errors
    /// What the snapshot says cannot be, with the call, destination or set of which it says so.
    pub fn restore(snapshot: &Snapshot) -> Result<Self, SnapshotError> {
        let state = &snapshot.0;
        let (config, now) = (state.config.clone(), state.now);
        config.check().map_err(|error| SnapshotError::of("the configuration", alloc::format!("{error}")))?;
        let calls = Calls::restored(&state.calls, &state.tenants, &config, now)?;
        let fleet = Fleet::restored(&state.fleet, &calls, &config, now)?;
        Ok(Self {
            now,
            unheard: config.dispatchers,
            replication: config.replicas.as_ref().map(|_| Box::new(Replication::restored(state.beat))),
            no_deadline_before: Time::ZERO,
            epoch: Epoch::default(),
            rng: Rng::new(state.rng),
            counts: counts(&state.counts, calls.len())
                .map_err(|what| SnapshotError::of("the counts", what))?,
            events: events(&state.events, &config).map_err(|what| SnapshotError::of("the events", what))?,
            scaling: scaling(&state.scaling, &config)
                .map_err(|what| SnapshotError::of("the scaling", what))?,
            fleet,
            calls,
            tried: alloc::vec::Vec::new(),
            config,
        })
    }
}

/// Every count below what overflows, and no call lost or counted twice.
fn counts(counts: &Stats, calls: u32) -> Result<Stats, &'static str> {
    if counts.greatest() > MOST {
        return Err("one is larger than anybody counts");
    }
    let came = counts.begun + counts.adopted;
    if counts.calls != calls || came != u64::from(calls) + counts.ended + counts.expired + counts.healed {
        return Err("calls begun are not calls in progress and ended");
    }
    Ok(Stats { calls: 0, ..*counts })
}

fn events(events: &state::Events, config: &Config) -> Result<Events, &'static str> {
    if events.waiting.len() > config.max_events || events.lost > MOST {
        return Err("there are more than are kept");
    }
    Ok(Events::restored(config.max_events, &events.waiting, events.lost))
}

fn scaling(scaling: &state::Scaling, config: &Config) -> Result<Scaling, &'static str> {
    let mut restored = Scaling { at: scaling.at, seen: scaling.seen, ..Scaling::default() };
    for (set, seen) in &scaling.sets {
        let Some(config) = config.scaling else { return Err("nobody wants it") };
        let scaler = Scaler::restored(config, seen).ok_or("what a set's members carry cannot be")?;
        restored.scalers.insert(*set, scaler);
    }
    Ok(restored)
}

/// More than anybody counts.
const MOST: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;
    use crate::destination::Destination;
    use crate::load::Report;
    use crate::slots::Key;
    use crate::snapshot::state::{State, Turn};
    use alloc::string::ToString;

    fn state() -> State {
        let mut dispatcher = Dispatcher::new(Config::default()).unwrap();
        let now = Time::from_secs(1_000);
        for uri in ["sip:a", "sip:b"] {
            let id = dispatcher.add(1, Destination::new(uri), now).unwrap();
            dispatcher.report(id, Report::score(0.5), now).unwrap();
        }
        for id in [b"one", b"two"] {
            let call = Call { tenant: Some("sales"), class: Some("video"), ..Call::new(id) };
            dispatcher.begin(&call, now).unwrap();
        }
        dispatcher.snapshot().0
    }

    #[test]
    fn what_does_not_fit_together_is_refused_and_said() {
        let check = |change: fn(&mut State), expected: &str| {
            let mut state = state();
            change(&mut state);
            let error = Dispatcher::restore(&Snapshot(state)).expect_err(expected);
            assert_eq!(error.code(), "inconsistent_snapshot");
            let said = error.to_string();
            assert_eq!(said.strip_prefix("the snapshot cannot be: "), Some(expected));
        };
        assert!(Dispatcher::restore(&Snapshot(state())).is_ok());
        check(|s| s.config.dispatchers = 0, "the configuration: dispatchers: is 1 to 1000");
        check(
            |s| s.calls.setup[0].destination = Key::from_u64(1 << 33).unwrap(),
            "call 4294967296: it is at a destination that is not there",
        );
        check(
            |s| s.calls.setup[1].call_id = s.calls.setup[0].call_id,
            "call 4294967297: another call has the hash of its Call-ID",
        );
        check(|s| s.calls.setup[0].cost = 0, "call 4294967296: it costs nothing");
        check(|s| s.calls.setup[0].class = 2, "call 4294967296: it has a class that is not there");
        check(|s| s.calls.setup[0].tenant = Some(1), "call 4294967296: there is no such tenant");
        check(
            |s| s.calls.setup[1].since = Time::ZERO,
            "the calls: they are not in the order in which they began",
        );
        check(
            |s| s.calls.setup[1].since = Time::from_secs(1_001),
            "the calls: they are not in the order in which they began",
        );
        let leases = "the calls: their leases are not one after another, each once";
        check(|s| s.calls.setup[1].lease = s.calls.setup[0].lease, leases);
        check(|s| s.calls.vacant.given_up.push(7), leases);
        check(|s| s.config.max_calls_total = 1, "the calls: there are more than the configuration allows");
        check(|s| s.counts.begun += 1, "the counts: calls begun are not calls in progress and ended");
        check(|s| s.counts.calls -= 1, "the counts: calls begun are not calls in progress and ended");
        check(|s| s.counts.failed = u64::MAX, "the counts: one is larger than anybody counts");
        check(
            |s| s.tenants.known.push(s.tenants.known[0]),
            "the tenants: one is there twice, or more than fit are awaited",
        );
        check(|s| s.tenants.at_most = 9_999, "the tenants: one is there twice, or more than fit are awaited");
        let one = "destination 4294967296";
        check(|s| s.fleet.members[0].set = 2, &alloc::format!("{one}: its set is not there"));
        check(|s| s.fleet.members[0].touched = u64::MAX, &alloc::format!("{one}: its touched cannot be"));
        check(
            |s| s.fleet.members[0].said.score = Some(f64::NAN),
            &alloc::format!("{one}: its said cannot be"),
        );
        check(
            |s| s.fleet.members[1].destination = s.fleet.members[0].destination.clone(),
            "destination 4294967297: another one of its set has its id",
        );
        check(|s| s.fleet.members[0].seat = Some(1), "set 1: its seats are not one after another, each once");
        check(
            |s| {
                s.fleet.members[1].seat = None;
                s.fleet.sets[0].vacant_seats.push(1);
                s.calls.setup.iter_mut().for_each(|call| call.destination = s.fleet.members[0].key);
            },
            "destination 4294967297: it was removed and has no calls",
        );
        check(|s| s.fleet.sets.push(s.fleet.sets[0].clone()), "set 1: it is there twice");
        check(
            |s| s.fleet.sets[0].algorithms[0].1 = Turn::RoundRobin { next_seat: 0 },
            "set 1: an algorithm cannot have that turn",
        );
        check(
            |s| s.fleet.sets[0].algorithms = [&s.fleet.sets[0].algorithms[..]; 2].concat(),
            "set 1: an algorithm is there twice",
        );
        check(|s| s.fleet.timers.clear(), "the timers: one that a destination waits for is not armed");
        check(
            |s| s.fleet.probes = alloc::vec![s.fleet.members[0].key; 2],
            "the probes: a destination is queued twice",
        );
        check(|s| s.fleet.classes.push("video".into()), "the fleet: a class of calls is there twice");
        check(|s| s.fleet.changes = 0, "the fleet: a count of changes cannot be");
        check(|s| s.config.max_events = 1, "the events: there are more than are kept");
    }
}
