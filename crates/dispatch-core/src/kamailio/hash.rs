//! The hash of algorithms 0 to 3, 5 and 7.

/// What a byte above 127 counts as: plain `char` in C, which differs between machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bytes {
    /// -128..=127, as on x86-64.
    #[default]
    Signed,
    /// 0..=255, as on ARM Linux.
    Unsigned,
}

/// The hash of one key, or of two that are cut into groups each on its own.
///
/// A key is cut into groups of four bytes; each group is a number W, the most significant byte
/// first, and so are the 0 to 3 bytes that are left. S = Σ W ^ (W >> 3) over both keys, and the hash
/// is S + (S >> 11) + (S >> 13) + (S >> 23), or 1 where that is 0; all modulo 2^32. Groups commute,
/// so that collisions are easy to build: do not use it where callers choose the key.
///
/// ```
/// use callsteer::kamailio::{Bytes, hash};
/// assert_eq!(hash(b"abc@host", b"", Bytes::Signed), 3_536_959_878);
/// assert_eq!(hash(b"abcdefgh", b"", Bytes::Signed), hash(b"efghabcd", b"", Bytes::Signed));
/// ```
#[must_use]
pub fn hash(first: &[u8], second: &[u8], bytes: Bytes) -> u32 {
    let sum = sum(first, bytes).wrapping_add(self::sum(second, bytes));
    let hash = sum.wrapping_add(sum >> 11).wrapping_add(sum >> 13).wrapping_add(sum >> 23);
    hash.max(1)
}

fn sum(key: &[u8], bytes: Bytes) -> u32 {
    let word = |group: &[u8]| {
        group.iter().fold(0u32, |word, byte| {
            let byte = match bytes {
                Bytes::Signed => i32::from(byte.cast_signed()).cast_unsigned(),
                Bytes::Unsigned => u32::from(*byte),
            };
            (word << 8).wrapping_add(byte)
        })
    };
    key.chunks(4).map(word).fold(0, |sum, word| sum.wrapping_add(word ^ (word >> 3)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_rpc_command() {
        let check = |first: &str, second: &str, expected: u32| {
            assert_eq!(hash(first.as_bytes(), second.as_bytes(), Bytes::Signed), expected);
            assert_eq!(hash(first.as_bytes(), second.as_bytes(), Bytes::Unsigned), expected);
        };
        check("abc@host", "", 3_536_959_878);
        check("a", "", 109);
        check("abcdefgh", "", 3_610_933_276);
        check("efghabcd", "", 3_610_933_276);
        check("alice", "example.com", 1_442_294_598);
        check("", "", 1);
    }

    #[test]
    fn a_byte_above_127_has_a_sign_or_not() {
        assert_ne!(hash(b"\xFF", b"", Bytes::Signed), hash(b"\xFF", b"", Bytes::Unsigned));
    }
}
