//! `call_load`: the least (load + cost) / weight, exactly.
//!
//! The candidates of one weight stand in line by load, and within a load by when it last changed:
//! the head of the lowest level is the best of its weight whatever the call costs, so that a call
//! compares one head per weight, or asks a tree of them where weights are many. Levels are linked
//! upwards; a begin or an end moves a seat to the end of a neighbouring level, which takes the same
//! time for 4 and for 100,000 members.

mod lines;
mod ranking;

use alloc::vec::Vec;

use super::{Ask, Candidates, Change};
use crate::slots::NONE;
use lines::{Lines, Place};
use ranking::Rankings;

#[derive(Clone, Debug, Default)]
pub(crate) struct CallLoad {
    /// One per weight, ascending.
    classes: Vec<Class>,
    lines: Lines,
    /// The level that became empty last: it alone may be so, as most often somebody comes back to it soon.
    spare: u32,
    rankings: Rankings,
}

/// The candidates of one weight.
#[derive(Clone, Debug)]
struct Class {
    weight: u32,
    /// The lowest level that somebody is on.
    lowest: u32,
}

impl CallLoad {
    pub(crate) fn rebuild(&mut self, candidates: &Candidates<'_>) {
        let mut weights: Vec<u32> = candidates.seated().map(|(_, member)| member.share()).collect();
        weights.sort_unstable();
        weights.dedup();
        self.classes = weights.iter().map(|weight| Class { weight: *weight, lowest: NONE }).collect();
        self.lines.reset(candidates.seats.len());
        self.spare = NONE;
        self.rankings.clear();
        // From the highest level down and from the first to the last: every step is at an end.
        let mut order: Vec<_> = candidates
            .seated()
            .map(|(seat, member)| (core::cmp::Reverse(member.load), member.touched, seat))
            .collect();
        order.sort_unstable();
        for (_, _, seat) in order {
            let Some(member) = candidates.member(seat) else { continue };
            let weight = member.share();
            let class = self.classes.partition_point(|class| class.weight < weight) as u32;
            self.lines.set(seat, Place { class, ..Place::OUT });
            let usable = candidates.usable.contains(seat);
            self.sort_in(Change { seat, usable, load: member.load, newest: false }, candidates);
        }
    }

    /// Almost always a load went to a neighbouring level, or to one between that and its own.
    #[inline]
    pub(crate) fn moved(&mut self, change: Change, candidates: &Candidates<'_>) {
        let Change { seat, usable, load, newest } = change;
        let Some(place) = self.lines.place(seat) else { return };
        let Some(level) =
            self.lines.level(place.level).filter(|level| usable && newest && level.load != load)
        else {
            return self.sort_in(change, candidates);
        };
        let up = load > level.load;
        let beside = if up { level.above } else { level.below };
        let to = match self.lines.level(beside).map(|beside| beside.load) {
            Some(there) if there == load => beside,
            // It goes past that one.
            Some(there) if (there < load) == up => return self.sort_in(change, candidates),
            _ if up => self.lines.new_level(load, place.level, beside),
            _ => self.lines.new_level(load, beside, place.level),
        };
        self.lines.link(place.before, place.after);
        self.lines.enter(Place { level: to, ..place }, seat, self.lines.before(self.lines.head_of(to)));
        if !up
            && let Some(class) = self.classes.get_mut(place.class as usize)
            && class.lowest == place.level
        {
            class.lowest = to;
        }
        // Its neighbour was the head of the line on both sides.
        if place.before == place.after {
            self.emptied(place.level, place.class);
        }
        if !self.rankings.is_empty() {
            self.rank(place.class, candidates);
        }
    }

    /// Puts a seat where its load belongs.
    #[inline(never)]
    fn sort_in(&mut self, change: Change, candidates: &Candidates<'_>) {
        let Change { seat, usable, load, newest } = change;
        let Some(place) = self.lines.place(seat) else { return };
        if self.lines.level(place.level).map(|level| level.load) == usable.then_some(load) {
            return;
        }
        if place.level != NONE {
            self.lines.link(place.before, place.after);
        }
        let level = if usable { self.level_for(place, load) } else { NONE };
        if usable {
            let head = self.lines.head_of(level);
            let last =
                if newest { self.lines.before(head) } else { self.last_before(head, seat, candidates) };
            self.lines.enter(Place { level, ..place }, seat, last);
            let lowest =
                self.classes.get(place.class as usize).and_then(|class| self.lines.level(class.lowest));
            if lowest.is_none_or(|lowest| load < lowest.load)
                && let Some(class) = self.classes.get_mut(place.class as usize)
            {
                class.lowest = level;
            }
        } else {
            self.lines.set(seat, Place { class: place.class, ..Place::OUT });
        }
        if place.level != NONE && self.lines.first(place.level).is_none() {
            self.emptied(place.level, place.class);
        }
        self.rank(place.class, candidates);
    }

    /// Puts a class in its place among others whose best one changed.
    #[inline(never)]
    fn rank(&mut self, class: u32, candidates: &Candidates<'_>) {
        let heads = Heads { classes: &self.classes, lines: &self.lines, candidates };
        self.rankings.changed(class, heads.has(class), |cost, a, b| heads.beats(cost, a, b));
    }

    /// Whether it makes ready to choose, by [`settle`](Self::settle).
    pub(crate) const fn settles(&self) -> bool {
        self.classes.len() > MANY
    }

    /// Where weights are many: ranks them for calls of a cost that comes often.
    pub(crate) fn settle(&mut self, candidates: &Candidates<'_>, ask: &Ask<'_>) {
        if self.settles() && self.rankings.wants(ask.cost) {
            let heads = Heads { classes: &self.classes, lines: &self.lines, candidates };
            let classes = self.classes.len() as u32;
            self.rankings.add(
                ask.cost,
                classes,
                |class| heads.has(class),
                |cost, a, b| heads.beats(cost, a, b),
            );
        }
    }

    /// The seat of a call that has been nowhere yet, where all weigh the same.
    #[inline]
    pub(crate) fn first_of_all(&self) -> Option<u32> {
        match self.classes.as_slice() {
            [class] => self.lines.first(class.lowest),
            _ => None,
        }
    }

    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>) -> Option<u32> {
        let heads = Heads { classes: &self.classes, lines: &self.lines, candidates };
        if ask.tried.is_empty()
            && let Some(best) = self.rankings.best(ask.cost)
        {
            return heads.of(self.classes.get(best? as usize)?, ask.cost, &[]).map(|head| head.seat);
        }
        let mut best: Option<Head> = None;
        for class in &self.classes {
            let Some(head) = heads.of(class, ask.cost, ask.tried) else { continue };
            if best.is_none_or(|best| heads.is_before(head, best)) {
                best = Some(head);
            }
        }
        best.map(|best| best.seat)
    }

    // Lines and levels

    /// The last one in the line of this head whose load changed before that of a seat, or the head.
    fn last_before(&self, head: u32, seat: u32, candidates: &Candidates<'_>) -> u32 {
        let touched = |seat| candidates.member(seat).map(|member| member.touched);
        let mut last = self.lines.before(head);
        while last != head && touched(last) > touched(seat) {
            last = self.lines.before(last);
        }
        last
    }

    /// The level of a load in the class of a place, sought from there; made where there is none.
    fn level_for(&mut self, place: Place, load: u64) -> u32 {
        let lowest = self.classes.get(place.class as usize).map_or(NONE, |class| class.lowest);
        let mut above = if place.level == NONE { lowest } else { place.level };
        let mut below = self.lines.level(above).map_or(NONE, |level| level.below);
        while let Some(level) = self.lines.level(above).filter(|level| level.load < load) {
            (below, above) = (above, level.above);
        }
        while let Some(level) = self.lines.level(below).filter(|level| level.load >= load) {
            (below, above) = (level.below, below);
        }
        if self.lines.level(above).is_some_and(|level| level.load == load) {
            return above;
        }
        self.lines.new_level(load, below, above)
    }

    /// Nobody is on a level any more.
    fn emptied(&mut self, gone: u32, class: u32) {
        let spare = core::mem::replace(&mut self.spare, gone);
        if spare != gone && spare != NONE && self.lines.first(spare).is_none() {
            self.lines.drop_level(spare);
        }
        let above = self.lines.level(gone).map_or(NONE, |level| level.above);
        if let Some(class) = self.classes.get_mut(class as usize)
            && class.lowest == gone
        {
            class.lowest = above;
        }
    }
}

/// The best of each class.
struct Heads<'a> {
    classes: &'a [Class],
    lines: &'a Lines,
    candidates: &'a Candidates<'a>,
}

/// The best of a class.
#[derive(Clone, Copy)]
struct Head {
    /// With the call.
    load: u64,
    weight: u32,
    seat: u32,
}

impl Heads<'_> {
    /// The best of a class that was not tried.
    #[inline]
    fn of(&self, class: &Class, cost: u32, tried: &[u32]) -> Option<Head> {
        let head = |load, seat| Head { load: load + u64::from(cost), weight: class.weight, seat };
        let mut index = class.lowest;
        if tried.is_empty() {
            return Some(head(self.lines.level(index)?.load, self.lines.first(index)?));
        }
        while let Some(level) = self.lines.level(index) {
            if let Some(seat) = self.lines.line(index).find(|seat| !tried.contains(seat)) {
                return Some(head(level.load, seat));
            }
            index = level.above;
        }
        None
    }

    /// Whether a call goes to `a` before it goes to `b`.
    #[inline]
    fn is_before(&self, a: Head, b: Head) -> bool {
        let product = |load: u64, weight: u32| u128::from(load) * u128::from(weight);
        let (ours, its) = (product(a.load, b.weight), product(b.load, a.weight));
        let touched = |seat| self.candidates.member(seat).map(|member| member.touched);
        ours < its || ours == its && touched(a.seat) < touched(b.seat)
    }

    /// The same of two classes, for a call of this cost.
    fn beats(&self, cost: u32, a: u32, b: u32) -> bool {
        let head = |class: u32| self.of(self.classes.get(class as usize)?, cost, &[]);
        match (head(a), head(b)) {
            (Some(a), Some(b)) => self.is_before(a, b),
            (a, _) => a.is_some(),
        }
    }

    /// Whether anybody of a class can take a call.
    fn has(&self, class: u32) -> bool {
        self.classes.get(class as usize).is_some_and(|class| class.lowest != NONE)
    }
}

/// Weights of which each is compared: more are ranked.
const MANY: usize = 16;
