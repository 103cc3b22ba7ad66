//! What a snapshot keeps of an estimate, besides the calls.

use alloc::vec::Vec;

use super::{Estimate, HISTORY, MOST_DOUBT, Own, Past};
use crate::time::Time;

/// What reports said of a bridge.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Reported {
    foreign: f64,
    residual: f64,
    measured: Option<(Time, f64)>,
    doubt: u8,
    /// Own calls from a time on: Σ cost, and how many.
    history: Vec<(Time, u64, u32)>,
}

impl Estimate {
    pub(crate) fn saved(&self) -> Reported {
        Reported {
            foreign: self.foreign,
            residual: self.residual,
            measured: self.measured,
            doubt: self.doubt,
            history: self.history.iter().map(|past| (past.at, past.own.load, past.own.calls)).collect(),
        }
    }

    /// Without calls; `None` where reports cannot have said this.
    pub(crate) fn restored(reported: &Reported, now: Time) -> Option<Self> {
        let Reported { foreign, residual, measured, doubt, history } = reported;
        let sound = (0.0..=MOST).contains(foreign)
            && (-MOST..=MOST).contains(residual)
            && measured.is_none_or(|(at, base)| at <= now && (0.0..=MOST).contains(&base))
            && *doubt <= MOST_DOUBT
            && history.len() <= HISTORY
            && history.is_sorted_by_key(|(at, ..)| *at);
        let history =
            history.iter().map(|(at, load, calls)| Past { at: *at, own: Own { load: *load, calls: *calls } });
        sound.then(|| Self {
            foreign: *foreign,
            residual: *residual,
            measured: *measured,
            doubt: *doubt,
            history: history.collect(),
            ..Self::default()
        })
    }

    /// Counts a call in that is a part of what was saved.
    pub(crate) fn restore(&mut self, class: u16, cost: u32) {
        let Some(place) = usize::from(class).checked_sub(1) else { return };
        if self.classed.len() <= place {
            self.classed.resize(place + 1, 0);
        }
        if let Some(load) = self.classed.get_mut(place) {
            *load += u64::from(cost);
        }
    }
}

/// More load than all bridges of the world have.
const MOST: f64 = 1e18;
