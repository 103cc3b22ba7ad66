//! One set of the model: its members in index order, and whose turn it is.

use alloc::vec::Vec;

use super::circle::{Circle, index_order};
use super::destination::Member;
use super::dispatcher::CALL_LOAD;
use super::{Destination, Params, Release, call_id_key, hash, slots, uri_key};
use crate::rng::Rng;
use crate::time::Time;

/// What of a request decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// The body of Call-ID: algorithm 0, and what algorithm 10 counts by.
    pub call_id: &'a [u8],
    /// The URI of From: algorithm 1.
    pub from: &'a [u8],
    /// The URI of To: algorithm 2.
    pub to: &'a [u8],
    /// The Request-URI: algorithm 3.
    pub request_uri: &'a [u8],
    /// The username of Proxy-Authorization or Authorization: algorithm 5, round robin without one.
    pub username: Option<&'a [u8]>,
    /// What `hash_pvar` comes to: algorithm 7, which fails without it.
    pub hash_pvar: Option<&'a [u8]>,
    /// What `rand()` gives: algorithm 6.
    pub random: u32,
}

/// What a selection comes to; destinations are told by their place in index order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The one selected; by algorithm 12, the first of all.
    pub index: usize,
    /// What the XAVP list holds, the one selected first; empty without `flags` bit 2, and for
    /// algorithm 12.
    pub failover: Vec<usize>,
    /// Algorithm 12: everybody, at once.
    pub parallel: Vec<usize>,
    /// Where algorithm 10 counts the call: whose turn it was, even where another one gets it.
    pub(super) counted: usize,
    /// By which algorithm: some become another one.
    pub(super) algorithm: u16,
}

impl Selection {
    /// Drops the one selected, and selects the next of the failover list.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.index = *self.failover.get(1)?;
        self.failover.remove(0);
        Some(self.index)
    }
}

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

    /// A state changed: algorithms 11 and 15 share among those that are left.
    pub(super) fn share_anew(&mut self, rng: &mut Rng) {
        let up = |member: &&Member| !member.state.is_skipped();
        let rweight = |member: &Member| if up(&member) { member.destination.rweight } else { 0 };
        let rweights: Vec<u32> = self.members.iter().map(rweight).collect();
        let ranks =
            |member: &Member| up(&member).then_some((member.destination.priority, member.destination.weight));
        let ranks: Vec<Option<(i32, u32)>> = self.members.iter().map(ranks).collect();
        self.by_rweight.owners = slots::shuffled(&slots::slots_by_rweight(&rweights), rng);
        self.by_srv.owners = slots::shuffled(&slots::slots_by_rank(&ranks), rng);
    }

    pub(super) fn look(
        &self,
        algorithm: u16,
        request: &Request<'_>,
        params: &Params,
        now: Time,
    ) -> Option<Selection> {
        let algorithm = self.known(algorithm, request, params.release);
        let circle = Circle::new(self.members.len(), params.use_default);
        let up = |index: &usize| self.members.get(*index).is_some_and(|member| !member.state.is_skipped());
        if algorithm == 12 {
            let parallel: Vec<usize> = (0..self.members.len()).filter(up).collect();
            return Some(Selection {
                index: *parallel.first()?,
                parallel,
                algorithm,
                ..Selection::default()
            });
        }
        let start = self.start(algorithm, request, params, circle, now)?;
        // The spare one's turn goes to another one, whether that is full or not.
        let index = circle.from(circle.turn(start as u32)).find(up)?;
        let open = |index: &usize| {
            algorithm != CALL_LOAD || self.members.get(*index).is_some_and(|member| !member.is_full())
        };
        let rest = circle.from(index).skip(1).filter(up).filter(open);
        let failover =
            if params.failover { core::iter::once(index).chain(rest).collect() } else { Vec::new() };
        Some(Selection { index, counted: start, failover, parallel: Vec::new(), algorithm })
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
            5 => request.username.map(by_hash),
            6 => Some(circle.turn(request.random)),
            7 => request.hash_pvar.map(by_hash),
            9 => self.by_weight.owner(),
            CALL_LOAD if !params.counts_calls => None,
            CALL_LOAD => {
                let open = |(_, member): &(usize, &Member)| !member.state.is_skipped() && !member.is_full();
                let open = self.members.iter().enumerate().filter(open);
                open.min_by_key(|(_, member)| member.load).map(|(index, _)| index)
            }
            11 => self.by_rweight.owner(),
            13 => {
                let up = |index: &usize| self.members.get(*index).is_some_and(|m| !m.state.is_skipped());
                let priority = |index: usize| self.members.get(index).map(Member::adjusted_priority);
                let best = circle.from(0).filter(up).filter_map(priority).max();
                circle.from(in_turn()).filter(up).find(|index| priority(*index) == best)
            }
            15 => self.by_srv.owner(),
            64 => circle.from(in_turn()).find(|index| {
                let member = self.members.get(*index);
                member.is_some_and(|member| !member.state.is_skipped() && !member.overload.spares(now))
            }),
            // 8, and every number that means nothing.
            _ => Some(0),
        }
    }

    /// A selection takes its turn.
    pub(super) fn take(&mut self, selection: &Selection, params: &Params, now: Time) {
        let circle = Circle::new(self.members.len(), params.use_default);
        match selection.algorithm {
            4 | 13 => self.turn = selection.index as u32 + 1,
            9 => self.by_weight.advance(),
            11 => self.by_rweight.advance(),
            15 => self.by_srv.advance(),
            64 => {
                // Everybody who was passed by had a visit, and so had the one who was not.
                for index in circle.from(circle.turn(self.turn)) {
                    if let Some(member) = self.members.get_mut(index) {
                        member.overload.visit(now);
                    }
                    if index == selection.index {
                        break;
                    }
                }
                self.turn = selection.index as u32 + 1;
            }
            _ => {}
        }
    }

    /// The algorithm that a number comes to here; one that means nothing is 8.
    fn known(&self, number: u16, request: &Request<'_>, release: Release) -> u16 {
        match (number, release) {
            (5, _) if request.username.is_none() => 4,
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

impl Slots {
    const EMPTY: Self = Self { owners: Vec::new(), next: 0 };

    fn owner(&self) -> Option<usize> {
        self.owners.get(self.next).copied()
    }

    fn advance(&mut self) {
        self.next = (self.next + 1) % self.owners.len().max(1);
    }
}
