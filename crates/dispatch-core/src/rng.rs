//! The one source of random choices: SplitMix64 from the caller's seed.

use crate::hash::{below, mix};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// What to make the same generator of.
    #[cfg(feature = "serde")]
    pub(crate) const fn state(self) -> u64 {
        self.0
    }

    pub(crate) fn next(&mut self) -> u64 {
        let number = mix(self.0);
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        number
    }

    /// A number in `0..n`, evenly; `n` > 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        below(self.next(), n)
    }

    /// A number in `0.0..1.0`, a multiple of 2^-53.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_die_is_even_and_a_fraction_stays_below_one() {
        let mut rng = Rng::new(7);
        let mut seen = [0u32; 6];
        for _ in 0..60_000 {
            seen[rng.below(6) as usize] += 1;
            let fraction = rng.fraction();
            assert!((0.0..1.0).contains(&fraction));
        }
        for count in seen {
            assert!((9_600..10_400).contains(&count), "{seen:?}");
        }
    }
}
