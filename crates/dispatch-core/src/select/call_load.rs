//! `call_load`: the least (load + cost) / weight, exactly.
//!
//! The candidates of one weight stand in line by load, and within a load by when it last changed:
//! the head of the lowest level is the best of its weight whatever the call costs, so that a call
//! compares one head per weight. Levels are linked upwards; a begin or an end moves a seat to a
//! neighbouring level, which takes the same time for 4 and for 100,000 members.

use alloc::vec::Vec;

use super::{Ask, Candidates};
use crate::member::Member;
use crate::slots::NONE;

#[derive(Clone, Debug, Default)]
pub(crate) struct CallLoad {
    /// One per weight, ascending.
    classes: Vec<Class>,
    levels: Vec<Level>,
    /// Levels out of use, linked by `above`.
    free: u32,
    places: Vec<Place>,
}

/// The candidates of one weight.
#[derive(Clone, Debug)]
struct Class {
    weight: u32,
    lowest: u32,
}

/// The candidates of one weight with one load, in the order in which it last changed.
#[derive(Clone, Debug)]
struct Level {
    load: u64,
    class: u32,
    below: u32,
    above: u32,
    first: u32,
    last: u32,
}

/// Where a seat stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    class: u32,
    /// [`NONE`] where it is no candidate.
    level: u32,
    before: u32,
    after: u32,
    /// When its load last changed, as a count of changes.
    touched: u64,
}

impl CallLoad {
    pub(crate) fn rebuild(&mut self, candidates: &Candidates<'_>) {
        let mut weights: Vec<u32> = candidates.seated().map(|(_, member)| member.share()).collect();
        weights.sort_unstable();
        weights.dedup();
        self.classes = weights.iter().map(|weight| Class { weight: *weight, lowest: NONE }).collect();
        self.levels.clear();
        self.free = NONE;
        self.places.clear();
        self.places.resize(candidates.seats.len(), Place::NOWHERE);
        // From the highest level down and from the first to the last: every step is at an end.
        let mut order: Vec<_> = candidates
            .seated()
            .map(|(seat, member)| (core::cmp::Reverse(member.load), member.touched, seat))
            .collect();
        order.sort_unstable();
        for (_, _, seat) in order {
            let weight = candidates.member(seat).map_or(0, Member::share);
            let class = self.classes.partition_point(|class| class.weight < weight) as u32;
            if let Some(place) = self.places.get_mut(seat as usize) {
                place.class = class;
            }
            self.moved(seat, candidates);
        }
    }

    pub(crate) fn moved(&mut self, seat: u32, candidates: &Candidates<'_>) {
        let (Some(place), Some(member)) = (self.place(seat), candidates.member(seat)) else { return };
        let usable = candidates.usable.contains(seat);
        let level = self.level(place.level).map(|level| level.load);
        if level == usable.then_some(member.load) {
            return;
        }
        let near = self.leave(seat);
        if usable {
            let level = self.level_for(place.class, member.load, near);
            self.enter(seat, level, member.touched);
        }
        if near != NONE {
            self.drop_if_empty(near);
        }
    }

    pub(crate) fn choose(&self, ask: &Ask<'_>) -> Option<u32> {
        let mut best: Option<(u128, u128, u64, u32)> = None;
        for class in &self.classes {
            let Some((load, touched, seat)) = self.head(class, ask.tried) else { continue };
            let load = u128::from(load) + u128::from(ask.cost);
            let weight = u128::from(class.weight);
            let better = best.is_none_or(|(best_load, best_weight, best_touched, _)| {
                (load * best_weight, touched) < (best_load * weight, best_touched)
            });
            if better {
                best = Some((load, weight, touched, seat));
            }
        }
        best.map(|(_, _, _, seat)| seat)
    }

    /// The best of a class that was not tried.
    fn head(&self, class: &Class, tried: &[u32]) -> Option<(u64, u64, u32)> {
        let mut level = self.level(class.lowest)?;
        let mut seat = level.first;
        loop {
            let Some(place) = self.place(seat) else {
                level = self.level(level.above)?;
                seat = level.first;
                continue;
            };
            if !tried.contains(&seat) {
                return Some((level.load, place.touched, seat));
            }
            seat = place.after;
        }
    }

    /// Takes a seat out of line; the level where it stood, which may be empty now.
    fn leave(&mut self, seat: u32) -> u32 {
        let Some(place) = self.place(seat).filter(|place| place.level != NONE) else { return NONE };
        match self.places.get_mut(place.before as usize) {
            Some(before) => before.after = place.after,
            None => self.change_level(place.level, |level| level.first = place.after),
        }
        match self.places.get_mut(place.after as usize) {
            Some(after) => after.before = place.before,
            None => self.change_level(place.level, |level| level.last = place.before),
        }
        if let Some(place) = self.places.get_mut(seat as usize) {
            *place = Place { class: place.class, ..Place::NOWHERE };
        }
        place.level
    }

    /// Puts a seat in line by `touched`, sought from both ends: almost always it is the last.
    fn enter(&mut self, seat: u32, level: u32, touched: u64) {
        let Some((first, last)) = self.level(level).map(|level| (level.first, level.last)) else { return };
        let (mut front, mut back) = (first, last);
        let (before, after) = loop {
            match self.place(back) {
                Some(place) if place.touched > touched => back = place.before,
                Some(place) => break (back, place.after),
                None => break (NONE, first),
            }
            match self.place(front) {
                Some(place) if place.touched < touched => front = place.after,
                Some(place) => break (place.before, front),
                None => break (last, NONE),
            }
        };
        if let Some(place) = self.places.get_mut(seat as usize) {
            *place = Place { class: place.class, level, before, after, touched };
        }
        match self.places.get_mut(before as usize) {
            Some(before) => before.after = seat,
            None => self.change_level(level, |level| level.first = seat),
        }
        match self.places.get_mut(after as usize) {
            Some(after) => after.before = seat,
            None => self.change_level(level, |level| level.last = seat),
        }
    }

    /// The level of a load, sought from `near` or from the lowest; made where there is none.
    fn level_for(&mut self, class: u32, load: u64, near: u32) -> u32 {
        let lowest = self.classes.get(class as usize).map_or(NONE, |class| class.lowest);
        let mut above = if near == NONE { lowest } else { near };
        let mut below = self.level(above).map_or(NONE, |level| level.below);
        while let Some(level) = self.level(below).filter(|level| level.load >= load) {
            (above, below) = (below, level.below);
        }
        while let Some(level) = self.level(above).filter(|level| level.load < load) {
            (below, above) = (above, level.above);
        }
        if self.level(above).is_some_and(|level| level.load == load) {
            return above;
        }
        let level = Level { load, class, below, above, first: NONE, last: NONE };
        let new = match self.levels.get_mut(self.free as usize) {
            Some(unused) => {
                let new = core::mem::replace(&mut self.free, unused.above);
                *unused = level;
                new
            }
            None => {
                self.levels.push(level);
                self.levels.len() as u32 - 1
            }
        };
        self.join(class, below, new);
        self.join(class, new, above);
        new
    }

    fn drop_if_empty(&mut self, empty: u32) {
        let Some(&Level { class, below, above, first: NONE, .. }) = self.level(empty) else { return };
        self.join(class, below, above);
        let free = self.free;
        self.change_level(empty, |level| level.above = free);
        self.free = empty;
    }

    /// Makes two levels neighbours; [`NONE`] is the end on either side.
    fn join(&mut self, class: u32, below: u32, above: u32) {
        match self.levels.get_mut(below as usize) {
            Some(level) => level.above = above,
            None => {
                if let Some(class) = self.classes.get_mut(class as usize) {
                    class.lowest = above;
                }
            }
        }
        self.change_level(above, |level| level.below = below);
    }

    fn place(&self, seat: u32) -> Option<Place> {
        self.places.get(seat as usize).copied()
    }

    fn level(&self, level: u32) -> Option<&Level> {
        self.levels.get(level as usize)
    }

    fn change_level(&mut self, level: u32, change: impl FnOnce(&mut Level)) {
        if let Some(level) = self.levels.get_mut(level as usize) {
            change(level);
        }
    }
}

impl Place {
    const NOWHERE: Self = Self { class: 0, level: NONE, before: NONE, after: NONE, touched: 0 };
}
