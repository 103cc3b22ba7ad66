//! Counts of everything that a dispatcher did.

use crate::error::BeginError;

/// Counts since the dispatcher was made; `calls` is what is in progress.
///
/// `begun + adopted = calls + ended + expired + healed`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stats {
    /// Calls in progress.
    pub calls: u32,
    /// Calls placed by `begin`, without repetitions.
    pub begun: u64,
    /// Calls that `begin` found in progress already (a retransmitted INVITE).
    pub repeated: u64,
    /// Calls that `begin` refused.
    pub refused: u64,
    /// Of these: every destination that is up was full.
    pub refused_full: u64,
    /// Of these: no destination was up.
    pub refused_all_down: u64,
    /// Of these: the set has no destinations.
    pub refused_no_such_set: u64,
    /// Of these: the tenant had all its calls.
    pub refused_tenant_full: u64,
    /// Of these: faster than a rate limit.
    pub refused_too_fast: u64,
    /// Of these: nobody could place them.
    pub refused_invalid_call: u64,
    /// Calls confirmed; one that moved and was confirmed again counts again.
    pub confirmed: u64,
    /// Failures at a destination, whoever was to blame.
    pub failed: u64,
    /// Moves to another destination by `next`.
    pub moved: u64,
    /// Calls ended by `end`.
    pub ended: u64,
    /// Calls ended by their deadline.
    pub expired: u64,
    /// Calls ended by `reconcile`: they were not there any more.
    pub healed: u64,
    /// Calls that `reconcile` found and nobody counted.
    pub adopted: u64,
    /// Calls placed while health was ignored, because too few destinations were healthy.
    pub panics: u64,
    /// Reports taken.
    pub reports: u64,
    /// Reports refused.
    pub reports_refused: u64,
}

impl Stats {
    /// The greatest count but that of calls in progress.
    #[cfg(feature = "serde")]
    pub(crate) fn greatest(&self) -> u64 {
        let Self { calls: _, begun, repeated, refused, refused_full, refused_all_down, .. } = *self;
        let Self { refused_no_such_set, refused_tenant_full, refused_too_fast, refused_invalid_call, .. } =
            *self;
        let Self { confirmed, failed, moved, ended, expired, healed, adopted, panics, .. } = *self;
        let Self { reports, reports_refused, .. } = *self;
        let calls = [begun, repeated, confirmed, failed, moved, ended, expired, healed, adopted, panics];
        let refusals = [refused, refused_full, refused_all_down, refused_no_such_set, refused_tenant_full];
        let others = [refused_too_fast, refused_invalid_call, reports, reports_refused];
        calls.into_iter().chain(refusals).chain(others).max().unwrap_or(0)
    }

    pub(crate) const fn refuse(&mut self, error: &BeginError) {
        self.refused += 1;
        let reason = match error {
            BeginError::Full { .. } => &mut self.refused_full,
            BeginError::AllDown { .. } => &mut self.refused_all_down,
            BeginError::NoSuchSet { .. } => &mut self.refused_no_such_set,
            BeginError::TenantFull { .. } => &mut self.refused_tenant_full,
            BeginError::TooFast { .. } => &mut self.refused_too_fast,
            BeginError::InvalidCall { .. } => &mut self.refused_invalid_call,
        };
        *reason += 1;
    }
}
