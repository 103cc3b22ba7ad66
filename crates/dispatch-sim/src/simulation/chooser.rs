//! What a simulation asks of whoever chooses the bridge.

use callsteer::{Report, Time};

use super::bridge::Bridge;
use crate::scenario::calls::Call;

/// Chooses bridges for calls, and learns what it may know: the calls that it placed, and reports.
pub(super) trait Chooser {
    /// A bridge joins, for the first time or after it was drained.
    fn join(&mut self, bridge: usize, now: Time);

    /// A bridge is drained: it takes no new calls.
    fn drain(&mut self, bridge: usize, now: Time);

    /// A report arrives.
    fn report(&mut self, bridge: usize, report: Report, now: Time);

    /// The bridge for a call, which counts there from now on. `slot` names the call until it ends.
    fn begin(&mut self, slot: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize>;

    /// The bridge of the call answered 503.
    fn fail(&mut self, slot: usize, call: &Call, now: Time);

    /// Another bridge for the call, after it failed.
    fn next(&mut self, slot: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize>;

    /// The bridge took the call.
    fn confirm(&mut self, slot: usize, call: &Call, now: Time);

    /// The call has ended, or was given up.
    fn end(&mut self, slot: usize, call: &Call, now: Time);

    /// Whether reports make a difference; otherwise none are made.
    fn heeds_reports(&self) -> bool;

    /// The bridge that the call would go to if nothing had ever gone wrong; `None` where that is not
    /// known, or not a question as calls have no home.
    fn home(&mut self, _call: &Call, _now: Time) -> Option<usize> {
        None
    }
}
