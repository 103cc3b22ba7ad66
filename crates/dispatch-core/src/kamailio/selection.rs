//! What a selection is asked for, and what it comes to.

use alloc::vec::Vec;

/// What of a request decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// The body of Call-ID: algorithm 0, and what algorithm 10 counts by.
    pub call_id: &'a [u8],
    /// The URI of From: algorithm 1.
    pub from: &'a [u8],
    /// The URI of To: algorithm 2.
    pub to: &'a [u8],
    /// The Request-URI: algorithm 3.
    pub request_uri: &'a [u8],
    /// The username of Proxy-Authorization or Authorization: algorithm 5, round robin without one.
    pub username: Option<&'a [u8]>,
    /// What `hash_pvar` comes to, which is `<null>` where the request has no such thing: algorithm 7,
    /// which fails without the parameter.
    pub hash_pvar: Option<&'a [u8]>,
    /// What `rand()` gives: algorithm 6.
    pub random: u32,
}

/// What a selection comes to; destinations are told by their place in index order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The one selected; by algorithm 12, the first of all that is up.
    pub index: usize,
    /// What the XAVP list holds, the one selected first; empty without `flags` bit 2, and for
    /// algorithm 12.
    pub failover: Vec<usize>,
    /// Algorithm 12: all that are called at once, which are all from the first one that is up on, be
    /// they up or down.
    pub parallel: Vec<usize>,
    /// Where algorithm 10 counts the call: whose turn it was, even where another one gets it. `None`
    /// where nothing is counted: that one has no duid, or the Call-ID is counted already.
    pub(super) counted: Option<usize>,
    /// By which algorithm: some become another one.
    pub(super) algorithm: u16,
    /// The next turn of algorithms 4, 5, 13 and 64.
    pub(super) turn: u32,
    /// Algorithm 10: counted, and then refused, because one to fail over to has no duid.
    pub(super) refused: bool,
}

impl Selection {
    /// What Kamailio did, where it did something else: this place of the index order, of so many
    /// `members`, was selected. The call is counted there, and the next turn is behind it.
    pub fn follow(&mut self, index: usize, members: usize) {
        if index != self.index {
            self.counted = self.counted.map(|_| index);
            self.turn = ((index + 1) % members.max(1)) as u32;
            self.failover.clear();
            self.index = index;
        }
    }

    /// Whether nobody gets the call although it is counted: algorithm 10, where one to fail over to
    /// has no duid.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        self.refused
    }

    /// Drops the one selected, and selects the next of the failover list.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.index = *self.failover.get(1)?;
        self.failover.remove(0);
        Some(self.index)
    }
}
