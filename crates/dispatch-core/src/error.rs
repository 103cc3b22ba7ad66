//! Why a command was refused. One enum per command; every code stands in one table.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use crate::config::SetId;

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The field, with dots between levels.
    pub field: &'static str,
    /// What it must be.
    pub rule: &'static str,
}

/// A destination that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationError {
    /// The id of the destination.
    pub id: String,
    /// The field.
    pub field: &'static str,
    /// What it must be.
    pub rule: &'static str,
    /// What it is.
    pub value: String,
}

/// Why `begin` placed no call. Nothing was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BeginError {
    /// Some destinations are up; none has room.
    Full {
        /// What to tell the caller.
        retry_after: Duration,
    },
    /// No destination is up and switched on.
    AllDown {
        /// What to tell the caller.
        retry_after: Duration,
    },
    /// No route of the call leads to a set with destinations.
    NoSuchSet {
        /// The set that was asked for.
        set: SetId,
    },
    /// The tenant has all the calls that it may have.
    TenantFull {
        /// What to tell the caller.
        retry_after: Duration,
    },
    /// Calls come faster than the tenant, or every destination with room, may take them.
    TooFast {
        /// When the rate allows the next one.
        retry_after: Duration,
    },
    /// The call itself cannot be placed by anyone.
    InvalidCall {
        /// The field.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

impl BeginError {
    /// What to answer the caller: a SIP status and, in whole seconds, its Retry-After.
    #[must_use]
    pub fn answer(&self) -> (u16, Option<u64>) {
        let seconds = |span: &Duration| Some(span.as_secs() + u64::from(span.subsec_nanos() > 0));
        match self {
            Self::Full { retry_after } | Self::TenantFull { retry_after } | Self::TooFast { retry_after } => {
                (503, seconds(retry_after))
            }
            Self::AllDown { retry_after } => (480, seconds(retry_after)),
            Self::NoSuchSet { .. } => (480, None),
            Self::InvalidCall { .. } => (400, None),
        }
    }
}

/// Why `next` moved no call. The call stays where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextError {
    /// The call has ended, or never was.
    NoSuchCall,
    /// Every destination that could take the call has been tried: answer the caller, and `end` it.
    Exhausted,
}

/// The call has ended, or never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchCall;

/// Why `fail` changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailError {
    /// The call has ended, or never was.
    NoSuchCall,
    /// Not a failure's reply code, which is 300 to 699.
    InvalidReply {
        /// The code given.
        code: u16,
    },
}

/// The destination left, or never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchDestination;

/// Why `probe_result` changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeError {
    /// The destination left, or never was.
    NoSuchDestination,
    /// Not a reply code, which is 100 to 699.
    InvalidReply {
        /// The code given.
        code: u16,
    },
}

/// Why `report` changed nothing: what was known of the destination stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportError {
    /// The destination left, or never was.
    NoSuchDestination,
    /// A value that no bridge can have.
    InvalidReport {
        /// The field.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// Measured before the last report that counted.
    Late,
    /// Measured when the last report that counted was, or with its sequence.
    Duplicate,
    /// Measured after now.
    Future,
}

/// Why a text is not a report. Nothing of it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// The line has not ended: the rest has not come yet, or never will.
    Incomplete,
    /// The text has not the form that it must have.
    Unreadable {
        /// The field, by its name in the text; empty where the text as a whole is wrong.
        field: String,
        /// What is wrong with it.
        what: Cow<'static, str>,
        /// Where: the line, counted from 1; 0 where the field says it.
        line: usize,
        /// Where in that line: the byte, counted from 1; 0 where the line or the field says it.
        column: usize,
    },
}

/// Why there is no score from several resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreError {
    /// The resource, by its name in the configuration.
    pub resource: String,
    /// What is wrong with its measured value.
    pub what: &'static str,
}

/// A text that is not what a replica says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaError {
    /// What is wrong, and where.
    pub what: String,
}

/// Why `add` added nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddError {
    /// The destination cannot work.
    Invalid(DestinationError),
    /// The set has a destination with this id.
    Duplicate {
        /// The set.
        set: SetId,
        /// The id.
        id: String,
    },
    /// 4,294,967,295 destinations are there already.
    TooMany,
}

/// Why `update` changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateError {
    /// The destination left, or never was.
    NoSuchDestination,
    /// The new description cannot work.
    Invalid(DestinationError),
    /// The id is what stays when everything else changes.
    IdChanged {
        /// The id that it has.
        from: String,
        /// The id given.
        to: String,
    },
}

/// Why there is no plan for a new list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// A destination cannot work.
    Invalid {
        /// Which one, counted from 0.
        index: usize,
        /// What is wrong with it.
        error: DestinationError,
    },
    /// Two destinations of a set have the same id.
    Duplicate {
        /// The second one, counted from 0.
        index: usize,
        /// The set.
        set: SetId,
        /// The id.
        id: String,
    },
}

/// Destinations changed after the plan was made: make it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StalePlan;

/// Why there is no dispatcher from a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is no snapshot, or not a whole one, or was changed since it was made.
    Damaged {
        /// What is wrong with it.
        what: Cow<'static, str>,
    },
    /// It has another version of the format.
    Version {
        /// Its version.
        found: u32,
        /// The version that is read here.
        known: u32,
    },
    /// What it says cannot be.
    Inconsistent {
        /// Of what: a call, a destination, a set, or the snapshot as a whole.
        of: Cow<'static, str>,
        /// What cannot be.
        what: Cow<'static, str>,
    },
}

/// The code of every error, the same in every language, with its meaning.
pub const CODES: &[(&str, &str)] = &[
    (INVALID_CONFIG, "a configuration value cannot work"),
    (INVALID_DESTINATION, "a destination's value cannot work"),
    (INVALID_CALL, "a call's value cannot work"),
    (INVALID_REPLY, "a number is not a reply code"),
    (INVALID_REPORT, "a report's value cannot be"),
    (UNREADABLE_REPORT, "a text is not a report of this form"),
    (INCOMPLETE_REPORT, "a report's line has not ended"),
    (LATE_REPORT, "a report was measured before the last one"),
    (DUPLICATE_REPORT, "a report has the time or the sequence of the last one"),
    (FUTURE_REPORT, "a report was measured after now"),
    (FULL, "destinations are up, none has room"),
    (ALL_DOWN, "no destination is up and switched on"),
    (NO_SUCH_SET, "no route of the call leads to a set with destinations"),
    (TENANT_FULL, "the tenant has all the calls that it may have"),
    (TOO_FAST, "calls come faster than a rate limit allows"),
    (NO_SUCH_CALL, "the call has ended, or never was"),
    (EXHAUSTED, "every destination that could take the call has been tried"),
    (NO_SUCH_DESTINATION, "the destination left, or never was"),
    (DUPLICATE, "the set has a destination with this id"),
    (TOO_MANY, "no more destinations fit"),
    (ID_CHANGED, "an update must keep the id"),
    (STALE_PLAN, "destinations changed after the plan was made"),
    (INVALID_DELTA, "a text is not what a replica says"),
    (DAMAGED_SNAPSHOT, "it is no snapshot, or not a whole one, or was changed"),
    (SNAPSHOT_VERSION, "a snapshot of another version of the format"),
    (INCONSISTENT_SNAPSHOT, "what a snapshot says cannot be"),
];

const INVALID_CONFIG: &str = "invalid_config";
const INVALID_DESTINATION: &str = "invalid_destination";
const INVALID_CALL: &str = "invalid_call";
const INVALID_REPLY: &str = "invalid_reply";
const INVALID_REPORT: &str = "invalid_report";
const UNREADABLE_REPORT: &str = "unreadable_report";
const INCOMPLETE_REPORT: &str = "incomplete_report";
const LATE_REPORT: &str = "late_report";
const DUPLICATE_REPORT: &str = "duplicate_report";
const FUTURE_REPORT: &str = "future_report";
const FULL: &str = "full";
const ALL_DOWN: &str = "all_down";
const NO_SUCH_SET: &str = "no_such_set";
const TENANT_FULL: &str = "tenant_full";
const TOO_FAST: &str = "too_fast";
const NO_SUCH_CALL: &str = "no_such_call";
const EXHAUSTED: &str = "exhausted";
const NO_SUCH_DESTINATION: &str = "no_such_destination";
const DUPLICATE: &str = "duplicate";
const TOO_MANY: &str = "too_many";
const ID_CHANGED: &str = "id_changed";
const STALE_PLAN: &str = "stale_plan";
const INVALID_DELTA: &str = "invalid_delta";
const DAMAGED_SNAPSHOT: &str = "damaged_snapshot";
const SNAPSHOT_VERSION: &str = "snapshot_version";
const INCONSISTENT_SNAPSHOT: &str = "inconsistent_snapshot";

/// Writes an error's `code()`, `Display` and `Error`: per case its code and its message.
macro_rules! describe {
    ($error:ty { $($case:pat => $code:expr, ($($message:tt)+);)+ }) => {
        impl $error {
            /// The code, as in [`CODES`].
            #[must_use]
            #[allow(unused_variables)]
            pub const fn code(&self) -> &'static str {
                match self { $($case => $code,)+ }
            }
        }

        impl fmt::Display for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $($case => write!(f, $($message)+),)+ }
            }
        }

        impl core::error::Error for $error {}
    };
}

describe!(ConfigError {
    Self { field, rule } => INVALID_CONFIG, ("{field}: {rule}");
});
describe!(DestinationError {
    Self { id, field, rule, value } => INVALID_DESTINATION, ("destination {id:?}: {field} {rule}, not {value:?}");
});
describe!(BeginError {
    Self::Full { .. } => FULL, ("every destination that is up is full");
    Self::AllDown { .. } => ALL_DOWN, ("no destination is up and switched on");
    Self::NoSuchSet { set } => NO_SUCH_SET, ("set {set} has no destinations");
    Self::TenantFull { .. } => TENANT_FULL, ("the tenant has all the calls that it may have");
    Self::TooFast { .. } => TOO_FAST, ("calls come faster than the rate limit allows");
    Self::InvalidCall { field, rule } => INVALID_CALL, ("the call's {field} {rule}");
});
describe!(NextError {
    Self::NoSuchCall => NO_SUCH_CALL, ("the call has ended, or never was");
    Self::Exhausted => EXHAUSTED, ("every destination that could take the call has been tried");
});
describe!(NoSuchCall {
    Self => NO_SUCH_CALL, ("the call has ended, or never was");
});
describe!(FailError {
    Self::NoSuchCall => NO_SUCH_CALL, ("the call has ended, or never was");
    Self::InvalidReply { code } => INVALID_REPLY, ("{code} is not a failure's reply code, which is 300 to 699");
});
describe!(NoSuchDestination {
    Self => NO_SUCH_DESTINATION, ("the destination left, or never was");
});
describe!(ProbeError {
    Self::NoSuchDestination => NO_SUCH_DESTINATION, ("the destination left, or never was");
    Self::InvalidReply { code } => INVALID_REPLY, ("{code} is not a reply code, which is 100 to 699");
});
describe!(ReportError {
    Self::NoSuchDestination => NO_SUCH_DESTINATION, ("the destination left, or never was");
    Self::InvalidReport { field, rule } => INVALID_REPORT, ("the report's {field} {rule}");
    Self::Late => LATE_REPORT, ("measured before the last report");
    Self::Duplicate => DUPLICATE_REPORT, ("has the time or the sequence of the last report");
    Self::Future => FUTURE_REPORT, ("measured after now");
});
describe!(ReadError {
    Self::Incomplete => INCOMPLETE_REPORT, ("the line has not ended");
    Self::Unreadable { field, what, line, column } => UNREADABLE_REPORT,
        ("{}{field}{}{what}", Place(*line, *column), if field.is_empty() { "" } else { ": " });
});
describe!(ScoreError {
    Self { resource, what } => INVALID_REPORT, ("{resource:?} {what}");
});
describe!(AddError {
    Self::Invalid(error) => INVALID_DESTINATION, ("{error}");
    Self::Duplicate { set, id } => DUPLICATE, ("set {set} has a destination {id:?} already");
    Self::TooMany => TOO_MANY, ("no more destinations fit");
});
describe!(UpdateError {
    Self::NoSuchDestination => NO_SUCH_DESTINATION, ("the destination left, or never was");
    Self::Invalid(error) => INVALID_DESTINATION, ("{error}");
    Self::IdChanged { from, to } => ID_CHANGED, ("an update keeps the id: {from:?} is not {to:?}");
});
describe!(PlanError {
    Self::Invalid { index, error } => INVALID_DESTINATION, ("entry {}: {error}", index + 1);
    Self::Duplicate { index, set, id } => DUPLICATE,
        ("entry {}: set {set} has a destination {id:?} already", index + 1);
});
describe!(DeltaError {
    Self { what } => INVALID_DELTA, ("{what}");
});
describe!(StalePlan {
    Self => STALE_PLAN, ("destinations changed after the plan was made: make it anew");
});
describe!(SnapshotError {
    Self::Damaged { what } => DAMAGED_SNAPSHOT, ("the snapshot is damaged: {what}");
    Self::Version { found, known } => SNAPSHOT_VERSION,
        ("the snapshot has version {found}, which is not read here: {known} is");
    Self::Inconsistent { of, what } => INCONSISTENT_SNAPSHOT, ("the snapshot cannot be: {of}: {what}");
});

impl From<NoSuchDestination> for UpdateError {
    fn from(_: NoSuchDestination) -> Self {
        Self::NoSuchDestination
    }
}

#[cfg(feature = "serde")]
impl SnapshotError {
    /// Something that cannot be.
    pub(crate) fn of(of: impl Into<Cow<'static, str>>, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Inconsistent { of: of.into(), what: what.into() }
    }
}

impl ReadError {
    /// Something wrong with a field.
    pub(crate) fn field(field: &str, what: &'static str) -> Self {
        Self::Unreadable { field: field.into(), what: what.into(), line: 0, column: 0 }
    }

    /// The same, found there; counted from 1.
    pub(crate) fn at(self, line: usize, column: usize) -> Self {
        match self {
            Self::Unreadable { field, what, .. } => Self::Unreadable { field, what, line, column },
            Self::Incomplete => Self::Incomplete,
        }
    }
}

/// A line and a column as people write them, in front of what was found there.
struct Place(usize, usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(0, _) => Ok(()),
            Self(line, 0) => write!(f, "line {line}: "),
            Self(1, column) => write!(f, "column {column}: "),
            Self(line, column) => write!(f, "line {line}, column {column}: "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once_in_the_table() {
        let mut codes: alloc::vec::Vec<_> = CODES.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CODES.len());
        assert!(codes.contains(&BeginError::NoSuchSet { set: 1 }.code()));
    }

    #[test]
    fn a_refused_caller_is_told_what_and_for_how_long() {
        let wait = Duration::from_millis(1_200);
        assert_eq!(BeginError::Full { retry_after: wait }.answer(), (503, Some(2)));
        assert_eq!(BeginError::TooFast { retry_after: Duration::from_secs(1) }.answer(), (503, Some(1)));
        assert_eq!(BeginError::AllDown { retry_after: wait }.answer(), (480, Some(2)));
        assert_eq!(BeginError::NoSuchSet { set: 9 }.answer(), (480, None));
    }

    #[test]
    fn an_unreadable_text_says_what_is_wrong_and_where() {
        let check = |error: ReadError, expected: &str| assert_eq!(alloc::format!("{error}"), expected);
        let score = || ReadError::field("score", "is a number");
        check(score(), "score: is a number");
        check(score().at(1, 7), "column 7: score: is a number");
        check(score().at(3, 0), "line 3: score: is a number");
        check(ReadError::field("", "is empty").at(3, 7), "line 3, column 7: is empty");
        check(ReadError::Incomplete.at(3, 7), "the line has not ended");
    }
}
