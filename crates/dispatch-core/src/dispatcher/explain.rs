//! Why a call would go where it would go.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::Dispatcher;
use super::place::Choice;
use crate::call::Call;
use crate::config::Algorithm;
use crate::error::BeginError;
use crate::member::{DestinationId, Standing};
use crate::select::Ask;

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
    /// after the call; `priority`: its priority, negated; `random`: `None`.
    pub key: Option<f64>,
}

impl Dispatcher {
    /// Shows what `begin` would do with a call: every destination with what it is compared by, or
    /// why it is no candidate. Changes nothing.
    #[must_use]
    pub fn explain(&self, call: &Call<'_>) -> Explanation {
        let mut prepared = Cow::Borrowed(self);
        if !self.fleet.is_prepared(call.set) {
            prepared.to_mut().fleet.prepare(call.set, &self.config);
        }
        let mut rng = self.rng;
        let outcome = prepared.choose(call, &mut rng).and_then(|choice| match choice {
            Choice::Known(placed) => Ok(placed.destination),
            Choice::Seat(choice) => {
                prepared.fleet.at(choice.leg, choice.seat).map(DestinationId).ok_or(self.full())
            }
        });
        Explanation { outcome, rows: prepared.rows(call) }
    }

    fn rows(&self, call: &Call<'_>) -> Vec<Row> {
        let key = self.fleet.hash(call.key.unwrap_or(call.call_id));
        let ask = Ask { key, cost: call.cost, tried: &[] };
        let mut rows = Vec::new();
        for (algorithm, leg) in self.fleet.routes(call.set) {
            let Some(set) = self.fleet.set(leg) else { continue };
            for (seat, member) in set.seated() {
                let (Some(id), Some(member)) =
                    (self.fleet.members.key_at(member), self.fleet.members.at(member))
                else {
                    continue;
                };
                let standing = member.standing;
                let key = set.key(leg.selector, seat, &self.fleet.members, &ask);
                rows.push(Row {
                    route: leg.route,
                    algorithm,
                    destination: DestinationId(id),
                    standing,
                    key: key.filter(|_| standing == Standing::Candidate),
                });
            }
        }
        rows
    }
}
