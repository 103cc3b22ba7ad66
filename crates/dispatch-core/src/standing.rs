//! Whether a destination can take a call, and why not.

/// Whether a destination can take a call, or the first reason why it cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Standing {
    /// It can.
    Candidate,
    /// It left the list and ends its last calls.
    Removed,
    /// The operator switched it off.
    Disabled,
    /// The operator drains it, or it says that it drains.
    Draining,
    /// Probes fail.
    Inactive,
    /// Calls fail there, so it gets none for a while.
    Ejected,
    /// It said 503 with Retry-After, which is not over.
    Busy,
    /// It has `max_calls`, or as many calls as it says it can carry.
    Full,
    /// It had its `max_rate` of new calls.
    TooFast,
}

impl Standing {
    /// All of them, in the order in which reasons count.
    pub const ALL: [Self; 9] = [
        Self::Candidate,
        Self::Removed,
        Self::Disabled,
        Self::Draining,
        Self::Inactive,
        Self::Ejected,
        Self::Busy,
        Self::Full,
        Self::TooFast,
    ];
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Whether it was taken out, and not only full for the moment.
    pub(crate) const fn is_out(self) -> bool {
        matches!(self, Self::Removed | Self::Disabled | Self::Draining | Self::Inactive | Self::Ejected)
    }

    /// Its name in the field's words, as metrics and vectors spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Removed => "removed",
            Self::Disabled => "disabled",
            Self::Draining => "draining",
            Self::Inactive => "inactive",
            Self::Ejected => "ejected",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::TooFast => "too_fast",
        }
    }
}
