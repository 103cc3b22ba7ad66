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

    /// The bridge for a call, which counts there from now on. `number` names the call.
    fn begin(&mut self, number: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize>;

    /// The bridge of the call answered 503.
    fn fail(&mut self, number: usize, call: &Call, now: Time);

    /// Another bridge for the call, after it failed.
    fn next(&mut self, number: usize, call: &Call, bridges: &[Bridge], now: Time) -> Option<usize>;

    /// The bridge took the call.
    fn confirm(&mut self, number: usize, call: &Call, now: Time);

    /// The call has ended, or was given up.
    fn end(&mut self, number: usize, call: &Call, now: Time);
}
