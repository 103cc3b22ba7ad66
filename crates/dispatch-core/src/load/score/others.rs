//! Calls of other replicas in an estimate.

use super::{Estimate, Own};
use crate::time::Time;

impl Estimate {
    /// Calls of other replicas, per class, were so many and are so many now, which makes `own` of all. They
    /// count as own ones: what is known of both is the same.
    pub(crate) fn shift(&mut self, from: &[u64], to: &[u64], own: Own, now: Time) {
        let classes = (self.classed.len() + 1).max(from.len()).max(to.len());
        self.classed.resize(classes - 1, 0);
        for (load, class) in self.classed.iter_mut().zip(1..) {
            let of = |calls: &[u64]| calls.get(class).copied().unwrap_or(0);
            *load = *load - of(from) + of(to);
        }
        self.remember(own, now);
    }

    /// Σ cost per class from 1 on of the calls that are counted there.
    pub(crate) fn classed(&self) -> &[u64] {
        &self.classed
    }
}
