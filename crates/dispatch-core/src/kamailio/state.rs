//! The state of one destination, and what marks and probes make of it.

use core::fmt;
use core::str::FromStr;

/// The state of a destination: one bit mask and one counter for the operator's will, for what
/// probes saw and for what calls came to. Printed as `dispatcher.list` shows it: `AX`, `IP`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    flags: u8,
    /// Failures in a row while up, successes in a row while down.
    count: u32,
}

impl State {
    /// The state that a list's flags give.
    #[must_use]
    pub const fn new(flags: u32) -> Self {
        Self { flags: flags as u8, count: 0 }
    }

    /// Whether calls pass it by: inactive or disabled. A trying one takes calls.
    #[must_use]
    pub const fn is_skipped(self) -> bool {
        self.flags & (INACTIVE | DISABLED) != 0
    }

    /// Failures in a row while it is up, or successes in a row while it is down.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// The same flags but these, and nothing counted.
    pub(super) const fn anew_without(self, flag: u8) -> Self {
        Self { flags: self.flags & !flag, count: 0 }
    }

    pub(super) const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// `dispatcher.set_state`: what is said is so at once.
    pub(super) const fn set(&mut self, to: Mark) {
        self.flags = to.0;
    }

    /// A mark, or the result of a probe: a state said once may have to be said again before it is
    /// believed. Going down takes `down` marks `t`, coming back up takes `up` of any other.
    pub(super) const fn mark(&mut self, to: Mark, down: u32, up: u32) -> Option<Change> {
        let was = self.flags;
        let (mut flags, mut count) = (to.0, 0);
        if to.0 & TRYING != 0 && was & INACTIVE != 0 {
            flags = flags & !TRYING | INACTIVE;
        } else if to.0 & TRYING != 0 {
            count = self.count + 1;
            if count >= down {
                (flags, count) = (flags & !TRYING | INACTIVE, 0);
            }
        } else if was & INACTIVE != 0 {
            count = self.count + 1;
            if count < up {
                flags |= INACTIVE | was & PROBING;
            } else {
                count = 0;
            }
        }
        *self = Self { flags: flags | was & NO_PING, count };
        match (was & (INACTIVE | DISABLED) != 0, self.is_skipped()) {
            (false, true) => Some(Change::Down),
            (true, false) => Some(Change::Up),
            _ => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.flags {
            flags if flags & INACTIVE != 0 => "I",
            flags if flags & DISABLED != 0 => "D",
            flags if flags & TRYING != 0 => "T",
            _ => "A",
        })?;
        f.write_str(match self.flags {
            flags if flags & PROBING != 0 => "P",
            flags if flags & NO_PING != 0 => "N",
            _ => "X",
        })
    }
}

/// A state as `ds_mark_dst` and `dispatcher.set_state` name it: `a`, `i`, `t` or `d`, with a `p` for
/// probing, in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u8);

impl Mark {
    /// What a probe's answer is worth.
    pub(super) const fn of_probe(answered: bool, keeps_probing: bool) -> Self {
        let state = if answered { 0 } else { TRYING };
        Self(if keeps_probing { state | PROBING } else { state })
    }
}

impl FromStr for Mark {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        let mut letters = text.chars().map(|letter| letter.to_ascii_lowercase());
        let state = match letters.next() {
            Some('a') => 0,
            Some('i') => INACTIVE,
            Some('t') => TRYING,
            Some('d') => DISABLED,
            _ => return Err(StateError::Unknown),
        };
        match (letters.next(), letters.next()) {
            (None, _) => Ok(Self(state)),
            // Who is disabled is not probed.
            (Some('p'), None) => Ok(Self(if state == DISABLED { state } else { state | PROBING })),
            _ => Err(StateError::Unknown),
        }
    }
}

/// Why a state was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// The text names no state.
    Unknown,
    /// No such set, or no such URI in it.
    NoSuchDestination,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "a state is a, i, t or d, and p after it for probing",
            Self::NoSuchDestination => "no destination of the set has this URI",
        })
    }
}

impl core::error::Error for StateError {}

/// What `event_route[dispatcher:dst-up]` and `dst-down` are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Calls pass it by from now on.
    Down,
    /// It takes calls again.
    Up,
}

const INACTIVE: u8 = 1;
const TRYING: u8 = 2;
pub(super) const DISABLED: u8 = 4;
pub(super) const PROBING: u8 = 8;
/// Since Kamailio 5.7: never probed.
pub(super) const NO_PING: u8 = 32;
