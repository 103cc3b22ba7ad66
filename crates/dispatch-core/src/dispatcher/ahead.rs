//! What is decided ahead of calls: while nobody's standing changes and nothing is due, a pick follows from the hash
//! of its key or from its turn, and needs no dispatcher.

use super::Dispatcher;
use super::epoch::Epoch;
use super::place::{check_cost, check_text};
use crate::call::{Call, Picked};
use crate::config::SetId;
use crate::destination::DestinationId;
use crate::hash::Hasher;
use crate::select::Hashed;
use crate::time::Time;

/// The state of a dispatcher, as far as picks ask it that look at no load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    changes: u64,
    due: Time,
}

impl Mark {
    /// The state as it is.
    #[must_use]
    #[inline]
    pub fn of(dispatcher: &Dispatcher) -> Self {
        Self { changes: dispatcher.fleet.turnover, due: due(dispatcher) }
    }

    /// Whether what was decided ahead in this state is still right in a later one of the same dispatcher.
    #[must_use]
    #[inline]
    pub fn lasts(self, later: Self) -> bool {
        self.changes == later.changes && self.due <= later.due
    }
}

/// For which calls, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    set: SetId,
    hashes: bool,
    epoch: Epoch,
    due: Time,
}

impl Terms {
    /// For calls to `set`, which is prepared; `None` where something is always due, as with scalers.
    fn of(dispatcher: &Dispatcher, set: SetId) -> Option<Self> {
        let (hashes, due) = (dispatcher.fleet.lead_at_hand(set)?.hashes, due(dispatcher));
        (due > dispatcher.now).then_some(Self { set, hashes, epoch: dispatcher.epoch, due })
    }

    /// Terms under which all calls to `set` take turns, whatever they are.
    #[must_use]
    pub fn of_turns(dispatcher: &Dispatcher, set: SetId) -> Option<Self> {
        let terms = Self::of(dispatcher, set)?;
        dispatcher.fleet.routes(set).all(|(algorithm, _)| algorithm.takes_turns()).then_some(terms)
    }

    /// Whether this call is one of them, with nothing in it that is refused.
    #[must_use]
    #[inline]
    pub fn cover(&self, call: &Call<'_>, now: Time) -> bool {
        call.set == self.set
            && self.epoch.kept(now) < self.due
            && check_cost(call).is_ok()
            && (!self.hashes || check_text(call.text()).is_ok())
    }
}

/// A copy of who takes which hash.
#[derive(Clone, Debug)]
pub struct Table {
    terms: Terms,
    hasher: Hasher,
    hashed: Hashed,
    panic: bool,
}

impl Table {
    /// Of a set that is prepared; `None` where something else than a hash decides first, and as long as too few
    /// `asked` for it to be worth a copy.
    #[must_use]
    pub fn of(dispatcher: &Dispatcher, set: SetId, asked: usize) -> Option<Self> {
        let (terms, (hashed, panic)) = (Terms::of(dispatcher, set)?, dispatcher.fleet.hashed(set, asked)?);
        Some(Self { terms, hasher: dispatcher.fleet.hasher(), hashed, panic })
    }

    /// What [`Dispatcher::pick`] gives; `None` where that has to be asked.
    #[must_use]
    #[inline]
    pub fn pick(&self, call: &Call<'_>, now: Time) -> Option<Picked> {
        if !self.terms.cover(call, now) {
            return None;
        }
        let destination = self.hashed.at_hand(self.hasher.hash(call.text()))?;
        Some(Picked { destination: DestinationId(destination), panic: self.panic })
    }
}

/// Nothing has to be done before.
#[inline]
fn due(dispatcher: &Dispatcher) -> Time {
    dispatcher.no_deadline_before.min(dispatcher.fleet.no_timer_before())
}

/// Brings the dispatcher up to `now`, as a pick for `set` does first.
pub fn prepare(dispatcher: &mut Dispatcher, set: SetId, now: Time) {
    dispatcher.advance(now);
    dispatcher.fleet.prepare(set, &dispatcher.config);
}

/// A turn in calls to `set` as it is now; `None` where who has it cannot take them any more.
#[must_use]
pub fn still(dispatcher: &Dispatcher, set: SetId, turn: Picked) -> Option<Picked> {
    let panic = dispatcher.fleet.takes(set, turn.destination.0)?;
    Some(Picked { panic, ..turn })
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::call::{Failure, ProbeResult};
    use crate::config::{Algorithm, Config};
    use crate::destination::Destination;

    #[test]
    fn a_table_gives_what_the_dispatcher_gives_or_leaves_it_to_that() {
        let (mut all, ids) = of(Config { algorithm: HASH, ..Config::default() });
        all.set_enabled(ids[2], false, NOW).unwrap();
        prepare(&mut all, 1, NOW);
        let table = Table::of(&all, 1, usize::MAX).unwrap();
        let mut left = 0;
        for number in 0..300u32 {
            let text = number.to_le_bytes();
            match table.pick(&Call::new(&text), NOW) {
                Some(picked) => assert_eq!(all.pick(&Call::new(&text), NOW), Ok(picked)),
                None => left += 1,
            }
        }
        assert!((20..120).contains(&left), "{left} of 300 belong to one of five, who is off");
        for (call, now) in [
            (Call { set: 2, ..Call::new(b"one") }, NOW),
            (Call { cost: 0, ..Call::new(b"one") }, NOW),
            (Call::new(b""), NOW),
            (Call::new(b"one"), due(&all)),
        ] {
            assert_eq!(table.pick(&call, now), None, "{call:?} at {now:?}");
        }
    }

    #[test]
    fn what_follows_loads_is_not_decided_ahead() {
        let check = |algorithm, table, turns| {
            let (mut all, _) = of(Config { algorithm, ..Config::default() });
            prepare(&mut all, 1, NOW);
            assert_eq!(Table::of(&all, 1, usize::MAX).is_some(), table, "{algorithm:?}");
            assert_eq!(Terms::of_turns(&all, 1).is_some(), turns, "{algorithm:?}");
        };
        check(HASH, true, false);
        check(Algorithm::CallIdHash { bound: Some(1.25) }, false, false);
        check(Algorithm::RoundRobin, false, true);
        check(Algorithm::Weighted, false, true);
        check(Algorithm::CallLoad, false, false);
        check(Algorithm::LoadScore, false, false);
        check(Algorithm::PowerOfTwo, false, false);
    }

    #[test]
    fn nothing_is_decided_ahead_where_every_call_looks_at_the_clock() {
        for algorithm in [HASH, Algorithm::RoundRobin] {
            let scaling = Some(crate::config::ScalingConfig::default());
            let (mut all, _) = of(Config { algorithm, scaling, ..Config::default() });
            prepare(&mut all, 1, NOW);
            assert!(Table::of(&all, 1, usize::MAX).is_none() && Terms::of_turns(&all, 1).is_none());
        }
    }

    #[test]
    fn a_table_is_copied_when_as_many_picks_asked_as_it_has_lines() {
        let (mut all, _) = of(Config { algorithm: HASH, ..Config::default() });
        prepare(&mut all, 1, NOW);
        assert!(Table::of(&all, 1, 65_537 / 16).is_none());
        assert!(Table::of(&all, 1, 65_537 / 16 + 1).is_some());
    }

    #[test]
    fn what_was_decided_lasts_until_picks_may_be_others() {
        let calm = |act: fn(&mut Dispatcher, DestinationId)| lasts(Config::default(), act);
        assert!(calm(|all, _| {
            let lease = all.begin(&Call::new(b"two"), NOW).unwrap().lease;
            all.confirm(lease, NOW).unwrap();
            all.end(lease, NOW);
        }));
        assert!(calm(|all, id| all.set_enabled(id, true, NOW).unwrap()));
        assert!(calm(|all, id| all.probe_result(id, ProbeResult::reply(200), NOW).unwrap()));
        assert!(!calm(|all, id| all.set_enabled(id, false, NOW).unwrap()));
        assert!(!calm(|all, id| all.remove(id, NOW).unwrap()));
        assert!(!calm(|all, _| all.add(1, Destination::new("new"), NOW).map(drop).unwrap()));
        assert!(!calm(|all, id| all
            .update(id, Destination { weight: 2, ..Destination::new("0") }, NOW)
            .unwrap()));
        assert!(!calm(|all, _| {
            let lease = all.begin(&Call::new(b"two"), NOW).unwrap().lease;
            let busy = Failure::Reply { code: 503, retry_after: Some(Duration::from_secs(9)) };
            all.fail(lease, busy, NOW).map(drop).unwrap();
        }));
        // A probe leaves, and its answer may not come.
        let (mut all, _) = of(Config::default());
        let probed = NOW + Duration::from_secs(20);
        prepare(&mut all, 1, probed);
        let mark = Mark::of(&all);
        assert!(all.poll_probe(probed).is_some());
        assert!(!mark.lasts(Mark::of(&all)));
        // Nobody's standing changes when the last one recovers, but that health is ignored is over.
        let mut panics = Config::default();
        panics.health.panic_threshold = 1.0;
        panics.health.probing_threshold = 1;
        panics.health.inactive_threshold = 1;
        let (mut all, ids) = of(panics);
        all.probe_result(ids[0], ProbeResult::Timeout, NOW).unwrap();
        let mark = Mark::of(&all);
        all.probe_result(ids[0], ProbeResult::reply(200), NOW).unwrap();
        assert!(!mark.lasts(Mark::of(&all)));
    }

    #[test]
    fn a_turn_is_good_for_as_long_as_its_destination_can_take_calls() {
        let (mut all, ids) = of(Config { algorithm: Algorithm::RoundRobin, ..Config::default() });
        let turn = all.pick(&Call::new(b""), NOW).unwrap();
        assert_eq!(still(&all, 1, turn), Some(turn));
        assert_eq!(still(&all, 1, Picked { panic: true, ..turn }), Some(turn), "health is not ignored");
        all.add(2, Destination::new("elsewhere"), NOW).unwrap();
        prepare(&mut all, 2, NOW);
        assert_eq!(still(&all, 2, turn), None, "of another set");
        all.set_enabled(ids[0], false, NOW).unwrap();
        prepare(&mut all, 1, NOW);
        assert_eq!(still(&all, 1, turn), None);
        all.remove(ids[0], NOW).unwrap();
        prepare(&mut all, 1, NOW);
        assert_eq!(still(&all, 1, turn), None);
    }

    /// Whether what was decided before is right after this happened to the first one.
    fn lasts(config: Config, act: impl FnOnce(&mut Dispatcher, DestinationId)) -> bool {
        let (mut all, ids) = of(config);
        let mark = Mark::of(&all);
        act(&mut all, ids[0]);
        mark.lasts(Mark::of(&all))
    }

    /// Five that can take calls, and the first call, which all timers wait for.
    fn of(config: Config) -> (Dispatcher, alloc::vec::Vec<DestinationId>) {
        let mut all = Dispatcher::new(config).unwrap();
        let names = ["0", "1", "2", "3", "4"];
        let ids = names.map(|name| all.add(1, Destination::new(name), NOW).unwrap()).to_vec();
        prepare(&mut all, 1, NOW);
        (all, ids)
    }

    const HASH: Algorithm = Algorithm::CallIdHash { bound: None };
    const NOW: Time = Time::from_secs(1);
}
