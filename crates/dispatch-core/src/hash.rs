//! Keyed hashing: SipHash-1-3 (Aumasson, Bernstein: SipHash, 2012) under two keys derived from one seed.
//!
//! Our own, as almost every decision waits for it; the tests hold it against the crate `siphasher`.

/// A keyed hash. Who does not know the key cannot choose Call-IDs that collide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hasher([u64; 4]);

impl Hasher {
    /// The hash under `key`; SipHash's second key word is derived from it by [`mix`].
    pub(crate) fn new(key: u64) -> Self {
        let (k0, k1) = (key, mix(key));
        Self([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ])
    }

    #[inline(always)]
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let [mut v0, mut v1, mut v2, mut v3] = self.0;
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            let word = u64::from_le_bytes(*word);
            v3 ^= word;
            round(&mut v0, &mut v1, &mut v2, &mut v3);
            v0 ^= word;
        }
        // The last bytes of the text, read as one word where there are eight of them.
        let mut last = match bytes.last_chunk::<8>() {
            Some(_) if rest.is_empty() => 0,
            Some(chunk) => u64::from_le_bytes(*chunk) >> (64 - 8 * rest.len()),
            None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        last |= (bytes.len() as u64) << 56;
        v3 ^= last;
        round(&mut v0, &mut v1, &mut v2, &mut v3);
        v0 ^= last;
        v2 ^= 0xff;
        for _ in 0..3 {
            round(&mut v0, &mut v1, &mut v2, &mut v3);
        }
        v0 ^ v1 ^ v2 ^ v3
    }
}

#[inline(always)]
const fn round(v0: &mut u64, v1: &mut u64, v2: &mut u64, v3: &mut u64) {
    *v0 = v0.wrapping_add(*v1);
    *v1 = v1.rotate_left(13) ^ *v0;
    *v0 = v0.rotate_left(32);
    *v2 = v2.wrapping_add(*v3);
    *v3 = v3.rotate_left(16) ^ *v2;
    *v0 = v0.wrapping_add(*v3);
    *v3 = v3.rotate_left(21) ^ *v0;
    *v2 = v2.wrapping_add(*v1);
    *v1 = v1.rotate_left(17) ^ *v2;
    *v2 = v2.rotate_left(32);
}

/// One step of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
/// OOPSLA 2014): a bijection that spreads every input bit over all output bits.
pub(crate) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Maps a hash evenly onto `0..n` (`n` > 0): the high half of the product.
pub(crate) const fn below(hash: u64, n: u32) -> u32 {
    ((hash as u128 * n as u128) >> 64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_its_published_sequence() {
        // The first outputs for state 0, as in the reference implementation.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(0x9e37_79b9_7f4a_7c15), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn texts_of_every_length_hash_as_by_the_reference() {
        use siphasher::sip::SipHasher13;
        let text: alloc::vec::Vec<u8> = (0..100u8).map(|byte| byte.wrapping_mul(41)).collect();
        for key in [0, 1, 0x0123_4567_89ab_cdef] {
            let reference = SipHasher13::new_with_keys(key, mix(key));
            for len in 0..=text.len() {
                assert_eq!(Hasher::new(key).hash(&text[..len]), reference.hash(&text[..len]), "{len} bytes");
            }
        }
    }

    #[test]
    fn keys_give_unrelated_hashes() {
        assert_ne!(Hasher::new(1).hash(b"call"), Hasher::new(2).hash(b"call"));
        assert_eq!(Hasher::new(1).hash(b"call"), Hasher::new(1).hash(b"call"));
    }

    #[test]
    fn below_covers_its_range_and_never_reaches_the_end() {
        assert_eq!((below(0, 7), below(u64::MAX, 7), below(u64::MAX, 1)), (0, 6, 0));
    }
}
