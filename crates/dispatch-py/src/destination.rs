//! Destinations: as their owner describes them, and as a dispatcher gives them.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use callsteer::SetId;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::error::refused;
use crate::written;

/// Where calls go: a bridge.
///
/// You describe one to add it: `Destination("sip:10.0.0.1:5060", max_calls=50)`. A dispatcher gives
/// its own in return; only that one means anything to its commands, has a set, and stays the same
/// object as long as its description does. Immutable; equal where set and description are.
///
/// Args:
///     uri: where calls are sent. Not interpreted: a SIP URI, an HTTP URL, a name.
///     id: what identifies it in its set across changes. Default: the URI.
///     weight: share of the calls, 1 to 65535; also the capacity that loads are compared by.
///     max_calls: concurrent calls at most; 0 is no limit.
///     max_rate: new calls per second at most; 0 is no limit.
///     priority: the higher, the earlier the algorithm "priority" chooses it.
///     probing: "by_mode", "flagged" (flag 8 of a dispatcher.list) or "never" (flag 32).
///     starts: the state in which it joins: "active", "trying", "inactive" or "disabled".
///     attrs: whatever else you want to find again, texts by name. Not interpreted.
///
/// Raises:
///     InvalidDestination: a value that cannot work; the message names the field.
#[pyclass(frozen, module = "callsteer")]
pub(crate) struct Destination {
    /// Where calls are sent.
    #[pyo3(get)]
    uri: Py<PyString>,
    /// What identifies it in its set.
    #[pyo3(get)]
    id: Py<PyString>,
    /// Its set; None for one that was only described.
    #[pyo3(get)]
    set: Option<SetId>,
    pub(crate) description: callsteer::Destination,
    /// Whose it is, and which.
    handle: Option<(u64, callsteer::DestinationId)>,
}

#[pymethods]
impl Destination {
    #[new]
    #[pyo3(
        signature = (uri, **options),
        text_signature = "(uri, *, id=..., weight=..., max_calls=..., max_rate=..., priority=..., probing=..., starts=..., attrs=...)"
    )]
    fn new(py: Python<'_>, uri: &Bound<'_, PyString>, options: Option<Bound<'_, PyDict>>) -> PyResult<Self> {
        let options = written::options(py, options);
        options.set_item("uri", uri)?;
        Ok(Self::described(py, written::read(&options, "invalid_destination")?, None, None))
    }

    /// Share of the calls, 1 to 65535; also the capacity that loads are compared by.
    #[getter]
    fn weight(&self) -> u32 {
        self.description.weight
    }

    /// Concurrent calls at most; 0 is no limit.
    #[getter]
    fn max_calls(&self) -> u32 {
        self.description.max_calls
    }

    /// New calls per second at most; 0 is no limit.
    #[getter]
    fn max_rate(&self) -> u32 {
        self.description.max_rate
    }

    /// The higher, the earlier the algorithm "priority" chooses it.
    #[getter]
    fn priority(&self) -> i32 {
        self.description.priority
    }

    /// Whether it is probed, whatever the probing mode says: "by_mode", "flagged" or "never".
    #[getter]
    fn probing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        written::write(py, &self.description.probing)
    }

    /// The state in which it joins: "active", "trying", "inactive" or "disabled".
    #[getter]
    fn starts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        written::write(py, &self.description.starts)
    }

    /// Whatever else its owner wants to find again: a new dict of texts by name.
    #[getter]
    fn attrs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        written::write(py, &self.description.attrs)
    }

    /// The description with other values for the fields given by name, for `Dispatcher.update`.
    #[pyo3(
        signature = (**changes),
        text_signature = "($self, *, uri=..., id=..., weight=..., max_calls=..., max_rate=..., priority=..., probing=..., starts=..., attrs=...)"
    )]
    fn replace(&self, py: Python<'_>, changes: Option<Bound<'_, PyDict>>) -> PyResult<Self> {
        let options = written::write(py, &self.description)?;
        options.call_method1("update", (written::options(py, changes),))?;
        Ok(Self::described(py, written::read(&options, "invalid_destination")?, None, None))
    }

    #[pyo3(
        signature = (**changes),
        text_signature = "($self, *, uri=..., id=..., weight=..., max_calls=..., max_rate=..., priority=..., probing=..., starts=..., attrs=...)"
    )]
    fn __replace__(&self, py: Python<'_>, changes: Option<Bound<'_, PyDict>>) -> PyResult<Self> {
        self.replace(py, changes)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut text = format!("Destination({}", self.uri.bind(py).repr()?);
        let (plain, this) = (callsteer::Destination::new(self.description.uri.clone()), &self.description);
        let mut add = |name: &str, value: Bound<'_, PyAny>, is_said: bool| -> PyResult<()> {
            if is_said {
                text += &format!(", {name}={}", value.repr()?);
            }
            Ok(())
        };
        add("id", self.id.bind(py).clone().into_any(), this.id != plain.id)?;
        add("weight", this.weight.into_pyobject(py)?.into_any(), this.weight != plain.weight)?;
        add("max_calls", this.max_calls.into_pyobject(py)?.into_any(), this.max_calls != plain.max_calls)?;
        add("max_rate", this.max_rate.into_pyobject(py)?.into_any(), this.max_rate != plain.max_rate)?;
        add("priority", this.priority.into_pyobject(py)?.into_any(), this.priority != plain.priority)?;
        add("probing", self.probing(py)?, this.probing != plain.probing)?;
        add("starts", self.starts(py)?, this.starts != plain.starts)?;
        add("attrs", self.attrs(py)?, this.attrs != plain.attrs)?;
        match self.set {
            Some(set) => Ok(format!("<{text}) of set {set}>")),
            None => Ok(text + ")"),
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get();
            self.set == other.set && self.description == other.description
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.set, &self.description.id, &self.description.uri).hash(&mut hasher);
        hasher.finish()
    }

    /// Pickles the description and the set: elsewhere it is nobody's destination.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, this) = (slf.py(), slf.get());
        let fields = (written::write(py, &this.description)?, this.set);
        Ok((slf.get_type().getattr("_of")?, fields.into_pyobject(py)?))
    }

    fn __copy__<'py>(slf: Bound<'py, Self>) -> Bound<'py, Self> {
        slf
    }

    #[expect(unused_variables, reason = "nothing of it is copied")]
    fn __deepcopy__<'py>(slf: Bound<'py, Self>, memo: &Bound<'_, PyAny>) -> Bound<'py, Self> {
        slf
    }

    #[staticmethod]
    fn _of(py: Python<'_>, fields: &Bound<'_, PyAny>, set: Option<SetId>) -> PyResult<Self> {
        Ok(Self::described(py, written::read(fields, "invalid_destination")?, set, None))
    }
}

impl Destination {
    pub(crate) fn described(
        py: Python<'_>,
        description: callsteer::Destination,
        set: Option<SetId>,
        handle: Option<(u64, callsteer::DestinationId)>,
    ) -> Self {
        let uri = PyString::new(py, &description.uri).unbind();
        let id = if description.id == description.uri {
            uri.clone_ref(py)
        } else {
            PyString::new(py, &description.id).unbind()
        };
        Self { uri, id, set, description, handle }
    }

    /// Which one of this dispatcher's it is.
    pub(crate) fn handle(&self, py: Python<'_>, owner: u64) -> PyResult<callsteer::DestinationId> {
        match self.handle {
            Some((whose, id)) if whose == owner => Ok(id),
            Some(_) => Err(refused(py, "no_such_destination", "the destination is another dispatcher's")),
            None => Err(refused(
                py,
                "no_such_destination",
                "the destination is only described; add it, and take what `add` gives",
            )),
        }
    }
}
