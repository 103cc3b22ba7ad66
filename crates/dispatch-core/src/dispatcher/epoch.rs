//! The caller's clock and the time that is kept: the same, until the clock begins anew.

use core::time::Duration;

use super::Dispatcher;
use crate::event::{Event, EventKind};
use crate::time::Time;

/// What to add to a time of the caller's clock, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Epoch(i64);

impl Epoch {
    /// The caller's time as it is kept. Every command asks; hardly any after the clock began anew.
    #[inline]
    pub(super) const fn kept(self, at: Time) -> Time {
        if self.0 == 0 { at } else { self.shifted(at) }
    }

    #[cold]
    const fn shifted(self, at: Time) -> Time {
        Time::from_micros(at.as_micros().saturating_add_signed(self.0))
    }

    /// A time that is kept by the caller's clock; its epoch, for what was before that.
    pub(super) const fn told(self, at: Time) -> Time {
        Time::from_micros(at.as_micros().saturating_add_signed(self.0.saturating_neg()))
    }

    /// An event with its times by the caller's clock.
    pub(super) fn told_event(self, mut event: Event) -> Event {
        event.at = self.told(event.at);
        if let EventKind::Busy { until, .. } | EventKind::Ejected { until, .. } = &mut event.kind {
            *until = self.told(*until);
        }
        event
    }
}

impl Dispatcher {
    /// Goes on by a clock that shows `now`, when `away` has passed since the last time seen: after a
    /// restart, say, whose clock began anew. Every span goes on where it was, and what is over by now is done.
    ///
    /// ```
    /// use callsteer::{Call, Config, Destination, Dispatcher, Time};
    /// use std::time::Duration;
    ///
    /// let mut dispatcher = Dispatcher::new(Config::default())?;
    /// dispatcher.add(1, Destination::new("sip:10.0.0.1"), Time::from_secs(5_000))?;
    /// dispatcher.begin(&Call::new(b"a84b4c76e66710"), Time::from_secs(5_000))?;
    ///
    /// // 20 of the 60 seconds for setting up a call are over.
    /// dispatcher.resume(Time::ZERO, Duration::from_secs(20));
    /// assert_eq!(dispatcher.stats().calls, 1);
    /// # while dispatcher.poll_event(Time::ZERO).is_some() {}
    /// # while dispatcher.poll_probe(Time::from_secs(30)).is_some() {}
    /// dispatcher.poll_event(Time::from_secs(40));
    /// assert_eq!(dispatcher.stats().expired, 1);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn resume(&mut self, now: Time, away: Duration) {
        let (kept, told) = ((self.now + away).as_micros(), now.as_micros());
        let apart = i64::try_from(kept.abs_diff(told)).unwrap_or(i64::MAX);
        self.epoch = Epoch(if kept >= told { apart } else { -apart });
        self.advance(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_they_were_given_and_saturate_at_both_ends() {
        for (epoch, given, kept) in
            [(0, 7, 7), (5, 7, 12), (-5, 7, 2), (i64::MIN, 7, 0), (i64::MAX, u64::MAX, u64::MAX)]
        {
            assert_eq!(Epoch(epoch).kept(Time::from_micros(given)), Time::from_micros(kept));
        }
        assert_eq!(Epoch(5).told(Time::from_micros(12)), Time::from_micros(7));
        assert_eq!(Epoch(5).told(Time::from_micros(3)), Time::ZERO);
        assert_eq!(Epoch(-5).told(Time::from_micros(2)), Time::from_micros(7));
    }
}
