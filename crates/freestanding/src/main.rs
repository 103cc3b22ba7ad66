//! One call from begin to end on a machine that has no std. The exit code says which check failed.

#![no_std]
#![no_main]

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("written for Linux on x86-64 and 64-bit ARM");

mod memory;
mod runtime;

use callsteer::{Call, Config, Destination, Dispatcher, Time};

/// The exit code: 0, or the number of the first check that failed.
fn main() -> u8 {
    match one_call() {
        Ok(()) => 0,
        Err(check) => check,
    }
}

fn one_call() -> Result<(), u8> {
    let now = Time::ZERO;
    let mut dispatcher = Dispatcher::new(Config { seed: 7, ..Config::default() }).or(Err(10))?;
    let first = dispatcher.add(1, Destination::new("sip:a"), now).or(Err(11))?;
    let second = dispatcher.add(1, Destination::new("sip:b"), now).or(Err(12))?;

    let call = Call::new(b"a84b4c76e66710@pc33.example.com");
    let placed = dispatcher.begin(&call, now).or(Err(20))?;
    check(placed.destination == first || placed.destination == second, 21)?;
    check(dispatcher.begin(&call, now) == Ok(placed), 22)?;
    check(dispatcher.stats().calls == 1, 23)?;
    check(dispatcher.status(placed.destination).is_some_and(|status| status.calls == 1), 24)?;

    dispatcher.confirm(placed.lease, now).or(Err(30))?;
    check(dispatcher.end(placed.lease, now), 31)?;
    check(!dispatcher.end(placed.lease, now), 32)?;
    check(dispatcher.stats().calls == 0, 33)?;
    check(dispatcher.iter().all(|(_, _, status)| status.calls == 0 && status.load == 0), 34)
}

fn check(holds: bool, number: u8) -> Result<(), u8> {
    if holds { Ok(()) } else { Err(number) }
}
