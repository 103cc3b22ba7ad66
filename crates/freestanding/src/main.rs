//! The core on a machine that has no std. The exit code says which check failed.

#![no_std]
#![no_main]

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("written for Linux on x86-64 and 64-bit ARM");

extern crate alloc;

mod memory;
mod runtime;

use alloc::string::ToString;

use callsteer::{Config, Destination};

/// The exit code: 0, or the number of the first check that failed.
fn main() -> u8 {
    match configuration() {
        Ok(()) => 0,
        Err(check) => check,
    }
}

fn configuration() -> Result<(), u8> {
    check(Config::default().setup_timeout.as_secs() == 60, 10)?;
    let weightless = Destination { weight: 0, ..Destination::new("sip:a") };
    let error = weightless.check().err().ok_or(11)?;
    check(error.field == "weight" && error.to_string().contains("sip:a"), 12)
}

fn check(holds: bool, number: u8) -> Result<(), u8> {
    if holds { Ok(()) } else { Err(number) }
}
