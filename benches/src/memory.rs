//! How much memory is in use, by the C library's own account.

/// Bytes allocated at the moment; `None` where the C library does not say.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn allocated() -> Option<usize> {
    // SAFETY: mallinfo2 takes nothing, and gives numbers.
    let info = unsafe { libc::mallinfo2() };
    Some(info.uordblks + info.hblkhd)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn allocated() -> Option<usize> {
    None
}
