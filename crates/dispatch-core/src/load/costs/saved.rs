//! What a snapshot keeps of costs.

use alloc::vec::Vec;

use super::Costs;
use crate::load::traffic::Traffic;

/// What calls cost.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Learned {
    classes: Vec<Option<f64>>,
    work: f64,
    calls: f64,
    mean: f64,
    traffic: Traffic,
}

impl Costs {
    pub(crate) fn saved(&self) -> Learned {
        // Classes at the end of which nothing is known are as good as not there.
        let known = self.classes.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        Learned {
            classes: self.classes.iter().take(known).copied().collect(),
            work: self.work,
            calls: self.calls,
            mean: self.mean,
            traffic: self.traffic,
        }
    }

    /// `None` where reports cannot have taught this, of so many classes.
    pub(crate) fn restored(learned: &Learned, classes: usize) -> Option<Self> {
        let Learned { classes: costs, work, calls, mean, traffic } = learned.clone();
        let sound =
            costs.iter().flatten().chain([&work, &calls, &mean]).all(|number| (0.0..=MOST).contains(number));
        let fits = costs.len() <= classes && sound && mean > 0.0 && traffic.is_sound();
        // Estimates are restored with it that may have heard a report: one lesson at least.
        fits.then_some(Self { classes: costs, work, calls, mean, traffic, lessons: 1, falls: 0.0 })
    }
}

/// More load than all bridges of the world have.
const MOST: f64 = 1e18;
