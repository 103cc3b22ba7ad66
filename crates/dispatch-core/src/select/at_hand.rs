//! Who takes a call that has been nowhere yet, where that is known without looking further: what almost every call asks.

use alloc::vec::Vec;

use super::Selector;
#[cfg(feature = "std")]
use super::call_id_hash::CallIdHash;
use crate::slots::Key;

/// The member per seat where that can take a call, [`Key::NOWHERE`] elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Takers(Vec<Key>);

impl Takers {
    pub(crate) fn set(&mut self, seat: u32, member: Key) {
        if self.0.len() <= seat as usize {
            self.0.resize(seat as usize + 1, Key::NOWHERE);
        }
        if let Some(place) = self.0.get_mut(seat as usize) {
            *place = member;
        }
    }

    #[inline]
    fn at(&self, seat: u32) -> Option<Key> {
        self.0.get(seat as usize).copied().filter(|member| !member.is_nowhere())
    }

    /// How many seats there are.
    #[inline]
    const fn seats(&self) -> u32 {
        self.0.len() as u32
    }
}

impl Selector {
    /// The seat of such a call, and its member; `choose` gives the same.
    #[inline(always)]
    pub(crate) fn at_hand(&self, key: u64, takers: &Takers) -> Option<(u32, Key)> {
        let seat = match self {
            Self::RoundRobin(turn) => turn.next(takers.seats()),
            Self::Weighted(weighted) => weighted.next()?,
            Self::CallIdHash(hash) => hash.first(key)?,
            Self::CallLoad(call_load) => call_load.first_of_all()?,
            _ => return None,
        };
        Some((seat, takers.at(seat)?))
    }

    /// As `at_hand`, and the call goes there. Which algorithm it is is asked once, where `chosen` would ask again.
    #[inline(always)]
    pub(crate) fn take_at_hand(&mut self, key: u64, takers: &Takers) -> Option<Key> {
        match self {
            Self::RoundRobin(turn) => {
                let seat = turn.next(takers.seats());
                let taker = takers.at(seat)?;
                turn.chosen(seat);
                Some(taker)
            }
            Self::Weighted(weighted) => {
                let seat = weighted.next()?;
                let taker = takers.at(seat)?;
                weighted.chosen(seat);
                Some(taker)
            }
            Self::CallIdHash(hash) => takers.at(hash.first(key)?),
            Self::CallLoad(call_load) => takers.at(call_load.first_of_all()?),
            _ => None,
        }
    }
}

/// A copy of what is at hand of a hash, for threads that look at nothing else.
#[cfg(feature = "std")]
#[derive(Clone, Debug)]
pub(crate) struct Hashed {
    hash: CallIdHash,
    takers: Takers,
}

#[cfg(feature = "std")]
impl Hashed {
    /// Made where it is asked for the so many-th time, which pays for the lines of the cache that are copied; `None`
    /// where something else than the hash of a key decides.
    pub(crate) fn of(selector: &Selector, takers: &Takers, asked: usize) -> Option<Self> {
        match selector {
            Selector::CallIdHash(hash) if !hash.is_bounded() && asked > hash.lines() => {
                Some(Self { hash: hash.clone(), takers: takers.clone() })
            }
            _ => None,
        }
    }

    /// As the selector's.
    #[inline]
    pub(crate) fn at_hand(&self, key: u64) -> Option<Key> {
        self.takers.at(self.hash.first(key)?)
    }
}
