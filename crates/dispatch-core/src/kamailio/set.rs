//! One set of the model: its members in index order, and whose turn it is.

use alloc::vec;
use alloc::vec::Vec;

use super::circle::{Circle, index_order};
use super::destination::Member;
use super::dispatcher::CALL_LOAD;
use super::{
    Destination, Params, Release, Request, Selection, call_id_key, hash, latency, slots, uri_key,
    username_key,
};
use crate::rng::Rng;
use crate::time::Time;

#[derive(Clone, Debug)]
pub(super) struct Set {
    /// In index order.
    members: Vec<Member>,
    /// The next turn of algorithms 4, 5, 13, 14 and 64.
    turn: u32,
    by_weight: Slots,
    by_rweight: Slots,
    by_srv: Slots,
}

/// Whose slot comes next.
#[derive(Clone, Debug, Default)]
struct Slots {
    owners: Vec<usize>,
    next: usize,
}

impl Set {
    /// From the lines of a file.
    pub(super) fn new(mut lines: Vec<Member>, rng: &mut Rng) -> Self {
        let priorities: Vec<i32> = lines.iter().map(|line| line.destination.priority).collect();
        let mut places: Vec<Option<Member>> = lines.drain(..).map(Some).collect();
        let order = index_order(&priorities);
        let members = order.into_iter().filter_map(|line| places.get_mut(line)?.take()).collect();
        let [by_weight, by_rweight, by_srv] = [const { Slots::EMPTY }; 3];
        let mut set = Self { members, turn: 0, by_weight, by_rweight, by_srv };
        let weights: Vec<u32> = set.members.iter().map(|member| member.destination.weight).collect();
        set.by_weight.owners = slots::shuffled(&slots::slots_by_weight(&weights), rng);
        let rank = |of: &Member| of.is_up().then_some((of.destination.priority, of.destination.weight));
        let ranks: Vec<Option<(i32, u32)>> = set.members.iter().map(rank).collect();
        set.by_srv.owners = slots::shuffled(&slots::slots_by_rank(&ranks), rng);
        set.share_anew(rng);
        set
    }

    pub(super) fn into_members(self) -> impl Iterator<Item = Member> {
        self.members.into_iter()
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(super) fn at_mut(&mut self, index: usize) -> Option<&mut Member> {
        self.members.get_mut(index)
    }

    pub(super) fn find(&mut self, is: impl Fn(&Destination) -> bool) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| is(&member.destination))
    }

    /// A state changed: algorithm 11 shares among those that are left.
    pub(super) fn share_anew(&mut self, rng: &mut Rng) {
        let rweight = |member: &Member| if member.is_up() { member.destination.rweight } else { 0 };
        let rweights: Vec<u32> = self.members.iter().map(rweight).collect();
        self.by_rweight.owners = slots::shuffled(&slots::slots_by_rweight(&rweights), rng);
    }

    pub(super) fn look(
        &self,
        algorithm: u16,
        request: &Request<'_>,
        is_new: bool,
        params: &Params,
        now: Time,
    ) -> Option<Selection> {
        let algorithm = self.known(algorithm, request, params.release);
        if algorithm == LATENCY {
            return latency::select(&self.members, self.turn, params);
        }
        let circle = Circle::new(self.members.len(), params.use_default);
        let start = self.start(algorithm, request, params, circle, now)?;
        // The spare one's turn goes to another one, whether that is full or not.
        let index = circle.from(circle.turn(start as u32)).find(|index| self.is_up(*index))?;
        let counts = algorithm == CALL_LOAD && is_new && self.has_duid(start);
        let mut selection = Selection {
            index,
            counted: counts.then_some(start),
            algorithm,
            turn: self.after(index),
            ..Selection::default()
        };
        if algorithm == PARALLEL {
            selection.parallel = (index..self.members.len()).take(params.max_branches).collect();
        } else if params.failover {
            let is_full = |index: usize| counts && self.members.get(index).is_some_and(Member::is_full);
            // The spare one stays in the list, whatever its state is.
            let is_open = |index: &usize| circle.is_spare(*index) || (self.is_up(*index) && !is_full(*index));
            selection.failover = vec![index];
            selection.failover.extend(circle.from(index).skip(1).filter(is_open));
            selection.refused = counts && !selection.failover.iter().all(|index| self.has_duid(*index));
        }
        Some(selection)
    }

    /// From where on the one selected is looked for.
    fn start(
        &self,
        algorithm: u16,
        request: &Request<'_>,
        params: &Params,
        circle: Circle,
        now: Time,
    ) -> Option<usize> {
        let by_hash = |key: &[u8]| circle.turn(hash(key, b"", params.bytes));
        let by_uri = |uri: &[u8]| Some(by_hash(&uri_key(uri, params.user_only)?));
        let in_turn = || circle.turn(self.turn);
        match algorithm {
            0 => Some(by_hash(call_id_key(request.call_id))),
            1 => by_uri(request.from),
            2 => by_uri(request.to),
            3 => by_uri(request.request_uri),
            4 => Some(in_turn()),
            5 => request.username.and_then(username_key).map(by_hash),
            6 => Some(circle.turn(request.random)),
            7 => request.hash_pvar.map(by_hash),
            9 => self.by_weight.owner(),
            CALL_LOAD if !params.counts_calls => None,
            CALL_LOAD => {
                let open = |(_, member): &(usize, &Member)| member.is_up() && !member.is_full();
                let open = self.members.iter().enumerate().filter(open);
                open.min_by_key(|(_, member)| member.load).map(|(index, _)| index)
            }
            11 => self.by_rweight.owner(),
            15 => self.by_srv.owner(),
            64 => circle.from(in_turn()).find(|index| {
                let member = self.members.get(*index);
                member.is_some_and(|member| member.is_up() && !member.overload.spares(now))
            }),
            // 8, 12, and every number that means nothing.
            _ => Some(0),
        }
    }

    /// A selection takes its turn.
    pub(super) fn take(&mut self, selection: &Selection, params: &Params) {
        let circle = Circle::new(self.members.len(), params.use_default);
        match selection.algorithm {
            4 | LATENCY => self.turn = selection.turn,
            9 => self.by_weight.advance(),
            11 => self.by_rweight.advance(),
            15 => self.by_srv.advance(),
            64 => {
                // Everybody who was passed by had a visit, and so had the one who was not.
                for index in circle.from(circle.turn(self.turn)) {
                    if let Some(member) = self.members.get_mut(index) {
                        member.overload.visit();
                    }
                    if index == selection.index {
                        break;
                    }
                }
                self.turn = selection.turn;
            }
            _ => {}
        }
    }

    /// Nobody was selected.
    pub(super) fn fail(&mut self, algorithm: u16, request: &Request<'_>, params: &Params) {
        match self.known(algorithm, request, params.release) {
            4 => self.turn = self.after(self.turn as usize),
            LATENCY => self.turn = 0,
            _ => {}
        }
    }

    fn after(&self, index: usize) -> u32 {
        ((index + 1) % self.members.len().max(1)) as u32
    }

    fn is_up(&self, index: usize) -> bool {
        self.members.get(index).is_some_and(Member::is_up)
    }

    fn has_duid(&self, index: usize) -> bool {
        self.members.get(index).is_some_and(|member| !member.destination.duid.is_empty())
    }

    /// The algorithm that a number comes to here; one that means nothing is 8.
    fn known(&self, number: u16, request: &Request<'_>, release: Release) -> u16 {
        match (number, release) {
            (5, _) if request.username.and_then(username_key).is_none() => 4,
            (0..=13, _) | (15 | 64, Release::V6) => number,
            (14, Release::V6) => {
                let priorities = self.members.iter().map(|member| member.destination.priority);
                if takes_turns(priorities) { 4 } else { 8 }
            }
            _ => 8,
        }
    }
}

/// Whether algorithm 14 is round robin: all have the same priority, which is above 0.
pub(crate) fn takes_turns(mut priorities: impl Iterator<Item = i32>) -> bool {
    priorities.next().is_some_and(|first| first > 0 && priorities.all(|other| other == first))
}

/// The algorithm that calls everybody at once.
const PARALLEL: u16 = 12;
/// The algorithm that looks at latency.
const LATENCY: u16 = 13;

impl Slots {
    const EMPTY: Self = Self { owners: Vec::new(), next: 0 };

    fn owner(&self) -> Option<usize> {
        self.owners.get(self.next).copied()
    }

    fn advance(&mut self) {
        self.next = (self.next + 1) % self.owners.len().max(1);
    }
}
