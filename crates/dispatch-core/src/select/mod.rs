//! Choosing among candidates: what an algorithm sees, and the algorithms by name.
//!
//! An algorithm sees the seats of one set and which of them can take a call; limits, health and
//! the operator's will have been applied before. It keeps an order of its own, never a load.

mod at_hand;
mod bits;
mod call_id_hash;
mod call_load;
mod floors;
mod kamailio;
mod load_score;
mod maglev;
mod power_of_two;
mod priority;
mod random;
mod round_robin;
mod tournament;
mod turns;
mod weighted;

#[cfg(feature = "std")]
pub(crate) use at_hand::Hashed;
pub(crate) use at_hand::Takers;
pub(crate) use bits::Bits;

use crate::config::Algorithm;
use crate::hash::Hasher;
use crate::load::costs::Costs;
use crate::member::Member;
use crate::rng::Rng;
use crate::slots::{Key, Slots};
#[cfg(feature = "serde")]
use crate::snapshot::state::Turn;
use crate::time::Time;
use call_id_hash::CallIdHash;
use call_load::CallLoad;
use kamailio::Kamailio;
use load_score::LoadScore;
use priority::Priority;
use round_robin::RoundRobin;
use weighted::Weighted;

/// The seats of a set, and which of them can take a call.
#[derive(Clone, Copy)]
pub(crate) struct Candidates<'a> {
    pub(crate) members: &'a Slots<Member>,
    /// The member per seat, [`Key::NOWHERE`] where the seat is vacant.
    pub(crate) seats: &'a [Key],
    pub(crate) usable: &'a Bits,
}

impl<'a> Candidates<'a> {
    pub(crate) fn member(&self, seat: u32) -> Option<&'a Member> {
        self.members.find(*self.seats.get(seat as usize)?)
    }

    /// Every seat that is taken, usable or not.
    fn seated(&self) -> impl Iterator<Item = (u32, &'a Member)> {
        (0u32..).zip(self.seats).filter_map(|(seat, member)| Some((seat, self.members.find(*member)?)))
    }

    /// Whether a call may go there: usable, and not tried yet.
    fn may_take(&self, seat: u32, ask: &Ask<'_>) -> bool {
        self.usable.contains(seat) && !ask.tried.contains(&seat)
    }

    /// How many seats a call may go to.
    fn open(&self, ask: &Ask<'_>) -> u32 {
        let tried = ask.tried.iter().filter(|seat| self.usable.contains(**seat)).count();
        self.usable.len() - tried as u32
    }
}

/// What changed at a seat.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    pub(crate) seat: u32,
    /// Whether it can take a call now.
    pub(crate) usable: bool,
    pub(crate) load: u64,
    /// No other load changed since.
    pub(crate) newest: bool,
}

/// What a call asks for.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// The hash of its key.
    pub(crate) key: u64,
    /// The key itself, which is not kept for failing over.
    pub(crate) text: Option<&'a [u8]>,
    pub(crate) class: u16,
    pub(crate) cost: u32,
    pub(crate) costs: &'a Costs,
    pub(crate) dispatchers: u32,
    pub(crate) now: Time,
    /// The seats that it has been to, each once.
    pub(crate) tried: &'a [u32],
}

impl Ask<'_> {
    /// ĉ: what the call is expected to cost.
    fn expected_cost(&self) -> f64 {
        self.costs.of(self.class) * f64::from(self.cost)
    }
}

/// The algorithm of a set, with its order. A tag of its own costs one comparison to read.
#[derive(Clone, Debug)]
#[repr(u8)]
pub(crate) enum Selector {
    RoundRobin(RoundRobin),
    CallIdHash(CallIdHash),
    Weighted(Weighted),
    CallLoad(CallLoad),
    Priority(Priority),
    Random,
    PowerOfTwo,
    LoadScore(LoadScore),
    Kamailio(Kamailio),
}

impl Selector {
    pub(crate) fn new(algorithm: Algorithm, hasher: Hasher) -> Self {
        match algorithm {
            Algorithm::RoundRobin => Self::RoundRobin(RoundRobin::default()),
            Algorithm::CallIdHash { bound } => Self::CallIdHash(CallIdHash::new(hasher, bound)),
            Algorithm::Weighted => Self::Weighted(Weighted::default()),
            Algorithm::CallLoad => Self::CallLoad(CallLoad::default()),
            Algorithm::Priority => Self::Priority(Priority::default()),
            Algorithm::Random => Self::Random,
            Algorithm::PowerOfTwo => Self::PowerOfTwo,
            Algorithm::LoadScore => Self::LoadScore(LoadScore::default()),
            Algorithm::Kamailio { alg, use_default, unsigned_bytes } => {
                Self::Kamailio(Kamailio::new(alg, use_default, unsigned_bytes, hasher))
            }
        }
    }

    #[cfg(feature = "serde")]
    /// What it remembers that cannot be told from the members.
    pub(crate) fn turn(&self) -> Turn {
        match self {
            Self::RoundRobin(turn) => turn.turn(),
            Self::Weighted(weighted) => weighted.turn(),
            Self::Priority(priority) => priority.turn(),
            Self::Kamailio(kamailio) => kamailio.turn(),
            Self::CallIdHash(_)
            | Self::CallLoad(_)
            | Self::Random
            | Self::PowerOfTwo
            | Self::LoadScore(_) => Turn::Nothing,
        }
    }

    #[cfg(feature = "serde")]
    /// The same one again, its order built unless that is stale; `None` where it cannot remember this.
    pub(crate) fn restored(
        algorithm: Algorithm,
        turn: &Turn,
        hasher: Hasher,
        candidates: &Candidates<'_>,
        stale: bool,
    ) -> Option<Self> {
        let seats = candidates.seats.len() as u32;
        let mut selector = Self::new(algorithm, hasher);
        if !stale {
            selector.rebuild(candidates);
        }
        let fits = match (&mut selector, turn) {
            (Self::RoundRobin(turn), Turn::RoundRobin { next_seat }) => {
                turn.resume(*next_seat);
                *next_seat <= seats
            }
            (Self::Weighted(weighted), Turn::Weighted { next, of }) => weighted.resume(*next, *of, stale),
            (Self::Weighted(weighted), Turn::WeightedTurns { taken, last }) => {
                weighted.resume_turns(taken, *last, stale)
            }
            (Self::Priority(priority), Turn::Priority { next_seats }) => {
                priority.resume(next_seats);
                next_seats.values().all(|seat| *seat <= seats)
            }
            (Self::Kamailio(kamailio), turn) => kamailio.resume(turn, seats),
            (
                Self::CallIdHash(_)
                | Self::CallLoad(_)
                | Self::Random
                | Self::PowerOfTwo
                | Self::LoadScore(_),
                Turn::Nothing,
            ) => true,
            _ => false,
        };
        fits.then_some(selector)
    }

    /// Builds the order anew: members joined or left, or a weight or a priority changed.
    pub(crate) fn rebuild(&mut self, candidates: &Candidates<'_>) {
        match self {
            Self::CallIdHash(hash) => hash.rebuild(candidates),
            Self::Weighted(weighted) => weighted.rebuild(candidates),
            Self::CallLoad(call_load) => call_load.rebuild(candidates),
            Self::Priority(priority) => priority.rebuild(candidates),
            Self::Kamailio(kamailio) => kamailio.rebuild(candidates),
            Self::LoadScore(load_score) => load_score.rebuild(),
            Self::RoundRobin(_) | Self::Random | Self::PowerOfTwo => {}
        }
    }

    /// The load at a seat changed, or what is estimated of it, or whether it is usable.
    #[inline(never)]
    pub(crate) fn moved(&mut self, change: Change, candidates: &Candidates<'_>, costs: &Costs, now: Time) {
        match self {
            Self::CallIdHash(hash) => hash.moved(change.seat, candidates),
            Self::Weighted(weighted) => weighted.moved(change),
            Self::CallLoad(call_load) => call_load.moved(change, candidates),
            Self::Priority(priority) => priority.moved(change),
            Self::Kamailio(kamailio) => kamailio.moved(change, candidates),
            Self::LoadScore(load_score) => load_score.moved(change, candidates, costs, now),
            Self::RoundRobin(_) | Self::Random | Self::PowerOfTwo => {}
        }
    }

    /// Makes ready to choose for a call like this; `choose` gives the same without, later.
    #[inline]
    pub(crate) fn settle(&mut self, candidates: &Candidates<'_>, ask: &Ask<'_>) {
        match self {
            Self::LoadScore(load_score) => load_score.settle(candidates, ask),
            Self::CallLoad(call_load) => call_load.settle(candidates, ask),
            _ => {}
        }
    }

    /// Whether `settle` does anything.
    pub(crate) const fn settles(&self) -> bool {
        match self {
            Self::LoadScore(_) => true,
            Self::CallLoad(call_load) => call_load.settles(),
            _ => false,
        }
    }

    /// The seat that a call would get. Changes nothing but the random state.
    #[inline(never)]
    pub(crate) fn choose(&self, candidates: &Candidates<'_>, ask: &Ask<'_>, rng: &mut Rng) -> Option<u32> {
        if candidates.open(ask) == 0 {
            return None;
        }
        match self {
            Self::RoundRobin(turn) => turn.choose(candidates, ask),
            Self::CallIdHash(hash) => hash.choose(candidates, ask),
            Self::Weighted(weighted) => weighted.choose(candidates, ask),
            Self::CallLoad(call_load) => call_load.choose(candidates, ask),
            Self::Priority(priority) => priority.choose(candidates, ask),
            Self::Random => random::choose(candidates, ask, rng),
            Self::PowerOfTwo => power_of_two::choose(candidates, ask, rng),
            Self::LoadScore(load_score) => load_score.choose(candidates, ask, rng),
            Self::Kamailio(kamailio) => kamailio.choose(candidates, ask, rng),
        }
    }

    /// The call went to this seat, as its first one or to fail over.
    #[inline(always)]
    pub(crate) fn chosen(&mut self, seat: u32, fails_over: bool) {
        match self {
            Self::RoundRobin(turn) => turn.chosen(seat),
            Self::Weighted(weighted) => weighted.chosen(seat),
            Self::CallIdHash(_)
            | Self::CallLoad(_)
            | Self::Random
            | Self::PowerOfTwo
            | Self::LoadScore(_) => {}
            Self::Priority(priority) => priority.chosen(seat),
            Self::Kamailio(kamailio) => kamailio.chosen(seat, fails_over),
        }
    }

    /// What a seat is compared by, the least first; `None` where it is not comparable.
    pub(crate) fn key(&self, seat: u32, candidates: &Candidates<'_>, ask: &Ask<'_>) -> Option<f64> {
        match self {
            Self::RoundRobin(turn) => Some(f64::from(turn.distance(seat, candidates))),
            Self::CallIdHash(hash) => hash.attempt(seat, ask).map(f64::from),
            Self::Weighted(weighted) => weighted.distance(seat),
            Self::CallLoad(_) | Self::PowerOfTwo => candidates
                .member(seat)
                .map(|member| (member.load as f64 + f64::from(ask.cost)) / member.weight()),
            Self::LoadScore(_) => candidates.member(seat).map(|member| load_score::key(member, ask)),
            Self::Priority(_) => Some(-f64::from(candidates.member(seat)?.destination.priority)),
            Self::Random => None,
            Self::Kamailio(kamailio) => kamailio.distance(seat, candidates, ask),
        }
    }
}
