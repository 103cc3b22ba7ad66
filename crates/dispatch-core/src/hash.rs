//! Keyed hashing: SipHash-1-3 under two keys derived from one seed.

use siphasher::sip::SipHasher13;

/// A keyed hash. Who does not know the key cannot choose Call-IDs that collide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hasher(SipHasher13);

impl Hasher {
    /// The hash under `key`; SipHash's second key word is derived from it by [`mix`].
    pub(crate) fn new(key: u64) -> Self {
        Self(SipHasher13::new_with_keys(key, mix(key)))
    }

    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        self.0.hash(bytes)
    }
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
    fn keys_give_unrelated_hashes() {
        assert_ne!(Hasher::new(1).hash(b"call"), Hasher::new(2).hash(b"call"));
        assert_eq!(Hasher::new(1).hash(b"call"), Hasher::new(1).hash(b"call"));
    }

    #[test]
    fn below_covers_its_range_and_never_reaches_the_end() {
        assert_eq!((below(0, 7), below(u64::MAX, 7), below(u64::MAX, 1)), (0, 6, 0));
    }
}
