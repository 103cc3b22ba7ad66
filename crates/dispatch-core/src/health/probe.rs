//! When a destination is probed.

use super::Observed;
use crate::config::{ProbingConfig, ProbingMode};
use crate::rng::Rng;
use crate::time::Time;

/// Whether a destination is probed, whatever the probing mode says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Probing {
    /// As the mode says.
    #[default]
    ByMode,
    /// Flag 8 of a dispatcher.list: probed in the modes `suspects` (once, after it joins) and
    /// `flagged` (always) too.
    Flagged,
    /// Flag 32: never.
    Never,
}

/// The probes of one destination: the next one, and the one under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct ProbeClock {
    due: Time,
    /// When the probe under way has failed, if no result comes.
    timeout: Option<Time>,
    /// The last probe has failed because its time was over: the prober may still say so.
    timed_out: bool,
    /// A call failed here, or it joined flagged, and no probe was answered since.
    suspect: bool,
}

impl ProbeClock {
    /// The first probe comes within one interval, at a moment drawn so that a fleet is spread out.
    pub(crate) fn new(probing: Probing, config: &ProbingConfig, rng: &mut Rng, now: Time) -> Self {
        let due = now + config.interval.mul_f64(rng.fraction());
        Self { due, timeout: None, timed_out: false, suspect: probing == Probing::Flagged }
    }

    /// A probe leaves now: its time-out starts, and the next one is due in an interval ± 10 %.
    pub(crate) fn sent(&mut self, config: &ProbingConfig, rng: &mut Rng, now: Time) {
        self.timeout = Some(now + config.timeout);
        self.timed_out = false;
        self.due = now + config.interval.mul_f64(0.9 + 0.2 * rng.fraction());
    }

    /// A result came.
    pub(crate) fn resolved(&mut self, answered: bool) {
        self.timeout = None;
        self.timed_out = false;
        self.suspect &= !answered;
    }

    /// The time of the probe under way is over.
    pub(crate) fn gave_up(&mut self) {
        self.resolved(false);
        self.timed_out = true;
    }

    /// Whether a time-out has been counted that the prober may report as well.
    pub(crate) const fn has_timed_out(&self) -> bool {
        self.timed_out
    }

    pub(crate) fn suspect(&mut self) {
        self.suspect = true;
    }

    /// When the next probe leaves; `None` while one is under way or nobody wants one.
    pub(crate) fn due(&self, observed: Observed, probing: Probing, mode: ProbingMode) -> Option<Time> {
        let wanted = match (mode, probing) {
            (ProbingMode::Off, _) | (_, Probing::Never) => false,
            (ProbingMode::All, _) => true,
            (ProbingMode::Suspects, _) => self.suspect || observed != Observed::Active,
            (ProbingMode::Inactive, _) => observed == Observed::Inactive,
            (ProbingMode::Flagged, probing) => probing == Probing::Flagged,
        };
        (wanted && self.timeout.is_none()).then_some(self.due)
    }

    pub(crate) const fn timeout(&self) -> Option<Time> {
        self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(mode: ProbingMode, probing: Probing, observed: Observed, suspect: bool) -> bool {
        let mut clock = ProbeClock::new(probing, &ProbingConfig::default(), &mut Rng::new(1), Time::ZERO);
        clock.suspect = suspect;
        clock.due(observed, probing, mode).is_some()
    }

    #[test]
    fn the_mode_decides_who_is_probed() {
        use Observed::{Active, Inactive, Trying};
        use Probing::{ByMode, Flagged, Never};
        let rows = [
            (ProbingMode::Off, Flagged, Inactive, true, false),
            (ProbingMode::Suspects, ByMode, Active, false, false),
            (ProbingMode::Suspects, ByMode, Active, true, true),
            (ProbingMode::Suspects, ByMode, Trying(1), false, true),
            (ProbingMode::Suspects, ByMode, Inactive, false, true),
            (ProbingMode::All, ByMode, Active, false, true),
            (ProbingMode::All, Never, Inactive, true, false),
            (ProbingMode::Inactive, ByMode, Active, true, false),
            (ProbingMode::Inactive, ByMode, Trying(2), true, false),
            (ProbingMode::Inactive, ByMode, Inactive, false, true),
            (ProbingMode::Flagged, ByMode, Inactive, true, false),
            (ProbingMode::Flagged, Flagged, Active, false, true),
        ];
        for (mode, probing, observed, suspect, expected) in rows {
            let answer = wanted(mode, probing, observed, suspect);
            assert_eq!(answer, expected, "{mode:?} {probing:?} {observed:?} suspect: {suspect}");
        }
    }

    #[test]
    fn one_probe_at_a_time_and_the_next_within_ten_percent_of_the_interval() {
        let config = ProbingConfig::default();
        let mut rng = Rng::new(3);
        let mut clock = ProbeClock::new(Probing::ByMode, &config, &mut rng, Time::ZERO);
        for _ in 0..1_000 {
            let due = |clock: &ProbeClock| clock.due(Observed::Active, Probing::ByMode, ProbingMode::All);
            let now = due(&clock).unwrap();
            clock.sent(&config, &mut rng, now);
            assert_eq!((due(&clock), clock.timeout()), (None, Some(now + config.timeout)));
            clock.resolved(true);
            let gap = due(&clock).unwrap().since(now).as_secs_f64();
            assert!((9.0..11.0).contains(&gap), "{gap}");
        }
    }
}
