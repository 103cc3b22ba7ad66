//! Who takes a call that has been nowhere yet, where that is known without looking further: what almost every call asks.

use super::{Bits, Selector};

impl Selector {
    /// The seat of such a call, of so many; `choose` gives the same.
    #[inline(always)]
    pub(crate) fn at_hand(&self, key: u64, seats: u32, usable: &Bits) -> Option<u32> {
        let seat = match self {
            Self::RoundRobin(turn) => turn.next(seats),
            Self::Weighted(weighted) => weighted.next()?,
            Self::CallIdHash(hash) => hash.first(key)?,
            // Who stands in line is usable.
            Self::CallLoad(call_load) => return call_load.first_of_all(),
            _ => return None,
        };
        usable.contains(seat).then_some(seat)
    }

    /// As `at_hand`, and the call goes there. Which algorithm it is is asked once, where `chosen` would ask again.
    #[inline(always)]
    pub(crate) fn take_at_hand(&mut self, key: u64, seats: u32, usable: &Bits) -> Option<u32> {
        let usable = |seat: &u32| usable.contains(*seat);
        match self {
            Self::RoundRobin(turn) => {
                let seat = Some(turn.next(seats)).filter(usable)?;
                turn.chosen(seat);
                Some(seat)
            }
            Self::Weighted(weighted) => {
                let seat = weighted.next().filter(usable)?;
                weighted.chosen(seat);
                Some(seat)
            }
            Self::CallIdHash(hash) => hash.first(key).filter(usable),
            Self::CallLoad(call_load) => call_load.first_of_all(),
            _ => None,
        }
    }
}
