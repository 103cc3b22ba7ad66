//! The objects of a dispatcher's destinations: one each, made anew only with another description.

use std::collections::VecDeque;

use callsteer::{DestinationId, Dispatcher, SetId};
use pyo3::prelude::*;

use crate::call::Picked;
use crate::destination::Destination;

/// Objects by the index in their handles.
///
/// Making an object may run the garbage collector, and that anybody's code, which may want the
/// dispatcher: so objects are made and dropped while it is not locked, and only passed on while it is.
pub(crate) struct Objects {
    slots: Vec<Option<Objectified>>,
    /// Those whose slots others have taken, as long as events may name them.
    departed: VecDeque<Objectified>,
    max_departed: usize,
}

/// A destination with its objects.
pub(crate) struct Objectified {
    id: DestinationId,
    destination: Py<Destination>,
    /// As `pick` gives it: without and with panic.
    picked: [Py<Picked>; 2],
}

/// A destination whose object is not there, or describes what it was.
pub(crate) struct Missing {
    id: DestinationId,
    set: SetId,
    description: callsteer::Destination,
}

impl Objects {
    pub(crate) fn new(max_events: usize) -> Self {
        Self { slots: Vec::new(), departed: VecDeque::new(), max_departed: max_events }
    }

    /// The object of a destination; `None` where it is not made yet, or nobody knows any more what it was.
    pub(crate) fn find(&self, py: Python<'_>, id: DestinationId) -> Option<Py<Destination>> {
        self.objectified(id).map(|known| known.destination.clone_ref(py))
    }

    /// The destination as `pick` gives it.
    pub(crate) fn find_picked(&self, py: Python<'_>, id: DestinationId, panic: bool) -> Option<Py<Picked>> {
        let known = self.objectified(id)?;
        known.picked.get(usize::from(panic)).map(|picked| picked.clone_ref(py))
    }

    /// What must be made for a destination.
    pub(crate) fn missing(&self, core: &Dispatcher, id: DestinationId) -> Option<Missing> {
        let (description, status) = (core.destination(id)?, core.status(id)?);
        let known = self.slots.get(index(id)).and_then(Option::as_ref);
        if known.is_some_and(|known| known.is_still(id, description)) {
            return None;
        }
        Some(Missing { id, set: status.set, description: description.clone() })
    }

    /// Takes what was made, unless it was described anew since. Gives what is to be dropped.
    pub(crate) fn put(&mut self, core: &Dispatcher, made: Objectified) -> Option<Objectified> {
        if core.destination(made.id).is_none_or(|description| !made.is_still(made.id, description)) {
            return Some(made);
        }
        let index = index(made.id);
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        let id = made.id;
        let before = self.slots.get_mut(index)?.replace(made)?;
        if before.id == id {
            return Some(before);
        }
        self.departed.push_back(before);
        if self.departed.len() > self.max_departed { self.departed.pop_front() } else { None }
    }

    /// No event is left that could name one that departed. Gives what is to be dropped.
    pub(crate) fn forget_departed(&mut self) -> VecDeque<Objectified> {
        std::mem::take(&mut self.departed)
    }

    fn objectified(&self, id: DestinationId) -> Option<&Objectified> {
        match self.slots.get(index(id)) {
            Some(Some(known)) if known.id == id => Some(known),
            _ => self.departed.iter().find(|known| known.id == id),
        }
    }
}

impl Missing {
    /// Makes the objects.
    pub(crate) fn make(self, py: Python<'_>, owner: u64) -> PyResult<Objectified> {
        let Self { id, set, description } = self;
        let destination = Destination::described(py, description, Some(set), Some((owner, id)));
        let destination = Py::new(py, destination)?;
        let picked = |panic| Py::new(py, Picked::new(destination.clone_ref(py), panic));
        Ok(Objectified { id, picked: [picked(false)?, picked(true)?], destination })
    }
}

impl Objectified {
    fn is_still(&self, id: DestinationId, description: &callsteer::Destination) -> bool {
        self.id == id && self.destination.get().description == *description
    }
}

/// The lower half of a handle is an index.
fn index(id: DestinationId) -> usize {
    id.to_u64() as u32 as usize
}
