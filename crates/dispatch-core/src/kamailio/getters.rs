//! Looking at the model; destinations are told by their place in index order.

use super::destination::Member;
use super::{Dispatcher, State};
use crate::config::SetId;

impl Dispatcher {
    /// How many destinations a set has, inactive ones included.
    #[must_use]
    pub fn len(&self, set: SetId) -> usize {
        self.sets.get(&set).map_or(0, |set| set.members().len())
    }

    /// Whether a set is not there: one that is has destinations.
    #[must_use]
    pub fn is_empty(&self, set: SetId) -> bool {
        self.len(set) == 0
    }

    /// The URI at a place of the index order.
    #[must_use]
    pub fn uri(&self, set: SetId, index: usize) -> Option<&str> {
        self.at(set, index).map(|member| member.destination.uri.as_str())
    }

    /// The state at a place of the index order.
    #[must_use]
    pub fn state(&self, set: SetId, index: usize) -> Option<State> {
        self.at(set, index).map(|member| member.state)
    }

    /// The calls that are counted at a place of the index order.
    #[must_use]
    pub fn load(&self, set: SetId, index: usize) -> Option<u32> {
        self.at(set, index).map(|member| member.load)
    }

    /// Whether the next round of probes asks it.
    #[must_use]
    pub fn is_probed(&self, set: SetId, index: usize) -> bool {
        self.at(set, index).is_some_and(|member| member.is_probed(self.params.probing_mode))
    }

    fn at(&self, set: SetId, index: usize) -> Option<&Member> {
        self.sets.get(&set)?.members().get(index)
    }
}
