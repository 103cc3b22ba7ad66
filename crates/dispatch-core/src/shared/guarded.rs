//! The dispatcher behind its lock, and which edition of it lanes may speak for.
//!
//! A thread that finds the lock taken looks again before it sleeps, and waits twice as long each time: to sleep and
//! wake up costs as much as a hundred decisions, and to carry the dispatcher from one cache to another as much as
//! ten, so that where all threads only decide each should decide many times in a row.

use core::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use alloc::collections::BTreeMap;

use crate::config::SetId;
use crate::dispatcher::Dispatcher;
use crate::dispatcher::ahead::{Mark, Table};

#[derive(Debug)]
pub(super) struct Guarded {
    watched: Mutex<Watched>,
    edition: Edition,
}

/// Changes whenever what lanes keep may be wrong. Every pick reads it, so that nothing that is written more often may
/// lie on its line of the cache.
#[derive(Debug)]
#[repr(align(128))]
struct Edition(AtomicU64);

/// The dispatcher, and what lanes have been told of it. Who looks at the lock takes its line of the cache away: nothing
/// of this lies on that.
#[derive(Debug)]
#[repr(align(128))]
struct Watched {
    dispatcher: Dispatcher,
    /// Its state in this edition.
    mark: Mark,
    /// The tables of this edition, by set.
    tables: BTreeMap<SetId, Arc<Table>>,
    /// Picks of this edition that found no table.
    asked: usize,
}

impl Guarded {
    pub(super) fn new(dispatcher: Dispatcher) -> Self {
        let mark = Mark::of(&dispatcher);
        let watched = Watched { dispatcher, mark, tables: BTreeMap::new(), asked: 0 };
        Self { watched: Mutex::new(watched), edition: Edition(AtomicU64::new(1)) }
    }

    /// Waits for the dispatcher. A thread that panicked with it was between two commands: each is done whole or not
    /// at all.
    pub(super) fn lock(&self) -> Locked<'_> {
        let locked = |watched, waited| Locked { watched, edition: &self.edition.0, waited };
        for look in 0..LOOKS {
            match self.watched.try_lock() {
                Ok(watched) => return locked(watched, look > 0),
                Err(TryLockError::Poisoned(poisoned)) => return locked(poisoned.into_inner(), look > 0),
                Err(TryLockError::WouldBlock) => (0..1 << look).for_each(|_| core::hint::spin_loop()),
            }
        }
        locked(self.watched.lock().unwrap_or_else(PoisonError::into_inner), true)
    }

    #[inline]
    pub(super) fn edition(&self) -> u64 {
        self.edition.0.load(Ordering::Acquire)
    }

    pub(super) fn into_inner(self) -> Dispatcher {
        self.watched.into_inner().unwrap_or_else(PoisonError::into_inner).dispatcher
    }
}

/// The dispatcher for one thread alone. What lanes keep is out of date before anybody else has it.
pub(super) struct Locked<'a> {
    watched: MutexGuard<'a, Watched>,
    edition: &'a AtomicU64,
    /// Somebody else had it first.
    pub(super) waited: bool,
}

impl Locked<'_> {
    /// Makes a new edition if picks may be others by now; gives the edition.
    pub(super) fn publish(&mut self) -> u64 {
        let mark = Mark::of(&self.watched.dispatcher);
        if mark != self.watched.mark {
            if !self.watched.mark.lasts(mark) {
                self.new_edition();
            }
            self.watched.mark = mark;
        }
        self.edition.load(Ordering::Relaxed)
    }

    /// From now on no lane picks alone, until it has asked again.
    pub(super) fn new_edition(&mut self) {
        self.watched.tables.clear();
        self.watched.asked = 0;
        self.edition.fetch_add(1, Ordering::Release);
    }

    /// The table of calls to this set, if there can be one and it is worth a copy.
    pub(super) fn table(&mut self, set: SetId) -> Option<Arc<Table>> {
        let watched = &mut *self.watched;
        if let Some(table) = watched.tables.get(&set) {
            return Some(Arc::clone(table));
        }
        watched.asked += 1;
        let table = Arc::new(Table::of(&watched.dispatcher, set, watched.asked)?);
        watched.asked = 0;
        watched.tables.insert(set, Arc::clone(&table));
        Some(table)
    }
}

impl Deref for Locked<'_> {
    type Target = Dispatcher;

    fn deref(&self) -> &Dispatcher {
        &self.watched.dispatcher
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Dispatcher {
        &mut self.watched.dispatcher
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.publish();
    }
}

/// Looks at a taken lock before the thread sleeps: the waits between them are 0.2 to 0.7 ms together, as long as a
/// processor pauses.
const LOOKS: u32 = 14;
