//! How the load of each bridge went over time in one replay, in a bounded number of points.

use callsteer::Time;

use crate::workload::Window;

/// The load of each bridge over the measured time, and how it was distributed.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// When measuring began and ended, in seconds since the begin of the replay.
    pub seconds: (f64, f64),
    /// Of each bridge, [`BINS`] means, each over the same share of the measured time.
    pub loads: Vec<Vec<f64>>,
    /// The loads that are not passed in the shares [`SPREAD`] of the time.
    pub spread: [f64; SPREAD.len()],
}

impl Course {
    /// The highest of all points.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.loads.iter().flatten().copied().fold(0.0, f64::max)
    }
}

/// Points per bridge, however long was measured.
pub const BINS: usize = 120;

/// The shares of the time of [`Course::spread`].
pub const SPREAD: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.99];

/// Sums up loads while a replay goes on.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    window: Window,
    /// ∫ load dt in each bin of each bridge, in microseconds.
    sums: Vec<Vec<f64>>,
}

impl Recorder {
    pub(crate) fn new(bridges: usize, window: Window) -> Self {
        Self { window, sums: vec![vec![0.0; BINS]; bridges] }
    }

    /// From `from` until `until` the bridge had this load.
    pub(crate) fn hold(&mut self, bridge: usize, load: f64, from: Time, until: Time) {
        let begin = self.window.from;
        let [from, until] = [from, until].map(|at| at.min(self.window.until).max(begin));
        if load == 0.0 || from >= until {
            return;
        }
        let [from, until] = [from, until].map(|at| (at.as_micros() - begin.as_micros()) as f64);
        let width = self.width();
        let bin = |at: f64| ((at / width) as usize).min(BINS - 1);
        for number in bin(from)..=bin(until) {
            let (left, right) = (number as f64 * width, (number + 1) as f64 * width);
            self.sums[bridge][number] += load * (until.min(right) - from.max(left)).max(0.0);
        }
    }

    /// What was recorded; `quantile` knows the load that is not passed in a share of the time.
    pub(crate) fn course(&self, quantile: impl Fn(f64) -> f64) -> Course {
        let width = self.width();
        let seconds = |time: Time| time.since(Time::ZERO).as_secs_f64();
        Course {
            seconds: (seconds(self.window.from), seconds(self.window.until)),
            loads: self.sums.iter().map(|sums| sums.iter().map(|sum| sum / width).collect()).collect(),
            spread: SPREAD.map(quantile),
        }
    }

    /// Of a bin, in microseconds.
    fn width(&self) -> f64 {
        let span = self.window.until.as_micros().saturating_sub(self.window.from.as_micros());
        span.max(1) as f64 / BINS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: fn(u64) -> Time = Time::from_secs;

    #[test]
    fn a_bin_is_the_mean_of_its_time_and_nothing_outside_the_window_counts() {
        let window = Window { from: SECOND(100), until: SECOND(100 + 2 * BINS as u64) };
        let mut recorder = Recorder::new(2, window);
        recorder.hold(1, 3.0, SECOND(0), SECOND(103));
        recorder.hold(1, 5.0, SECOND(103), SECOND(104));
        recorder.hold(1, 8.0, SECOND(99 + 2 * BINS as u64), SECOND(1_000));
        let course = recorder.course(|share| share);
        assert_eq!(course.seconds, (100.0, 100.0 + 2.0 * BINS as f64));
        assert_eq!(course.loads[0], [0.0; BINS]);
        assert_eq!(course.loads[1][..3], [3.0, 4.0, 0.0]);
        assert_eq!(course.loads[1][BINS - 2..], [0.0, 4.0]);
        assert_eq!(course.spread, SPREAD);
    }

    #[test]
    fn what_is_recorded_is_conserved() {
        let window = Window { from: SECOND(7), until: SECOND(1_000) };
        let mut recorder = Recorder::new(1, window);
        for at in 0..1_100 {
            recorder.hold(0, 2.0, SECOND(at), SECOND(at + 1));
        }
        assert!(recorder.course(|_| 0.0).loads[0].iter().all(|load| (load - 2.0).abs() < 1e-9));
    }

    #[test]
    fn a_window_of_no_time_has_no_load() {
        let mut recorder = Recorder::new(1, Window { from: SECOND(5), until: SECOND(5) });
        recorder.hold(0, 2.0, SECOND(0), SECOND(9));
        assert_eq!(recorder.course(|_| 0.0).loads[0], [0.0; BINS]);
    }
}
