//! `call_load`: the least (load + cost) / weight, exactly.
//!
//! The candidates of one weight stand in line by load, and within a load by when it last changed:
//! the head of the lowest level is the best of its weight whatever the call costs, so that a call
//! compares one head per weight. Levels are linked upwards; a begin or an end moves a seat to the
//! end of a neighbouring level, which takes the same time for 4 and for 100,000 members.

use alloc::vec::Vec;

use super::{Ask, Candidates, Change};
use crate::slots::NONE;

#[derive(Clone, Debug, Default)]
pub(crate) struct CallLoad {
    /// One per weight, ascending.
    classes: Vec<Class>,
    levels: Vec<Level>,
    /// Levels out of use, linked by `above`.
    free: u32,
    /// The level that became empty last: it alone may be so, as most often somebody comes back to it soon.
    spare: u32,
    /// The lines, as rings: first a place per seat, then the head of the line of each level.
    places: Vec<Place>,
    seats: u32,
}

/// The candidates of one weight.
#[derive(Clone, Debug)]
struct Class {
    weight: u32,
    /// The lowest level that somebody is on.
    lowest: u32,
}

/// The candidates of one weight with one load.
#[derive(Clone, Copy, Debug)]
struct Level {
    load: u64,
    below: u32,
    above: u32,
}

/// Where a seat stands, with its neighbours in line.
#[derive(Clone, Copy, Debug)]
struct Place {
    class: u32,
    /// [`NONE`] where it is no candidate.
    level: u32,
    before: u32,
    after: u32,
}

impl CallLoad {
    pub(crate) fn rebuild(&mut self, candidates: &Candidates<'_>) {
        let mut weights: Vec<u32> = candidates.seated().map(|(_, member)| member.share()).collect();
        weights.sort_unstable();
        weights.dedup();
        self.classes = weights.iter().map(|weight| Class { weight: *weight, lowest: NONE }).collect();
        self.levels.clear();
        (self.free, self.spare) = (NONE, NONE);
        self.seats = candidates.seats.len() as u32;
        self.places.clear();
        self.places.resize(candidates.seats.len(), Place::in_line(NONE, NONE));
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
            if let Some(place) = self.places.get_mut(seat as usize) {
                place.class = class;
            }
            let usable = candidates.usable.contains(seat);
            self.sort_in(Change { seat, usable, load: member.load, newest: false }, candidates);
        }
    }

    /// Almost always a load went to a neighbouring level, or to one between that and its own.
    #[inline]
    pub(crate) fn moved(&mut self, change: Change, candidates: &Candidates<'_>) {
        let Change { seat, usable, load, newest } = change;
        let Some(place) = self.place(seat) else { return };
        let Some(level) = self.level(place.level).filter(|level| usable && newest && level.load != load)
        else {
            return self.sort_in(change, candidates);
        };
        let up = load > level.load;
        let beside = if up { level.above } else { level.below };
        let to = match self.level(beside).map(|beside| beside.load) {
            Some(there) if there == load => beside,
            // It goes past that one.
            Some(there) if (there < load) == up => return self.sort_in(change, candidates),
            _ if up => self.new_level(load, place.level, beside),
            _ => self.new_level(load, beside, place.level),
        };
        self.link(place.before, place.after);
        self.enter(Place { level: to, ..place }, seat, self.before(self.head_of(to)));
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
    }

    /// Puts a seat where its load belongs.
    #[inline(never)]
    fn sort_in(&mut self, change: Change, candidates: &Candidates<'_>) {
        let Change { seat, usable, load, newest } = change;
        let Some(place) = self.place(seat) else { return };
        if self.level(place.level).map(|level| level.load) == usable.then_some(load) {
            return;
        }
        if place.level != NONE {
            self.link(place.before, place.after);
        }
        let level = if usable { self.level_for(place, load) } else { NONE };
        if usable {
            let head = self.head_of(level);
            let last = if newest { self.before(head) } else { self.last_before(head, seat, candidates) };
            self.enter(Place { level, ..place }, seat, last);
            let lowest = self.classes.get(place.class as usize).and_then(|class| self.level(class.lowest));
            if lowest.is_none_or(|lowest| load < lowest.load)
                && let Some(class) = self.classes.get_mut(place.class as usize)
            {
                class.lowest = level;
            }
        } else if let Some(place) = self.places.get_mut(seat as usize) {
            place.level = NONE;
        }
        if place.level != NONE && self.first(place.level).is_none() {
            self.emptied(place.level, place.class);
        }
    }

    /// The seat of a call that has been nowhere yet, where all weigh the same.
    #[inline]
    pub(crate) fn first_of_all(&self) -> Option<u32> {
        match self.classes.as_slice() {
            [class] => self.first(class.lowest),
            _ => None,
        }
    }

    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>) -> Option<u32> {
        let mut best: Option<(u128, u128, u32)> = None;
        let touched = |seat| candidates.member(seat).map(|member| member.touched);
        for class in &self.classes {
            let Some((load, seat)) = self.head(class, ask.tried) else { continue };
            let (load, weight) = (u128::from(load) + u128::from(ask.cost), u128::from(class.weight));
            let better = best.is_none_or(|(best_load, best_weight, best)| {
                let (ours, its) = (load * best_weight, best_load * weight);
                ours < its || ours == its && touched(seat) < touched(best)
            });
            if better {
                best = Some((load, weight, seat));
            }
        }
        best.map(|(_, _, seat)| seat)
    }

    /// The best of a class that was not tried, and its load.
    fn head(&self, class: &Class, tried: &[u32]) -> Option<(u64, u32)> {
        let mut index = class.lowest;
        while let Some(level) = self.level(index) {
            if let Some(seat) = self.line(index).find(|seat| !tried.contains(seat)) {
                return Some((level.load, seat));
            }
            index = level.above;
        }
        None
    }

    // Lines

    /// Puts a seat in line behind another one, or behind the head.
    fn enter(&mut self, place: Place, seat: u32, before: u32) {
        let Some(earlier) = self.places.get_mut(before as usize) else { return };
        let after = core::mem::replace(&mut earlier.after, seat);
        if let Some(later) = self.places.get_mut(after as usize) {
            later.before = seat;
        }
        if let Some(own) = self.places.get_mut(seat as usize) {
            *own = Place { before, after, ..place };
        }
    }

    /// The last one in the line of this head whose load changed before that of a seat, or the head.
    fn last_before(&self, head: u32, seat: u32, candidates: &Candidates<'_>) -> u32 {
        let touched = |seat| candidates.member(seat).map(|member| member.touched);
        let mut last = self.before(head);
        while last != head && touched(last) > touched(seat) {
            last = self.before(last);
        }
        last
    }

    /// The first seat in the line of a level.
    #[inline]
    fn first(&self, level: u32) -> Option<u32> {
        let head = self.head_of(level);
        self.places.get(head as usize).map(|place| place.after).filter(|first| *first != head)
    }

    /// The line of a level.
    fn line(&self, level: u32) -> impl Iterator<Item = u32> {
        let head = self.head_of(level);
        let after = move |seat: &u32| self.places.get(*seat as usize).map(|place| place.after);
        core::iter::successors(self.first(level), after).take_while(move |seat| *seat != head)
    }

    /// Where the head of a level's line is among the places; [`NONE`] stays out of them.
    #[inline]
    const fn head_of(&self, level: u32) -> u32 {
        level.saturating_add(self.seats)
    }

    fn before(&self, place: u32) -> u32 {
        self.places.get(place as usize).map_or(NONE, |place| place.before)
    }

    /// Makes two neighbours in a line.
    fn link(&mut self, before: u32, after: u32) {
        if let Some(place) = self.places.get_mut(before as usize) {
            place.after = after;
        }
        if let Some(place) = self.places.get_mut(after as usize) {
            place.before = before;
        }
    }

    // Levels

    /// The level of a load in the class of a place, sought from there; made where there is none.
    fn level_for(&mut self, place: Place, load: u64) -> u32 {
        let lowest = self.classes.get(place.class as usize).map_or(NONE, |class| class.lowest);
        let mut above = if place.level == NONE { lowest } else { place.level };
        let mut below = self.level(above).map_or(NONE, |level| level.below);
        while let Some(level) = self.level(above).filter(|level| level.load < load) {
            (below, above) = (above, level.above);
        }
        while let Some(level) = self.level(below).filter(|level| level.load >= load) {
            (below, above) = (level.below, below);
        }
        if self.level(above).is_some_and(|level| level.load == load) {
            return above;
        }
        self.new_level(load, below, above)
    }

    /// A level between two others, with nobody in its line.
    fn new_level(&mut self, load: u64, below: u32, above: u32) -> u32 {
        let (mut new, level) = (self.free, Level { load, below, above });
        if let Some(place) = self.levels.get_mut(new as usize) {
            self.free = place.above;
            *place = level;
        } else {
            new = self.levels.len() as u32;
            self.levels.push(level);
            let head = self.head_of(new);
            self.places.push(Place::in_line(head, head));
        }
        self.stack(below, new);
        self.stack(new, above);
        new
    }

    /// Nobody is on a level any more.
    fn emptied(&mut self, gone: u32, class: u32) {
        let spare = core::mem::replace(&mut self.spare, gone);
        if spare != gone && spare != NONE && self.first(spare).is_none() {
            self.drop_level(spare);
        }
        let above = self.level(gone).map_or(NONE, |level| level.above);
        if let Some(class) = self.classes.get_mut(class as usize)
            && class.lowest == gone
        {
            class.lowest = above;
        }
    }

    /// Takes a level out of use.
    fn drop_level(&mut self, gone: u32) {
        let Some(level) = self.levels.get_mut(gone as usize) else { return };
        let Level { below, above, .. } = *level;
        level.above = core::mem::replace(&mut self.free, gone);
        self.stack(below, above);
    }

    /// Makes two levels neighbours; [`NONE`] is the end on either side.
    fn stack(&mut self, below: u32, above: u32) {
        if let Some(level) = self.levels.get_mut(below as usize) {
            level.above = above;
        }
        if let Some(level) = self.levels.get_mut(above as usize) {
            level.below = below;
        }
    }

    #[inline]
    fn level(&self, level: u32) -> Option<Level> {
        self.levels.get(level as usize).copied()
    }

    #[inline]
    fn place(&self, seat: u32) -> Option<Place> {
        self.places.get(seat as usize).copied()
    }
}

impl Place {
    const fn in_line(before: u32, after: u32) -> Self {
        Self { class: 0, level: NONE, before, after }
    }
}
