//! How large a fleet should be, and when to say so.

use core::time::Duration;

use super::erlang;
use crate::config::{ScalingConfig, Threshold};
use crate::error::ConfigError;
use crate::time::Time;

/// How much of a fleet is used, at one moment. "Members" are those that are usable and not draining.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// The sum of the members' load, in any unit: calls, or score times capacity.
    pub load: f64,
    /// The load that the members can carry, in the same unit.
    pub capacity: f64,
    /// How many members there are.
    pub members: u32,
    /// Calls that the members can carry at a time.
    pub slots: u32,
    /// Calls that arrive, per second.
    pub arrival_rate: f64,
    /// How long a call lasts, in the mean; `None` where it is not known.
    pub mean_duration: Option<Duration>,
    /// The load of a busy member divided by its capacity: the 99th percentile over the members, say.
    /// `None` where it is not known.
    pub busiest: Option<f64>,
}

/// Says when a fleet should grow or shrink.
///
/// What it wants is, with L the load and C the capacity per member,
///
/// ```text
/// demand  = L + spare,  spare = the calls that arrive in the lead time and are still there at its end
///         = rate · duration · (1 - exp(-lead_time / duration)),  at most rate · lead_time
/// Fixed(t):           members = demand / (t · C)
/// TargetBlocking(p):  members = slots / slots of a member,  slots so that demand / (1 - p) erlangs
///                     block p (what is carried is what is offered less what is blocked)
/// busiest(b):         members = members · busiest / b
/// ```
///
/// rounded up, the greatest of them; one more than there are where the capacity (or, for blocking, the
/// slots) is 0 and so nobody knows what a member would add. If that is more than there are, the fleet should grow; if even with
/// `low_share` of the thresholds it is less, it should shrink to that; else it should stay.
///
/// ```
/// use callsteer::{ScaleEvent, Scaler, ScalingConfig, Time, Usage};
/// let mut scaler = Scaler::new(ScalingConfig::default())?;
/// let usage = Usage { load: 95.0, capacity: 100.0, members: 5, slots: 100, ..Usage::default() };
/// assert_eq!(scaler.observe(&usage, Time::ZERO), None);
/// assert_eq!(scaler.desired(), Some(6));
/// assert_eq!(scaler.observe(&usage, Time::from_secs(30)), Some(ScaleEvent::Up { desired: 6 }));
/// # Ok::<(), callsteer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scaler {
    config: ScalingConfig,
    desired: Option<u32>,
    /// Of the last fleet that had members.
    member: Option<Member>,
    wish: Option<Wish>,
}

/// A fleet should have another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ScaleEvent {
    /// Larger.
    Up {
        /// How many members it should have.
        desired: u32,
    },
    /// Smaller: drain some.
    Down {
        /// How many members it should have.
        desired: u32,
    },
}

impl Usage {
    /// Load divided by capacity: 0 and more, never NaN. A fleet without capacity is full, which is 1.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        let share = self.load / self.capacity;
        if self.capacity > 0.0 && share.is_finite() { share.max(0.0) } else { 1.0 }
    }

    /// The calls that arrive in this time and are still there at its end, as load.
    fn arriving(&self, time: Duration) -> f64 {
        let time = time.as_secs_f64();
        let staying = match self.mean_duration.map(|mean| mean.as_secs_f64()) {
            Some(mean) if mean > 0.0 => -mean * libm::expm1(-time / mean),
            _ => time,
        };
        let load_of_a_call = if self.slots > 0 { self.capacity / f64::from(self.slots) } else { 1.0 };
        self.arrival_rate * staying * load_of_a_call
    }

    fn is_sound(&self) -> bool {
        let numbers = [self.load, self.capacity, self.arrival_rate, self.busiest.unwrap_or(0.0)];
        numbers.iter().all(|number| number.is_finite() && *number >= 0.0)
    }
}

impl Scaler {
    /// One that has seen nothing yet.
    ///
    /// # Errors
    /// What [`ScalingConfig::check`] refuses.
    pub fn new(config: ScalingConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { config, desired: None, member: None, wish: None })
    }

    /// Takes notice of how much is used, and says whether it is time to change the size.
    ///
    /// That is so when the fleet has been too small, or too large, for the hold time without a break.
    /// It is said again when the desired size has become another one, once per hold time at most. Of
    /// what was desired while it was too large, the most counts: a short lull drains nobody.
    ///
    /// A usage with a number that is NaN, infinite or negative is passed over.
    pub fn observe(&mut self, usage: &Usage, now: Time) -> Option<ScaleEvent> {
        if !usage.is_sound() {
            return None;
        }
        if usage.members > 0 && usage.capacity > 0.0 {
            let members = f64::from(usage.members);
            let slots = f64::from(usage.slots) / members;
            self.member = Some(Member { capacity: usage.capacity / members, slots });
        }
        let enough = self.required(usage, 1.0);
        let at_ease = self.required(usage, self.config.low_share);
        let desired = if enough > usage.members { enough } else { at_ease.min(usage.members) };
        self.desired = Some(desired);
        if desired == usage.members {
            self.wish = None;
            return None;
        }
        self.wish(desired > usage.members, desired, now)
    }

    /// When it says something, if nothing changes until then; `None` if it will not.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        let wish = self.wish.as_ref().filter(|wish| wish.said != Some(wish.desired))?;
        Some(wish.since + self.hold(wish.up))
    }

    /// How many members the fleet should have now, hold time or not; `None` before the first
    /// [`observe`](Self::observe).
    #[must_use]
    pub fn desired(&self) -> Option<u32> {
        self.desired
    }

    /// What it has seen, and wants for it.
    #[cfg(feature = "serde")]
    pub(crate) fn seen(&self) -> Seen {
        Seen { desired: self.desired, member: self.member, wish: self.wish }
    }

    /// One that has seen this; `None` where it cannot have.
    #[cfg(feature = "serde")]
    pub(crate) fn restored(config: ScalingConfig, seen: &Seen) -> Option<Self> {
        let number = |number: f64| (0.0..=MOST).contains(&number);
        let sound = |member: Member| number(member.capacity) && member.capacity > 0.0 && number(member.slots);
        let scaler = Self { config, desired: seen.desired, member: seen.member, wish: seen.wish };
        seen.member.is_none_or(sound).then_some(scaler)
    }

    fn wish(&mut self, up: bool, desired: u32, now: Time) -> Option<ScaleEvent> {
        let hold = self.hold(up);
        let begun = self.wish.take().filter(|wish| wish.up == up);
        let mut wish = begun.unwrap_or(Wish { up, since: now, desired, said: None });
        wish.desired = if up { desired } else { desired.max(wish.desired) };
        let mut event = None;
        if now.since(wish.since) >= hold {
            if wish.said != Some(wish.desired) {
                wish.said = Some(wish.desired);
                event = Some(wish.event());
            }
            (wish.since, wish.desired) = (now, desired);
        }
        self.wish = Some(wish);
        event
    }

    /// The members that keep this usage below this share of the thresholds.
    fn required(&self, usage: &Usage, share: f64) -> u32 {
        let most = if self.config.max_members == 0 { u32::MAX } else { self.config.max_members };
        let required = self.by_load(usage, share).max(self.by_busiest(usage, share));
        required.max(self.config.min_members).min(most)
    }

    fn by_load(&self, usage: &Usage, share: f64) -> u32 {
        let needs_slots = matches!(self.config.threshold, Threshold::TargetBlocking(_));
        let is_known = |member: &Member| !needs_slots || member.slots > 0.0;
        let is_full = usage.members > 0 && usage.capacity == 0.0;
        let Some(member) = self.member.filter(is_known).filter(|_| !is_full) else {
            // Full, and nobody knows how much a member would add: one more.
            return usage.members.saturating_add(1);
        };
        let demand = usage.load + usage.arriving(self.config.lead_time);
        match self.config.threshold {
            Threshold::Fixed(utilisation) => ceil(demand / (utilisation * share * member.capacity)),
            Threshold::TargetBlocking(target) => {
                let calls = demand / member.capacity * member.slots;
                let slots = erlang::slots_for(calls / (share * (1.0 - target)), target);
                slots.map_or(u32::MAX, |slots| ceil(f64::from(slots) / member.slots))
            }
        }
    }

    fn by_busiest(&self, usage: &Usage, share: f64) -> u32 {
        let Some((busiest, limit)) = usage.busiest.zip(self.config.busiest) else { return 0 };
        ceil(f64::from(usage.members) * busiest / (limit * share))
    }

    const fn hold(&self, up: bool) -> Duration {
        if up { self.config.hold } else { self.config.hold_down }
    }
}

/// What a scaler remembers between two looks.
#[cfg(feature = "serde")]
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Seen {
    desired: Option<u32>,
    member: Option<Member>,
    wish: Option<Wish>,
}

/// What a member adds, in the mean.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Member {
    capacity: f64,
    slots: f64,
}

/// Another size, not said before its hold time is over.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Wish {
    up: bool,
    since: Time,
    desired: u32,
    said: Option<u32>,
}

impl Wish {
    const fn event(&self) -> ScaleEvent {
        let desired = self.desired;
        if self.up { ScaleEvent::Up { desired } } else { ScaleEvent::Down { desired } }
    }
}

/// Rounded up, but for what is only rounding. All that has no answer is "more than there can be".
fn ceil(members: f64) -> u32 {
    if members.is_nan() { u32::MAX } else { libm::ceil(members - ROUNDING) as u32 }
}

const ROUNDING: f64 = 1e-9;
/// More than any member carries.
#[cfg(feature = "serde")]
const MOST: f64 = 1e12;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use ScaleEvent::{Down, Up};

    /// Bridges of 20 slots each, with this many calls on all of them.
    fn usage(members: u32, load: f64) -> Usage {
        let slots = members * 20;
        Usage { load, capacity: f64::from(slots), members, slots, ..Usage::default() }
    }

    fn desired(config: ScalingConfig, usage: Usage) -> u32 {
        let mut scaler = Scaler::new(config).expect("a configuration");
        scaler.observe(&usage, Time::ZERO);
        scaler.desired().expect("it has seen something")
    }

    #[test]
    fn utilisation_is_never_nan_and_nothing_is_full() {
        let check = |load, capacity, expected| {
            let usage = Usage { load, capacity, ..Usage::default() };
            assert_eq!(usage.utilisation(), expected, "{load} / {capacity}");
        };
        check(45.0, 50.0, 0.9);
        check(60.0, 50.0, 1.2);
        check(0.0, 0.0, 1.0);
        check(5.0, 0.0, 1.0);
        check(f64::NAN, 50.0, 1.0);
        check(50.0, f64::NAN, 1.0);
        check(50.0, -1.0, 1.0);
        check(-1.0, 50.0, 0.0);
    }

    #[test]
    fn a_fleet_has_the_size_at_which_the_threshold_holds() {
        let check = |members, load, expected| {
            assert_eq!(
                desired(ScalingConfig::default(), usage(members, load)),
                expected,
                "{load} on {members}"
            );
        };
        check(5, 90.0, 5);
        check(5, 90.1, 6);
        check(5, 180.0, 10);
        check(5, 64.0, 5);
        check(5, 50.0, 4);
        check(5, 0.0, 1);
        check(1, 0.0, 1);
        // Above the low share of 0.9 · 0.7 = 63 %, and below 90 %, it stays as it is.
        check(10, 126.1, 10);
        check(10, 180.0, 10);
    }

    #[test]
    fn a_fleet_that_lost_everything_is_sized_by_what_a_member_was() {
        let mut scaler = Scaler::new(ScalingConfig::default()).expect("a configuration");
        let mut desired = |usage| {
            scaler.observe(&usage, Time::ZERO);
            scaler.desired()
        };
        assert_eq!(desired(usage(2, 30.0)), Some(2));
        assert_eq!(desired(Usage { capacity: 0.0, ..usage(2, 30.0) }), Some(3), "one more, for it is full");
        assert_eq!(desired(usage(0, 90.0)), Some(5));
    }

    #[test]
    fn rounding_asks_for_no_member_more() {
        let config = ScalingConfig { threshold: Threshold::Fixed(0.7), ..ScalingConfig::default() };
        assert_eq!(desired(config, Usage { capacity: 60.0, ..usage(5, 42.0) }), 5);
        assert_eq!(desired(config, Usage { capacity: 60.0, ..usage(5, 42.001) }), 6);
    }

    #[test]
    fn a_large_fleet_may_be_fuller_at_the_same_blocking() {
        let config = ScalingConfig { threshold: Threshold::TargetBlocking(0.01), ..ScalingConfig::default() };
        // Each is a pool's highest utilisation at 1 %, rounded down and up: 20 slots carry 11.92 calls.
        let check = |members, load, expected| {
            assert_eq!(desired(config, usage(members, load)), expected, "{load} on {members}");
        };
        check(1, 11.9, 1);
        check(1, 12.0, 2);
        check(5, 83.2, 5);
        check(5, 83.5, 6);
        check(10, 177.5, 10);
        check(10, 178.5, 11);
        check(10, 0.0, 1);
    }

    #[test]
    fn room_is_kept_for_the_calls_that_arrive_in_the_lead_time() {
        let check = |lead_time, mean_duration: Option<u64>, expected: f64| {
            let mean_duration = mean_duration.map(Duration::from_secs);
            let usage = Usage { arrival_rate: 0.5, mean_duration, ..usage(5, 0.0) };
            let spare = usage.arriving(Duration::from_secs(lead_time));
            assert!((spare - expected).abs() < 1e-3, "{lead_time} s of {mean_duration:?}: {spare}");
        };
        check(0, Some(180), 0.0);
        check(120, None, 60.0);
        check(120, Some(0), 60.0);
        check(120, Some(1_000_000), 59.996);
        check(120, Some(180), 90.0 * 0.486_583);
        check(86_400, Some(180), 90.0);
        let config = ScalingConfig { lead_time: Duration::from_secs(120), ..ScalingConfig::default() };
        let busy =
            Usage { arrival_rate: 0.5, mean_duration: Some(Duration::from_secs(180)), ..usage(5, 90.0) };
        assert_eq!(desired(config, busy), 8); // (90 + 43.8) / 18
        // Reported as a score times capacity, the same fleet has the same size.
        let scored = Usage { load: 4.5, capacity: 5.0, ..busy };
        assert_eq!(desired(config, scored), 8);
    }

    #[test]
    fn overloaded_bridges_count_although_the_mean_is_low() {
        let config = ScalingConfig { busiest: Some(1.0), ..ScalingConfig::default() };
        let check = |busiest, expected| {
            assert_eq!(desired(config, Usage { busiest, ..usage(10, 100.0) }), expected, "{busiest:?}");
        };
        check(None, 8);
        check(Some(0.5), 8);
        check(Some(0.69), 10);
        check(Some(1.0), 10);
        check(Some(1.25), 13);
    }

    #[test]
    fn the_size_stays_within_its_limits() {
        let config = ScalingConfig { min_members: 3, max_members: 6, ..ScalingConfig::default() };
        assert_eq!(desired(config, usage(5, 0.0)), 3);
        assert_eq!(desired(config, usage(5, 1e6)), 6);
        assert_eq!(desired(config, usage(9, 1e6)), 6);
        assert_eq!(desired(config, usage(2, 0.0)), 3);
        let never = ScalingConfig { low_share: 0.0, ..ScalingConfig::default() };
        assert_eq!(desired(never, usage(5, 0.0)), 5);
    }

    #[test]
    fn a_fleet_without_capacity_is_full() {
        let unlimited = Usage { capacity: 0.0, slots: 0, ..usage(4, 7.0) };
        assert_eq!(desired(ScalingConfig::default(), unlimited), 5);
        assert_eq!(desired(ScalingConfig::default(), Usage::default()), 1);
        let mut scaler = Scaler::new(ScalingConfig::default()).expect("a configuration");
        scaler.observe(&usage(5, 80.0), Time::ZERO);
        scaler.observe(&usage(0, 80.0), Time::ZERO);
        assert_eq!(scaler.desired(), Some(5), "as large as members were when there were some");
        scaler.observe(&Usage { capacity: 0.0, ..usage(7, 10.0) }, Time::ZERO);
        assert_eq!(scaler.desired(), Some(8), "whatever members could carry before");
        let blocking =
            ScalingConfig { threshold: Threshold::TargetBlocking(0.01), ..ScalingConfig::default() };
        assert_eq!(desired(blocking, Usage { slots: 0, ..usage(4, 7.0) }), 5);
    }

    #[test]
    fn a_size_is_said_after_its_hold_time_and_once() {
        // Seconds, calls on five bridges of 20, and what is said.
        let check = |story: &[(u64, f64, Option<ScaleEvent>)]| {
            let mut scaler = Scaler::new(ScalingConfig::default()).expect("a configuration");
            let said: Vec<_> = story
                .iter()
                .map(|&(at, load, _)| (at, load, scaler.observe(&usage(5, load), Time::from_secs(at))))
                .collect();
            assert_eq!(said, story);
        };
        check(&[(0, 95.0, None), (29, 95.0, None), (30, 95.0, Some(Up { desired: 6 })), (300, 95.0, None)]);
        check(&[(0, 95.0, None), (20, 80.0, None), (30, 95.0, None), (60, 95.0, Some(Up { desired: 6 }))]);
        // Of what is said before, only another size is news, and not before the next hold time.
        check(&[
            (0, 95.0, None),
            (30, 95.0, Some(Up { desired: 6 })),
            (31, 120.0, None),
            (60, 120.0, Some(Up { desired: 7 })),
        ]);
        check(&[
            (0, 30.0, None),
            (299, 30.0, None),
            (300, 30.0, Some(Down { desired: 3 })),
            (900, 30.0, None),
        ]);
        // A lull counts as much as the least quiet moment of the hold time.
        check(&[
            (0, 0.0, None),
            (100, 50.0, None),
            (300, 0.0, Some(Down { desired: 4 })),
            (600, 0.0, Some(Down { desired: 1 })),
        ]);
        check(&[(0, 0.0, None), (299, 80.0, None), (300, 0.0, None), (600, 0.0, Some(Down { desired: 1 }))]);
        check(&[(0, 0.0, None), (299, 95.0, None), (328, 95.0, None), (329, 95.0, Some(Up { desired: 6 }))]);
        check(&[(50, 95.0, None), (20, 95.0, None), (79, 95.0, None), (80, 95.0, Some(Up { desired: 6 }))]);
    }

    #[test]
    fn the_next_deadline_is_when_a_size_is_said() {
        let mut scaler = Scaler::new(ScalingConfig::default()).expect("a configuration");
        assert_eq!((scaler.next_deadline(), scaler.desired()), (None, None));
        scaler.observe(&usage(5, 95.0), Time::from_secs(10));
        assert_eq!(scaler.next_deadline(), Some(Time::from_secs(40)));
        assert!(scaler.observe(&usage(5, 95.0), Time::from_secs(40)).is_some());
        assert_eq!(scaler.next_deadline(), None);
        scaler.observe(&usage(5, 0.0), Time::from_secs(50));
        assert_eq!(scaler.next_deadline(), Some(Time::from_secs(350)));
        scaler.observe(&usage(5, 80.0), Time::from_secs(60));
        assert_eq!(scaler.next_deadline(), None);
    }

    #[test]
    fn numbers_that_mean_nothing_are_passed_over() {
        for wrong in [f64::NAN, f64::INFINITY, -1.0] {
            let mut scaler = Scaler::new(ScalingConfig::default()).expect("a configuration");
            scaler.observe(&usage(5, 95.0), Time::ZERO);
            for usage in [
                Usage { load: wrong, ..usage(5, 0.0) },
                Usage { capacity: wrong, ..usage(5, 0.0) },
                Usage { arrival_rate: wrong, ..usage(5, 0.0) },
                Usage { busiest: Some(wrong), ..usage(5, 0.0) },
            ] {
                assert_eq!(scaler.observe(&usage, Time::from_secs(10)), None, "{usage:?}");
            }
            assert_eq!(scaler.observe(&usage(5, 95.0), Time::from_secs(30)), Some(Up { desired: 6 }));
        }
        assert!(Scaler::new(ScalingConfig { low_share: 1.0, ..ScalingConfig::default() }).is_err());
    }

    proptest! {
        #[test]
        fn a_fleet_that_follows_comes_to_rest(load in 0.0..5e3, members in 1_u32..300, blocking: bool) {
            let threshold = if blocking { Threshold::TargetBlocking(0.01) } else { Threshold::Fixed(0.9) };
            let config = ScalingConfig { threshold, ..ScalingConfig::default() };
            let first = desired(config, usage(members, load));
            let second = desired(config, usage(first, load));
            prop_assert_eq!(first, second);
        }

        #[test]
        fn any_numbers_make_a_size_within_the_limits(
            load: f64, capacity: f64, members: u32, slots: u32, arrival_rate: f64, busiest: Option<f64>,
            blocking: bool, low_share in 0.0..1.0,
        ) {
            let threshold = if blocking { Threshold::TargetBlocking(0.01) } else { Threshold::Fixed(0.9) };
            let lead_time = Duration::from_secs(60);
            let config = ScalingConfig {
                threshold, low_share, lead_time, busiest: Some(1.0), max_members: 100, ..ScalingConfig::default()
            };
            let usage =
                Usage { load, capacity, members, slots, arrival_rate, busiest, mean_duration: Some(lead_time) };
            let mut scaler = Scaler::new(config).expect("a configuration");
            scaler.observe(&usage, Time::ZERO);
            prop_assert!(scaler.desired().is_none_or(|desired| (1..=100).contains(&desired)));
        }
    }
}
