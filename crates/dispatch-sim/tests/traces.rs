//! Files of call records, each as its program writes them: testdata/traces.

use std::path::{Path, PathBuf};

use callsteer_sim::trace::{self, Format, Options, TraceError};
use callsteer_sim::workload::{Bridge, Workload};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces").join(name)
}

fn read(name: &str, options: &Options) -> Result<Workload, TraceError> {
    trace::workload(&file(name), options, vec![Bridge::new(1)])
}

fn columns(columns: &str) -> Options {
    Options { columns: columns.parse().unwrap(), ..Options::default() }
}

/// Start and length in milliseconds, cost in thousandths of an average call, class.
fn calls(workload: &Workload) -> Vec<(u64, u64, u32, &str)> {
    let row = |call: callsteer_sim::workload::CallRecord| {
        let class = &*workload.classes[usize::from(call.class)];
        (call.start.as_micros() / 1_000, call.length.as_millis() as u64, call.cost, class)
    };
    workload.calls(0).map(row).collect()
}

fn check(name: &str, options: &Options, expected: &[(u64, u64, u32, &str)], note: &str) {
    let workload = read(name, options).unwrap();
    assert_eq!(calls(&workload), expected, "{name}");
    assert!(workload.notes.iter().any(|line| line == note), "{name}: {:?}", workload.notes);
}

#[test]
fn asterisk_records_are_its_answered_calls_ringing_included() {
    let plain = Options::default();
    check(
        "asterisk.csv",
        &plain,
        &[(0, 120_000, 1_000, "all"), (10_000, 300_000, 1_000, "all"), (40_000, 90_000, 1_000, "all")],
        "left out: 2 calls that nobody answered",
    );
    let custom = [(0, 120_000, 1_000, "all"), (10_000, 300_000, 1_000, "all")];
    check("asterisk-custom.csv", &plain, &custom, "left out: 1 calls that nobody answered");
    check(
        "asterisk-custom.csv",
        &columns("start=answer,duration=billsec,class=accountcode"),
        &[(0, 118_000, 1_000, "salon"), (9_000, 299_000, 1_000, "healthcare")],
        "left out: 1 calls that nobody answered",
    );
}

#[test]
fn freeswitch_records_are_its_answered_calls_with_or_without_a_header() {
    let expected = [(0, 120_000, 1_000, "salon"), (10_000, 300_000, 1_000, "healthcare")];
    let note = "left out: 1 calls that nobody answered";
    check("freeswitch.csv", &columns("class=accountcode"), &expected, note);
    check("freeswitch-header.csv", &columns("class=queue"), &expected, note);
    check(
        "freeswitch-header.csv",
        &columns("duration=billmsec:ms"),
        &[(0, 118_250, 1_000, "all"), (10_000, 298_600, 1_000, "all")],
        note,
    );
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file_means_the_same_as_its_csv() {
    let (text, parquet) = (
        read("small.csv", &Options::default()).unwrap(),
        read("small.parquet", &Options::default()).unwrap(),
    );
    assert_eq!(calls(&text), calls(&parquet));
    assert_eq!((text.window, &text.notes), (parquet.window, &parquet.notes));
    let named = columns("start=Start,duration=COST,class=caller");
    assert_eq!(read("small.parquet", &named).unwrap().classes.len(), 16);
}

#[cfg(feature = "parquet")]
#[test]
fn a_column_of_lists_is_not_there() {
    let error = read("small.parquet", &columns("class=legs")).unwrap_err();
    assert_eq!(error.problem, "no column is named \"legs\", only: caller, start, duration, class, cost");
}

#[test]
fn a_format_that_is_said_is_not_guessed() {
    let refused = |name: &str, format: Format, expected: &str| {
        let options = Options { format: Some(format), ..Options::default() };
        let error = read(name, &options).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    };
    refused(
        "small.csv",
        Format::Asterisk,
        "neither column 15 nor column 14 is a disposition such as ANSWERED",
    );
    refused("small.csv", Format::Freeswitch, "line 1: the row has 4 fields, 8 are needed");
    refused(
        "small.csv",
        Format::Azure,
        "no column is named \"contexttokens\", only: start, duration, class, cost",
    );
    refused("freeswitch-header.csv", Format::Csv, "billsec, billmsec, hangup_cause, queue");
    if cfg!(feature = "parquet") {
        refused(
            "small.csv",
            Format::Parquet,
            "cannot be read as Parquet: Parquet error: Invalid Parquet file. Corrupt footer",
        );
    } else {
        refused("small.parquet", Format::Parquet, "built without Parquet (cargo feature \"parquet\")");
    }
}

#[test]
fn rows_that_cannot_be_read_are_left_out_only_when_asked_and_then_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.csv");
    let read = |content: &str, skip_bad_rows| {
        std::fs::write(&path, content).unwrap();
        let options = Options { skip_bad_rows, ..Options::default() };
        trace::workload(&path, &options, vec![Bridge::new(1)])
    };
    // What a bad row says of dates and classes counts for nothing.
    let content =
        "start,duration,class\n9,x,a\n2025-03-03T09:00:00Z,1,b\n3\n2025-03-03T09:00:05Z,1,b\n,2,c\n";
    let error = read(content, false).unwrap_err().to_string();
    assert!(error.ends_with(", line 2, column 2 (duration): \"x\" is not a number of seconds"), "{error}");

    let workload = read(content, true).unwrap();
    assert_eq!(calls(&workload), [(0, 1_000, 1_000, "b"), (5_000, 1_000, 1_000, "b")]);
    assert_eq!(
        workload.notes[1],
        "left out: 3 rows that cannot be read; the first: line 2, column 2 (duration): \"x\" is not a number of \
         seconds"
    );
    let error = read("start,duration\n1\n", true).unwrap_err();
    assert_eq!(
        error.problem,
        "there are no calls in it; left out: 1 rows that cannot be read; the first: line 2: the row has 1 fields, \
         the header has 2"
    );
}

#[test]
fn text_before_the_fields_that_are_read_need_not_be_utf_8() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.csv");
    std::fs::write(&path, b"name,start,duration\nNov\xe1k,1,2\n").unwrap();
    let workload = trace::workload(&path, &Options::default(), vec![Bridge::new(1)]).unwrap();
    assert_eq!(calls(&workload), [(0, 2_000, 1_000, "all")]);
}
