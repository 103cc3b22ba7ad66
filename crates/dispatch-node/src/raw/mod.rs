//! The hot path: raw N-API functions with a data pointer, and numbers exchanged through shared memory.
//!
//! A method of a napi-rs class costs a few hundred nanoseconds, most of them for finding out whose method
//! it is. A raw function finds its dispatcher behind its own data pointer. This is the only unsafe code of
//! the package. It relies on four things:
//!
//! 1. Node calls a function with the data pointer it was created with, on the thread that created it.
//! 2. That pointer is one strong count of an [`Rc`], which is given back when the function is collected,
//!    so that it is valid as long as the function can be called.
//! 3. The memory of the exchange belongs to an `ArrayBuffer` that the session keeps alive and that `lib/`
//!    never shows to anybody, so that nobody can detach or resize it.
//! 4. `napi_value`s are used only within the call that they came with.
#![allow(unsafe_code)]

mod arguments;
mod exchange;

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::Rc;

use callsteer::{Call, NoSuchCall};
use napi::bindgen_prelude::Object;
use napi::sys::{self, Status, napi_callback, napi_callback_info, napi_env, napi_value};
use napi::{Env, JsError, check_status};

use crate::refusal::Refusal;
use crate::session::{DESTINATION, FLAG, INDEX, LEASE, Session, Shared};

use arguments::{Argument, Buffer, Buffers};
use exchange::Numbers;

pub(crate) use exchange::Exchange;

/// The hot functions of a dispatcher as an object.
pub(crate) fn functions<'env>(env: &'env Env, session: &Shared) -> napi::Result<Object<'env>> {
    let mut functions = Object::new(env)?;
    for (name, callback) in FUNCTIONS {
        let data = Rc::into_raw(Rc::clone(session)).cast::<c_void>().cast_mut();
        let mut function = null_mut();
        // SAFETY: the name is not terminated by NUL but has its length; the data pointer is a strong count
        // of the session's `Rc` (2), which `release` gives back.
        let object = unsafe {
            let name = name.to_bytes();
            let length = name.len().cast_signed();
            check_status!(sys::napi_create_function(
                env.raw(),
                name.as_ptr().cast(),
                length,
                *callback,
                data,
                &mut function,
            ))?;
            check_status!(sys::napi_add_finalizer(
                env.raw(),
                function,
                data,
                Some(release),
                null_mut(),
                null_mut(),
            ))?;
            Object::from_raw(env.raw(), function)
        };
        functions.set(name.to_str().unwrap_or_default(), object)?;
    }
    Ok(functions)
}

const FUNCTIONS: &[(&CStr, napi_callback)] = &[
    (c"empty", Some(empty)),
    (c"begin", Some(begin)),
    (c"beginCall", Some(begin_call)),
    (c"beginMany", Some(begin_many)),
    (c"pick", Some(pick)),
    (c"pickCall", Some(pick_call)),
    (c"confirm", Some(confirm)),
    (c"confirmCall", Some(confirm_call)),
    (c"end", Some(end)),
    (c"endCall", Some(end_call)),
];

/// Does nothing: what a call into native code costs at least.
extern "C" fn empty(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |_, []| Ok(()))
}

/// `begin(callId)`: out `LEASE`, `DESTINATION`, `INDEX`, `FLAG` (panic).
extern "C" fn begin(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, [call_id]| {
        let mut buffer = Buffer::new();
        let call = Call::new(buffer.call_id(call_id)?);
        let now = session.now()?;
        let placed = session.dispatcher()?.begin(&call, now)?;
        session.place(placed);
        Ok(())
    })
}

/// `beginCall(callId, set, key, class, cost, tenant)`: as `begin`.
extern "C" fn begin_call(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, arguments| {
        let mut buffers = Buffers::new();
        let call = buffers.call(arguments)?;
        let now = session.now()?;
        let placed = session.dispatcher()?.begin(&call, now)?;
        session.place(placed);
        Ok(())
    })
}

/// `beginMany(callIds, places, errors)`: of each call `LEASE`, `DESTINATION`, `INDEX` and `FLAG` one after
/// the other in `places`, or why not in `errors`, under its index.
extern "C" fn begin_many(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, [call_ids, places, errors]| {
        let now = session.now()?;
        let places = Numbers::of(places)?;
        let mut buffer = Buffer::new();
        for index in 0..call_ids.length()? {
            let call_id = buffer.call_id(call_ids.element(index)?);
            let dispatcher = session.dispatcher()?;
            match call_id.and_then(|call_id| Ok(dispatcher.begin(&Call::new(call_id), now)?)) {
                Ok(placed) => {
                    session.place(placed);
                    for (place, at) in [LEASE, DESTINATION, INDEX, FLAG].into_iter().enumerate() {
                        places.write(4 * index as usize + place, session.exchange.read(at));
                    }
                }
                Err(refusal) => errors.put(index, refusal)?,
            }
        }
        Ok(())
    })
}

/// `pick(callId)`: out `DESTINATION`, `INDEX`, `FLAG` (panic). To read the Call-ID costs more than to
/// choose by turn or by load.
extern "C" fn pick(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, [call_id]| {
        let mut buffer = Buffer::new();
        let mut call = Call::new(&[]);
        if session.dispatcher()?.hashes(call.set) {
            call.call_id = buffer.call_id(call_id)?;
        }
        let now = session.now()?;
        let picked = session.dispatcher()?.pick(&call, now)?;
        session.pick(picked);
        Ok(())
    })
}

/// `pickCall(callId, set, key, class, cost, tenant)`: as `pick`.
extern "C" fn pick_call(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, arguments| {
        let mut buffers = Buffers::new();
        let call = buffers.call(arguments)?;
        let now = session.now()?;
        let picked = session.dispatcher()?.pick(&call, now)?;
        session.pick(picked);
        Ok(())
    })
}

/// `confirm()` of `LEASE`.
extern "C" fn confirm(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, []| {
        let (lease, now) = (session.lease().ok_or(NoSuchCall)?, session.now()?);
        Ok(session.dispatcher()?.confirm(lease, now)?)
    })
}

/// `confirmCall(callId)`.
extern "C" fn confirm_call(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, [call_id]| {
        let mut buffer = Buffer::new();
        let (call_id, now) = (buffer.call_id(call_id)?, session.now()?);
        Ok(session.dispatcher()?.confirm_call(call_id, now)?)
    })
}

/// `end()` of `LEASE`: out `FLAG`, whether the call was in progress.
extern "C" fn end(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, []| {
        let (lease, now) = (session.lease(), session.now()?);
        let dispatcher = session.dispatcher()?;
        let ended = lease.is_some_and(|lease| dispatcher.end(lease, now));
        session.exchange.write(FLAG, f64::from(u8::from(ended)));
        Ok(())
    })
}

/// `endCall(callId)`: as `end`.
extern "C" fn end_call(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, [call_id]| {
        let mut buffer = Buffer::new();
        let (call_id, now) = (buffer.call_id(call_id)?, session.now()?);
        let ended = session.dispatcher()?.end_call(call_id, now);
        session.exchange.write(FLAG, f64::from(u8::from(ended)));
        Ok(())
    })
}

/// Does the work of a raw function: finds its session and its arguments (undefined where there are fewer),
/// throws what is refused, and lets no panic out of Rust.
fn enter<const N: usize>(
    env: napi_env,
    info: napi_callback_info,
    work: impl FnOnce(&mut Session, [Argument<'_>; N]) -> Result<(), Refusal>,
) -> napi_value {
    let (mut count, mut arguments, mut data) = (N, [null_mut(); N], null_mut());
    // SAFETY: there is room for as many arguments as are asked for.
    let status = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), null_mut(), &mut data)
    };
    if status != Status::napi_ok || data.is_null() {
        return null_mut();
    }
    // SAFETY: Node has just given these values for this call (4).
    let arguments = arguments.map(|value| unsafe { Argument::new(env, value) });
    // SAFETY: every function has such a pointer (1), and it is alive as long as the function (2).
    let session = unsafe { &*data.cast::<RefCell<Session>>().cast_const() };
    let outcome = match session.try_borrow_mut() {
        Ok(mut session) => catch_unwind(AssertUnwindSafe(|| work(&mut session, arguments))),
        Err(_) => Ok(Err(Refusal::busy())),
    };
    if let Err(refusal) = outcome.unwrap_or_else(|_| Err(Refusal::panicked())) {
        throw(env, refusal);
    }
    null_mut()
}

#[cold]
fn throw(env: napi_env, refusal: Refusal) {
    let error = refusal.into_error(Env::from_raw(env));
    // SAFETY: `env` is that of the call being answered (4).
    unsafe { JsError::from(error).throw_into(env) };
}

/// A function was collected: so is its count of the session.
unsafe extern "C" fn release(_: napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `functions` made this pointer for this very function, which is called no more (2).
    drop(unsafe { Rc::from_raw(data.cast::<RefCell<Session>>().cast_const()) });
}
