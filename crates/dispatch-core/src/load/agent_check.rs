//! The answer of an HAProxy agent check: one line of words about weight, will and health.

use alloc::string::String;

use super::report::Report;
use crate::error::ReadError;

/// What an agent's line says. What it does not say stays as it was.
///
/// ```
/// use callsteer::{AgentAdmin, AgentCheck, AgentWeight};
/// let answer = AgentCheck::parse(b"ready, 75% maxconn:30\n")?;
/// assert_eq!(answer.weight, Some(AgentWeight::Percent(75)));
/// assert_eq!(answer.admin, Some(AgentAdmin::Ready));
/// assert_eq!(answer.report().score, Some(0.25));
/// # Ok::<(), callsteer::ReadError>(())
/// ```
///
/// The grammar is that of `agent-check` in HAProxy's configuration manual. One answer, three kinds of
/// statements, and each has its own way into a dispatcher:
///
/// - weight, `maxconn` and will become a [`report`](Self::report);
/// - [`operational`](Self::operational) does not: feed `Down`, `Fail` and `Stopped` as a failed probe,
///   and `Up` as nothing. An agent that says "ready up" must not bring back a bridge whose probes fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentCheck {
    /// `75%`, `weight:75%` or `weight:75`.
    pub weight: Option<AgentWeight>,
    /// `maxconn:30`: calls that this dispatcher may send there.
    pub maxconn: Option<u32>,
    /// `ready`, `drain` or `maint`.
    pub admin: Option<AgentAdmin>,
    /// `up`, `down`, `fail` or `stopped`.
    pub operational: Option<AgentOperational>,
    /// What stands behind the first `#`, if anything does: why the bridge is down, say.
    pub description: Option<String>,
    /// The first word that is none of these, or whose number is none. The others count all the same.
    pub unknown: Option<UnknownWord>,
}

/// A weight that an agent wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentWeight {
    /// In percent of the configured weight; may pass 100.
    Percent(u32),
    /// In place of the configured weight, 0 to 256.
    Absolute(u16),
}

/// What an agent wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentAdmin {
    /// Calls may come again.
    Ready,
    /// No new calls.
    Drain,
    /// No new calls, and no probes.
    Maint,
}

/// How an agent finds the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentOperational {
    /// Running, as far as the agent can see.
    Up,
    /// Not running.
    Down,
    /// Running and not working.
    Fail,
    /// Not running on purpose.
    Stopped,
}

/// A word that says nothing known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    /// The word; what is not UTF-8 in it is replaced.
    pub word: String,
    /// Its first byte, counted from 1.
    pub column: usize,
}

impl AgentCheck {
    /// Reads the bytes that an agent sent: words between spaces, tabs and commas, in upper or lower
    /// case, up to the first CR or LF. Of the words of one kind the last one counts.
    ///
    /// # Errors
    /// [`ReadError::Incomplete`] if there is no CR or LF (or a NUL before it): read on, or take the
    /// answer for lost. Nothing of it counts.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReadError> {
        let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0));
        let (line, ended) = bytes.split_at_checked(end.unwrap_or(bytes.len())).unwrap_or_default();
        if !matches!(ended.first(), Some(b'\r' | b'\n')) {
            return Err(ReadError::Incomplete);
        }
        let mut answer = Self::default();
        let mut column = 1;
        for word in line.split(|byte| SEPARATORS.contains(byte)) {
            if word.starts_with(b"#") {
                answer.description =
                    line.get(column..).map(|text| String::from_utf8_lossy(text).trim().into());
                break;
            }
            if !word.is_empty() && !answer.take(word) && answer.unknown.is_none() {
                answer.unknown = Some(UnknownWord { word: String::from_utf8_lossy(word).into(), column });
            }
            column += word.len() + 1;
        }
        Ok(answer)
    }

    /// What it means as a report; [`operational`](Self::operational) is not in it.
    ///
    /// - A weight in percent is how much of itself an agent has to give, so the score is its complement:
    ///   `75%` is 0.25; `0%` is 1, which is full and, unlike in HAProxy, not drained. It is a share,
    ///   never an integer weight: half of weight 1 does not become 0.
    /// - `maxconn` is the capacity.
    /// - `drain` and `maint` drain, `ready` takes that back.
    #[must_use]
    pub fn report(&self) -> Report {
        let score = match self.weight {
            Some(AgentWeight::Percent(percent)) => Some(1.0 - f64::from(percent.min(100)) / 100.0),
            _ => None,
        };
        let draining = self.admin.map(|admin| admin != AgentAdmin::Ready);
        Report { score, capacity: self.maxconn, draining, ..Report::default() }
    }

    /// Whether the word is known; then it counts.
    fn take(&mut self, word: &[u8]) -> bool {
        let word = word.to_ascii_lowercase();
        if let Some((_, admin)) = ADMIN.iter().find(|(name, _)| *name == word) {
            self.admin = Some(*admin);
        } else if let Some((_, operational)) = OPERATIONAL.iter().find(|(name, _)| *name == word) {
            self.operational = Some(*operational);
        } else if let Some(maxconn) = word.strip_prefix(b"maxconn:").and_then(number) {
            self.maxconn = Some(maxconn);
        } else if let Some(weight) = weight(&word) {
            self.weight = Some(weight);
        } else {
            return false;
        }
        true
    }
}

fn weight(word: &[u8]) -> Option<AgentWeight> {
    let (prefixed, value) = word.strip_prefix(b"weight:").map_or((false, word), |value| (true, value));
    if let Some(percent) = value.strip_suffix(b"%") {
        return number(percent).map(AgentWeight::Percent);
    }
    let absolute = number(value).and_then(|weight| u16::try_from(weight).ok())?;
    (prefixed && absolute <= HIGHEST_WEIGHT).then_some(AgentWeight::Absolute(absolute))
}

/// Digits and nothing else; what does not fit is the highest number that does.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append = |number: u32, digit: &u8| number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
    Some(digits.iter().fold(0, append))
}

const SEPARATORS: [u8; 3] = [b' ', b'\t', b','];
const HIGHEST_WEIGHT: u16 = 256;
const ADMIN: [(&[u8], AgentAdmin); 3] =
    [(b"ready", AgentAdmin::Ready), (b"drain", AgentAdmin::Drain), (b"maint", AgentAdmin::Maint)];
const OPERATIONAL: [(&[u8], AgentOperational); 4] = [
    (b"up", AgentOperational::Up),
    (b"down", AgentOperational::Down),
    (b"fail", AgentOperational::Fail),
    (b"stopped", AgentOperational::Stopped),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use AgentAdmin::{Drain, Maint, Ready};
    use AgentOperational::{Down, Fail, Stopped, Up};
    use AgentWeight::{Absolute, Percent};

    fn empty() -> AgentCheck {
        AgentCheck::default()
    }

    fn unknown(word: &str, column: usize) -> Option<UnknownWord> {
        Some(UnknownWord { word: word.into(), column })
    }

    #[test]
    fn the_last_word_of_a_kind_counts() {
        let check = |line: &[u8], expected: AgentCheck| {
            let read = AgentCheck::parse(line);
            assert_eq!(read, Ok(expected), "{}", String::from_utf8_lossy(line));
        };
        check(b"\n", empty());
        check(b" ,\t, \r", empty());
        check(b"75%\n", AgentCheck { weight: Some(Percent(75)), ..empty() });
        check(b"0%\r\n", AgentCheck { weight: Some(Percent(0)), ..empty() });
        check(b"150%\n", AgentCheck { weight: Some(Percent(150)), ..empty() });
        check(b"WEIGHT:30%\n", AgentCheck { weight: Some(Percent(30)), ..empty() });
        check(b"weight:256\n", AgentCheck { weight: Some(Absolute(256)), ..empty() });
        check(b"10% weight:3,20%\n", AgentCheck { weight: Some(Percent(20)), ..empty() });
        check(b"99999999999%\n", AgentCheck { weight: Some(Percent(u32::MAX)), ..empty() });
        check(b"maxconn:30,maxconn:0\n", AgentCheck { maxconn: Some(0), ..empty() });
        check(b"drain Maint\tREADY\n", AgentCheck { admin: Some(Ready), ..empty() });
        check(b"ready,drain\n", AgentCheck { admin: Some(Drain), ..empty() });
        check(b"up stopped fail\n", AgentCheck { operational: Some(Fail), ..empty() });
        check(b"fail,stopped\n", AgentCheck { operational: Some(Stopped), ..empty() });
        check(b"down up\n", AgentCheck { operational: Some(Up), ..empty() });
        let all = AgentCheck {
            weight: Some(Percent(50)),
            maxconn: Some(30),
            admin: Some(Maint),
            operational: Some(Down),
            description: Some("no media, up since never".into()),
            unknown: None,
        };
        check(b"maint, 50% maxconn:30 down # no media, up since never \nup\n", all);
        check(b"#\n", AgentCheck { description: Some(String::new()), ..empty() });
    }

    #[test]
    fn a_line_without_end_says_nothing() {
        let check = |bytes: &[u8]| assert_eq!(AgentCheck::parse(bytes), Err(ReadError::Incomplete));
        check(b"");
        check(b"down");
        check(b"drain 50% # going");
        check(b"drain\0\n");
    }

    #[test]
    fn a_word_that_is_not_known_is_told_and_the_others_count() {
        let check = |line: &[u8], word: &str, column: usize| {
            let expected = AgentCheck { unknown: unknown(word, column), admin: Some(Drain), ..empty() };
            assert_eq!(AgentCheck::parse(line), Ok(expected), "{}", String::from_utf8_lossy(line));
        };
        check(b"drain uP2\n", "uP2", 7);
        check(b"what, drain where\n", "what", 1);
        check(b"drain,,weight:257\n", "weight:257", 8);
        check(b"drain down#reason\n", "down#reason", 7);
        check(b"drain -5%\n", "-5%", 7);
        check(b"drain 75\n", "75", 7);
        check(b"drain 7.5%\n", "7.5%", 7);
        check(b"drain %\n", "%", 7);
        check(b"drain maxconn:\n", "maxconn:", 7);
        check(b"drain maxconn:+3\n", "maxconn:+3", 7);
        check(b"drain \xff\n", "\u{fffd}", 7);
    }

    #[test]
    fn a_line_becomes_a_report() {
        let check = |line: &[u8], expected: Report| {
            let report = AgentCheck::parse(line).map(|answer| answer.report());
            assert_eq!(report, Ok(expected), "{}", String::from_utf8_lossy(line));
        };
        check(b"100%\n", Report::score(0.0));
        check(b"25%\n", Report::score(0.75));
        check(b"0%\n", Report::score(1.0));
        check(b"250%\n", Report::score(0.0));
        check(b"weight:3\n", Report::default());
        check(b"maxconn:30\n", Report { capacity: Some(30), ..Report::default() });
        check(b"drain 50%\n", Report { draining: Some(true), ..Report::score(0.5) });
        check(b"maint\n", Report { draining: Some(true), ..Report::default() });
        check(b"ready up\n", Report { draining: Some(false), ..Report::default() });
        check(b"down\n", Report::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes: Vec<u8>, end: bool) {
            if end {
                bytes.push(b'\n');
            }
            if let Ok(answer) = AgentCheck::parse(&bytes) {
                prop_assert!(answer.report().check().is_ok());
            }
        }

        #[test]
        fn any_words_are_read(line in "([a-z]{0,4}|up|down|drain|[0-9]{1,12}%|maxconn:[0-9]{0,12}|[ ,\t#]){0,8}\n") {
            prop_assert!(AgentCheck::parse(line.as_bytes()).is_ok());
        }
    }
}
