//! Which weight is best for calls of one cost: a tree, where there are too many weights to compare each.

use alloc::vec::Vec;

use crate::select::tournament::Tournament;

/// For the costs that most calls have.
#[derive(Clone, Debug, Default)]
pub(super) struct Rankings {
    /// The one that was made last at the end.
    rankings: Vec<Ranking>,
    /// The cost that comes next if it is asked often enough (Boyer, Moore: MJRTY, 1981).
    next: u32,
    votes: u32,
}

#[derive(Clone, Debug)]
struct Ranking {
    cost: u32,
    classes: Tournament,
}

impl Rankings {
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.rankings.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.rankings.clear();
    }

    /// The best class for calls of this cost; `None` where they are not ranked.
    pub(super) fn best(&self, cost: u32) -> Option<Option<u32>> {
        Some(self.rankings.iter().find(|ranking| ranking.cost == cost)?.classes.winner())
    }

    /// Whether it is time to rank for calls of this cost, of which one is here.
    pub(super) fn wants(&mut self, cost: u32) -> bool {
        if self.rankings.iter().any(|ranking| ranking.cost == cost) {
            return false;
        }
        match self.votes {
            0 => (self.next, self.votes) = (cost, 1),
            _ if self.next == cost => self.votes += 1,
            _ => self.votes -= 1,
        }
        self.votes >= ENOUGH
    }

    /// Ranks so many classes for calls of this cost, in place of the oldest ranking where there are enough;
    /// `beats(cost, a, b)` compares two classes.
    pub(super) fn add(
        &mut self,
        cost: u32,
        classes: u32,
        present: impl Fn(u32) -> bool,
        beats: impl Fn(u32, u32, u32) -> bool,
    ) {
        if self.rankings.len() == MOST {
            self.rankings.remove(0);
        }
        self.votes = 0;
        let mut ranking = Ranking { cost, classes: Tournament::new(classes as usize) };
        for class in (0..classes).filter(|class| present(*class)) {
            ranking.classes.set(class, true, |a, b| beats(cost, a, b));
        }
        self.rankings.push(ranking);
    }

    /// The best of this class is another one than before, or there is none.
    pub(super) fn changed(&mut self, class: u32, present: bool, beats: impl Fn(u32, u32, u32) -> bool) {
        for Ranking { cost, classes } in &mut self.rankings {
            classes.set(class, present, |a, b| beats(*cost, a, b));
        }
    }
}

/// Costs that are ranked: each change goes through all of them.
const MOST: usize = 4;

/// To rank takes as long as to compare all so often.
const ENOUGH: u32 = 16;
