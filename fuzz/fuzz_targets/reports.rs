//! Every form in which a bridge says something about itself; what is read can be given to a dispatcher.

#![no_main]

use callsteer::{
    AgentCheck, Algorithm, Call, Config, Destination, Dispatcher, Heartbeat, Orca, Report, Time,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (form, bytes) = input;
    let text = String::from_utf8_lossy(bytes);
    let report = match form % 6 {
        0 => Orca::parse(&text).ok().map(|orca| orca.report()),
        1 => Orca::from_base64(&text).ok().map(|orca| orca.report()),
        2 => AgentCheck::parse(bytes).ok().map(|answer| answer.report()),
        3 => Heartbeat::from_plain(&text).ok().map(|heartbeat| heartbeat.report()),
        4 => Heartbeat::from_json(&text).ok().map(|heartbeat| heartbeat.report()),
        _ => Report::from_json(&text).ok(),
    };
    let Some(report) = report else { return };
    let mut dispatcher =
        Dispatcher::new(Config { algorithm: Algorithm::LoadScore, ..Config::default() }).unwrap();
    let now = Time::from_secs(1_000);
    let id = dispatcher.add(1, Destination::new("a"), now).unwrap();
    let taken = dispatcher.report(id, report, now).is_ok();
    assert!(report.check().is_ok() || !taken, "{report:?}");
    let rows = dispatcher.explain(&Call::new(b"x")).rows;
    assert!(rows.iter().all(|row| row.estimate.load.is_finite()), "{report:?}");
});
