//! What one thread at a time reaches: by Python's global lock, or by one of its own where Python has none.
//!
//! Taking and leaving a lock would be a tenth of what a pick takes from Python, and protects from nobody
//! while there is the global one.

#![cfg_attr(not(Py_GIL_DISABLED), allow(unsafe_code))]

use pyo3::Python;

/// A value for who is attached to Python.
pub(crate) struct Attached<T>(Inner<T>);

#[cfg(Py_GIL_DISABLED)]
type Inner<T> = std::sync::Mutex<T>;
#[cfg(not(Py_GIL_DISABLED))]
type Inner<T> = std::cell::RefCell<T>;

// SAFETY: the value is reached through `with` alone, which wants a `Python`, and that is had by the one thread
// that holds the global lock. There is one such lock: PyO3 lets nobody import a module into a second
// interpreter. While `with` runs nobody lets go of the lock, or the value would be found borrowed and the
// second one panic. It may be dropped by another thread than the one that made it, as `T` is `Send`.
#[cfg(not(Py_GIL_DISABLED))]
unsafe impl<T: Send> Sync for Attached<T> {}

impl<T> Attached<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Inner::new(value))
    }

    /// Does something with it, alone. Nothing of Python's is made, dropped or called meanwhile.
    #[inline]
    pub(crate) fn with<R>(&self, py: Python<'_>, act: impl FnOnce(&mut T) -> R) -> R {
        act(&mut self.reach(py))
    }

    #[cfg(Py_GIL_DISABLED)]
    fn reach(&self, py: Python<'_>) -> std::sync::MutexGuard<'_, T> {
        // Who panicked was between two commands: each is done whole or not at all.
        pyo3::sync::MutexExt::lock_py_attached(&self.0, py).unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    #[cfg(not(Py_GIL_DISABLED))]
    #[inline]
    fn reach(&self, _: Python<'_>) -> std::cell::RefMut<'_, T> {
        self.0.borrow_mut()
    }
}
