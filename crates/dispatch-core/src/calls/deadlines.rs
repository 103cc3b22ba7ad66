//! Calls in the order of their deadlines: one queue per span, linked through the calls' indexes.
//!
//! The links lie apart from the records. A call that ends touches its neighbours in the queue, which
//! may be anywhere among a million; of their links, unlike of their records, most fit into a cache.
//! Beside them stands the half of the hash by which the call is found, so that who ends a call by its
//! lease need not wait for the record to know where that is.

use alloc::vec::Vec;
use core::time::Duration;

use crate::slots::NONE;

/// The calls of one span, the oldest first: nobody in it began later than its successor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queue {
    pub(super) span: Duration,
    pub(super) oldest: u32,
    newest: u32,
}

impl Queue {
    pub(super) const fn new(span: Duration) -> Self {
        Self { span, oldest: NONE, newest: NONE }
    }

    /// Puts a call at the end.
    pub(super) fn append(&mut self, index: u32, links: &mut Links) {
        let older = core::mem::replace(&mut self.newest, index);
        match links.at_mut(older) {
            Some(link) => link.newer = index,
            None => self.oldest = index,
        }
        if let Some(link) = links.at_mut(index) {
            (link.older, link.newer) = (older, NONE);
        }
    }

    /// Takes out a call that is in it.
    pub(super) fn remove(&mut self, index: u32, links: &mut Links) {
        let Some(Link { older, newer, .. }) = links.at(index) else { return };
        match links.at_mut(older) {
            Some(link) => link.newer = newer,
            None => self.oldest = newer,
        }
        match links.at_mut(newer) {
            Some(link) => link.older = older,
            None => self.newest = older,
        }
    }
}

/// Neighbours per index, in pages: growing never moves what is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    pages: Vec<Vec<Link>>,
}

/// Neighbours in a queue; [`NONE`] at its ends.
#[derive(Clone, Copy, Debug)]
struct Link {
    older: u32,
    newer: u32,
    /// The leading half of the hash of its Call-ID.
    id: u32,
}

impl Links {
    /// Room for so many indexes, in any order.
    #[cfg(feature = "serde")]
    pub(super) fn of(indexes: usize) -> Self {
        let page =
            |first: usize| alloc::vec![Link { older: NONE, newer: NONE, id: 0 }; PAGE.min(indexes - first)];
        Self { pages: (0..indexes).step_by(PAGE).map(page).collect() }
    }

    /// Who comes after a call in its queue.
    pub(super) fn newer(&self, index: u32) -> u32 {
        self.at(index).map_or(NONE, |link| link.newer)
    }

    /// The leading half of the hash of a call's Call-ID.
    pub(super) fn id(&self, index: u32) -> u32 {
        self.at(index).map_or(0, |link| link.id)
    }

    fn at(&self, index: u32) -> Option<Link> {
        self.pages.get(index as usize / PAGE)?.get(index as usize % PAGE).copied()
    }

    fn at_mut(&mut self, index: u32) -> Option<&mut Link> {
        self.pages.get_mut(index as usize / PAGE)?.get_mut(index as usize % PAGE)
    }

    /// Indexes come one after another, so that a new one is at most the next.
    pub(super) fn add(&mut self, index: u32, id: u32) {
        let link = Link { older: NONE, newer: NONE, id };
        if let Some(known) = self.at_mut(index) {
            *known = link;
            return;
        }
        if self.pages.len() <= index as usize / PAGE {
            self.pages.push(Vec::new());
        }
        if let Some(page) = self.pages.last_mut() {
            page.push(link);
        }
    }
}

const PAGE: usize = 1_024;
