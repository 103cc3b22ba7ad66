//! Places that this replica holds by leases of the engine: the arithmetic of `Limits::Leases`.
//!
//! A place is held from the moment the engine gives it. It is given back some time after its call ended: what
//! is held and not used is found by counting, so that no way of ending a call can forget one.

use std::collections::{HashMap, HashSet};

use callsteer::{Dispatcher, SetId};

/// A destination across replicas.
pub(crate) type Name = (SetId, String);

#[derive(Default)]
pub(crate) struct Places {
    pub(crate) held: HashMap<Name, i64>,
    asked: HashMap<Name, i64>,
    /// Places that the engine is being told are free.
    pub(crate) returning: u32,
    /// Where the engine had none since the last sign of life: it is not asked for every call.
    pub(crate) full: HashSet<Name>,
    /// Since when the engine knows the places held here; `None`: it must be told.
    pub(crate) opened: Option<String>,
}

impl Places {
    /// The engine is asked for the place of a call that the dispatcher counts already, or (-1) has answered.
    pub(crate) fn ask(&mut self, name: &Name, change: i64) {
        let asked = self.asked.entry(name.clone()).or_default();
        *asked += change;
        if *asked == 0 {
            self.asked.remove(name);
        }
    }

    /// Whether it is known what the engine made of all that it was asked and told.
    pub(crate) fn is_settled(&self) -> bool {
        self.returning == 0 && self.asked.is_empty()
    }

    pub(crate) fn hold(&mut self, name: &Name, change: i64) {
        *self.held.entry(name.clone()).or_default() += change;
    }

    /// Places that are held, and that no call stands on but those that ask.
    pub(crate) fn spare(&self, name: &Name, dispatcher: &Dispatcher) -> i64 {
        let of = |counts: &HashMap<Name, i64>| counts.get(name).copied().unwrap_or(0);
        let status = dispatcher.find(name.0, &name.1).and_then(|id| dispatcher.status(id));
        of(&self.held) - (status.map_or(0, |status| i64::from(status.calls)) - of(&self.asked))
    }

    /// All that can be given back, which is not held from now on.
    pub(crate) fn give_back(&mut self, dispatcher: &Dispatcher) -> Vec<(Name, i64)> {
        let spare = |name: &Name| (name.clone(), self.spare(name, dispatcher));
        let spares: Vec<_> = self.held.keys().map(spare).filter(|(_, spare)| *spare > 0).collect();
        for (name, spare) in &spares {
            self.hold(name, -spare);
        }
        spares
    }
}
