//! What one thread keeps beside the shared dispatcher: whom it may pick without it, until something changes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::call::{Call, Picked};
use crate::config::SetId;
use crate::dispatcher::Dispatcher;
use crate::dispatcher::ahead::{Table, Terms, still};
use crate::time::Time;

/// A thread's own, on lines of the cache that no other lane is on.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Lane {
    /// Nothing is kept: whoever asks the dispatcher first is not wrong.
    idle: AtomicBool,
    kept: Mutex<Kept>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self { idle: AtomicBool::new(true), kept: Mutex::default() }
    }

    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Relaxed)
    }

    pub(super) fn set_idle(&self, idle: bool) {
        self.idle.store(idle, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept in a lane.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The edition of the dispatcher that everything here is of.
    edition: u64,
    sets: BTreeMap<SetId, Ahead>,
    /// How many turns to take at once.
    batch: usize,
}

/// What is known of calls to one set.
#[derive(Debug)]
enum Ahead {
    Table(Arc<Table>),
    /// The next turn last; nobody's terms where they were taken in another edition.
    Turns {
        terms: Option<Terms>,
        turns: Vec<Picked>,
    },
}

impl Kept {
    /// What the dispatcher of this edition would give, where that is known here.
    #[inline]
    pub(super) fn pick(&mut self, edition: u64, call: &Call<'_>, now: Time) -> Option<Picked> {
        if self.edition != edition {
            return None;
        }
        match self.sets.get_mut(&call.set)? {
            Ahead::Table(table) => table.pick(call, now),
            Ahead::Turns { terms, turns } if terms.is_some_and(|terms| terms.cover(call, now)) => turns.pop(),
            Ahead::Turns { .. } => None,
        }
    }

    /// Keeps what is right in this edition, too: the turns of those who can still take calls, so that each turn
    /// is somebody's.
    pub(super) fn renew(&mut self, edition: u64, dispatcher: &Dispatcher) {
        if self.edition == edition {
            return;
        }
        self.edition = edition;
        self.sets.retain(|set, ahead| match ahead {
            Ahead::Table(_) => false,
            Ahead::Turns { terms, turns } => {
                *terms = None;
                turns.retain_mut(|turn| still(dispatcher, *set, *turn).map(|now| *turn = now).is_some());
                !turns.is_empty()
            }
        });
    }

    /// Forgets sets of which nothing is left; whether that is all.
    pub(super) fn is_empty(&mut self) -> bool {
        self.sets.retain(|_, ahead| !matches!(ahead, Ahead::Turns { turns, .. } if turns.is_empty()));
        self.sets.is_empty()
    }

    /// Whether calls to this set are picked by a table here.
    pub(super) fn has_table(&self, set: SetId) -> bool {
        matches!(self.sets.get(&set), Some(Ahead::Table(_)))
    }

    pub(super) fn keep(&mut self, set: SetId, table: Arc<Table>) {
        self.sets.insert(set, Ahead::Table(table));
    }

    /// Turns in calls to this set are taken on these terms from now on, those that are left here first.
    pub(super) fn agree(&mut self, set: SetId, agreed: Terms) {
        if let Some(Ahead::Turns { terms, .. }) = self.sets.get_mut(&set) {
            *terms = Some(agreed);
        }
    }

    /// How many turns to take ahead, having waited for the dispatcher, or not: so many that one hardly ever waits.
    pub(super) fn batch(&mut self, waited: bool) -> usize {
        self.batch = if waited {
            (2 * self.batch).clamp(FEWEST_TURNS, MOST_TURNS)
        } else {
            self.batch.saturating_sub(1)
        };
        self.batch
    }

    /// Keeps turns in their order; none are left here.
    pub(super) fn take(&mut self, set: SetId, terms: Terms, next: impl Iterator<Item = Picked>) {
        let ahead = self.sets.entry(set).or_insert(Ahead::Turns { terms: None, turns: Vec::new() });
        if let Ahead::Turns { terms: agreed, turns } = ahead {
            *agreed = Some(terms);
            turns.extend(next);
            turns.reverse();
        }
    }
}

/// To wait takes as long as to take so many turns.
const FEWEST_TURNS: usize = 16;

/// As many turns as a thread may be ahead of the others.
const MOST_TURNS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Algorithm, Config};
    use crate::destination::Destination;
    use crate::dispatcher::ahead::prepare;

    #[test]
    fn turns_that_are_left_go_first_after_a_change() {
        let config = Config { algorithm: Algorithm::RoundRobin, ..Config::default() };
        let mut all = Dispatcher::new(config).unwrap();
        let ids = ["0", "1", "2"].map(|name| all.add(1, Destination::new(name), NOW).unwrap());
        prepare(&mut all, 1, NOW);
        let (terms, call) = (Terms::of_turns(&all, 1).unwrap(), Call::new(b"any"));
        let mut kept = Kept::default();
        kept.renew(1, &all);
        kept.take(1, terms, (0..5).map(|_| all.pick(&call, NOW).unwrap()));
        let next = |kept: &mut Kept, edition| {
            kept.pick(edition, &call, NOW)
                .map(|turn| ids.iter().position(|id| *id == turn.destination).unwrap())
        };
        assert_eq!(next(&mut kept, 1), Some(0));
        all.set_enabled(ids[2], false, NOW).unwrap();
        assert_eq!(next(&mut kept, 2), None, "of another edition");
        kept.renew(2, &all);
        assert_eq!(next(&mut kept, 2), None, "on nobody's terms");
        kept.agree(1, terms);
        assert_eq!([1, 0, 1].map(Some), [(); 3].map(|()| next(&mut kept, 2)));
        assert_eq!((next(&mut kept, 2), kept.is_empty()), (None, true));
    }

    #[test]
    fn who_waits_takes_more_turns_and_who_does_not_one_less() {
        let mut kept = Kept::default();
        let batches = [false, true, true, true, true, false, true, false].map(|waited| kept.batch(waited));
        assert_eq!(batches, [0, 16, 32, 64, 64, 63, 64, 63]);
    }

    const NOW: Time = Time::from_secs(1);
}
