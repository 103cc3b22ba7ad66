//! The numbers of Kamailio's algorithms: what each does there, what stands for it here.

use core::fmt;

use crate::config::Algorithm;

/// One of Kamailio's algorithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// The number in `ds_select_dst(set, number)`.
    pub number: u16,
    /// What Kamailio does.
    pub kamailio: &'static str,
    /// What does the same here, and better.
    pub here: Option<Algorithm>,
    /// What to know about it here.
    pub note: &'static str,
    /// A public guide has this number for something else: what that is, and what the number really
    /// does to those who believed it.
    pub mistaken: Option<&'static str>,
}

/// What a number means; `None` where Kamailio knows none such: it then takes the first destination
/// for every call, as with 8.
#[must_use]
pub fn number(number: u16) -> Option<&'static Number> {
    NUMBERS.iter().find(|known| known.number == number)
}

impl Algorithm {
    /// The algorithm that stands for one of Kamailio's numbers, and keeps what it promises. For the
    /// same decision as Kamailio's, take [`Algorithm::Kamailio`].
    ///
    /// # Errors
    /// The number means nothing, or nothing here stands for it.
    ///
    /// ```
    /// use callsteer::Algorithm;
    /// assert_eq!(Algorithm::from_kamailio(10), Ok(Algorithm::CallLoad));
    /// let error = Algorithm::from_kamailio(12).unwrap_err().to_string();
    /// assert_eq!(error, "nothing stands for Kamailio's algorithm 12: a call goes to one destination here");
    /// ```
    pub fn from_kamailio(number: u16) -> Result<Self, NoCounterpart> {
        self::number(number).and_then(|known| known.here).ok_or(NoCounterpart { number })
    }
}

/// No algorithm stands for a number of Kamailio's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCounterpart {
    /// The number.
    pub number: u16,
}

impl fmt::Display for NoCounterpart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number } = self;
        match self::number(*number) {
            Some(known) => write!(f, "nothing stands for Kamailio's algorithm {number}: {}", known.note),
            None => write!(
                f,
                "{number} is no algorithm of Kamailio's, which sends every call to the first destination then"
            ),
        }
    }
}

impl core::error::Error for NoCounterpart {}

const fn row(number: u16, kamailio: &'static str, here: Option<Algorithm>, note: &'static str) -> Number {
    Number { number, kamailio, here, note, mistaken: None }
}

const HASH: Option<Algorithm> = Some(Algorithm::CallIdHash { bound: None });

/// Every number, ascending.
pub const NUMBERS: &[Number] = &[
    row(0, "hash of the Call-ID", HASH, "a failure moves only the failed one's calls, and spreads them"),
    row(1, "hash of the From URI", HASH, "give the URI as the call's key"),
    row(2, "hash of the To URI", HASH, "give the URI as the call's key"),
    row(
        3,
        "hash of the Request-URI: user and host, not the user as the manual says",
        HASH,
        "give user or URI as the call's key",
    ),
    row(4, "round robin", Some(Algorithm::RoundRobin), ""),
    row(
        5,
        "hash of the authorization username, round robin without one",
        HASH,
        "give the username as the call's key",
    ),
    row(6, "random", Some(Algorithm::Random), ""),
    row(7, "hash of `hash_pvar`", HASH, "give the value as the call's key"),
    Number {
        mistaken: Some(
            "a public guide calls 8 weight: it takes no weights, and sends every call to the destination of the highest priority, the last line of the file among equals",
        ),
        ..row(
            8,
            "the highest priority, serially",
            Some(Algorithm::Priority),
            "equal priorities take turns here",
        )
    },
    Number {
        mistaken: Some(
            "a public guide calls 9 call load: it counts no calls, and without weights sends every call to the last line of the highest priority",
        ),
        ..row(9, "100 slots by weight", Some(Algorithm::Weighted), "weights need not add up to 100")
    },
    row(
        10,
        "the least calls, the first among equals",
        Some(Algorithm::CallLoad),
        "ties go to the one whose load changed the longest ago",
    ),
    row(
        11,
        "100 slots by rweight among those that are up",
        Some(Algorithm::Weighted),
        "exact for any number of hosts",
    ),
    row(
        12,
        "all destinations from the first one that is up on, at once, be they up or down",
        None,
        "a call goes to one destination here",
    ),
    row(13, "the highest priority after latency, in turn", None, "load_score steers by what bridges report"),
    row(
        14,
        "round robin where all priorities are equal and above 0, otherwise the highest priority",
        Some(Algorithm::Priority),
        "equal priorities always take turns",
    ),
    row(
        15,
        "the lowest priority number first, by weight, as DNS SRV",
        None,
        "give each priority a set, and a policy of weighted routes",
    ),
    row(
        64,
        "round robin that spares who asked for it (RFC 7339)",
        None,
        "503 with Retry-After, max_rate and load_score spare a destination",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_number_stands_for_what_the_manual_says_and_a_guide_is_set_right() {
        let here = |number| Algorithm::from_kamailio(number).ok();
        assert_eq!(here(0), Some(Algorithm::CallIdHash { bound: None }));
        assert_eq!(here(8), Some(Algorithm::Priority));
        assert_eq!(here(9), Some(Algorithm::Weighted));
        assert_eq!(here(10), Some(Algorithm::CallLoad));
        assert_eq!([12, 13, 15, 64, 77].map(here), [None; 5]);
        let mistaken = NUMBERS.iter().filter(|known| known.mistaken.is_some()).map(|known| known.number);
        assert!(mistaken.eq([8, 9]));
        assert!(NUMBERS.is_sorted_by_key(|known| known.number));
        assert!(NoCounterpart { number: 77 }.to_string().contains("first destination"));
        assert!(
            NoCounterpart { number: 12 }.to_string().ends_with("12: a call goes to one destination here")
        );
    }
}
