//! Calls of other replicas in an estimate.

use super::Estimate;
use crate::time::Time;

impl Estimate {
    /// Calls of other replicas, per class and in all, were so many and are so many now. They count as own
    /// ones: what is known of both is the same.
    pub(crate) fn shift(&mut self, from: (&[u64], u32), to: (&[u64], u32), now: Time) {
        let classes = self.own.len().max(from.0.len()).max(to.0.len());
        self.own.resize(classes, 0);
        for (own, class) in self.own.iter_mut().zip(0..) {
            let of = |calls: &[u64]| calls.get(class).copied().unwrap_or(0);
            *own = *own - of(from.0) + of(to.0);
        }
        self.own_calls = self.own_calls - from.1 + to.1;
        self.remember(now);
    }

    /// Σ cost per class of the calls that are counted there.
    pub(crate) fn own(&self) -> &[u64] {
        &self.own
    }
}
