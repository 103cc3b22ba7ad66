//! Threads by number, so that each finds what is its own.

use core::sync::atomic::{AtomicUsize, Ordering};

/// The number of this thread, of those that ever asked.
#[inline]
pub(crate) fn number() -> usize {
    std::thread_local! {
        static NUMBER: usize = ASKED.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

static ASKED: AtomicUsize = AtomicUsize::new(0);
