//! What std would bring: a start, an exit, a panic handler and an allocator. Linux only.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::naked_asm;
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Where Linux jumps to. It pushed no return address, so only a call aligns the stack as Rust expects it.
// SAFETY: the linker looks for this name, and nothing else defines it.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn _start() -> ! {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("call {run}", "ud2", run = sym run);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("bl {run}", "udf #0", run = sym run);
}

extern "C" fn run() -> ! {
    exit(crate::main())
}

/// The system call `exit`.
fn exit(code: u8) -> ! {
    let code = u64::from(code);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: system call 60 takes one number, touches no memory of ours and does not return.
    unsafe {
        core::arch::asm!("syscall", in("rax") 60, in("rdi") code, options(noreturn, nostack));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: system call 93 takes one number, touches no memory of ours and does not return.
    unsafe {
        core::arch::asm!("svc #0", in("x8") 93, in("x0") code, options(noreturn, nostack));
    }
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    exit(PANICKED)
}

/// Hands out one static buffer from its start to its end and takes nothing back.
struct Bump {
    used: AtomicUsize,
    buffer: UnsafeCell<[u8; BUFFER]>,
}

// SAFETY: the program has one thread, and `used` gives no byte of the buffer to two owners.
unsafe impl Sync for Bump {}

// SAFETY: a block lies in the buffer, is aligned as the layout says, and overlaps no other block.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let buffer = self.buffer.get().cast::<u8>();
        let used = self.used.load(Ordering::Relaxed);
        let start = used.saturating_add(buffer.wrapping_add(used).align_offset(layout.align()));
        match start.checked_add(layout.size()) {
            Some(end) if end <= BUFFER => {
                self.used.store(end, Ordering::Relaxed);
                buffer.wrapping_add(start)
            }
            _ => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: Bump = Bump { used: AtomicUsize::new(0), buffer: UnsafeCell::new([0; BUFFER]) };

const BUFFER: usize = 16 << 20;
const PANICKED: u8 = 101;
