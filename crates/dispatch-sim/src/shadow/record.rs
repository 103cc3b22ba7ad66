//! What was seen of Kamailio: one thing after another.

use callsteer::{Failure, SetId, Time};

/// Everything that was seen, in order of time.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// What was seen.
    pub records: Vec<Record>,
    /// What to know about it: what was left out, and why.
    pub notes: Vec<String>,
}

/// Something that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When.
    pub at: Time,
    /// The line or the packet, from 1.
    pub number: usize,
    /// What.
    pub what: Seen,
}

/// What can be seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A call was given a destination, or none.
    Selected(Box<Selected>),
    /// A call was sent on to another destination.
    Next {
        /// The call.
        call_id: Vec<u8>,
        /// The URI of the list.
        destination: String,
    },
    /// The destination where the call is did not take it.
    Failed {
        /// The call.
        call_id: Vec<u8>,
        /// How.
        failure: Failure,
    },
    /// A 2xx.
    Answered {
        /// The call.
        call_id: Vec<u8>,
    },
    /// The call is over.
    Ended {
        /// The call.
        call_id: Vec<u8>,
        /// It ended by BYE or CANCEL; otherwise nobody took it.
        hung_up: bool,
    },
    /// A probe came to an end.
    Probed {
        /// The URI of the list.
        destination: String,
        /// Whether it was answered by an accepted code.
        answered: bool,
    },
    /// The operator, or an event route, says how a destination is: `a`, `i`, `t`, `d`, `ip` ...
    State {
        /// The set; every one that has the URI where none is said.
        set: Option<SetId>,
        /// The URI of the list.
        destination: String,
        /// The state.
        state: String,
    },
    /// `ds_mark_dst(state)`.
    Marked {
        /// The URI of the list.
        destination: String,
        /// The state.
        state: String,
    },
    /// The list was loaded anew.
    Reloaded,
}

/// A selection: what was asked, and what came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// The call.
    pub call_id: Vec<u8>,
    /// The set, where it is said.
    pub set: Option<SetId>,
    /// Kamailio's number, where it is said.
    pub algorithm: Option<u16>,
    /// The URI of the list; `None` where nobody could be selected.
    pub destination: Option<String>,
    /// The URI of From.
    pub from: Vec<u8>,
    /// The URI of To.
    pub to: Vec<u8>,
    /// The Request-URI.
    pub request_uri: Vec<u8>,
    /// The username of the credentials.
    pub username: Option<Vec<u8>>,
    /// What `hash_pvar` came to.
    pub hash_pvar: Option<Vec<u8>>,
}
