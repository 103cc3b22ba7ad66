//! Why a call would go where it would go.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::time::Duration;

use super::Dispatcher;
use super::place::Choice;
use crate::call::Call;
use crate::config::Algorithm;
use crate::destination::DestinationId;
use crate::error::BeginError;
use crate::fleet::Fleet;
use crate::member::Member;
use crate::select::Ask;
use crate::standing::Standing;

/// What `begin` would do with a call, and why, as of the last time seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Where the call would go; where it is, if it is in progress already.
    pub outcome: Result<DestinationId, BeginError>,
    /// Every destination on the call's routes, in the order of routes and of seats.
    pub rows: Vec<Row>,
}

/// One destination of an [`Explanation`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// The route, from 0.
    pub route: u8,
    /// The algorithm of that route.
    pub algorithm: Algorithm,
    /// Which destination.
    pub destination: DestinationId,
    /// A candidate, or the reason why not.
    pub standing: Standing,
    /// What candidates are compared by, the least first: `round_robin`: seats to pass before it is
    /// its turn; `weighted`: slots to pass; `call_id_hash`: the attempt at which the key asks it
    /// (none within the attempts made: `None`); `call_load`, `power_of_two`: (load + cost) / weight
    /// after the call; `load_score`: (L + ĉ) / weight; `priority`: its priority, negated; `random`:
    /// `None`.
    pub key: Option<f64>,
    /// What `load_score` knows of its load.
    pub estimate: Estimated,
}

/// What `load_score` knows of the load of a destination, in units of score * weight: a destination
/// of weight w is full at w. Before any report, one call is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Estimated {
    /// P: what its calls should cost.
    pub predicted: f64,
    /// R: by what share of that, and one mean call, its reports differ from it; smoothed, decayed to now.
    pub residual: f64,
    /// L: the estimate.
    pub load: f64,
    /// How old its last report is.
    pub age: Option<Duration>,
    /// Whether its score is believed.
    pub trusted: bool,
}

impl Dispatcher {
    /// Shows what `begin` would do with a call: every destination with what it is compared by, or
    /// why it is no candidate. Changes nothing.
    #[must_use]
    pub fn explain(&self, call: &Call<'_>) -> Explanation {
        let mut fleet = Cow::Borrowed(&self.fleet);
        if !fleet.is_prepared(call.set) {
            fleet.to_mut().prepare(call.set, &self.config);
        }
        let mut rng = self.rng;
        let outcome = self.choose(&fleet, fleet.lead(call.set), call, &mut rng).map(|choice| match choice {
            Choice::Known(placed) => placed.destination,
            Choice::Seat(choice) => DestinationId(choice.spot.destination),
        });
        Explanation { outcome, rows: self.rows(&fleet, call) }
    }

    fn rows(&self, fleet: &Fleet, call: &Call<'_>) -> Vec<Row> {
        let (key, class) = (fleet.hash(call.text()), fleet.class_as_compared(call.class));
        let ask = Ask { text: Some(call.text()), ..self.ask(fleet, key, class, call.cost, &[]) };
        let mut rows = Vec::new();
        for (algorithm, leg) in fleet.routes(call.set) {
            let Some(set) = fleet.set(leg) else { continue };
            for (seat, id) in set.seated() {
                let Some(member) = fleet.members.find(id) else { continue };
                let standing = member.standing;
                let key = set.key(leg.selector, seat, &fleet.members, &ask);
                rows.push(Row {
                    route: leg.route,
                    algorithm,
                    destination: DestinationId(id),
                    standing,
                    key: key.filter(|_| standing == Standing::Candidate),
                    estimate: self.estimated(fleet, member),
                });
            }
        }
        rows
    }

    fn estimated(&self, fleet: &Fleet, member: &Member) -> Estimated {
        let (costs, dispatchers) = (&fleet.costs, self.unheard);
        Estimated {
            predicted: member.estimate.predicted(member.own(), costs),
            residual: member.estimate.residual(self.now),
            load: member.estimate.load(member.own(), costs, dispatchers, self.now),
            age: member.estimate.age(self.now),
            trusted: member.estimate.is_trusted(),
        }
    }
}
