//! One dispatcher, shared by the methods of its class and its raw functions.

use std::cell::RefCell;
use std::rc::Rc;

use callsteer::{DestinationId, Dispatcher, Lease, Picked, Placed, Time};

use crate::raw::Exchange;
use crate::refusal::Refusal;

/// A dispatcher, until it is disposed of. Its owner is one JavaScript thread.
pub(crate) type Shared = Rc<RefCell<Session>>;

/// A dispatcher and the numbers that it exchanges with JavaScript beside arguments and results.
pub(crate) struct Session {
    dispatcher: Option<Dispatcher>,
    pub(crate) exchange: Exchange,
}

impl Session {
    pub(crate) fn new(dispatcher: Dispatcher, exchange: Exchange) -> Self {
        Self { dispatcher: Some(dispatcher), exchange }
    }

    pub(crate) fn dispatcher(&mut self) -> Result<&mut Dispatcher, Refusal> {
        self.dispatcher.as_mut().ok_or_else(Refusal::disposed)
    }

    /// Gives back the memory of the dispatcher.
    pub(crate) fn dispose(&mut self) {
        self.dispatcher = None;
    }

    /// The time that JavaScript wrote.
    pub(crate) fn now(&self) -> Result<Time, Refusal> {
        time(self.exchange.read(NOW))
    }

    /// The lease that JavaScript wrote, or `None` for a number that no call can have.
    pub(crate) fn lease(&self) -> Option<Lease> {
        lease(self.exchange.read(LEASE))
    }

    /// Tells JavaScript where a call is.
    pub(crate) fn place(&self, placed: Placed) {
        self.exchange.write(LEASE, number(placed.lease.to_u64()));
        self.pick(Picked { destination: placed.destination, panic: placed.panic });
    }

    /// Tells JavaScript which destination was chosen.
    pub(crate) fn pick(&self, picked: Picked) {
        let key = picked.destination.to_u64();
        self.exchange.write(DESTINATION, number(key));
        self.exchange.write(INDEX, f64::from(key as u32));
        self.exchange.write(FLAG, f64::from(u8::from(picked.panic)));
    }
}

/// A key as a number of JavaScript, exactly: it is below 2^53.
fn number(key: u64) -> f64 {
    // Conversions of signed numbers are one instruction.
    key.cast_signed() as f64
}

/// Reads milliseconds as a point in time.
pub(crate) fn time(millis: f64) -> Result<Time, Refusal> {
    if (0.0..=LATEST).contains(&millis) {
        // To the nearest microsecond; the numbers are below 2^53, so that adding a half is exact enough.
        Ok(Time::from_micros(((millis * 1e3 + 0.5) as i64).cast_unsigned()))
    } else {
        Err(Refusal::out_of_range(format!(
            "now is a number of milliseconds from 0 to {LATEST}, not {millis}"
        )))
    }
}

/// A lease, or `None` for a number that no call can have.
pub(crate) fn lease(number: f64) -> Option<Lease> {
    Lease::from_u64(number as u64)
}

/// A destination, or `None` for a number that none can have.
pub(crate) fn destination(number: f64) -> Option<DestinationId> {
    DestinationId::from_u64(number as u64)
}

/// In: now, in milliseconds.
pub(crate) const NOW: usize = 0;
/// In and out: a lease.
pub(crate) const LEASE: usize = 1;
/// Out: the key of a destination.
pub(crate) const DESTINATION: usize = 2;
/// Out: where JavaScript caches that destination.
pub(crate) const INDEX: usize = 3;
/// Out: yes or no.
pub(crate) const FLAG: usize = 4;

const LATEST: f64 = 9e12;
