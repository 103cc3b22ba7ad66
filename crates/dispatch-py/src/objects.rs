//! The objects of a dispatcher's destinations: one each, made anew only with another description.

use std::collections::VecDeque;

use callsteer::{DestinationId, Dispatcher, SetId};
use pyo3::prelude::*;

use crate::argument::Whole;
use crate::call::{Picked, Placed};
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
    reuses: bool,
}

/// A destination with its objects.
pub(crate) struct Objectified {
    id: DestinationId,
    destination: Py<Destination>,
    /// As `pick` gives it: without and with panic.
    picked: [Py<Picked>; 2],
    /// As `begin` gave it last, and gives it again once nobody has it any more: to make and drop one takes
    /// a quarter of the time from begin to end.
    placed: Py<Placed>,
}

/// A destination whose object is not there, or describes what it was.
pub(crate) struct Missing {
    id: DestinationId,
    set: SetId,
    description: callsteer::Destination,
}

impl Objects {
    pub(crate) fn new(py: Python<'_>, max_events: usize) -> PyResult<Self> {
        // Without its lock Python cannot say that nobody else has an object.
        let locked = py.import("sys")?.getattr_opt("_is_gil_enabled")?;
        let reuses = locked.map_or(Ok(true), |locked| locked.call0()?.extract())?;
        Ok(Self { slots: Vec::new(), departed: VecDeque::new(), max_departed: max_events, reuses })
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

    /// A call as `begin` gives it, if that needs no new object.
    #[expect(deprecated, reason = "what is to be used instead does the same, and is not safe Rust")]
    pub(crate) fn find_placed(&self, py: Python<'_>, placed: &callsteer::Placed) -> Option<Py<Placed>> {
        let known = &self.objectified(placed.destination)?.placed;
        if !self.reuses || placed.panic || known.get_refcnt(py) > 1 {
            return None;
        }
        known.get().renew(placed.lease);
        Some(known.clone_ref(py))
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
        let placed = Py::new(py, Placed::new(Whole(0), destination.clone_ref(py), false))?;
        Ok(Objectified { id, picked: [picked(false)?, picked(true)?], placed, destination })
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
