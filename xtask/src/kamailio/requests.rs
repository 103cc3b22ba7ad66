//! Random Call-IDs, URIs and words, of every kind that a hash could treat apart.

use std::iter;

use fastrand::Rng;

/// A Call-ID as some programs write them, or any bytes that one can be written with.
pub(super) fn call_id(rng: &mut Rng) -> String {
    match rng.u8(..4) {
        0 => format!("{:032x}@10.0.{}.{}", rng.u128(..), rng.u8(..), rng.u8(..)),
        1 => format!("call-{:08}", rng.u32(..100_000_000)),
        _ => word(rng),
    }
}

/// A sip, sips or tel URI, in every way of writing one.
pub(super) fn uri(rng: &mut Rng) -> String {
    if rng.u8(..10) == 0 {
        return format!("tel:+{}", rng.u64(1..1_000_000_000_000));
    }
    let mut uri = pick(rng, &["sip:", "sip:", "sip:", "sips:", "SIP:", "Sips:"]).to_owned();
    if rng.u8(..6) > 0 {
        uri +=
            pick(rng, &["alice", "Alice", "bob", "b%6Fb", "+15551234", "o'neil", "user;p=1", "a.b-c_d", ""]);
        uri += &rng.u16(..).to_string();
        uri += pick(rng, &["", "", "", ":secret"]);
        uri += "@";
    }
    uri += pick(rng, &["example.com", "EXAMPLE.com", "example.com.", "10.0.0.7", "[2001:db8::1]", "a-b.c9"]);
    uri += pick(rng, &["", "", "", ":5060", ":5061", ":5070", ":05070", ":1"]);
    uri += pick(rng, &["", "", ";transport=udp", ";lr;x=y"]);
    uri
}

/// Bytes that are no space and no quote, some of them above 127; a latin-1 view of them.
pub(super) fn word(rng: &mut Rng) -> String {
    let ascii = rng.bool();
    let size = rng.usize(1..60);
    let bytes = iter::repeat_with(|| if ascii { rng.u8(0x21..0x7F) } else { rng.u8(0x21..=0xFF) });
    bytes.filter(|byte| !matches!(byte, b'"' | b'\\' | b',' | 0x7F)).take(size).map(char::from).collect()
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}
