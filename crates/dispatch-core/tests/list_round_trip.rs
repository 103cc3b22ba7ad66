//! What is read is written back, byte for byte; what is written is read back.

use callsteer::list::{List, Mode, lint, parse, write};
use callsteer::{Config, Destination, Dispatcher, Probing, Starts};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_written_back(bytes in vec(any::<u8>(), 0..300)) {
        check_file(&bytes)?;
    }

    #[test]
    fn any_pieces_of_lines_are_written_back(pieces in vec(piece(), 0..60)) {
        check_file(pieces.concat().as_bytes())?;
    }

    #[test]
    fn what_is_pushed_is_read_back(
        start in select(&["", "# c", "# c\r\n", "1 sip:first 0x8 # c\n"][..]),
        destinations in vec((0..3_u32, destination()), 0..8),
    ) {
        let mut list = parse(start.as_bytes(), Mode::Strict).unwrap();
        for (set, destination) in destinations {
            // The ids may collide, and not every text can be written.
            let _ = list.push(set, destination);
        }
        let file = write(&list);
        prop_assert!(file.starts_with(start.as_bytes()));
        let again = parse(&file, Mode::Strict).unwrap();
        prop_assert_eq!(again.destinations(), list.destinations());
        prop_assert_eq!(again, list);
    }

    #[test]
    fn plain_destinations_can_all_be_written(mut destination in destination()) {
        destination.uri = "sip:[::1]:5060;lr".into();
        destination.id = destination.id.chars().filter(char::is_ascii_alphanumeric).chain(['x']).collect();
        destination.attrs.clear();
        prop_assert_eq!(List::new().push(7, destination), Ok(()));
    }
}

/// Whatever the file, lenient reads it, strict agrees, and nothing is lost; what was read can be
/// planned, and written in canonical form, which says the same.
fn check_file(bytes: &[u8]) -> Result<(), TestCaseError> {
    let list = parse(bytes, Mode::Lenient).unwrap();
    prop_assert_eq!(write(&list), bytes);
    let strict = parse(bytes, Mode::Strict);
    prop_assert_eq!(strict.as_ref().err(), list.skipped().first());

    let dispatcher = Dispatcher::new(Config::default()).unwrap();
    prop_assert!(dispatcher.plan(&list.destinations()).is_ok());

    let mut canonical = List::new();
    for (set, destination) in list.destinations() {
        prop_assert_eq!(canonical.push(set, destination), Ok(()));
    }
    let again = parse(&write(&canonical), Mode::Strict).unwrap();
    prop_assert_eq!(again.destinations(), list.destinations());

    let lines = bytes.split(|byte| *byte == b'\n').count();
    for lint in lint(&list) {
        prop_assert!((1..=lines).contains(&lint.line) && lint.column >= 1);
    }
    Ok(())
}

fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        " ",
        "\t",
        "\n",
        "\n1 sip:a",
        "\n2 sip:b ",
        "\r\n3 ",
        "#",
        " # ü\n",
        "0 ",
        "8 ",
        "0x18 ",
        "5 ",
        "64",
        "sip:",
        "sips:b:5061",
        "10.0.0.1:5060",
        "[::1]",
        ";lr",
        ";weight=10",
        "@",
        ":",
        "duid=",
        "a",
        "weight=50",
        "rweight=1",
        "maxload=7",
        "MaxRate=9",
        ";",
        "=",
        ",",
        "\"",
        "'",
        "\\",
        "\0",
        "\r",
        "\u{feff}",
        "\u{a0}",
        "mine=x",
    ];
    select(pieces.to_vec()).prop_map(String::from)
}

fn destination() -> impl Strategy<Value = Destination> {
    let uri = prop_oneof![
        Just("sip:a".into()),
        "sips?:[a-z]{1,3}(:[1-9]{1,4})?",
        "10\\.0\\.0\\.[1-9]",
        "\\PC{0,8}"
    ];
    let text = || prop_oneof!["[a-z]{1,4}", "[a-z;,#'\" ]{0,4}", "\\PC{0,4}"];
    let numbers = (1..=65_535_u32, 0..=2_147_483_647_u32, 0..=2_147_483_647_u32, 0..=2_147_483_647_i32);
    let probing = select(vec![Probing::ByMode, Probing::Flagged, Probing::Never]);
    let starts = select(vec![Starts::Active, Starts::Trying, Starts::Inactive, Starts::Disabled]);
    let names = prop_oneof!["[a-z]{1,4}", Just("rweight".into()), Just("socket".into()), text()];
    let parts = (uri, text(), numbers, probing, starts, btree_map(names, text(), 0..3));
    parts.prop_map(|(uri, id, (weight, max_calls, max_rate, priority), probing, starts, attrs)| Destination {
        uri,
        id,
        weight,
        max_calls,
        max_rate,
        priority,
        probing,
        starts,
        attrs,
    })
}
