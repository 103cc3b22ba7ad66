//! A dispatcher written for clarity: plain lists, every question answered by looking at everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use callsteer::*;

use crate::health::Timer;
use crate::state::{InProgress, Member};
use crate::tables::{gcd, mix, table, turns};

pub(crate) struct Naive {
    pub(crate) config: Config,
    pub(crate) now: Time,
    pub(crate) members: Vec<Member>,
    /// In the order in which they began, moved or were confirmed.
    pub(crate) calls: Vec<InProgress>,
    pub(crate) events: Vec<EventKind>,
    pub(crate) stats: Stats,
    changes: u64,
    turns: BTreeMap<(SetId, usize, i32), u32>,
    schedules: BTreeMap<(SetId, usize), (Vec<u32>, usize)>,
    /// Sets whose schedules must be made anew, and those whose hash tables must.
    stale: BTreeSet<SetId>,
    tables: BTreeMap<SetId, Vec<u32>>,
    /// The shares that schedules were made of.
    shares: BTreeMap<SetId, Vec<(u32, u32)>>,
    /// Sets where calls have been placed, and when it was last said that most fail there.
    pub(crate) busy_sets: BTreeSet<SetId>,
    pub(crate) common_causes: BTreeMap<SetId, Time>,
}

impl Naive {
    pub(crate) fn new(config: Config) -> Self {
        let (members, calls, events, changes) = (vec![], vec![], vec![], 1 << 32);
        let (turns, schedules, stale, tables, shares) = Default::default();
        let (now, stats, busy_sets, common_causes) = Default::default();
        #[rustfmt::skip]
        return Self { config, now, members, calls, events, stats, changes, turns, schedules, stale, tables, shares, busy_sets, common_causes };
    }

    pub(crate) fn advance(&mut self, now: Time) {
        let now = now.max(self.now);
        while let Some((at, what)) = self.due().filter(|(at, _)| *at <= now) {
            self.now = at.max(self.now);
            match what {
                Ok(call) => {
                    let call = self.calls.remove(call);
                    let (lease, destination, confirmed) = (call.lease, call.destination, call.confirmed);
                    self.events.push(EventKind::Expired { lease, destination, confirmed });
                    self.stats.expired += 1;
                    self.release(&call);
                }
                Err((member, Timer::Drain)) => self.drained(member),
                Err((member, Timer::Ejection)) => self.let_back(member),
            }
            self.look();
        }
        self.now = now;
    }

    pub(crate) fn member(&mut self, id: DestinationId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    pub(crate) fn seated(&self, set: SetId) -> Vec<&Member> {
        let mut seated: Vec<_> = self.members.iter().filter(|m| m.set == set && m.seat.is_some()).collect();
        seated.sort_by_key(|member| member.seat);
        seated
    }

    /// Gives a member the lowest seat that nobody has.
    pub(crate) fn sit(&mut self, index: usize) {
        let set = self.members[index].set;
        let taken: Vec<_> = self.seated(set).iter().map(|member| member.seat.unwrap()).collect();
        self.members[index].seat = (0..).find(|seat| !taken.contains(seat));
        if self.busy_sets.contains(&set) {
            self.members[index].warms_since = Some(self.now);
        }
        self.reorder(set);
    }

    /// Orders that depend on who is there, with which weight, are made anew at the next call.
    pub(crate) fn reorder(&mut self, set: SetId) {
        self.stale.insert(set);
        self.tables.remove(&set);
    }

    /// Counts a call in (`change` = cost) or out (`change` = -cost).
    pub(crate) fn count(&mut self, id: DestinationId, change: i64) {
        self.changes += 1;
        let (touched, now) = (self.changes, self.now);
        let member = self.member(id).unwrap();
        member.load = member.load.checked_add_signed(change).expect("a load is never negative");
        member.touched = touched;
        if change > 0 {
            member.calls += 1;
            member.placed += 1;
            if member.destination.max_rate > 0 {
                let gap = 1_000_000u64.div_ceil(u64::from(member.destination.max_rate));
                member.due = member.due.max(now) + Duration::from_micros(gap);
            }
        } else {
            member.calls -= 1;
        }
    }

    pub(crate) fn release(&mut self, call: &InProgress) {
        self.count(call.destination, -i64::from(call.cost));
        let index = self.members.iter().position(|member| member.id == call.destination).unwrap();
        self.settle(index);
    }

    pub(crate) fn settle(&mut self, index: usize) {
        if self.members[index].calls > 0 {
            return;
        }
        self.drained(index);
        if self.members[index].seat.is_none() {
            let Member { id: destination, set, destination: Destination { id, .. }, .. } =
                self.members.remove(index);
            self.events.push(EventKind::Removed { destination, set, id });
        }
    }

    fn drained(&mut self, index: usize) {
        let member = &mut self.members[index];
        if member.drain.take().is_some() {
            self.events.push(EventKind::Drained { destination: member.id, left: member.calls });
        }
    }

    pub(crate) fn routes(&self, set: SetId) -> Vec<Route> {
        let own = || vec![Route { set, algorithm: self.config.algorithm }];
        self.config.policies.get(&set).cloned().unwrap_or_else(own)
    }

    /// Makes the schedules of a call's routes anew where they are stale, at the same part of a round.
    pub(crate) fn prepare(&mut self, set: SetId) {
        let routes: Vec<_> = self.routes(set).into_iter().enumerate().collect();
        for (_, route) in &routes {
            let weights: Vec<(u32, u32)> =
                self.seated(route.set).iter().map(|m| (m.seat.unwrap(), self.share(m))).collect();
            let same = self.shares.insert(route.set, weights.clone()).is_some_and(|old| old == weights);
            if !self.stale.remove(&route.set) && same {
                continue;
            }
            let divisor = weights.iter().fold(0, |d, (_, w)| gcd(d, *w)).max(1);
            let round = weights.iter().map(|(_, weight)| weight / divisor).sum::<u32>() as usize;
            let slots = turns(&weights).take(round).collect::<Vec<_>>();
            for ((_, _), (old, next)) in self.schedules.iter_mut().filter(|(key, _)| key.0 == route.set) {
                *next = *next * slots.len() / old.len().max(1);
                old.clone_from(&slots);
            }
            self.schedules.entry((route.set, 0)).or_insert((slots, 0));
        }
    }

    /// By the rule of each algorithm: exactly this seat, or one of these where it is drawn.
    pub(crate) fn choose(&mut self, route: Route, key: u64, cost: u32, tried: &[DestinationId]) -> Vec<u32> {
        let set = route.set;
        let members: Vec<Member> = self.seated(set).into_iter().cloned().collect();
        let candidates: Vec<_> = members.iter().map(|m| self.standing(m) == Standing::Candidate).collect();
        let usable = |m: &&Member| candidates[members.iter().position(|other| other.id == m.id).unwrap()];
        let open: Vec<&Member> = members.iter().filter(usable).filter(|m| !tried.contains(&m.id)).collect();
        let from = |next: u32, among: &[&Member]| {
            let seats = || among.iter().map(|m| m.seat.unwrap());
            seats().find(|seat| *seat >= next).or_else(|| seats().next())
        };
        let is_open = |seat: u32| open.iter().any(|m| m.seat == Some(seat));
        let best = |a: &&&Member, b: &&&Member| self.compare(a, b, cost).then(a.touched.cmp(&b.touched));
        match route.algorithm {
            _ if open.is_empty() => vec![],
            Algorithm::RoundRobin => {
                let next = self.turns.entry((set, 0, 0)).or_default();
                let seat = from(*next, &open).unwrap();
                *next = seat + 1;
                vec![seat]
            }
            Algorithm::Priority => {
                let priority = open.iter().map(|m| m.destination.priority).max().unwrap();
                let equals: Vec<_> =
                    open.iter().filter(|m| m.destination.priority == priority).copied().collect();
                let next = self.turns.entry((set, 1, priority)).or_default();
                let seat = from(*next, &equals).unwrap();
                *next = seat + 1;
                vec![seat]
            }
            Algorithm::Weighted => {
                let (slots, next) = self.schedules.get_mut(&(set, 0)).unwrap();
                while !is_open(slots[*next % slots.len()]) {
                    *next += 1;
                }
                let seat = slots[*next % slots.len()];
                *next = (*next + 1) % slots.len();
                vec![seat]
            }
            Algorithm::CallLoad => vec![open.iter().min_by(best).unwrap().seat.unwrap()],
            Algorithm::CallIdHash { bound } => {
                let table = self.tables.entry(set).or_insert_with(|| table(&members, self.config.seed));
                let (load, weight) = members
                    .iter()
                    .filter(usable)
                    .fold((0, 0), |(load, weight), m| (load + m.load, weight + m.destination.weight));
                let fits = |m: &Member| {
                    let total = load as f64 + f64::from(cost);
                    let share =
                        |times: f64| times * total * f64::from(m.destination.weight) / f64::from(weight);
                    bound.is_none_or(|times| m.load as f64 + f64::from(cost) <= share(times).ceil())
                };
                let mut hash = key;
                for _ in 0..64 {
                    let seat = table[((u128::from(hash) * table.len() as u128) >> 64) as usize];
                    if open.iter().any(|m| m.seat == Some(seat) && fits(m)) {
                        return vec![seat];
                    }
                    hash = mix(hash);
                }
                open.iter().map(|m| m.seat.unwrap()).collect()
            }
            // Reports of no score move nothing but the count of others' calls; ties are drawn.
            Algorithm::LoadScore => {
                let key = |m: &Member| {
                    f64::from(m.load as u32 + m.foreign + cost) / (f64::from(self.share(m)) / 10.0)
                };
                let least = open.iter().map(|m| key(m)).fold(f64::INFINITY, f64::min);
                open.iter().filter(|m| key(m) <= least).map(|m| m.seat.unwrap()).collect()
            }
            _ => open.iter().map(|m| m.seat.unwrap()).collect(),
        }
    }
}
