//! How far something that takes long is, and whether it goes on.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Is told how many runs are done and how many there are: after each, and now and then during a long
/// one. Says whether to go on; [`ControlFlow::Break`] ends all runs. Called from several threads.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) -> ControlFlow<()> + Sync);

/// For those who do not want to know.
pub fn unwatched(_done: usize, _of: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Whoever was told of the progress did not want to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was cancelled")
    }
}

impl std::error::Error for Cancelled {}

/// Counts runs that are done.
pub(crate) struct Meter<'a> {
    done: AtomicUsize,
    of: usize,
    progress: Progress<'a>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(of: usize, progress: Progress<'a>) -> Self {
        Self { done: AtomicUsize::new(0), of, progress }
    }

    /// A run is done.
    pub(crate) fn advance(&self) -> Result<(), Cancelled> {
        self.tell(self.done.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// A run goes on.
    pub(crate) fn pulse(&self) -> Result<(), Cancelled> {
        self.tell(self.done.load(Ordering::Relaxed))
    }

    fn tell(&self, done: usize) -> Result<(), Cancelled> {
        if (self.progress)(done, self.of).is_break() { Err(Cancelled) } else { Ok(()) }
    }
}
