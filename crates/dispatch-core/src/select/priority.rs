//! `priority`: the highest priority first; equal ones in turn.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::{Ask, Bits, Candidates, Change};
#[cfg(feature = "serde")]
use crate::snapshot::state::Turn;

#[derive(Clone, Debug, Default)]
pub(crate) struct Priority {
    /// Seats by priority, the highest first, equal ones in seat order: a seat's place is its rank.
    ranking: Vec<u32>,
    /// The rank of each seat.
    ranks: Vec<u32>,
    /// The ranks whose seats are usable.
    usable: Bits,
    groups: Vec<Group>,
    /// Whose turn it is per priority, also where nobody has it now: the first from this seat on,
    /// in a circle.
    turns: BTreeMap<i32, u32>,
}

/// The seats of one priority.
#[derive(Clone, Debug)]
struct Group {
    priority: i32,
    first_rank: u32,
    end_rank: u32,
}

impl Priority {
    pub(crate) fn rebuild(&mut self, candidates: &Candidates<'_>) {
        let mut order: Vec<(Reverse<i32>, u32)> =
            candidates.seated().map(|(seat, member)| (Reverse(member.destination.priority), seat)).collect();
        order.sort_unstable();
        self.groups.clear();
        self.ranking = order.iter().map(|(_, seat)| *seat).collect();
        self.ranks = alloc::vec![0; candidates.seats.len()];
        self.usable = Bits::default();
        for (rank, (Reverse(priority), seat)) in (0u32..).zip(order) {
            if let Some(place) = self.ranks.get_mut(seat as usize) {
                *place = rank;
            }
            self.usable.set(rank, candidates.usable.contains(seat));
            match self.groups.last_mut() {
                Some(group) if group.priority == priority => group.end_rank = rank + 1,
                _ => self.groups.push(Group { priority, first_rank: rank, end_rank: rank + 1 }),
            }
        }
    }

    #[cfg(feature = "serde")]
    pub(super) fn turn(&self) -> Turn {
        Turn::Priority { next_seats: self.turns.clone() }
    }

    #[cfg(feature = "serde")]
    pub(super) fn resume(&mut self, next_seats: &BTreeMap<i32, u32>) {
        self.turns.clone_from(next_seats);
    }

    pub(crate) fn moved(&mut self, Change { seat, usable, .. }: Change) {
        if let Some(rank) = self.ranks.get(seat as usize) {
            self.usable.set(*rank, usable);
        }
    }

    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>) -> Option<u32> {
        let seat_at = |rank: u32| self.ranking.get(rank as usize).copied();
        let open = |rank: &u32| seat_at(*rank).is_some_and(|seat| candidates.may_take(seat, ask));
        let best = self.usable.from(0).find(open)?;
        let group = self.groups.get(self.group_of(best))?;
        let members = self.ranking.get(group.first_rank as usize..group.end_rank as usize)?;
        let next = self.turns.get(&group.priority).copied().unwrap_or(0);
        let turn = group.first_rank + members.partition_point(|seat| *seat < next) as u32;
        let later = self.usable.from(turn).take_while(|rank| *rank < group.end_rank);
        let earlier = self.usable.from(group.first_rank).take_while(|rank| *rank < turn);
        seat_at(later.chain(earlier).find(open)?)
    }

    #[inline(never)]
    pub(crate) fn chosen(&mut self, seat: u32) {
        let rank = self.ranks.get(seat as usize).copied().unwrap_or(0);
        if let Some(group) = self.groups.get(self.group_of(rank)) {
            self.turns.insert(group.priority, seat + 1);
        }
    }

    fn group_of(&self, rank: u32) -> usize {
        self.groups.partition_point(|group| group.end_rank <= rank)
    }
}
