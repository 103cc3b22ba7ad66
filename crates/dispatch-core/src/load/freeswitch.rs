//! The HEARTBEAT event of FreeSWITCH, as text and as JSON.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;
use core::time::Duration;

use super::report::Report;
use crate::error::ReadError;
use crate::time::Time;

/// What a FreeSWITCH says of itself in its HEARTBEAT event, every 20 s by default. Fields that the
/// event does not have are `None`, those not listed here are passed over.
///
/// ```
/// use callsteer::Heartbeat;
/// let event = "Event-Name: HEARTBEAT\nSession-Count: 30\nMax-Sessions: 120\nIdle-CPU: 60.000000\n";
/// assert_eq!(Heartbeat::from_plain(event)?.report().score, Some(0.4));
/// # Ok::<(), callsteer::ReadError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heartbeat {
    /// `Session-Count`: sessions in progress. A session is one leg: a call that FreeSWITCH bridges to
    /// another leg is two.
    pub session_count: Option<u32>,
    /// `Max-Sessions`: sessions beyond this are refused.
    pub max_sessions: Option<u32>,
    /// `Idle-CPU`: 0 to 100 percent.
    pub idle_cpu: Option<f64>,
    /// `Session-Per-Sec`: how many more sessions it would start in the second of the event. In spite of
    /// the name this is no rate; 0 is a bridge that refuses calls because they come too fast.
    pub session_per_sec: Option<u32>,
    /// `Session-Per-Sec-Last`: sessions that it started in the second before.
    pub session_per_sec_last: Option<u32>,
    /// `Session-Per-Sec-Max`: the most sessions that it has started in a second.
    pub session_per_sec_max: Option<u32>,
    /// `Uptime-msec`.
    pub uptime: Option<Duration>,
    /// `Event-Sequence`: counts the events of one run; after a restart it begins anew.
    pub event_sequence: Option<u64>,
    /// `Event-Date-Timestamp`, in Unix time.
    pub event_date: Option<Time>,
}

impl Heartbeat {
    /// Reads an event in the format `plain`: lines `Name: value` with values that are percent-encoded.
    /// Names may be in upper or lower case; empty lines are passed over.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`] with the line and the field: a line without colon, another event, or a
    /// value that the field cannot have.
    pub fn from_plain(event: &str) -> Result<Self, ReadError> {
        let mut heartbeat = Self::default();
        for (index, line) in event.lines().enumerate() {
            if !line.trim().is_empty() {
                heartbeat.take_line(line).map_err(|error| error.at(index + 1, 0))?;
            }
        }
        Ok(heartbeat)
    }

    /// Reads an event in the format `json`: an object, whose values are strings.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`] with the place or the field: no such object, another event, or a value
    /// that the field cannot have.
    #[cfg(feature = "json")]
    pub fn from_json(event: &str) -> Result<Self, ReadError> {
        let mut heartbeat = Self::default();
        for (name, value) in super::json::object(event, 0)? {
            let text = match value {
                serde_json::Value::String(text) => text,
                serde_json::Value::Null => continue,
                other => alloc::format!("{other}"),
            };
            heartbeat.take(&name, &text).map_err(|what| ReadError::field(&name, what))?;
        }
        Ok(heartbeat)
    }

    /// What it means as a report.
    ///
    /// - The score is the greater of `session_count / max_sessions` and `1 - idle_cpu / 100`; a bridge
    ///   with 0 `max_sessions` is full.
    /// - `session_count` is the active calls, `max_sessions` the capacity. Where a call is two sessions,
    ///   halve both.
    /// - The sequence is the time of the event, or its number where it has no time: the number begins
    ///   anew when FreeSWITCH restarts, and every report until it has caught up would be too late.
    /// - `measured_at` stays open, as FreeSWITCH's clock need not be the dispatcher's. Where it is, use
    ///   [`event_date`](Self::event_date).
    #[must_use]
    pub fn report(&self) -> Report {
        let sessions = self.session_count.zip(self.max_sessions).map(|(count, max)| match max {
            0 => 1.0,
            _ => f64::from(count) / f64::from(max),
        });
        let cpu = self.idle_cpu.map(|idle| 1.0 - idle / 100.0);
        Report {
            score: sessions.into_iter().chain(cpu).reduce(f64::max),
            active_calls: self.session_count,
            capacity: self.max_sessions,
            sequence: self.event_date.map(Time::as_micros).or(self.event_sequence),
            ..Report::default()
        }
    }

    fn take_line(&mut self, line: &str) -> Result<(), ReadError> {
        let (name, value) = line.split_once(':').ok_or_else(|| ReadError::field("", "has no colon"))?;
        let (name, value) = (name.trim(), value.trim());
        let refuse = |what| ReadError::field(name, what);
        let value = percent_decoded(value).ok_or_else(|| refuse("is not percent-encoded"))?;
        self.take(name, &value).map_err(refuse)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let is = |field: &str| name.eq_ignore_ascii_case(field);
        match () {
            () if is("Event-Name") && value != "HEARTBEAT" => return Err("is not HEARTBEAT"),
            () if is("Session-Count") => self.session_count = Some(whole(value)?),
            () if is("Max-Sessions") => self.max_sessions = Some(whole(value)?),
            () if is("Idle-CPU") => self.idle_cpu = Some(percent(value)?),
            () if is("Session-Per-Sec") => self.session_per_sec = Some(not_below_zero(whole(value)?)),
            () if is("Session-Per-Sec-Last") => self.session_per_sec_last = Some(whole(value)?),
            () if is("Session-Per-Sec-Max") => self.session_per_sec_max = Some(whole(value)?),
            () if is("Uptime-msec") => self.uptime = Some(Duration::from_millis(whole(value)?)),
            () if is("Event-Sequence") => self.event_sequence = Some(whole(value)?),
            () if is("Event-Date-Timestamp") => self.event_date = Some(Time::from_micros(whole(value)?)),
            () => {}
        }
        Ok(())
    }
}

fn whole<T: FromStr>(value: &str) -> Result<T, &'static str> {
    value.parse().map_err(|_| "is not a whole number of its range")
}

fn percent(value: &str) -> Result<f64, &'static str> {
    let in_range = |percent: &f64| (0.0..=100.0).contains(percent);
    value.parse().ok().filter(in_range).ok_or("is not a number from 0 to 100")
}

/// FreeSWITCH counts this down below zero where it throttles, and writes it as if it had no sign.
fn not_below_zero(left: u32) -> u32 {
    if i32::try_from(left).is_ok() { left } else { 0 }
}

/// `%41` is `A`; fails where two hexadecimal digits or UTF-8 are missing.
fn percent_decoded(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('%') {
        return Some(Cow::Borrowed(value));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        bytes.push(u8::try_from(digit()? << 4 | digit()?).ok()?);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    const EVENT: &str = "Event-Name: HEARTBEAT\r\n\
        Core-UUID: 0ea1a1a2-5f5b-4a77-b3ad-91a1a7d2c0de\r\n\
        FreeSWITCH-IPv6: %3A%3A1\r\n\
        Event-Date-Local: 2024-05-01%2010%3A00%3A00\r\n\
        Event-Date-Timestamp: 1714557600000001\r\n\
        Event-Sequence: 4711\r\n\
        Event-Info: System%20Ready\r\n\
        Up-Time: 0%20years,%200%20days\r\n\
        Uptime-msec: 61000\r\n\
        session-count: 45\r\n\
        Max-Sessions: 100\r\n\
        Session-Per-Sec: 4294967295\r\n\
        Session-Per-Sec-Last: 7\r\n\
        Session-Per-Sec-Max: 12\r\n\
        Idle-CPU: 40.5%30\r\n\r\n";

    const READ: Heartbeat = Heartbeat {
        session_count: Some(45),
        max_sessions: Some(100),
        idle_cpu: Some(40.5),
        session_per_sec: Some(0),
        session_per_sec_last: Some(7),
        session_per_sec_max: Some(12),
        uptime: Some(Duration::from_secs(61)),
        event_sequence: Some(4711),
        event_date: Some(Time::from_micros(1_714_557_600_000_001)),
    };

    #[test]
    fn a_plain_event_is_read() {
        assert_eq!(Heartbeat::from_plain(EVENT), Ok(READ));
        let framed = alloc::format!("Content-Length: 410\nContent-Type: text/event-plain\n\n{EVENT}");
        assert_eq!(Heartbeat::from_plain(&framed), Ok(READ));
        assert_eq!(Heartbeat::from_plain(""), Ok(Heartbeat::default()));
    }

    #[test]
    fn a_plain_event_that_cannot_be_is_refused_with_its_line_and_field() {
        let check = |event: &str, expected: &str| {
            assert_eq!(Heartbeat::from_plain(event).expect_err(event).to_string(), expected, "{event}");
        };
        let whole = |field: &str| alloc::format!("line 2: {field}: is not a whole number of its range");
        check("\nSession-Count: many", &whole("Session-Count"));
        check("\nSession-Count: -1", &whole("Session-Count"));
        check("\nMax-Sessions: 4294967296", &whole("Max-Sessions"));
        check("\nMax-Sessions:", &whole("Max-Sessions"));
        check("\nEvent-Sequence: 1.5", &whole("Event-Sequence"));
        check("Idle-CPU: 100.1", "line 1: Idle-CPU: is not a number from 0 to 100");
        check("Idle-CPU: NaN", "line 1: Idle-CPU: is not a number from 0 to 100");
        check("Idle-CPU: 40%2", "line 1: Idle-CPU: is not percent-encoded");
        check("Session-Count: 1\nEvent-Name: SESSION_HEARTBEAT", "line 2: Event-Name: is not HEARTBEAT");
        check("Session-Count 1", "line 1: has no colon");
    }

    #[test]
    fn the_score_is_the_scarcer_of_sessions_and_processor() {
        let check = |count, max, idle, score| {
            let heartbeat =
                Heartbeat { session_count: count, max_sessions: max, idle_cpu: idle, ..Heartbeat::default() };
            assert_eq!(heartbeat.report().score, score, "{heartbeat:?}");
            assert_eq!((heartbeat.report().active_calls, heartbeat.report().capacity), (count, max));
        };
        check(Some(45), Some(100), Some(75.0), Some(0.45));
        check(Some(45), Some(100), Some(25.0), Some(0.75));
        check(Some(150), Some(100), None, Some(1.5));
        check(Some(0), Some(0), Some(75.0), Some(1.0));
        check(Some(45), None, Some(75.0), Some(0.25));
        check(Some(45), None, None, None);
        check(None, None, None, None);
    }

    #[test]
    fn the_sequence_survives_a_restart() {
        assert_eq!(READ.report().sequence, Some(1_714_557_600_000_001));
        let undated = Heartbeat { event_date: None, ..READ };
        assert_eq!(undated.report().sequence, Some(4711));
        assert_eq!(READ.report().measured_at, None);
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_json_event_is_read_or_refused() {
        let check = |event: &str, expected: Result<Heartbeat, &str>| {
            let read = Heartbeat::from_json(event).map_err(|error| error.to_string());
            assert_eq!(read, expected.map_err(String::from), "{event}");
        };
        let some = Heartbeat { session_count: Some(45), idle_cpu: Some(40.5), ..Heartbeat::default() };
        check(r#"{"Event-Name":"HEARTBEAT","Session-Count":"45","Idle-CPU":"40.500000"}"#, Ok(some));
        check(r#"{"Session-Count":45,"Idle-CPU":40.5,"Max-Sessions":null,"Up-Time":[1]}"#, Ok(some));
        check(r#"{"Max-Sessions":"x"}"#, Err("Max-Sessions: is not a whole number of its range"));
        check(r#"{"Max-Sessions":true}"#, Err("Max-Sessions: is not a whole number of its range"));
        check(r#"{"Event-Name":"API"}"#, Err("Event-Name: is not HEARTBEAT"));
        check("{\n]", Err("line 2, column 1: key must be a string"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _: Result<_, ReadError> = Heartbeat::from_plain(&text);
            #[cfg(feature = "json")]
            let _: Result<_, ReadError> = Heartbeat::from_json(&text);
        }

        #[test]
        fn whatever_is_read_makes_a_report_that_can_be(
            text in "((Session-Count|Max-Sessions|Idle-CPU|Event-Sequence): ?[0-9.%-]{0,5}\n){0,5}"
        ) {
            if let Ok(heartbeat) = Heartbeat::from_plain(&text) {
                let report = heartbeat.report();
                prop_assert!(report.check().is_ok() || report.score.is_some_and(|score| score > 1e3));
            }
        }
    }
}
