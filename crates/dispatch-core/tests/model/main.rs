//! The dispatcher against a naive one: random commands, every answer and the whole state compared.

#[cfg(feature = "internals")]
mod ahead;
mod commands;
mod compare;
mod health;
mod history;
mod naive;
mod outside;
mod pair;
#[cfg(feature = "json")]
mod snapshots;
mod state;
mod tables;

use proptest::prelude::*;

use history::history;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_dispatcher_does_what_the_naive_one_does(history in history()) {
        history.run();
    }
}
