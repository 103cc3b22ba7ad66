//! The protobuf message of ORCA. It is five numbers and three maps: reading it needs no generated code.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Orca;
use crate::error::ReadError;

/// Reads an `xds.data.orca.v3.OrcaLoadReport`. As protobuf has it, the last value of a field counts.
pub(super) fn read(message: &[u8]) -> Result<Orca, ReadError> {
    let mut orca = Orca::default();
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next().map_err(|what| broken(message, &fields, what))? {
        let (name, value) = match value {
            Value::Double(value) => (name_of(number, &NUMBERS).map(Cow::Borrowed), value),
            Value::Varint(value) => (name_of(number, &COUNTS).map(Cow::Borrowed), value as f64),
            Value::Bytes(entry) => {
                let Some(map) = name_of(number, &MAPS) else { continue };
                let (key, value) = map_entry(entry).map_err(|what| broken(message, &fields, what))?;
                (Some(Cow::Owned(format!("{map}.{key}"))), value)
            }
            Value::Other => continue,
        };
        let Some(name) = name else { continue };
        super::check(&name, value)?;
        orca.metrics.insert(name.into_owned(), value);
    }
    Ok(orca)
}

fn name_of(number: u64, fields: &[(u64, &'static str)]) -> Option<&'static str> {
    fields.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// An entry of a `map<string, double>`: a message of its key and its value.
fn map_entry(entry: &[u8]) -> Result<(String, f64), &'static str> {
    let (mut key, mut value) = (String::new(), 0.0);
    let mut fields = Fields::new(entry);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(bytes)) => {
                key = core::str::from_utf8(bytes).map_err(|_| "has a name that is not UTF-8")?.into();
            }
            (2, Value::Double(double)) => value = double,
            _ => {}
        }
    }
    if key.is_empty() { Err("has a metric without a name") } else { Ok((key, value)) }
}

fn broken(message: &[u8], fields: &Fields<'_>, what: &str) -> ReadError {
    let what = format!("byte {} of the message: {what}", message.len() - fields.rest.len() + 1);
    ReadError::Unreadable { field: String::new(), what: what.into(), line: 0, column: 0 }
}

/// Decodes Base64, padded or not; fails with the offset of what is none.
pub(super) fn from_base64(text: &str) -> Result<Vec<u8>, usize> {
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 || digits.len() % 4 == 1 {
        return Err(digits.len());
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let (mut bits, mut held) = (0_u32, 0);
    for (at, digit) in digits.bytes().enumerate() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(at),
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Ok(bytes)
}

/// The fields of a message, one after the other.
struct Fields<'a> {
    rest: &'a [u8],
}

enum Value<'a> {
    Double(f64),
    Varint(u64),
    Bytes(&'a [u8]),
    /// 32 bits, which no field of ORCA has.
    Other,
}

impl<'a> Fields<'a> {
    const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, &'static str> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Double(f64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).map_err(|_| TOO_EARLY)?)?)
            }
            5 => self.array::<4>().map(|_| Value::Other)?,
            _ => return Err("has a field of no known kind"),
        };
        Ok(Some((tag >> 3, value)))
    }

    /// Seven bits a byte, the lowest first, at most ten bytes.
    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("has a number of more than ten bytes")
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.take(N)?.try_into().map_err(|_| TOO_EARLY)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(TOO_EARLY)?;
        self.rest = rest;
        Ok(taken)
    }
}

const TOO_EARLY: &str = "ends too early";

/// The fields of type `double`, by their number in the message.
const NUMBERS: [(u64, &str); 5] = [
    (1, "cpu_utilization"),
    (2, "mem_utilization"),
    (6, "rps_fractional"),
    (7, "eps"),
    (9, "application_utilization"),
];
/// The field of type `uint64`.
const COUNTS: [(u64, &str); 1] = [(3, "rps")];
/// The fields of type `map<string, double>`.
const MAPS: [(u64, &str); 3] = [(4, "request_cost"), (5, "utilization"), (8, "named_metrics")];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn double(number: u8, value: f64) -> Vec<u8> {
        [&[number << 3 | 1][..], &value.to_le_bytes()].concat()
    }

    fn entry(number: u8, key: &str, value: f64) -> Vec<u8> {
        let inner = [&[1 << 3 | 2, key.len() as u8][..], key.as_bytes(), &double(2, value)].concat();
        [&[number << 3 | 2, inner.len() as u8][..], &inner].concat()
    }

    #[test]
    fn every_field_of_the_message_is_read() {
        let message = [
            double(1, 0.3),
            double(2, 0.8),
            alloc::vec![3 << 3, 0xac, 0x02],
            entry(4, "tokens", 812.0),
            entry(5, "gpu", 0.9),
            double(6, 300.5),
            double(7, 2.0),
            entry(8, "queue", -3.0),
            double(9, 1.25),
            double(9, 1.5),
        ];
        let expected = [
            ("application_utilization", 1.5),
            ("cpu_utilization", 0.3),
            ("eps", 2.0),
            ("mem_utilization", 0.8),
            ("named_metrics.queue", -3.0),
            ("request_cost.tokens", 812.0),
            ("rps", 300.0),
            ("rps_fractional", 300.5),
            ("utilization.gpu", 0.9),
        ];
        let orca = read(&message.concat()).expect("a message");
        assert_eq!(orca.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn fields_that_are_not_known_are_passed_over() {
        let unknown: [&[u8]; 4] =
            [&[0xa0, 0x01, 0x05], &[10 << 3 | 5, 1, 2, 3, 4], &[11 << 3 | 2, 1, 0xff], &double(4, 1.0)];
        let message = [unknown.concat(), double(1, 0.5)].concat();
        assert_eq!(read(&message).expect("a message").iter().collect::<Vec<_>>(), [("cpu_utilization", 0.5)]);
    }

    #[test]
    fn a_broken_message_is_refused() {
        let check = |message: &[u8], expected: &str| {
            assert_eq!(read(message).expect_err(expected).to_string(), expected, "{message:?}");
        };
        check(&[9, 0, 0], "byte 2 of the message: ends too early");
        check(&[0x80], "byte 2 of the message: ends too early");
        check(&[0xff; 11], "byte 11 of the message: has a number of more than ten bytes");
        check(&[1 << 3 | 3], "byte 2 of the message: has a field of no known kind");
        check(&[8 << 3 | 2, 0xff, 0xff, 0xff, 0xff, 0x0f], "byte 7 of the message: ends too early");
        check(&[8 << 3 | 2, 3, 1 << 3 | 2, 1, 0xff], "byte 6 of the message: has a name that is not UTF-8");
        check(&entry(8, "", 1.0), "byte 14 of the message: has a metric without a name");
        check(&double(1, f64::NAN), "cpu_utilization: is not a finite number");
        check(&double(9, -0.1), "application_utilization: is negative");
        check(&entry(5, "gpu", f64::INFINITY), "utilization.gpu: is not a finite number");
    }

    #[test]
    fn base64_is_decoded_with_or_without_padding() {
        let check = |text: &str, expected: Result<&[u8], usize>| {
            assert_eq!(from_base64(text).as_deref().map_err(|at| *at), expected, "{text}");
        };
        // RFC 4648, section 10.
        check("", Ok(b""));
        check("Zg==", Ok(b"f"));
        check("Zm8", Ok(b"fo"));
        check("Zm9v", Ok(b"foo"));
        check("Zm9vYmE=", Ok(b"fooba"));
        check("Zm9vYmFy", Ok(b"foobar"));
        check("+/+/", Ok(&[0xfb, 0xff, 0xbf]));
        check("Z", Err(1));
        check("Zm9v Zg", Err(4));
        check("Zg=v", Err(2));
        check("Zg===", Err(2));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _: Result<_, ReadError> = read(&bytes);
        }

        #[test]
        fn any_bytes_in_a_map_are_read_or_refused(number in 0_u8..16, bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _: Result<_, ReadError> = read(&[&[number << 3 | 2, bytes.len() as u8][..], &bytes].concat());
        }

        #[test]
        fn any_text_is_base64_or_not(text in "[A-Za-z0-9+/=]*") {
            let _: Result<_, ReadError> = Orca::from_base64(&text);
        }
    }
}
