//! What Kamailio did with real calls, whether its model agrees, and what Callsteer would have done.
//!
//! [`record`]s come from a log ([`log`]) or from a capture of SIP ([`capture`], [`sip`], [`traffic`]);
//! [`calls`] puts them together to calls. [`model`] leads them through Kamailio's model, [`ours`]
//! through Callsteer's algorithms; a [`report`] says what came out, a [`table`] for people.

pub mod calls;
pub mod capture;
pub mod fleet;
pub mod load;
pub mod log;
pub mod model;
mod odd;
pub mod ours;
pub mod record;
pub mod report;
pub mod sip;
pub mod table;
pub mod traffic;

use std::fmt;

/// Why something was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowError {
    /// The file, and the line or packet where one is known.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ShadowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for ShadowError {}
