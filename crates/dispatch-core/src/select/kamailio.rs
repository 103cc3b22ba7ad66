//! `kamailio`: as Kamailio's dispatcher would choose, by the functions of `crate::kamailio`.
//!
//! Candidates are walked in Kamailio's index order from where its algorithm starts; who cannot take
//! the call is passed, so that its follower takes all of its calls, as there. A decision looks at
//! every seat at worst.

use alloc::vec::Vec;

use super::{Ask, Bits, Candidates, Change};
use crate::hash::Hasher;
use crate::kamailio::{
    Bytes, Circle, call_id_key, hash, index_order, shuffled, slots_by_rank, slots_by_rweight,
    slots_by_weight, takes_turns,
};
use crate::member::Member;
use crate::rng::Rng;
#[cfg(feature = "serde")]
use crate::snapshot::state::Turn;

#[derive(Clone, Debug)]
pub(crate) struct Kamailio {
    alg: u16,
    use_default: bool,
    bytes: Bytes,
    /// Seats in index order.
    order: Vec<u32>,
    /// Where in the order the next turn is.
    turn: u32,
    /// Places in the order by slot, and the next slot.
    slots: Vec<usize>,
    slot: usize,
    /// Who shares in the slots of algorithm 11, and did in those of 15 when somebody joined last.
    up: Bits,
    /// Shuffles the slots.
    rng: Rng,
}

impl Kamailio {
    pub(crate) fn new(alg: u16, use_default: bool, unsigned_bytes: bool, hasher: Hasher) -> Self {
        let bytes = if unsigned_bytes { Bytes::Unsigned } else { Bytes::Signed };
        let rng = Rng::new(hasher.hash(b"kamailio"));
        let (order, slots, up) = (Vec::new(), Vec::new(), Bits::default());
        Self { alg, use_default, bytes, order, turn: 0, slots, slot: 0, up, rng }
    }

    pub(crate) fn rebuild(&mut self, candidates: &Candidates<'_>) {
        let (seats, priorities): (Vec<u32>, Vec<i32>) =
            candidates.seated().map(|(seat, member)| (seat, member.destination.priority)).unzip();
        let seat_of = |line: usize| seats.get(line).copied();
        self.order = index_order(&priorities).into_iter().filter_map(seat_of).collect();
        self.up = candidates.usable.clone();
        self.share(candidates);
    }

    #[cfg(feature = "serde")]
    pub(super) fn turn(&self) -> Turn {
        Turn::Kamailio {
            turn: self.turn,
            slot: self.slot as u32,
            slots: self.slots.iter().map(|place| *place as u32).collect(),
            up: self.up.from(0).collect(),
            rng: self.rng.state(),
        }
    }

    /// Goes on there; whether it can, with so many seats.
    #[cfg(feature = "serde")]
    pub(super) fn resume(&mut self, turn: &Turn, seats: u32) -> bool {
        let Turn::Kamailio { turn, slot, slots, up, rng } = turn else { return false };
        self.turn = *turn;
        self.slot = *slot as usize;
        self.slots = slots.iter().map(|place| *place as usize).collect();
        self.up = Bits::default();
        up.iter().filter(|seat| **seat < seats).for_each(|seat| self.up.set(*seat, true));
        self.rng = Rng::new(*rng);
        *turn <= seats && self.up.len() as usize == up.len() && slots.iter().all(|place| *place < seats)
    }

    /// Algorithm 11 shares among those that are up.
    pub(crate) fn moved(&mut self, Change { seat, usable, .. }: Change, candidates: &Candidates<'_>) {
        if self.alg == 11 && self.up.contains(seat) != usable {
            self.up.set(seat, usable);
            self.share(candidates);
        }
    }

    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>, rng: &mut Rng) -> Option<u32> {
        let random = if self.alg == 6 { rng.next() as u32 } else { 0 };
        let start = self.start(candidates, ask, random)?;
        let mut seats = self.circle().from(start).filter_map(|place| self.order.get(place).copied());
        seats.find(|seat| candidates.may_take(*seat, ask))
    }

    /// The call went to this seat; failing over takes no turn.
    #[inline(never)]
    pub(crate) fn chosen(&mut self, seat: u32, fails_over: bool) {
        if fails_over {
            return;
        }
        self.turn = self.place(seat).map_or(self.turn, |place| place as u32 + 1);
        self.slot = (self.slot + 1) % self.slots.len().max(1);
    }

    /// How far behind the one chosen a seat comes.
    pub(crate) fn distance(&self, seat: u32, candidates: &Candidates<'_>, ask: &Ask<'_>) -> Option<f64> {
        let place = self.place(seat)?;
        let start = self.start(candidates, ask, 0).filter(|_| self.alg != 6)?;
        self.circle().from(start).position(|other| other == place).map(|steps| steps as f64)
    }

    /// From which place on the call looks for a destination.
    fn start(&self, candidates: &Candidates<'_>, ask: &Ask<'_>, random: u32) -> Option<usize> {
        // Who fails over goes on behind the last one tried.
        if let Some(last) = ask.tried.last().and_then(|last| self.place(*last)) {
            return Some(last);
        }
        let turn = match self.alg {
            // One that fails over from another set has no text any more, and starts by our hash.
            0..=3 | 5 | 7 => match ask.text {
                None => ask.key as u32,
                Some(text) if self.alg == 0 => hash(call_id_key(text), b"", self.bytes),
                Some(text) => hash(text, b"", self.bytes),
            },
            4 => self.turn,
            6 => random,
            9 | 11 | 15 => *self.slots.get(self.slot)? as u32,
            10 => {
                let open = self.order.iter().enumerate().filter(|(_, seat)| candidates.may_take(**seat, ask));
                open.min_by_key(|(_, seat)| candidates.member(**seat).map(|member| member.calls))?.0 as u32
            }
            14 if takes_turns(self.members(candidates).map(|member| member.destination.priority)) => {
                self.turn
            }
            _ => 0,
        };
        Some(self.circle().turn(turn))
    }

    fn share(&mut self, candidates: &Candidates<'_>) {
        let weight = |member: &Member| match member.destination.weight {
            weight @ 0..=100 => weight,
            _ => 0,
        };
        let up = |seat: &u32| candidates.member(*seat).filter(|_| self.up.contains(*seat));
        let slots = match self.alg {
            9 => slots_by_weight(&self.members(candidates).map(weight).collect::<Vec<u32>>()),
            11 => {
                let rweights = self.order.iter().map(|seat| up(seat).map_or(0, weight));
                slots_by_rweight(&rweights.collect::<Vec<u32>>())
            }
            15 => {
                let rank = |member: &Member| (member.destination.priority, weight(member));
                let ranks = self.order.iter().map(|seat| up(seat).map(rank));
                slots_by_rank(&ranks.collect::<Vec<Option<(i32, u32)>>>())
            }
            _ => return,
        };
        self.slots = shuffled(&slots, &mut self.rng);
    }

    fn members<'a>(&self, candidates: &Candidates<'a>) -> impl Iterator<Item = &'a Member> {
        self.order.iter().filter_map(|seat| candidates.member(*seat))
    }

    fn place(&self, seat: u32) -> Option<usize> {
        self.order.iter().position(|other| *other == seat)
    }

    const fn circle(&self) -> Circle {
        Circle::new(self.order.len(), self.use_default)
    }
}
