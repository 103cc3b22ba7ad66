//! What the naive dispatcher keeps of a destination and of a call.

use callsteer::*;

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: DestinationId,
    pub(crate) set: SetId,
    pub(crate) destination: Destination,
    pub(crate) seat: Option<u32>,
    pub(crate) will: Will,
    pub(crate) drain: Option<Option<Time>>,
    pub(crate) observed: Observed,
    pub(crate) successes: u32,
    pub(crate) busy_until: Option<Time>,
    pub(crate) calls: u32,
    pub(crate) placed: u64,
    pub(crate) load: u64,
    pub(crate) touched: u64,
    /// When the next call would be due at an even rate.
    pub(crate) due: Time,
    /// What calls there came to: when, and whether they failed.
    pub(crate) attempts: Vec<(Time, bool)>,
    pub(crate) failed_in_a_row: u32,
    pub(crate) ejections: u32,
    pub(crate) ejections_ever: u64,
    /// From when until when it is ejected.
    pub(crate) ejected: Option<(Time, Time)>,
    pub(crate) returned: Time,
    pub(crate) warms_since: Option<Time>,
    /// The last report: its time and sequence, and what it said.
    pub(crate) reported: Option<(Time, Option<u64>)>,
    pub(crate) foreign: u32,
    pub(crate) capacity: Option<u32>,
    pub(crate) asks_to_drain: bool,
    /// How it stood when anybody last looked.
    pub(crate) stood: Standing,
}

#[derive(Clone, Debug)]
pub(crate) struct InProgress {
    pub(crate) lease: Lease,
    pub(crate) call_id: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) set: SetId,
    pub(crate) cost: u32,
    pub(crate) tenant: Option<String>,
    pub(crate) route: usize,
    pub(crate) destination: DestinationId,
    pub(crate) tried: Vec<DestinationId>,
    pub(crate) since: Time,
    pub(crate) confirmed: bool,
    pub(crate) failed: bool,
}
