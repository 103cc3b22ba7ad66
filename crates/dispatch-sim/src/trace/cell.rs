//! One field of a row of call records, and what it says.

use super::layout::Unit;

/// A field, as the file has it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "text has no other fields"))]
pub(super) enum Cell<'a> {
    Text(&'a str),
    Number(f64),
    /// A moment, in microseconds since 1970.
    Moment(i64),
    Null,
}

impl Cell<'_> {
    /// A number in this range; `what` says of what: "a cost".
    pub(super) fn number(self, what: &str, min: f64, max: f64) -> Result<f64, String> {
        let number = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(number),
            Self::Moment(_) | Self::Null => None,
        };
        match number {
            Some(number) if (min..=max).contains(&number) => Ok(number),
            Some(number) if number < min && min > 0.0 => Err(format!("{}: {what} is above 0", self.shown())),
            Some(number) if number < min => Err(format!("{}: {what} is not negative", self.shown())),
            Some(number) if number > max => Err(format!("{}: {what} is at most {max:e}", self.shown())),
            _ => Err(format!("{} is not {what}", self.shown())),
        }
    }

    /// A moment in microseconds, and whether it is a date and so since 1970.
    pub(super) fn moment(self, unit: Unit) -> Result<(i64, bool), String> {
        let number: Option<f64> = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(number),
            Self::Moment(micros) => return Ok((micros, true)),
            Self::Null => None,
        };
        let (shown, unit_name) = (self.shown(), unit.name());
        match number.map(|number| number * unit.seconds()) {
            Some(seconds) if seconds.abs() <= MAX_EPOCH_SECONDS => {
                Ok(((seconds * 1e6).round() as i64, false))
            }
            Some(_) => Err(format!(
                "{shown} is too far away for a number of {unit_name}; in the unit that it is in, it is read by \
                 --columns start=NAME:ms or NAME:us"
            )),
            None => match self.date() {
                Some(micros) => Ok((micros, true)),
                None => Err(format!(
                    "{shown} is neither a number of {unit_name} nor a date like 2023-11-16T18:15:46.68"
                )),
            },
        }
    }

    /// The text, or the number as text; empty where there is nothing.
    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Text(text) => (*text).into(),
            Self::Number(number) => number.to_string().into(),
            Self::Moment(micros) => micros.to_string().into(),
            Self::Null => "".into(),
        }
    }

    fn date(self) -> Option<i64> {
        match self {
            Self::Text(text) => date(text),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Number(number) => format!("{number}"),
            Self::Moment(_) => "a date".into(),
            Self::Null => "nothing".into(),
        }
    }
}

/// Microseconds since 1970 of an ISO 8601 date and time; UTC where it has no offset.
pub(super) fn date(text: &str) -> Option<i64> {
    let instant = if has_offset(text) {
        text.parse::<jiff::Timestamp>()
    } else {
        text.parse::<jiff::civil::DateTime>().and_then(|date| jiff::tz::Offset::UTC.to_timestamp(date))
    };
    instant.ok().map(jiff::Timestamp::as_microsecond)
}

/// Whether after the time of day there is a zone: 18:15:46Z, 18:15:46+02:00.
fn has_offset(text: &str) -> bool {
    text.get(11..).is_some_and(|time| time.contains(['Z', 'z', '+', '-']))
}

/// The year 5138: milliseconds and microseconds of today are refused as seconds.
const MAX_EPOCH_SECONDS: f64 = 1e11;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_without_an_offset_is_utc_and_one_with_an_offset_is_what_it_says() {
        let seconds = |text: &str| date(text).map(|micros| micros as f64 / 1e6);
        assert_eq!(seconds("1970-01-01 00:01:00"), Some(60.0));
        assert_eq!(seconds("1970-01-01T00:01:00.25"), Some(60.25));
        assert_eq!(seconds("1970-01-01T00:01:00Z"), Some(60.0));
        assert_eq!(seconds("1970-01-01T01:01:00+01:00"), Some(60.0));
        assert_eq!(seconds("1969-12-31 23:00:30-01:00"), Some(30.0));
        assert_eq!(seconds("yesterday"), None);
        assert_eq!(seconds("12:00:00"), None);
    }

    #[test]
    fn milliseconds_are_not_taken_for_seconds() {
        assert_eq!(Cell::Number(1_700_158_546.5).moment(Unit::Seconds), Ok((1_700_158_546_500_000, false)));
        assert_eq!(
            Cell::Number(1_700_158_546_500.0).moment(Unit::Millis),
            Ok((1_700_158_546_500_000, false))
        );
        assert!(Cell::Number(1_700_158_546_500.0).moment(Unit::Seconds).unwrap_err().contains("NAME:ms"));
    }
}
