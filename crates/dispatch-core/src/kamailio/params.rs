//! The module parameters that change what is decided.

use core::time::Duration;

use super::Bytes;
use super::state::{NO_PING, PROBING};

/// `modparam("dispatcher", ...)`, with Kamailio's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// Whose behaviour.
    pub release: Release,
    /// `flags` bit 1: algorithms 1 to 3 hash the user only.
    pub user_only: bool,
    /// `flags` bit 2: a selection keeps the destinations to fail over to.
    pub failover: bool,
    /// The last one of a set is spare.
    pub use_default: bool,
    /// What a byte above 127 counts as in a hash; depends on the machine, not on a parameter.
    pub bytes: Bytes,
    /// `ds_probing_threshold`: failures in a row until inactive. Default 1.
    pub probing_threshold: u32,
    /// `ds_inactive_threshold`: successes in a row until active. Default 1.
    pub inactive_threshold: u32,
    /// `ds_ping_interval` is above 0. Default false.
    pub pings: bool,
    /// `ds_probing_mode`, 0 to 3. Default 0.
    pub probing_mode: u8,
    /// The core's `max_branches`: how many algorithm 12 calls at most. Default 12.
    pub max_branches: usize,
    /// `ds_hash_size` is above 0: without it algorithm 10 selects nobody. Default false.
    pub counts_calls: bool,
    /// `ds_hash_initexpire`: a call without a 200 is counted for this long. Default 2 h.
    pub setup_expires: Duration,
    /// `ds_hash_expire`: a call with one is counted for this long. Default 2 h.
    pub call_expires: Duration,
    /// `ds_hash_check_interval`: how often that is looked at. Default 30 s.
    pub expiry_interval: Duration,
}

impl Params {
    /// The flag of a list that has no effect: 5.6 knows no 32, and 6.2 takes no 8 where it does not ping.
    pub(super) const fn ignored_flag(&self) -> u8 {
        match self.release {
            Release::V5 => NO_PING,
            Release::V6 if self.pings => 0,
            Release::V6 => PROBING,
        }
    }
}

impl Default for Params {
    fn default() -> Self {
        Self {
            release: Release::default(),
            user_only: false,
            failover: false,
            use_default: false,
            bytes: Bytes::default(),
            probing_threshold: 1,
            inactive_threshold: 1,
            pings: false,
            probing_mode: 0,
            max_branches: 12,
            counts_calls: false,
            setup_expires: Duration::from_secs(7_200),
            call_expires: Duration::from_secs(7_200),
            expiry_interval: Duration::from_secs(30),
        }
    }
}

/// Whose behaviour: where the two differ, both were recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// Kamailio 5.6.3, as Debian has it: marks count like probes, algorithms 14, 15 and 64 are
    /// unknown, flag 32 too.
    #[default]
    V5,
    /// Kamailio 6.2.0-dev1 (38711a3e): a mark is believed at once.
    V6,
}
