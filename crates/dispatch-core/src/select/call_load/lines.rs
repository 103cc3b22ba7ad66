//! Lines of seats on levels of load: to go to the end of a neighbouring level is a matter of a few numbers.

use alloc::vec::Vec;

use crate::slots::NONE;

#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    levels: Vec<Level>,
    /// Levels out of use, linked by `above`.
    free: u32,
    /// The lines, as rings: first a place per seat, then the head of the line of each level.
    places: Vec<Place>,
    seats: u32,
}

/// The candidates of one weight with one load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) load: u64,
    pub(super) below: u32,
    pub(super) above: u32,
}

/// Where a seat stands, with its neighbours in line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) class: u32,
    /// [`NONE`] where it is no candidate.
    pub(super) level: u32,
    pub(super) before: u32,
    pub(super) after: u32,
}

impl Lines {
    /// A place for each of so many seats, all of them out of line; no level.
    pub(super) fn reset(&mut self, seats: usize) {
        self.levels.clear();
        self.free = NONE;
        self.places.clear();
        self.places.resize(seats, Place::OUT);
        self.seats = seats as u32;
    }

    pub(super) fn set(&mut self, seat: u32, place: Place) {
        if let Some(own) = self.places.get_mut(seat as usize) {
            *own = place;
        }
    }

    /// Puts a seat in line behind another one, or behind the head.
    pub(super) fn enter(&mut self, place: Place, seat: u32, before: u32) {
        let Some(earlier) = self.places.get_mut(before as usize) else { return };
        let after = core::mem::replace(&mut earlier.after, seat);
        if let Some(later) = self.places.get_mut(after as usize) {
            later.before = seat;
        }
        self.set(seat, Place { before, after, ..place });
    }

    /// The first seat in the line of a level.
    #[inline]
    pub(super) fn first(&self, level: u32) -> Option<u32> {
        let head = self.head_of(level);
        self.places.get(head as usize).map(|place| place.after).filter(|first| *first != head)
    }

    /// The line of a level.
    pub(super) fn line(&self, level: u32) -> impl Iterator<Item = u32> {
        let head = self.head_of(level);
        let after = move |seat: &u32| self.places.get(*seat as usize).map(|place| place.after);
        core::iter::successors(self.first(level), after).take_while(move |seat| *seat != head)
    }

    /// Where the head of a level's line is among the places; [`NONE`] stays out of them.
    #[inline]
    pub(super) const fn head_of(&self, level: u32) -> u32 {
        level.saturating_add(self.seats)
    }

    pub(super) fn before(&self, place: u32) -> u32 {
        self.places.get(place as usize).map_or(NONE, |place| place.before)
    }

    /// Makes two neighbours in a line.
    pub(super) fn link(&mut self, before: u32, after: u32) {
        if let Some(place) = self.places.get_mut(before as usize) {
            place.after = after;
        }
        if let Some(place) = self.places.get_mut(after as usize) {
            place.before = before;
        }
    }

    /// A level between two others, with nobody in its line.
    pub(super) fn new_level(&mut self, load: u64, below: u32, above: u32) -> u32 {
        let (mut new, level) = (self.free, Level { load, below, above });
        if let Some(place) = self.levels.get_mut(new as usize) {
            self.free = place.above;
            *place = level;
        } else {
            new = self.levels.len() as u32;
            self.levels.push(level);
            let head = self.head_of(new);
            self.places.push(Place { before: head, after: head, ..Place::OUT });
        }
        self.stack(below, new);
        self.stack(new, above);
        new
    }

    /// Takes a level out of use.
    pub(super) fn drop_level(&mut self, gone: u32) {
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
    pub(super) fn level(&self, level: u32) -> Option<Level> {
        self.levels.get(level as usize).copied()
    }

    #[inline]
    pub(super) fn place(&self, seat: u32) -> Option<Place> {
        self.places.get(seat as usize).copied()
    }
}

impl Place {
    /// In no line.
    pub(super) const OUT: Self = Self { class: 0, level: NONE, before: NONE, after: NONE };
}
