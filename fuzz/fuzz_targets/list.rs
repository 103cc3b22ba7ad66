//! dispatcher.list: read, linted and written, it says the same again.

#![no_main]

use callsteer::list::{Mode, lint, parse, write};
use callsteer::{Config, Dispatcher};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    for mode in [Mode::Strict, Mode::Lenient] {
        let Ok(list) = parse(text, mode) else { continue };
        drop(lint(&list));
        let written = write(&list);
        assert_eq!(written, text, "a list that nobody changed is written as it was");
        let dispatcher = Dispatcher::new(Config::default()).unwrap();
        dispatcher.plan(&list.destinations()).expect("what was read can be planned");
    }
});
