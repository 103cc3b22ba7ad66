//! A scenario of the simulator: refused with a place in the text, or one that can be asked for its load.

#![no_main]

use callsteer_sim::scenario::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match file::parse(text) {
        Ok(scenario) => assert!(scenario.mean_cost().is_finite() && scenario.rate().is_finite()),
        Err(error) => {
            assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1, "{error}");
            assert!(error.column >= 1 && !error.message.is_empty(), "{error}");
        }
    }
});
