//! Points in time: whole microseconds since any epoch that the caller likes.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A point in time, in whole microseconds since an epoch of the caller's choice.
///
/// The library reads no clock: every command takes `now`. Use a monotonic clock; a `now` earlier
/// than the last one seen counts as the last one seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Time(u64);

impl Time {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);
    /// The last representable point, about 584,000 years after the epoch.
    pub const MAX: Self = Self(u64::MAX);

    /// `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// `millis` milliseconds after the epoch; [`Time::MAX`] where that does not fit.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// `secs` seconds after the epoch; [`Time::MAX`] where that does not fit.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(micros))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06} s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Durations as seconds (a number, fractions allowed) in configuration files.
#[cfg(feature = "serde")]
pub(crate) mod seconds {
    use core::time::Duration;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(span.as_secs_f64())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}

/// A point in time as seconds since its epoch (a number, fractions allowed), or nothing.
///
/// Exact to the microsecond for 2^52 µs, 142 years from the epoch on.
#[cfg(feature = "serde")]
pub(crate) mod optional_seconds {
    use super::Time;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(time: &Option<Time>, to: S) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_micros() as f64 / 1e6).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
        let Some(seconds) = Option::<f64>::deserialize(from)? else { return Ok(None) };
        if !(0.0..u64::MAX as f64 / 1e6).contains(&seconds) {
            return Err(D::Error::custom("a time is a number of seconds from 0 on"));
        }
        // The whole seconds apart: their product with 1e6 would round a second time.
        let whole = libm::trunc(seconds);
        let micros = libm::round((seconds - whole) * 1e6);
        Ok(Some(Time((whole as u64).saturating_mul(1_000_000).saturating_add(micros as u64))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Time::MAX + Duration::from_secs(1), Time::MAX);
        assert_eq!(Time::ZERO - Duration::from_secs(1), Time::ZERO);
        assert_eq!(Time::from_secs(u64::MAX), Time::MAX);
        assert_eq!(Time::from_secs(1).since(Time::from_secs(2)), Duration::ZERO);
        assert_eq!(Time::from_secs(3).since(Time::from_millis(500)), Duration::from_millis(2500));
    }

    #[test]
    fn a_time_prints_in_seconds() {
        assert_eq!(Time::from_millis(1_500).to_string(), "1.500000 s");
    }
}
