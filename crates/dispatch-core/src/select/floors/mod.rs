//! Who is the least by an estimate that moves by itself, without looking at all.
//!
//! Each candidate has a floor: L + c̄ as it was when it was looked at last, times exp(sag then). Now it is at
//! least floor / exp(sag now) (`load::score::sag`). Of the candidates of one weight, the least floor is
//! at the root of a winner tree; it is looked at again until it is as low as it says. Between two calls the sag
//! is small, so that this is done for a few, whatever the number of members.

mod line;

use alloc::vec::Vec;

use super::{Ask, Candidates, Change};
use crate::load::costs::Costs;
use crate::load::score::Moment;
use crate::member::Member;
use crate::time::Time;
use line::{Line, Node};

#[derive(Clone, Debug, Default)]
pub(crate) struct Floors {
    /// One per weight, ascending; none until somebody asks.
    lines: Vec<Line>,
    /// Where each seat stands.
    places: Vec<Place>,
    scale: Scale,
    /// For calls of which class and cost the least is as low as it says.
    settled: Option<(u16, u32)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    line: u32,
    leaf: u32,
    /// The number of the moment when it was looked at.
    seen: u64,
}

/// exp(sag) since a base that keeps it small.
#[derive(Clone, Copy, Debug, Default)]
struct Scale {
    base: Moment,
    moment: Moment,
    /// Moments are numbered as they come.
    number: u64,
    factor: f64,
}

impl Scale {
    fn start(&mut self, base: Moment) {
        *self = Self { base, moment: base, number: self.number + 1, factor: 1.0 };
    }

    fn go_to(&mut self, moment: Moment) {
        if moment != self.moment {
            let factor = libm::exp(moment.sag_since(&self.base));
            *self = Self { moment, number: self.number + 1, factor, ..*self };
        }
    }

    /// Whether so much may have changed that all are looked at again.
    fn is_far(&self, moment: Moment) -> bool {
        moment != self.moment && moment.sag_since(&self.base) > FAR
    }
}

impl Floors {
    /// Forgets everybody.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    /// Something changed at a seat.
    pub(crate) fn moved(&mut self, change: Change, candidates: &Candidates<'_>, costs: &Costs, now: Time) {
        self.settled = None;
        let moment = Moment::of(costs, now);
        // Whoever asks then looks at all.
        if self.lines.is_empty() || self.scale.is_far(moment) {
            return;
        }
        self.scale.go_to(moment);
        self.look(change.seat, candidates, costs, now);
    }

    /// Looks until the least for a call like this is as low as it says.
    pub(crate) fn settle(&mut self, candidates: &Candidates<'_>, ask: &Ask<'_>) {
        self.settled = Some((ask.class, ask.cost));
        let moment = Moment::of(ask.costs, ask.now);
        if self.lines.is_empty() || self.scale.is_far(moment) {
            return self.build(candidates, ask.costs, ask.now);
        }
        self.scale.go_to(moment);
        for _ in 0..=self.places.len() / MANY {
            let Some(seat) = self.best(ask).and_then(|(_, line)| line.first()) else { return };
            if self.is_seen(seat) {
                return;
            }
            self.look(seat, candidates, ask.costs, ask.now);
        }
        self.build(candidates, ask.costs, ask.now);
    }

    /// Visits those that may be the least for a call that has been nowhere; nobody, and says so, where that is
    /// not [settled](Self::settle).
    pub(crate) fn visit_lowest(&self, ask: &Ask<'_>, visit: &mut impl FnMut(u32)) -> bool {
        let Some((least, _)) = self.best(ask).filter(|_| self.is_settled(ask)) else { return false };
        for line in &self.lines {
            let limit = self.limit(line, least, ask);
            if line.node(1).others > limit || self.is_exact() {
                line.first().filter(|_| line.floor() <= limit).into_iter().for_each(&mut *visit);
            } else {
                line.visit(1, limit, visit);
            }
        }
        true
    }

    /// The only one that these would be, where that can be told without a look at the others.
    pub(crate) fn only(&self, ask: &Ask<'_>) -> Option<u32> {
        let [line] = self.lines.as_slice() else { return None };
        let is_alone = || line.node(1).others > self.limit(line, self.key(line, ask), ask) || self.is_exact();
        line.first().filter(|_| self.is_settled(ask) && is_alone())
    }

    /// Whether the least for a call like this is as low as it says.
    fn is_settled(&self, ask: &Ask<'_>) -> bool {
        self.settled == Some((ask.class, ask.cost))
            && ask.tried.is_empty()
            && self.scale.moment == Moment::of(ask.costs, ask.now)
    }

    /// Before any report nothing is rounded.
    fn is_exact(&self) -> bool {
        self.scale.moment == Moment::default()
    }

    /// Up to which floor somebody of a line may be as low as this, or as what is rounded once instead of twice.
    fn limit(&self, line: &Line, least: f64, ask: &Ask<'_>) -> f64 {
        let least = least + least.abs() * ROUNDED;
        (least * line.weight - ask.expected_cost() + ask.costs.mean()) * self.scale.factor
    }

    /// Whether this seat was looked at in this moment.
    fn is_seen(&self, seat: u32) -> bool {
        self.places.get(seat as usize).is_some_and(|place| place.seen == self.scale.number)
    }

    /// The line whose first one is the least for a call like this, with its key.
    fn best(&self, ask: &Ask<'_>) -> Option<(f64, &Line)> {
        let keys = self.lines.iter().map(|line| (self.key(line, ask), line));
        keys.filter(|(key, _)| *key < f64::INFINITY)
            .reduce(|best, next| if next.0 < best.0 { next } else { best })
    }

    /// The least (L + ĉ) / w in a line, or less; infinite where nobody is.
    fn key(&self, line: &Line, ask: &Ask<'_>) -> f64 {
        (line.floor() / self.scale.factor - ask.costs.mean() + ask.expected_cost()) / line.weight
    }

    fn look(&mut self, seat: u32, candidates: &Candidates<'_>, costs: &Costs, now: Time) {
        let node = self.node(seat, candidates, costs, now);
        let Some(place) = self.places.get_mut(seat as usize) else { return };
        place.seen = self.scale.number;
        if let Some(line) = self.lines.get_mut(place.line as usize) {
            line.set(place.leaf as usize, node);
        }
    }

    fn node(&self, seat: u32, candidates: &Candidates<'_>, costs: &Costs, now: Time) -> Node {
        match candidates.member(seat).filter(|_| candidates.usable.contains(seat)) {
            Some(member) => {
                let load = member.estimate.load_and_one(member.own(), costs, now);
                Node { floor: load * self.scale.factor, touched: member.touched, seat, ..Node::NOBODY }
            }
            None => Node::NOBODY,
        }
    }

    /// Looks at everybody.
    fn build(&mut self, candidates: &Candidates<'_>, costs: &Costs, now: Time) {
        self.scale.start(Moment::of(costs, now));
        if self.lines.is_empty() {
            self.line_up(candidates);
        }
        let mut lines = core::mem::take(&mut self.lines);
        for line in &mut lines {
            line.fill(|seat| self.node(seat, candidates, costs, now));
        }
        self.lines = lines;
        self.places.iter_mut().for_each(|place| place.seen = self.scale.number);
    }

    /// Makes the lines, with nobody in them.
    fn line_up(&mut self, candidates: &Candidates<'_>) {
        let mut order: Vec<_> = candidates.seated().map(|(seat, member)| (member.share(), seat)).collect();
        order.sort_unstable();
        self.places.clear();
        self.places.resize(candidates.seats.len(), Place::default());
        for line in order.chunk_by(|(weight, _), (other, _)| weight == other) {
            for (leaf, (_, seat)) in (0u32..).zip(line) {
                if let Some(place) = self.places.get_mut(*seat as usize) {
                    *place = Place { line: self.lines.len() as u32, leaf, seen: 0 };
                }
            }
            let weight =
                line.first().and_then(|(_, seat)| candidates.member(*seat)).map_or(1.0, Member::weight);
            self.lines.push(Line::new(weight, line.iter().map(|(_, seat)| *seat).collect()));
        }
    }
}

/// Where more than one in so many would have to be looked at one by one, all are, at once.
const MANY: usize = 8;
/// More than rounding makes of a number, and less than any difference of loads that matters.
const ROUNDED: f64 = 1e-12;
/// The sag after which all are looked at, so that numbers stay small: at least half an hour.
const FAR: f64 = 12.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::destination::Destination;
    use crate::fleet::Fleet;
    use crate::load::score::Measurement;
    use crate::rng::Rng;
    use crate::select::Bits;
    use crate::select::load_score::LoadScore;
    use crate::slots::Key;

    /// A fleet whose floors are told everything that happens, by chance.
    struct Told {
        fleet: Fleet,
        seats: Vec<Key>,
        usable: Bits,
        calls: Vec<(u32, u16, u32)>,
        score: LoadScore,
        costs: Costs,
        now: Time,
        /// Changes so far, after those that members are born with.
        changes: u64,
        rng: Rng,
    }

    impl Told {
        fn new(weights: &[u32], seed: u64) -> Self {
            let (mut rng, config) = (Rng::new(seed), Config::default());
            let mut fleet = Fleet::new(&config);
            let seats: Vec<Key> = (0..40usize)
                .filter_map(|number| {
                    let mut destination = Destination::new(alloc::format!("sip:10.0.0.{number}"));
                    destination.weight = weights[number % weights.len()];
                    fleet.join(1, destination, &config, &mut rng, Time::ZERO)
                })
                .collect();
            let usable = Bits::full(seats.len() as u32);
            let (calls, score, costs) = (Vec::new(), LoadScore::default(), Costs::default());
            Self { fleet, seats, usable, calls, score, costs, now: Time::ZERO, changes: 1 << 32, rng }
        }

        fn act(&mut self) {
            let spans = [0, 0, 1_000, 900_000, 60_000_000, 7_200_000_000];
            let kinds = if self.rng.below(50) == 0 { spans.len() as u32 } else { 5 };
            let span = spans[self.rng.below(kinds) as usize];
            self.now = Time::from_micros(self.now.as_micros() + span);
            let seat = self.rng.below(self.seats.len() as u32);
            match self.rng.below(9) {
                0..=3 => self.begin(),
                4..=5 if !self.calls.is_empty() => {
                    let call = self.rng.below(self.calls.len() as u32);
                    let (seat, class, cost) = self.calls.swap_remove(call as usize);
                    self.change(seat, |member, change, _, now| member.count_out(class, cost, change, now));
                }
                6 => {
                    self.usable.set(seat, self.rng.below(3) > 0);
                    self.change(seat, |_, _, _, _| {});
                }
                _ => {
                    let score = [0.0, 0.3, 0.3, self.rng.fraction()][self.rng.below(4) as usize];
                    self.change(seat, |member, _, costs, now| {
                        let load = Some(score * member.weight());
                        let own = member.own();
                        member.estimate.report(Measurement { at: now, load, active: None }, own, costs, 40);
                    });
                }
            }
        }

        /// The least for a call is the same by the floors and by looking at all.
        fn begin(&mut self) {
            let (class, cost) = (self.rng.below(3) as u16, 1 + self.rng.below(3));
            let (costs, now) = (&self.costs, self.now);
            let ask = Ask { key: 0, text: None, class, cost, costs, dispatchers: 1, now, tried: &[] };
            let candidates =
                Candidates { members: &self.fleet.members, seats: &self.seats, usable: &self.usable };
            if candidates.open(&ask) == 0 {
                return;
            }
            let by_scan = LoadScore::default().choose(&candidates, &ask, &mut { self.rng });
            let unsettled = self.score.choose(&candidates, &ask, &mut { self.rng });
            assert_eq!(by_scan, unsettled, "who only asks");
            self.score.settle(&candidates, &ask);
            assert!(self.score.floors.visit_lowest(&ask, &mut |_| ()), "settled");
            let seat = self.score.choose(&candidates, &ask, &mut self.rng).unwrap();
            assert_eq!(by_scan, Some(seat));
            // Who picks changes nothing: the next one asks what was settled, and some time later.
            if self.rng.below(4) == 0 {
                return;
            }
            self.calls.push((seat, class, cost));
            self.change(seat, |member, change, _, now| member.count_in(class, cost, change, now));
        }

        fn change(&mut self, seat: u32, act: impl FnOnce(&mut Member, u64, &mut Costs, Time)) {
            let member = self.fleet.members.find_mut(self.seats[seat as usize]).unwrap();
            self.changes += 1;
            act(member, self.changes, &mut self.costs, self.now);
            member.watch();
            let change = Change { seat, usable: self.usable.contains(seat), load: 0, newest: false };
            let candidates =
                Candidates { members: &self.fleet.members, seats: &self.seats, usable: &self.usable };
            self.score.moved(change, &candidates, &self.costs, self.now);
        }
    }

    #[test]
    fn the_least_is_the_same_as_by_looking_at_all() {
        for seed in 0..20 {
            for weights in [&[1][..], &[1, 2], &[3, 1, 4, 1, 5, 9, 2, 6]] {
                let mut told = Told::new(weights, seed);
                (0..2_000).for_each(|_| told.act());
                assert!(told.calls.len() > 100);
            }
        }
    }

    #[test]
    fn few_are_looked_at_while_time_passes() {
        let mut told = Told::new(&[1], 7);
        (0..2_000).for_each(|_| told.act());
        let seen = |told: &Told| told.score.floors.places.iter().map(|place| place.seen).collect::<Vec<_>>();
        for _ in 0..100 {
            told.begin();
            let before = seen(&told);
            told.now = Time::from_micros(told.now.as_micros() + 1_000);
            told.begin();
            let looked_at = seen(&told).iter().zip(before).filter(|(now, before)| **now != *before).count();
            assert!((1..8).contains(&looked_at), "{looked_at} of 40");
        }
    }
}
