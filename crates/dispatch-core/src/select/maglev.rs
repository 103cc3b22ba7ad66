//! The table of Maglev hashing (Eisenbud et al.: Maglev, NSDI 2016, section 3.4), with turns by weight.

use alloc::vec;
use alloc::vec::Vec;

use super::turns::in_order;
use crate::hash::{below, mix};
use crate::slots::NONE;

/// Fills the table for members by hash, seat and weight: in turns by weight, each member along its own permutation
/// of the slots.
pub(super) fn fill(table: &mut Vec<u32>, members: &[(u64, u32, u32)]) {
    match members.len() {
        0 => table.clear(),
        1..=MANY => fill_slots::<SLOTS, { SLOTS.next_power_of_two() as usize }>(table, members),
        _ => fill_slots::<SLOTS_FOR_MANY, { SLOTS_FOR_MANY.next_power_of_two() as usize }>(table, members),
    }
}

fn fill_slots<const SLOTS: u32, const ROOM: usize>(table: &mut Vec<u32>, members: &[(u64, u32, u32)]) {
    table.clear();
    table.resize(SLOTS as usize, NONE);
    let mut walks: Vec<Walk<SLOTS>> = members.iter().map(|(hash, seat, _)| Walk::new(*hash, *seat)).collect();
    let weights = members.iter().map(|(_, _, weight)| *weight);
    let turns = in_order((0u32..).zip(weights), SLOTS as usize);
    let (most, last) = turns.split_at(turns.len().saturating_sub(FEW));
    // A byte each: bits would take longer to read. A power of two, so that no index is compared with an end.
    let mut free = vec![true; ROOM];
    let Ok(free) = <&mut [bool; ROOM]>::try_from(free.as_mut_slice()) else { return };
    for turn in most {
        let Some(walk) = walks.get_mut(*turn as usize) else { continue };
        walk.seek(free);
        if let Some(free) = free.get_mut(walk.slot as usize) {
            *free = false;
        }
        walk.take(table);
    }
    // Walks would be long: it is computed which of the last ones comes first.
    let mut left: Vec<u32> =
        (0..SLOTS).zip(&*free).filter(|(_, free)| **free).map(|(slot, _)| slot).collect();
    for turn in last {
        let Some(walk) = walks.get_mut(*turn as usize) else { continue };
        let steps = left.iter().map(walk.steps()).enumerate();
        let Some((first, _)) = steps.min_by_key(|(_, steps)| *steps) else { break };
        walk.slot = left.swap_remove(first);
        walk.take(table);
    }
}

/// Where a member is on its way through a prime number of slots.
struct Walk<const SLOTS: u32> {
    slot: u32,
    step: u32,
    seat: u32,
}

impl<const SLOTS: u32> Walk<SLOTS> {
    const fn new(hash: u64, seat: u32) -> Self {
        Self { slot: below(hash, SLOTS), step: 1 + below(mix(hash), SLOTS - 1), seat }
    }

    const fn after(&self) -> u32 {
        Self::sum(self.slot, self.step)
    }

    const fn sum(slot: u32, step: u32) -> u32 {
        let next = slot + step;
        if next < SLOTS { next } else { next - SLOTS }
    }

    /// Goes on to the first free slot, looking at four at a time: a processor cannot foretell where a walk ends.
    /// The number of slots is prime, so every walk comes by every slot.
    fn seek<const ROOM: usize>(&mut self, free: &[bool; ROOM]) {
        let is_free = |slot: u32| free.get(slot as usize & (ROOM - 1)) == Some(&true);
        loop {
            let a = self.slot;
            let b = Self::sum(a, self.step);
            let c = Self::sum(b, self.step);
            let d = Self::sum(c, self.step);
            let (at_a, at_b, at_c, at_d) = (is_free(a), is_free(b), is_free(c), is_free(d));
            let (sooner, later) = (if at_a { a } else { b }, if at_c { c } else { d });
            self.slot = if at_a | at_b { sooner } else { later };
            if at_a | at_b | at_c | at_d {
                return;
            }
            self.slot = Self::sum(d, self.step);
        }
    }

    /// Takes the slot, and goes on.
    fn take(&mut self, table: &mut [u32]) {
        if let Some(owner) = table.get_mut(self.slot as usize) {
            *owner = self.seat;
        }
        self.slot = self.after();
    }

    /// How many steps away a slot is.
    fn steps(&self) -> impl Fn(&u32) -> u32 + use<SLOTS> {
        let (slot, inverse) = (self.slot, Self::inverse(self.step));
        move |to| Self::product(to + SLOTS - slot, inverse)
    }

    const fn product(a: u32, b: u32) -> u32 {
        (a as u64 * b as u64 % SLOTS as u64) as u32
    }

    /// What a step is multiplied by to make 1: its (SLOTS - 2)nd power, by Fermat.
    const fn inverse(step: u32) -> u32 {
        let (mut power, mut square, mut bits) = (1, step, SLOTS - 2);
        while bits > 0 {
            if bits & 1 == 1 {
                power = Self::product(power, square);
            }
            square = Self::product(square, square);
            bits >>= 1;
        }
        power
    }
}

/// Slots of the table, a prime: shares are exact to 1 % for 600 equal members.
const SLOTS: u32 = 65_537;
/// Beyond this many members the table is larger; who passes it sees most keys move once.
const MANY: usize = 4_096;
const SLOTS_FOR_MANY: u32 = 1_048_583;
/// Free slots that are looked at one by one: more cost more than the walks that end at them.
const FEW: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 3.4 of the paper, word by word: every walk slot by slot, with weights as turns.
    fn by_the_paper(members: &[(u64, u32, u32)]) -> Vec<u32> {
        let mut table = vec![NONE; SLOTS as usize];
        let mut turns = crate::select::turns::Turns::new((0u32..).zip(members.iter().map(|member| member.2)));
        let mut next = vec![0u64; members.len()];
        for _ in 0..SLOTS {
            let turn = turns.first().unwrap() as usize;
            turns.take(turn as u32);
            let (hash, seat, _) = members[turn];
            let (offset, skip) = (below(hash, SLOTS), 1 + below(mix(hash), SLOTS - 1));
            loop {
                let slot = (u64::from(offset) + next[turn] * u64::from(skip)) % u64::from(SLOTS);
                next[turn] += 1;
                if table[slot as usize] == NONE {
                    table[slot as usize] = seat;
                    break;
                }
            }
        }
        table
    }

    #[test]
    fn the_table_is_that_of_the_paper() {
        for weights in [&[1u32][..], &[1, 1], &[3, 1, 7], &[5; 40]] {
            let member = |(seat, weight): (u32, &u32)| (mix(u64::from(seat)), seat, *weight);
            let members: Vec<_> = (0u32..).zip(weights).map(member).collect();
            let mut table = vec![7; 3];
            fill(&mut table, &members);
            assert!(table == by_the_paper(&members), "{weights:?}");
        }
    }
}
