//! By how much an estimate that nobody touched can have fallen: so that most need not be looked at.
//!
//! With one dispatcher, and r = R exp(-age / τd), the load with one more call of the mean cost is
//!
//! ```text
//! L + c̄ = (1 + r) (P + c̄), within [P / 2 + c̄, 4 P + 3/2 c̄]
//! ```
//!
//! It follows the costs upwards and downwards, and is multiplied by x where all of them are. Time only moves
//! r to 0, so that of 1 + r at least exp(-span / τd) is left. Hence, with the sag between two points in time,
//!
//! ```text
//! (L + c̄)(now) >= (L + c̄)(then) exp(-sag)     sag = span / τd + Σ over reports of max_k (ĉ_k before / ĉ_k after - 1)
//! ```
//!
//! as long as no call began or ended there, and no report came from there.

use super::{Estimate, FORGET, Own};
use crate::load::costs::Costs;
use crate::time::Time;

impl Estimate {
    /// L + c̄, with one dispatcher.
    pub(crate) fn load_and_one(&self, own: Own, costs: &Costs, now: Time) -> f64 {
        self.load(own, costs, 1, now) + costs.mean()
    }
}

/// What estimates depend on besides their own bridge: the same moment, the same estimates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Moment {
    at: Time,
    lessons: u64,
    falls: f64,
}

impl Moment {
    /// Before any report all moments are the same.
    pub(crate) fn of(costs: &Costs, now: Time) -> Self {
        let lessons = costs.lessons();
        Self { at: if lessons > 0 { now } else { Time::ZERO }, lessons, falls: costs.falls() }
    }

    /// The sag since an earlier moment.
    pub(crate) fn sag_since(&self, earlier: &Self) -> f64 {
        // What is rounded must not pass for what is exact.
        (self.at.since(earlier.at).as_secs_f64() / FORGET + self.falls - earlier.falls) * MORE
    }
}

/// Times the true sag: less would let rounding hide who is the least, more makes others be looked at.
const MORE: f64 = 1.01;
