//! A new list: first a plan that can be read, then all of it or nothing.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Dispatcher;
use crate::config::SetId;
use crate::destination::{Destination, DestinationId};
use crate::error::{PlanError, StalePlan};
use crate::time::Time;

/// What a new list would change. Printed, it is one line per change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    changes: Vec<Change>,
    kept: usize,
    /// The state of the fleet that it is a plan for.
    revision: u64,
}

/// One change of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A destination joins.
    Add {
        /// Its set.
        set: SetId,
        /// Its description.
        destination: Destination,
    },
    /// A destination is described otherwise; load, health, the operator's will and calls stay.
    Update {
        /// Which.
        id: DestinationId,
        /// Its set.
        set: SetId,
        /// The description that it has.
        from: Destination,
        /// The description that it gets.
        to: Destination,
    },
    /// A destination leaves; its calls go on.
    Remove {
        /// Which.
        id: DestinationId,
        /// Its set.
        set: SetId,
        /// Its id in the set.
        name: String,
        /// Its calls in progress when the plan was made.
        calls: u32,
    },
}

impl Plan {
    /// The changes: removals, then updates and additions in the order of the list.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// How many destinations stay as they are.
    #[must_use]
    pub const fn kept(&self) -> usize {
        self.kept
    }

    /// Whether nothing would change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            match change {
                Change::Add { set, destination } => {
                    writeln!(f, "+ set {set}: {} ({})", destination.id, destination.uri)?;
                }
                Change::Update { set, from, to, .. } => {
                    write!(f, "~ set {set}: {}", to.id)?;
                    differences(f, from, to)?;
                    writeln!(f)?;
                }
                Change::Remove { set, name, calls, .. } => {
                    writeln!(f, "- set {set}: {name} (calls that go on: {calls})")?;
                }
            }
        }
        writeln!(f, "= {} stay as they are", self.kept)
    }
}

impl Dispatcher {
    /// What would change if this list were all there is. Changes nothing yet: give the plan to
    /// [`apply`](Self::apply).
    ///
    /// # Errors
    /// An entry that cannot work; two entries of a set with the same id.
    pub fn plan(&self, list: &[(SetId, Destination)]) -> Result<Plan, PlanError> {
        let mut listed = BTreeSet::new();
        let (mut entries, mut kept) = (Vec::new(), 0);
        for (index, (set, destination)) in list.iter().enumerate() {
            destination.check().map_err(|error| PlanError::Invalid { index, error })?;
            if !listed.insert((*set, destination.id.as_str())) {
                return Err(PlanError::Duplicate { index, set: *set, id: destination.id.clone() });
            }
            let key = self.fleet.find(*set, &destination.id);
            let member = key.and_then(|key| Some((key, self.fleet.members.find(key)?)));
            match member.filter(|(_, member)| member.seat().is_some()) {
                None => entries.push(Change::Add { set: *set, destination: destination.clone() }),
                Some((_, member)) if member.destination == *destination => kept += 1,
                Some((key, member)) => entries.push(Change::Update {
                    id: DestinationId(key),
                    set: *set,
                    from: member.destination.clone(),
                    to: destination.clone(),
                }),
            }
        }
        let members = self.fleet.members.iter().filter(|(_, member)| member.seat().is_some());
        let gone =
            members.filter(|(_, member)| !listed.contains(&(member.set, member.destination.id.as_str())));
        let removals = gone.map(|(key, member)| Change::Remove {
            id: DestinationId(key),
            set: member.set,
            name: member.destination.id.clone(),
            calls: member.calls,
        });
        Ok(Plan { changes: removals.chain(entries).collect(), kept, revision: self.fleet.revision })
    }

    /// Carries out a plan, all of it.
    ///
    /// # Errors
    /// Destinations joined, left or were updated after the plan was made: nothing was changed.
    pub fn apply(&mut self, plan: Plan, now: Time) -> Result<(), StalePlan> {
        self.advance(now);
        if plan.revision != self.fleet.revision {
            return Err(StalePlan);
        }
        for change in plan.changes {
            // Nothing here can be refused: the plan was checked against this very fleet.
            let _checked_by_the_plan = match change {
                Change::Add { set, destination } => self.add(set, destination, now).is_ok(),
                Change::Update { id, to, .. } => self.update(id, to, now).is_ok(),
                Change::Remove { id, .. } => self.remove(id, now).is_ok(),
            };
        }
        Ok(())
    }
}

fn differences(f: &mut fmt::Formatter<'_>, from: &Destination, to: &Destination) -> fmt::Result {
    let mut line = |field: &str, from: &dyn fmt::Debug, to: &dyn fmt::Debug| {
        let (from, to) = (alloc::format!("{from:?}"), alloc::format!("{to:?}"));
        if from == to { Ok(()) } else { write!(f, ", {field} {from} -> {to}") }
    };
    line("uri", &from.uri, &to.uri)?;
    line("weight", &from.weight, &to.weight)?;
    line("max_calls", &from.max_calls, &to.max_calls)?;
    line("max_rate", &from.max_rate, &to.max_rate)?;
    line("priority", &from.priority, &to.priority)?;
    line("probing", &from.probing, &to.probing)?;
    line("starts", &from.starts, &to.starts)?;
    line("attrs", &from.attrs, &to.attrs)
}
