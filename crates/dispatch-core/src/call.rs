//! A call as its caller describes it, and what becomes of it.

use core::time::Duration;

use crate::config::SetId;
use crate::destination::DestinationId;
use crate::slots::Key;

/// A call that wants a destination.
///
/// ```
/// use callsteer::Call;
/// let call = Call { tenant: Some("sales"), cost: 3, ..Call::new(b"a84b4c76e66710@pc33.example.com") };
/// assert_eq!(call.set, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// SIP's Call-ID, or whatever else identifies the call. Only a keyed hash of it is kept.
    pub call_id: &'a [u8],
    /// Where the call wants to go. Default 1.
    pub set: SetId,
    /// What `call_id_hash` and `kamailio` hash in place of the Call-ID: a caller, a conversation.
    pub key: Option<&'a [u8]>,
    /// What kind of call it is: `load_score` learns what each kind costs. Up to 64 are told apart.
    pub class: Option<&'a str>,
    /// What it adds to the load of its destination, 1..=65,535. Default 1.
    pub cost: u32,
    /// Whose call it is, for limits.
    pub tenant: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A call with this Call-ID and every default.
    #[must_use]
    pub const fn new(call_id: &'a [u8]) -> Self {
        Self { call_id, set: 1, key: None, class: None, cost: 1, tenant: None }
    }

    /// What is hashed of it.
    pub(crate) const fn text(&self) -> &'a [u8] {
        match self.key {
            Some(key) => key,
            None => self.call_id,
        }
    }
}

/// The handle of a call in progress. It never means another call later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lease(pub(crate) Key);

impl Lease {
    /// As a number, below 2^53 (exact in a float64) and never 0.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.0.to_u64()
    }

    /// From such a number; `None` where it cannot be one.
    #[must_use]
    pub const fn from_u64(number: u64) -> Option<Self> {
        match Key::from_u64(number) {
            Some(key) => Some(Self(key)),
            None => None,
        }
    }
}

/// A call that has a destination and is counted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The call's handle, for `confirm`, `fail`, `next` and `end`.
    pub lease: Lease,
    /// Where it goes.
    pub destination: DestinationId,
    /// So few destinations are healthy that health was ignored.
    pub panic: bool,
}

/// A destination that was chosen and not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picked {
    /// The destination.
    pub destination: DestinationId,
    /// So few destinations are healthy that health was ignored.
    pub panic: bool,
}

/// What happened to a call at its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A final reply, 300..=699.
    Reply {
        /// Its status code.
        code: u16,
        /// Its Retry-After.
        retry_after: Option<Duration>,
    },
    /// Nothing came in time.
    Timeout,
    /// It could not even be sent: connection refused, no route.
    Unreachable,
}

impl Failure {
    /// A reply without Retry-After.
    #[must_use]
    pub const fn reply(code: u16) -> Self {
        Self::Reply { code, retry_after: None }
    }

    /// Whom the failure counts against.
    #[must_use]
    pub const fn blame(self) -> Blame {
        match self {
            Self::Reply { code: 503, retry_after: Some(_) } => Blame::Busy,
            Self::Reply { code: 408 | 500..=599, .. } | Self::Timeout | Self::Unreachable => {
                Blame::Destination
            }
            Self::Reply { .. } => Blame::Caller,
        }
    }
}

/// Whom a failure counts against, and so what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Blame {
    /// The destination (408, 5xx, timeout, unreachable): another one may do better, try `next`.
    Destination,
    /// The destination is full and said for how long (503 with Retry-After): try `next`.
    Busy,
    /// The call itself (404, 486, 487, 603 ...): it would fail elsewhere too, `end` it.
    Caller,
}

/// What a probe of a destination brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// A reply, 100..=699.
    Reply {
        /// Its status code.
        code: u16,
        /// Its Retry-After.
        retry_after: Option<Duration>,
    },
    /// None in time, or it could not be sent.
    Timeout,
}

impl ProbeResult {
    /// A reply without Retry-After.
    #[must_use]
    pub const fn reply(code: u16) -> Self {
        Self::Reply { code, retry_after: None }
    }
}

/// A destination to probe now; answer with `probe_result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whom to probe.
    pub destination: DestinationId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_destination_did_counts_against_it() {
        for code in [300, 302, 400, 404, 480, 486, 487, 488, 600, 603] {
            assert_eq!(Failure::reply(code).blame(), Blame::Caller, "{code}");
        }
        for code in [408, 500, 502, 503, 504, 599] {
            assert_eq!(Failure::reply(code).blame(), Blame::Destination, "{code}");
        }
        let busy = Failure::Reply { code: 503, retry_after: Some(Duration::from_secs(9)) };
        assert_eq!(busy.blame(), Blame::Busy);
        assert_eq!(Failure::Timeout.blame(), Blame::Destination);
        assert_eq!(Failure::Unreachable.blame(), Blame::Destination);
    }
}
