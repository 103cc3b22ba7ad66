//! Everything that was recorded from a real Kamailio, decided once more by the model: no difference.

mod compat;
mod documented;
mod probes;
mod recording;
mod replay;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callsteer::Time;
use callsteer::kamailio::{Bytes, Request, hash, index_order};
use serde::Deserialize;
use serde_json::from_str;

use recording::{Event, Recording};

#[test]
fn the_model_does_what_kamailio_does() {
    let (mut failures, mut checked, mut files) = (Vec::new(), 0, 0);
    for path in recordings() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        match check(&fs::read_to_string(&path).unwrap()) {
            Ok(count) => {
                println!("{name}: {count}");
                checked += count;
                files += 1;
            }
            Err(failure) => failures.push(format!("{name}: {failure}")),
        }
    }
    println!("{checked} recorded facts in {files} files");
    assert!(failures.is_empty(), "{} files differ\n{}", failures.len(), failures.join("\n"));
    // A loop over nothing passes everything.
    let (least, of) = if fresh().is_some() { (14, 100_000) } else { (28, 15_000) };
    assert!(files >= least && checked >= of, "{checked} facts in {files} files");
}

#[test]
fn the_facade_does_what_kamailio_does() {
    let (mut failures, mut checked) = (Vec::new(), 0);
    // A weight of 0 is no weight that a destination can have here.
    for path in recordings().filter(|path| !path.ends_with("alg9_50-50-0.deb.json")) {
        let recording: Recording = from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        match compat::check(&recording) {
            Ok(count) => checked += count,
            Err(failure) => failures.push(format!("{}: {failure}", path.display())),
        }
    }
    println!("{checked} decisions by the facade");
    assert!(failures.is_empty(), "{} files differ\n{}", failures.len(), failures.join("\n"));
    assert!(checked > if fresh().is_some() { 5_000 } else { 10_000 }, "{checked}");
}

#[test]
fn bytes_without_a_sign_would_be_another_machine() {
    let text = fs::read_to_string(folder().join("alg0_n16.deb.json")).unwrap();
    let recording: Recording = from_str(&text).unwrap();
    let (mut high, mut differ) = (0, 0);
    for event in &recording.events {
        let Event::Select(select) = event else { continue };
        let key = recording::bytes(&select.callid);
        high += usize::from(key.iter().any(|byte| *byte > 127));
        differ += usize::from(hash(&key, b"", Bytes::Signed) != hash(&key, b"", Bytes::Unsigned));
    }
    assert!(high > 50 && 0 < differ && differ <= high, "{differ} of {high}");
}

#[test]
fn every_recorded_order_is_reproduced() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Orders {
        #[serde(rename = "name")]
        _name: String,
        #[serde(rename = "flavour")]
        _flavour: String,
        cases: Vec<Case>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        list: Vec<(i32, String)>,
        order: Vec<String>,
    }
    let text = fs::read_to_string(folder().join("order_random.deb.json")).unwrap();
    let orders: Orders = from_str(&text).unwrap();
    assert_eq!(orders.cases.len(), 150);
    for Case { list, order } in orders.cases {
        let priorities: Vec<i32> = list.iter().map(|(priority, _)| *priority).collect();
        let ours: Vec<&String> = index_order(&priorities).into_iter().map(|line| &list[line].1).collect();
        assert!(ours.iter().copied().eq(&order), "{list:?}");
    }
}

#[test]
fn of_100_visits_as_many_are_passed_by_as_was_asked() {
    let text = fs::read_to_string(folder().join("alg64_rates.head.json")).unwrap();
    let recording: Recording = from_str(&text).unwrap();
    let mut kamailio = recording.dispatcher();
    let mut rates = Vec::new();
    let mut runs = recording.events.split(|event| matches!(event, Event::Reload { .. }));
    runs.next();
    for run in runs {
        kamailio.reload(recording::theirs(&recording.list));
        let [Event::Overload { set, uri, rate, ms, sequence, accepted: true }, selections @ ..] = run else {
            panic!("a run begins with a rate that is accepted");
        };
        kamailio.set_overload(*set, uri, *rate, Duration::from_millis(*ms), *sequence, Time::ZERO).unwrap();
        let recorded = selections.iter().map(|event| match event {
            Event::Select(select) => select.dst.as_ref() == Some(uri),
            _ => panic!("not a selection"),
        });
        let select = |_| kamailio.select(*set, 64, &Request::default(), Time::ZERO).unwrap().index == 0;
        let ours: Vec<bool> = (0..selections.len()).map(select).collect();
        let [recorded, ours] = [recorded.collect(), ours].map(|selected| passed_by(&selected));
        for visits in [recorded, ours] {
            assert!(visits.len() > 100);
            for hundred in visits.windows(100) {
                let passed = hundred.iter().filter(|passed| **passed).count();
                assert_eq!(passed, (*rate as usize).min(100), "rate {rate}");
            }
        }
        rates.push(*rate);
    }
    assert_eq!(rates, [10, 73, 100, 0, 1, 150]);
}

/// Of two in turn, from the first one's turn on: whether each of its visits passed it by.
fn passed_by(selected: &[bool]) -> Vec<bool> {
    let (mut visits, mut its_turn) = (Vec::new(), true);
    for selected in selected {
        if its_turn {
            visits.push(!selected);
        }
        its_turn = !(its_turn && *selected);
    }
    visits
}

#[test]
fn a_fact_that_differs_fails_and_so_does_an_unknown_key() {
    let path = folder().join("alg4_rr.deb.json");
    let text = fs::read_to_string(path).unwrap();
    assert!(check(&text).is_ok());
    for (from, to) in [
        (r#""dst": "sip:127.0.0.1:6003""#, r#""dst": "sip:127.0.0.1:6002""#),
        (r#""sip:127.0.0.1:6004", "sip:127.0.0.1:6003""#, r#""sip:127.0.0.1:6003", "sip:127.0.0.1:6004""#),
        (r#""op": "select","#, r#""op": "select", "x": 1,"#),
        (r#""flags": 2"#, r#""flags": 2, "x": 1"#),
        (r#""name":"#, r#""x": 1, "name":"#),
        ("IX", "AX"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(check(&changed).is_err(), "{to}");
    }
}

/// How many facts of a recording are ours too, or the first one that is not.
fn check(text: &str) -> Result<usize, String> {
    let recording: Recording = from_str(text).map_err(|error| error.to_string())?;
    if recording.events.iter().any(|event| matches!(event, Event::Ping { .. })) {
        probes::check(&recording)
    } else {
        replay::check(&recording)
    }
}

/// All but those that have tests of their own.
fn recordings() -> impl Iterator<Item = PathBuf> {
    let paths = fs::read_dir(fresh().unwrap_or_else(folder)).unwrap().map(|entry| entry.unwrap().path());
    let other = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let own = ["list_parsing", "order_random", "alg64_rates"];
        name.ends_with(".json") && !own.iter().any(|own| name.starts_with(own))
    };
    let mut paths: Vec<_> = paths.filter(other).collect();
    paths.sort();
    paths.into_iter()
}

/// What `cargo xtask kamailio` has just recorded takes the place of what is kept, if it is said where it is.
fn fresh() -> Option<PathBuf> {
    env::var_os("CALLSTEER_RECORDINGS").map(|folder| root().join(folder))
}

fn folder() -> PathBuf {
    root().join("testdata/kamailio")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
