//! Arguments of raw functions: strings without a string, whole numbers, arrays.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::null_mut;

use callsteer::Call;
use napi::sys::{
    self, Status, TypedarrayType, ValueType, napi_env, napi_typedarray_type, napi_value, napi_valuetype,
};
use napi::{Env, JsError};

use crate::refusal::Refusal;

/// A value that a raw function was called with, for as long as that call lasts.
#[derive(Clone, Copy)]
pub(super) struct Argument<'call> {
    env: napi_env,
    value: napi_value,
    call: PhantomData<&'call ()>,
}

impl Argument<'_> {
    /// # Safety
    /// The value is one of the call that Node makes at present in this environment (4).
    pub(super) const unsafe fn new(env: napi_env, value: napi_value) -> Self {
        Self { env, value, call: PhantomData }
    }

    /// A whole number of 32 bits; `None` for undefined.
    pub(super) fn whole(self, name: &str) -> Result<Option<u32>, Refusal> {
        let mut number = 0.0;
        // SAFETY: this only looks at the value, which is of the present call.
        if unsafe { sys::napi_get_value_double(self.env, self.value, &mut number) } == Status::napi_ok {
            let whole = number as u32;
            return if f64::from(whole) == number {
                Ok(Some(whole))
            } else {
                Err(Refusal::out_of_range(format!("{name} is a whole number of 32 bits, not {number}")))
            };
        }
        match self.kind() {
            ValueType::napi_undefined => Ok(None),
            other => Err(Refusal::wrong_type(format!("{name} is a number, not {}", type_name(other)))),
        }
    }

    /// How many elements an array has.
    pub(super) fn length(self) -> Result<u32, Refusal> {
        let mut length = 0;
        // SAFETY: what is no array is refused.
        match unsafe { sys::napi_get_array_length(self.env, self.value, &mut length) } {
            Status::napi_ok => Ok(length),
            _ => Err(Refusal::wrong_type("not an array")),
        }
    }

    /// An element of an array.
    pub(super) fn element(self, index: u32) -> Result<Self, Refusal> {
        let mut value = null_mut();
        // SAFETY: what is no object is refused; what is not there is undefined.
        match unsafe { sys::napi_get_element(self.env, self.value, index, &mut value) } {
            Status::napi_ok => Ok(Self { value, ..self }),
            _ => Err(Refusal::wrong_type(format!("there is no element {index}"))),
        }
    }

    /// Puts an error into an array.
    #[cold]
    pub(super) fn put(self, index: u32, refusal: Refusal) -> Result<(), Refusal> {
        let error = JsError::from(refusal.into_error(Env::from_raw(self.env)));
        // SAFETY: both values are of the present call; what is no object is refused.
        let status =
            unsafe { sys::napi_set_element(self.env, self.value, index, error.into_value(self.env)) };
        if status == Status::napi_ok { Ok(()) } else { Err(Refusal::wrong_type("not an array")) }
    }

    /// The numbers of a `Float64Array`: where they are, and how many.
    pub(super) fn numbers(self) -> Result<(*mut f64, usize), Refusal> {
        match self.typed_array() {
            Some((TypedarrayType::float64_array, start, length)) => Ok((start.cast(), length)),
            _ => Err(Refusal::wrong_type("not a Float64Array")),
        }
    }

    fn typed_array(self) -> Option<(napi_typedarray_type, *mut c_void, usize)> {
        let (mut element, mut length, mut start) = (TypedarrayType::int8_array, 0, null_mut());
        let (env, value, none) = (self.env, self.value, null_mut());
        // SAFETY: what is no typed array is refused; the buffer and its offset are not asked for.
        let status = unsafe {
            sys::napi_get_typedarray_info(env, value, &mut element, &mut length, &mut start, none, null_mut())
        };
        (status == Status::napi_ok).then_some((element, start, length))
    }

    fn kind(self) -> napi_valuetype {
        let mut kind = ValueType::napi_undefined;
        // SAFETY: this only looks at the value.
        unsafe { sys::napi_typeof(self.env, self.value, &mut kind) };
        kind
    }
}

/// Room for the bytes of a string: on the stack for as many as a Call-ID has, else in the heap.
pub(super) struct Buffer {
    stack: [MaybeUninit<u8>; STACK],
    heap: Vec<u8>,
}

/// More than any Call-ID has.
const STACK: usize = 256;

impl Buffer {
    pub(super) const fn new() -> Self {
        Self { stack: [MaybeUninit::uninit(); STACK], heap: Vec::new() }
    }

    /// The bytes of a Call-ID.
    #[inline]
    pub(super) fn call_id(&mut self, argument: Argument<'_>) -> Result<&[u8], Refusal> {
        self.bytes(argument, "callId")?.ok_or_else(|| wrong("callId", "undefined"))
    }

    /// The bytes of a string in UTF-8, or those of a `Uint8Array`; `None` for undefined.
    #[inline]
    fn bytes(&mut self, argument: Argument<'_>, name: &str) -> Result<Option<&[u8]>, Refusal> {
        let Argument { env, value, .. } = argument;
        let mut units: MaybeUninit<[u16; STACK]> = MaybeUninit::uninit();
        let mut length = 0;
        // SAFETY: there is room for so many units; Node writes a 0 behind the last one, within it.
        let status = unsafe {
            sys::napi_get_value_string_utf16(env, value, units.as_mut_ptr().cast(), STACK, &mut length)
        };
        if status != Status::napi_ok {
            return self.other(argument, name);
        }
        // SAFETY: Node has written so many units.
        let units = unsafe { std::slice::from_raw_parts(units.as_ptr().cast::<u16>(), length) };
        // With no room left there may have been more.
        if length + 1 == STACK || units.iter().fold(0, |all, unit| all | unit) > 0x7f {
            return self.utf8(argument).map(Some);
        }
        for (byte, unit) in self.stack.iter_mut().zip(units) {
            byte.write(*unit as u8);
        }
        // SAFETY: so many bytes have been written.
        Ok(Some(unsafe { std::slice::from_raw_parts(self.stack.as_ptr().cast(), length) }))
    }

    #[cold]
    fn utf8(&mut self, Argument { env, value, .. }: Argument<'_>) -> Result<&[u8], Refusal> {
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
    fn other(&mut self, argument: Argument<'_>, name: &str) -> Result<Option<&[u8]>, Refusal> {
        let (start, length) = match argument.typed_array() {
            Some((TypedarrayType::uint8_array, start, length)) => (start, length),
            Some(_) => return Err(wrong(name, "another typed array")),
            None => match argument.kind() {
                ValueType::napi_undefined => return Ok(None),
                other => return Err(wrong(name, type_name(other))),
            },
        };
        self.heap.clear();
        if !start.is_null() {
            // SAFETY: Node says that so many bytes are there; they are copied before JavaScript runs again.
            self.heap.extend_from_slice(unsafe { std::slice::from_raw_parts(start.cast(), length) });
        }
        Ok(Some(&self.heap))
    }
}

/// Room for the texts of a call.
pub(super) struct Buffers {
    call_id: Buffer,
    key: Buffer,
    class: Buffer,
    tenant: Buffer,
}

impl Buffers {
    pub(super) const fn new() -> Self {
        Self { call_id: Buffer::new(), key: Buffer::new(), class: Buffer::new(), tenant: Buffer::new() }
    }

    /// A call, of everything that can be said of one.
    pub(super) fn call(
        &mut self,
        [call_id, set, key, class, cost, tenant]: [Argument<'_>; 6],
    ) -> Result<Call<'_>, Refusal> {
        let plain = Call::new(self.call_id.call_id(call_id)?);
        Ok(Call {
            set: set.whole("set")?.unwrap_or(plain.set),
            key: self.key.bytes(key, "key")?,
            class: text(self.class.bytes(class, "class")?, "class")?,
            cost: cost.whole("cost")?.unwrap_or(plain.cost),
            tenant: text(self.tenant.bytes(tenant, "tenant")?, "tenant")?,
            ..plain
        })
    }
}

fn text<'a>(bytes: Option<&'a [u8]>, name: &str) -> Result<Option<&'a str>, Refusal> {
    let text = bytes.map(std::str::from_utf8).transpose();
    text.map_err(|_| Refusal::wrong_type(format!("{name} is not UTF-8")))
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
