//! What was decided ahead of calls is what the dispatcher does, for as long as its mark lasts.

use callsteer::internals::ahead::{Mark, Table, Terms, prepare, still};
use callsteer::*;

use crate::commands::call_id;

/// What was decided when it was right last.
#[derive(Default)]
pub(crate) struct Ahead(Option<Kept>);

struct Kept {
    mark: Mark,
    tables: Vec<Table>,
    turns: Vec<(SetId, Terms, Picked)>,
}

impl Ahead {
    pub(crate) fn check(&mut self, real: &Dispatcher, now: Time) {
        match &self.0 {
            Some(kept) if kept.mark.lasts(Mark::of(real)) => kept.check(real, now),
            _ => self.0 = Some(Kept::of(real.clone(), now)),
        }
    }
}

impl Kept {
    fn of(mut dispatcher: Dispatcher, now: Time) -> Self {
        let (mut tables, mut turns) = (vec![], vec![]);
        for set in SETS {
            prepare(&mut dispatcher, set, now);
            tables.extend(Table::of(&dispatcher, set, usize::MAX));
            if let Some(terms) = Terms::of_turns(&dispatcher, set) {
                let ask = Call { set, ..Call::new(b"any") };
                let next = (0..4).map_while(|_| dispatcher.pick(&ask, now).ok());
                turns.extend(next.map(|picked| (set, terms, picked)));
            }
        }
        Self { mark: Mark::of(&dispatcher), tables, turns }
    }

    fn check(&self, real: &Dispatcher, now: Time) {
        for name in 0..12 {
            let id = call_id(name);
            for call in SETS.map(|set| Call { set, ..Call::new(&id) }) {
                for picked in self.tables.iter().filter_map(|table| table.pick(&call, now)) {
                    assert_eq!(real.clone().pick(&call, now), Ok(picked), "{name} by a table");
                }
            }
        }
        for (set, terms, turn) in &self.turns {
            let mut real = real.clone();
            prepare(&mut real, *set, now);
            if terms.cover(&Call { set: *set, ..Call::new(b"any") }, now) {
                assert_eq!(still(&real, *set, *turn), Some(*turn), "a turn");
            }
        }
    }
}

const SETS: [SetId; 2] = [1, 2];
