//! A set: its seats, who of them can take a call, and the algorithms that choose among them.

#[cfg(feature = "serde")]
mod saved;

use alloc::vec::Vec;
use core::time::Duration;

use crate::config::Algorithm;
use crate::hash::Hasher;
use crate::load::costs::Costs;
use crate::load::traffic::Traffic;
use crate::member::Member;
use crate::rng::Rng;
#[cfg(feature = "std")]
use crate::select::Hashed;
use crate::select::{Ask, Bits, Candidates, Change, Selector, Takers};
use crate::slots::{Key, Slots};
use crate::standing::Standing;
use crate::time::Time;

/// The members of one set.
///
/// A member keeps its seat for as long as it is there; a seat that becomes vacant goes to the next
/// member that joins, so that nobody else's turn changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    /// The member per seat, [`Key::NOWHERE`] where the seat is vacant.
    seats: Vec<Key>,
    vacant: Vec<u32>,
    usable: Bits,
    takers: Takers,
    selectors: Vec<(Algorithm, Selector)>,
    /// Members joined or left, or a weight or a priority changed, since the orders were built.
    stale: bool,
    standings: [u32; Standing::COUNT],
    /// Calls have been placed here: who joins from now on joins others at work.
    takes_calls: bool,
    /// Too few are healthy: health is ignored.
    panics: bool,
    pub(crate) traffic: Traffic,
    /// When it was last said that most fail.
    common_cause: Option<Time>,
}

impl Set {
    /// The place of an algorithm in this set; it is added where it is new.
    pub(crate) fn selector(&mut self, algorithm: Algorithm, hasher: Hasher) -> usize {
        if let Some(known) = self.selectors.iter().position(|(known, _)| *known == algorithm) {
            return known;
        }
        self.selectors.push((algorithm, Selector::new(algorithm, hasher)));
        self.stale = true;
        self.selectors.len() - 1
    }

    pub(crate) fn algorithm(&self, selector: usize) -> Option<Algorithm> {
        self.selectors.get(selector).map(|(algorithm, _)| *algorithm)
    }

    /// Gives a member the lowest vacant seat, or a new one.
    pub(crate) fn seat(&mut self, member: Key) -> u32 {
        self.stale = true;
        self.count(Standing::Removed, 1);
        if let Some(seat) = self.vacant.pop() {
            if let Some(place) = self.seats.get_mut(seat as usize) {
                *place = member;
            }
            return seat;
        }
        let seat = self.seats();
        self.seats.push(member);
        self.open(seat, false);
        seat
    }

    /// Frees a seat whose member stood as told.
    pub(crate) fn unseat(&mut self, seat: u32, standing: Standing) {
        self.stale = true;
        self.count(standing, -1);
        self.open(seat, false);
        if let Some(place) = self.seats.get_mut(seat as usize) {
            *place = Key::NOWHERE;
            let at = self.vacant.partition_point(|other| *other > seat);
            self.vacant.insert(at, seat);
        }
    }

    /// The member at a seat has another load, or stands otherwise than before.
    #[inline]
    pub(crate) fn moved(
        &mut self,
        change: Change,
        (before, after): (Standing, Standing),
        members: &Slots<Member>,
        costs: &Costs,
        now: Time,
    ) {
        if before != after {
            self.stands(change, before, after);
        }
        if self.stale {
            return;
        }
        let candidates = Candidates { members, seats: &self.seats, usable: &self.usable };
        for (_, selector) in &mut self.selectors {
            match selector {
                // In line, as together with the others it would have no registers left.
                Selector::CallLoad(call_load) => call_load.moved(change, &candidates),
                other => other.moved(change, &candidates, costs, now),
            }
        }
    }

    #[inline(never)]
    fn stands(&mut self, change: Change, before: Standing, after: Standing) {
        self.count(before, -1);
        self.count(after, 1);
        self.open(change.seat, change.usable);
    }

    /// Whether the member at a seat can take a call from now on.
    fn open(&mut self, seat: u32, usable: bool) {
        let taker = self.at(seat).filter(|_| usable).unwrap_or(Key::NOWHERE);
        self.usable.set(seat, usable);
        self.takers.set(seat, taker);
    }

    /// A weight or a priority changed.
    pub(crate) const fn reorder(&mut self) {
        self.stale = true;
    }

    pub(crate) const fn is_stale(&self) -> bool {
        self.stale
    }

    /// Builds the orders anew where they are stale.
    pub(crate) fn refresh(&mut self, members: &Slots<Member>) {
        if self.stale {
            let candidates = Candidates { members, seats: &self.seats, usable: &self.usable };
            for (_, selector) in &mut self.selectors {
                selector.rebuild(&candidates);
            }
            self.stale = false;
        }
    }

    /// Whether `settle` does anything; known once it is fresh.
    pub(crate) fn settles(&self, selector: usize) -> bool {
        self.selectors.get(selector).is_some_and(|(_, selector)| selector.settles())
    }

    /// Makes ready to choose for a call like this.
    pub(crate) fn settle(&mut self, selector: usize, members: &Slots<Member>, ask: &Ask<'_>) {
        let candidates = Candidates { members, seats: &self.seats, usable: &self.usable };
        if let Some((_, selector)) = self.selectors.get_mut(selector) {
            selector.settle(&candidates, ask);
        }
    }

    /// The seat of a call that has been nowhere yet, and its member, where they are at hand.
    #[inline(always)]
    pub(crate) fn at_hand(&self, selector: usize, key: u64) -> Option<(u32, Key)> {
        self.selectors.get(selector)?.1.at_hand(key, &self.takers)
    }

    /// As `at_hand`, and the call goes there.
    #[inline(always)]
    pub(crate) fn take_at_hand(&mut self, selector: usize, key: u64) -> Option<Key> {
        let member = self.selectors.get_mut(selector)?.1.take_at_hand(key, &self.takers)?;
        self.takes_calls = true;
        Some(member)
    }

    /// A copy of what is at hand where only the hash of a key decides; see [`Hashed::of`].
    #[cfg(feature = "std")]
    pub(crate) fn hashed(&self, selector: usize, asked: usize) -> Option<Hashed> {
        Hashed::of(&self.selectors.get(selector)?.1, &self.takers, asked)
    }

    /// The seat that a call would get by one of the algorithms.
    pub(crate) fn choose(
        &self,
        selector: usize,
        members: &Slots<Member>,
        ask: &Ask<'_>,
        rng: &mut Rng,
    ) -> Option<u32> {
        let candidates = Candidates { members, seats: &self.seats, usable: &self.usable };
        self.selectors.get(selector)?.1.choose(&candidates, ask, rng)
    }

    #[inline(always)]
    pub(crate) fn chosen(&mut self, selector: usize, seat: u32, fails_over: bool) {
        self.takes_calls = true;
        if let Some((_, selector)) = self.selectors.get_mut(selector) {
            selector.chosen(seat, fails_over);
        }
    }

    /// What a seat is compared by.
    pub(crate) fn key(
        &self,
        selector: usize,
        seat: u32,
        members: &Slots<Member>,
        ask: &Ask<'_>,
    ) -> Option<f64> {
        let candidates = Candidates { members, seats: &self.seats, usable: &self.usable };
        self.selectors.get(selector)?.1.key(seat, &candidates, ask)
    }

    /// Every member with its seat, in seat order.
    pub(crate) fn seated(&self) -> impl Iterator<Item = (u32, Key)> {
        (0u32..).zip(self.seats.iter().copied()).filter(|(_, member)| !member.is_nowhere())
    }

    /// The member at a seat.
    #[inline]
    pub(crate) fn at(&self, seat: u32) -> Option<Key> {
        self.seats.get(seat as usize).copied().filter(|member| !member.is_nowhere())
    }

    /// How many members stand like this.
    pub(crate) fn standing(&self, standing: Standing) -> u32 {
        self.standings.get(standing as usize).copied().unwrap_or(0)
    }

    pub(crate) const fn takes_calls(&self) -> bool {
        self.takes_calls
    }

    pub(crate) const fn panics(&self) -> bool {
        self.panics
    }

    pub(crate) const fn set_panics(&mut self, panics: bool) {
        self.panics = panics;
    }

    /// Whether to say now that most fail: once per window.
    pub(crate) fn says_common_cause(&mut self, window: Duration, now: Time) -> bool {
        let says = self.common_cause.is_none_or(|last| now.since(last) >= window);
        if says {
            self.common_cause = Some(now);
        }
        says
    }

    /// How many seats there are, vacant ones included.
    pub(crate) const fn seats(&self) -> u32 {
        self.seats.len() as u32
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.seats.len() == self.vacant.len()
    }

    fn count(&mut self, standing: Standing, change: i32) {
        if let Some(count) = self.standings.get_mut(standing as usize) {
            *count = count.wrapping_add_signed(change);
        }
    }
}
