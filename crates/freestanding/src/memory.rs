//! The five functions that the compiler expects from every platform, here without a C library.
//!
//! Byte by byte and volatile: a plain loop would be compiled into a call of itself.

use core::ffi::c_void;

// SAFETY (of the five names): they have C's signatures and meaning, and nothing else defines them.

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut c_void, from: *const c_void, count: usize) -> *mut c_void {
    for i in 0..count {
        // SAFETY: the caller owns `count` bytes at both places.
        unsafe { copy_byte(to, from, i) };
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut c_void, from: *const c_void, count: usize) -> *mut c_void {
    let forward = to.addr() <= from.addr();
    for i in 0..count {
        let i = if forward { i } else { count - 1 - i };
        // SAFETY: as in `memcpy`; the direction never overwrites a byte that is still to be read.
        unsafe { copy_byte(to, from, i) };
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut c_void, value: i32, count: usize) -> *mut c_void {
    for i in 0..count {
        // SAFETY: the caller owns `count` bytes there. C says that only the low byte counts.
        unsafe { to.cast::<u8>().add(i).write_volatile(value as u8) };
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const c_void, right: *const c_void, count: usize) -> i32 {
    for i in 0..count {
        // SAFETY: the caller may read `count` bytes at both places.
        let (l, r) = unsafe { (byte(left, i), byte(right, i)) };
        if l != r {
            return i32::from(l) - i32::from(r);
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const c_void, right: *const c_void, count: usize) -> i32 {
    // SAFETY: the same demands.
    unsafe { memcmp(left, right, count) }
}

unsafe fn copy_byte(to: *mut c_void, from: *const c_void, i: usize) {
    // SAFETY: the caller says that byte `i` may be read there and written here.
    unsafe { to.cast::<u8>().add(i).write_volatile(byte(from, i)) };
}

unsafe fn byte(at: *const c_void, i: usize) -> u8 {
    // SAFETY: the caller says that byte `i` may be read.
    unsafe { at.cast::<u8>().add(i).read_volatile() }
}
