//! What happened that nobody asked for: events, oldest first.

use alloc::collections::VecDeque;
use alloc::string::String;
#[cfg(feature = "serde")]
use alloc::vec::Vec;

use crate::call::Lease;
use crate::capacity::ScaleEvent;
use crate::config::SetId;
use crate::destination::DestinationId;
use crate::health::Observed;
use crate::health::eject::Cause;
use crate::time::Time;

/// Something that happened in a dispatcher.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// When.
    pub at: Time,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum EventKind {
    /// A destination joined a set.
    Added {
        /// Which.
        destination: DestinationId,
        /// Its set.
        set: SetId,
        /// Its id in the set.
        id: String,
    },
    /// A destination left its set and has no calls any more; its handle means nothing from now on.
    Removed {
        /// Which.
        destination: DestinationId,
        /// Its set.
        set: SetId,
        /// Its id in the set.
        id: String,
    },
    /// Probes changed what is known of a destination.
    Health {
        /// Which.
        destination: DestinationId,
        /// What they observe now.
        observed: Observed,
    },
    /// A destination said that it is full, and for how long.
    Busy {
        /// Which.
        destination: DestinationId,
        /// Until when it gets no calls.
        until: Time,
    },
    /// Calls fail at a destination: it gets none for a while.
    Ejected {
        /// Which.
        destination: DestinationId,
        /// Why.
        cause: Cause,
        /// Until when.
        until: Time,
    },
    /// An ejection is over.
    Returned {
        /// Which.
        destination: DestinationId,
    },
    /// Most destinations of a set fail, so it is not they who are to blame: nobody is ejected. Said
    /// once per window.
    CommonCause {
        /// Which set.
        set: SetId,
        /// Destinations with too many failures in the window.
        failing: u32,
        /// Destinations with calls in the window.
        of: u32,
    },
    /// The score of a destination contradicts its calls and is ignored, or is believed again.
    Trust {
        /// Which.
        destination: DestinationId,
        /// Whether its score is believed.
        trusted: bool,
    },
    /// A set should have another number of destinations, by `Config::scaling`.
    Scale {
        /// Which set.
        set: SetId,
        /// Larger or smaller, and how many.
        to: ScaleEvent,
    },
    /// A drain is over; said once per drain.
    Drained {
        /// Which.
        destination: DestinationId,
        /// Calls that were still there at the deadline; 0 where the last one ended.
        left: u32,
    },
    /// A call reached its deadline and ended.
    Expired {
        /// Which.
        lease: Lease,
        /// Where it was.
        destination: DestinationId,
        /// Whether it had been confirmed.
        confirmed: bool,
    },
    /// Nobody polled for so long that this many events were dropped, the oldest first.
    Lost {
        /// How many.
        count: u64,
    },
}

/// The events not yet polled, at most `max`.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    queue: VecDeque<Event>,
    max: usize,
    lost: u64,
}

impl Events {
    pub(crate) const fn new(max: usize) -> Self {
        Self { queue: VecDeque::new(), max, lost: 0 }
    }

    pub(crate) fn push(&mut self, at: Time, kind: EventKind) {
        if self.queue.len() >= self.max {
            self.queue.pop_front();
            self.lost += 1;
        }
        self.queue.push_back(Event { at, kind });
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        if self.lost > 0 {
            let at = self.queue.front().map_or(Time::ZERO, |event| event.at);
            return Some(Event { at, kind: EventKind::Lost { count: core::mem::take(&mut self.lost) } });
        }
        self.queue.pop_front()
    }

    /// The events not yet polled, the oldest first, and how many were dropped before them.
    #[cfg(feature = "serde")]
    pub(crate) fn waiting(&self) -> (Vec<Event>, u64) {
        (self.queue.iter().cloned().collect(), self.lost)
    }

    /// With these events waiting.
    #[cfg(feature = "serde")]
    pub(crate) fn restored(max: usize, waiting: &[Event], lost: u64) -> Self {
        Self { queue: waiting.iter().cloned().collect(), max, lost }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_events_are_dropped_and_their_number_is_said_first() {
        let mut events = Events::new(2);
        for seconds in 1..=5 {
            events.push(Time::from_secs(seconds), EventKind::Lost { count: 0 });
        }
        let polled: alloc::vec::Vec<_> = core::iter::from_fn(|| events.pop()).collect();
        assert_eq!(polled[0].kind, EventKind::Lost { count: 3 });
        assert_eq!(
            polled[1..].iter().map(|e| e.at).collect::<alloc::vec::Vec<_>>(),
            [4, 5].map(Time::from_secs)
        );
    }
}
