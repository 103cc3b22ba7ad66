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

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::Rc;

use callsteer::{Call, NoSuchCall};
use napi::bindgen_prelude::{Float64Array, Object};
use napi::sys::{
    Status, TypedarrayType, ValueType, napi_callback, napi_callback_info, napi_env, napi_value,
    napi_valuetype,
};
use napi::{Env, JsError, check_status, sys};

use crate::refusal::Refusal;
use crate::session::{DESTINATION, FLAG, INDEX, LEASE, Session, Shared};

/// The numbers that a session exchanges with JavaScript, and what keeps their memory.
pub(crate) struct Exchange {
    numbers: Numbers,
    _keeps_them: Float64Array,
}

impl Exchange {
    pub(crate) fn new(mut array: Float64Array) -> Self {
        // SAFETY: only the address and the length are taken from it.
        let numbers = unsafe { array.as_mut() };
        // The address is kept beside the array that keeps its memory (3).
        let numbers = Numbers { start: numbers.as_mut_ptr(), length: numbers.len() };
        Self { numbers, _keeps_them: array }
    }

    pub(crate) fn read(&self, at: usize) -> f64 {
        self.numbers.read(at)
    }

    pub(crate) fn write(&self, at: usize, number: f64) {
        self.numbers.write(at, number);
    }
}

/// Numbers in memory that JavaScript sees too: never behind a reference, as it may write there.
struct Numbers {
    start: *mut f64,
    length: usize,
}

impl Numbers {
    /// Those of a `Float64Array`, for the present call.
    fn of(env: napi_env, value: napi_value) -> Result<Self, Refusal> {
        let (mut element, mut length, mut start) = (TypedarrayType::int8_array, 0, null_mut());
        // SAFETY: what is no typed array is refused.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &mut element,
                &mut length,
                &mut start,
                null_mut(),
                null_mut(),
            )
        };
        if status == Status::napi_ok && element == TypedarrayType::float64_array {
            Ok(Self { start: start.cast(), length })
        } else {
            Err(Refusal::wrong_type("not a Float64Array"))
        }
    }

    fn read(&self, at: usize) -> f64 {
        if at < self.length {
            // SAFETY: within the array, whose memory is there (3, 4).
            unsafe { self.start.add(at).read() }
        } else {
            0.0
        }
    }

    fn write(&self, at: usize, number: f64) {
        if at < self.length {
            // SAFETY: as in `read`.
            unsafe { self.start.add(at).write(number) }
        }
    }
}

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
        let call = Call::new(buffer.call_id(env, call_id)?);
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
        let call = buffers.call(env, arguments)?;
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
        let places = Numbers::of(env, places)?;
        let mut buffer = Buffer::new();
        for index in 0..length(env, call_ids)? {
            let call_id = buffer.call_id(env, element(env, call_ids, index)?);
            let dispatcher = session.dispatcher()?;
            match call_id.and_then(|call_id| Ok(dispatcher.begin(&Call::new(call_id), now)?)) {
                Ok(placed) => {
                    session.place(placed);
                    for (place, at) in [LEASE, DESTINATION, INDEX, FLAG].into_iter().enumerate() {
                        places.write(4 * index as usize + place, session.exchange.read(at));
                    }
                }
                Err(refusal) => put(env, errors, index, refusal)?,
            }
        }
        Ok(())
    })
}

/// `pick(callId)`: out `DESTINATION`, `INDEX`, `FLAG` (panic).
extern "C" fn pick(env: napi_env, info: napi_callback_info) -> napi_value {
    enter(env, info, |session, [call_id]| {
        let mut buffer = Buffer::new();
        let call = Call::new(buffer.call_id(env, call_id)?);
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
        let call = buffers.call(env, arguments)?;
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
        let (call_id, now) = (buffer.call_id(env, call_id)?, session.now()?);
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
        let (call_id, now) = (buffer.call_id(env, call_id)?, session.now()?);
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
    work: impl FnOnce(&mut Session, [napi_value; N]) -> Result<(), Refusal>,
) -> napi_value {
    let (mut count, mut arguments, mut data) = (N, [null_mut(); N], null_mut());
    // SAFETY: there is room for as many arguments as are asked for.
    let status = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), null_mut(), &mut data)
    };
    if status != Status::napi_ok || data.is_null() {
        return null_mut();
    }
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

/// Room for the bytes of a string: on the stack for as many as a Call-ID has, else in the heap.
struct Buffer {
    stack: MaybeUninit<[u8; STACK]>,
    heap: Vec<u8>,
}

/// V8 takes its fast way only where three bytes per character fit.
const STACK: usize = 768;

impl Buffer {
    const fn new() -> Self {
        Self { stack: MaybeUninit::uninit(), heap: Vec::new() }
    }

    /// The bytes of a Call-ID.
    fn call_id(&mut self, env: napi_env, value: napi_value) -> Result<&[u8], Refusal> {
        self.bytes(env, value, "callId")?.ok_or_else(|| wrong("callId", "undefined"))
    }

    /// The bytes of a string in UTF-8, or those of a `Uint8Array`; `None` for undefined.
    fn bytes(&mut self, env: napi_env, value: napi_value, name: &str) -> Result<Option<&[u8]>, Refusal> {
        let (stack, mut length) = (self.stack.as_mut_ptr(), 0);
        // SAFETY: there is room for so many bytes; Node writes a NUL behind the last one, within it.
        let status = unsafe { sys::napi_get_value_string_utf8(env, value, stack.cast(), STACK, &mut length) };
        match status {
            // With less room left there may have been another character.
            Status::napi_ok if length + 4 < STACK => {
                // SAFETY: Node has written so many bytes.
                Ok(Some(unsafe { std::slice::from_raw_parts(stack.cast(), length) }))
            }
            Status::napi_ok => self.long_string(env, value).map(Some),
            _ => self.other(env, value, name),
        }
    }

    fn long_string(&mut self, env: napi_env, value: napi_value) -> Result<&[u8], Refusal> {
        let mut length = 0;
        // SAFETY: without room Node only says the length.
        unsafe { sys::napi_get_value_string_utf8(env, value, null_mut(), 0, &mut length) };
        self.heap.resize(length + 1, 0);
        let room = self.heap.as_mut_ptr().cast();
        // SAFETY: there is room for the bytes and the NUL.
        unsafe { sys::napi_get_value_string_utf8(env, value, room, length + 1, &mut length) };
        Ok(self.heap.get(..length).unwrap_or_default())
    }

    #[cold]
    fn other(&mut self, env: napi_env, value: napi_value, name: &str) -> Result<Option<&[u8]>, Refusal> {
        let (mut kind, mut is_array) = (ValueType::napi_undefined, false);
        // SAFETY: these only look at the value.
        unsafe {
            sys::napi_typeof(env, value, &mut kind);
            sys::napi_is_typedarray(env, value, &mut is_array);
        }
        if kind == ValueType::napi_undefined {
            return Ok(None);
        }
        if !is_array {
            return Err(wrong(name, type_name(kind)));
        }
        let (mut element, mut length, mut data) = (TypedarrayType::int8_array, 0, null_mut());
        // SAFETY: it is a typed array.
        unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &mut element,
                &mut length,
                &mut data,
                null_mut(),
                null_mut(),
            );
        }
        if element != TypedarrayType::uint8_array {
            return Err(wrong(name, "another typed array"));
        }
        self.heap.clear();
        if !data.is_null() {
            // SAFETY: Node says that so many bytes are there; they are copied before JavaScript runs again.
            self.heap.extend_from_slice(unsafe { std::slice::from_raw_parts(data.cast(), length) });
        }
        Ok(Some(&self.heap))
    }
}

/// Room for the texts of a call.
struct Buffers {
    call_id: Buffer,
    key: Buffer,
    class: Buffer,
    tenant: Buffer,
}

impl Buffers {
    const fn new() -> Self {
        Self { call_id: Buffer::new(), key: Buffer::new(), class: Buffer::new(), tenant: Buffer::new() }
    }

    fn call(
        &mut self,
        env: napi_env,
        [call_id, set, key, class, cost, tenant]: [napi_value; 6],
    ) -> Result<Call<'_>, Refusal> {
        let plain = Call::new(self.call_id.call_id(env, call_id)?);
        Ok(Call {
            set: whole(env, set, "set")?.unwrap_or(plain.set),
            key: self.key.bytes(env, key, "key")?,
            class: text(self.class.bytes(env, class, "class")?, "class")?,
            cost: whole(env, cost, "cost")?.unwrap_or(plain.cost),
            tenant: text(self.tenant.bytes(env, tenant, "tenant")?, "tenant")?,
            ..plain
        })
    }
}

fn text<'a>(bytes: Option<&'a [u8]>, name: &str) -> Result<Option<&'a str>, Refusal> {
    let text = bytes.map(std::str::from_utf8).transpose();
    text.map_err(|_| Refusal::wrong_type(format!("{name} is not UTF-8")))
}

/// A whole number of 32 bits; `None` for undefined.
fn whole(env: napi_env, value: napi_value, name: &str) -> Result<Option<u32>, Refusal> {
    let (mut number, mut kind) = (0.0, ValueType::napi_undefined);
    // SAFETY: these only look at the value.
    let status = unsafe { sys::napi_get_value_double(env, value, &mut number) };
    if status == Status::napi_ok {
        let whole = number as u32;
        return if f64::from(whole) == number {
            Ok(Some(whole))
        } else {
            Err(Refusal::out_of_range(format!("{name} is a whole number of 32 bits, not {number}")))
        };
    }
    // SAFETY: as above.
    unsafe { sys::napi_typeof(env, value, &mut kind) };
    match kind {
        ValueType::napi_undefined => Ok(None),
        other => Err(Refusal::wrong_type(format!("{name} is a number, not a {}", type_name(other)))),
    }
}

#[cold]
fn wrong(name: &str, kind: &str) -> Refusal {
    Refusal::wrong_type(format!("{name} is a string or a Uint8Array, not {kind}"))
}

const fn type_name(kind: napi_valuetype) -> &'static str {
    match kind {
        ValueType::napi_undefined => "undefined",
        ValueType::napi_null => "null",
        ValueType::napi_boolean => "a boolean",
        ValueType::napi_number => "a number",
        ValueType::napi_string => "a string",
        ValueType::napi_symbol => "a symbol",
        ValueType::napi_function => "a function",
        ValueType::napi_bigint => "a bigint",
        _ => "an object",
    }
}

fn length(env: napi_env, array: napi_value) -> Result<u32, Refusal> {
    let mut length = 0;
    // SAFETY: anything but an array is refused.
    match unsafe { sys::napi_get_array_length(env, array, &mut length) } {
        Status::napi_ok => Ok(length),
        _ => Err(Refusal::wrong_type("callIds is an array")),
    }
}

fn element(env: napi_env, array: napi_value, index: u32) -> Result<napi_value, Refusal> {
    let mut element = null_mut();
    // SAFETY: `array` is one (length), and has this index.
    match unsafe { sys::napi_get_element(env, array, index, &mut element) } {
        Status::napi_ok => Ok(element),
        _ => Err(Refusal::wrong_type(format!("callIds has no element {index}"))),
    }
}

/// Puts an error into an array.
#[cold]
fn put(env: napi_env, array: napi_value, index: u32, refusal: Refusal) -> Result<(), Refusal> {
    let error = JsError::from(refusal.into_error(Env::from_raw(env)));
    // SAFETY: both values are of the present call (4); what is no object is refused.
    let status = unsafe { sys::napi_set_element(env, array, index, error.into_value(env)) };
    if status == Status::napi_ok { Ok(()) } else { Err(Refusal::wrong_type("errors is an array")) }
}
