//! A set as a snapshot describes it, and made again of that.

use super::Set;
use crate::hash::Hasher;
use crate::member::Member;
use crate::select::{Candidates, Selector};
use crate::slots::{Key, Slots};
use crate::snapshot::state;
use crate::standing::Standing;

impl Set {
    pub(crate) fn saved(&self, set: u32) -> state::Set {
        let mut vacant_seats = self.vacant.clone();
        vacant_seats.reverse();
        state::Set {
            set,
            vacant_seats,
            takes_calls: self.takes_calls,
            panics: self.panics,
            traffic: self.traffic,
            common_cause: self.common_cause,
            stale: self.stale,
            algorithms: self
                .selectors
                .iter()
                .map(|(algorithm, selector)| (*algorithm, selector.turn()))
                .collect(),
        }
    }

    /// With the seats that these members, by seat, and nobody have; its algorithms follow.
    pub(crate) fn restored(set: &state::Set, seated: &[(u32, Key)]) -> Result<Self, &'static str> {
        let state::Set { takes_calls, panics, traffic, common_cause, stale, .. } = *set;
        let vacant = set.vacant_seats.iter().map(|seat| (*seat, Key::NOWHERE));
        let mut places: alloc::vec::Vec<_> = seated.iter().copied().chain(vacant).collect();
        places.sort_unstable();
        if !(0u32..).zip(&places).all(|(expected, (seat, _))| *seat == expected) {
            return Err("its seats are not one after another, each once");
        }
        if !traffic.is_sound() {
            return Err("its traffic cannot be");
        }
        let seats = places.into_iter().map(|(_, key)| key).collect();
        let mut vacant = set.vacant_seats.clone();
        vacant.sort_unstable_by(|a, b| b.cmp(a));
        Ok(Self { seats, vacant, takes_calls, panics, traffic, common_cause, stale, ..Self::default() })
    }

    /// Counts who stands how; its members are as they were.
    pub(crate) fn restore_standing(&mut self, seat: u32, standing: Standing) {
        self.count(standing, 1);
        self.open(seat, standing == Standing::Candidate);
    }

    /// Makes the algorithms again; who stands how is counted.
    pub(crate) fn restore_algorithms(
        &mut self,
        set: &state::Set,
        hasher: Hasher,
        members: &Slots<Member>,
    ) -> Result<(), &'static str> {
        let candidates = Candidates { members, seats: &self.seats, usable: &self.usable };
        for (algorithm, turn) in &set.algorithms {
            let selector = Selector::restored(*algorithm, turn, hasher, &candidates, self.stale);
            let Some(selector) = selector else { return Err("an algorithm cannot have that turn") };
            if self.selectors.iter().any(|(known, _)| known == algorithm) {
                return Err("an algorithm is there twice");
            }
            self.selectors.push((*algorithm, selector));
        }
        Ok(())
    }
}
