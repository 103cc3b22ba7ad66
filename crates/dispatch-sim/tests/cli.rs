//! The command `callsteer`, as a user meets it: output, files, exit codes.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// `callsteer` with these arguments, in an empty folder of its own.
struct Run {
    folder: TempDir,
    code: i32,
    out: String,
    err: String,
}

fn callsteer(arguments: &[&str]) -> Run {
    callsteer_in(tempfile::tempdir().unwrap(), arguments, &[])
}

fn callsteer_in(folder: TempDir, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("callsteer"))
        .current_dir(folder.path())
        .envs(environment.iter().copied())
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { folder, code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn folder_with(name: &str, content: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), content).unwrap();
    folder
}

fn small_trace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces/small.csv")
}

#[test]
fn bench_compares_every_algorithm_simulates_every_scenario_and_writes_a_report() {
    // By default there are 5 seeds, which take a minute where nothing is optimised.
    let run = callsteer(&["bench", "--seeds", "1"]);
    assert_eq!((run.code, &*run.err), (0, ""));
    for policy in callsteer_sim::policy::ALL {
        assert!(run.out.contains(&format!("│ {} ", policy.name)), "{}\n{}", policy.name, run.out);
    }
    assert!(run.out.contains("call_load+costs is the most even"), "{}", run.out);
    assert!(run.out.ends_with("Report: callsteer-report.json\n"), "{}", run.out);
    assert!(run.out.lines().all(|line| line.chars().count() <= 100), "{}", run.out);

    let report = std::fs::read_to_string(run.folder.path().join("callsteer-report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["seeds"].as_array().unwrap().len(), 10);
    assert_eq!(report["policies"].as_array().unwrap().len(), callsteer_sim::policy::ALL.len());
    assert_eq!(report["policies"][0]["policy"], "call_load+costs");

    for expected in ["geometric mean", "Where load_score does not win:", "bridges needed so that"] {
        assert!(run.out.contains(expected), "{expected}\n{}", run.out);
    }
    let listed = callsteer(&["scenarios"]).out.lines().count();
    let names = report["scenarios"]["scenarios"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|one| one["scenario"].as_str().unwrap()).collect();
    assert_eq!(names.len(), listed - 1, "all but azure, which needs a trace: {names:?}");
    let own = callsteer(&["bench", "--quiet", "--replays", "1", "--bridges", "4", "--json", "-"]);
    let own: serde_json::Value = serde_json::from_str(&own.out).unwrap();
    assert!(own["scenarios"].is_null(), "a fleet of one's own has no scenario");
}

#[test]
fn a_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let run = |seed: &str, threads: &str| {
        let arguments = ["bench", "--replays", "3", "--calls", "60", "--seed", seed, "--json", "-"];
        let run = callsteer_in(tempfile::tempdir().unwrap(), &arguments, &[("RAYON_NUM_THREADS", threads)]);
        assert_eq!(run.code, 0, "{}", run.err);
        run.out
    };
    assert_eq!(run("5", "1"), run("5", "4"));
    assert_ne!(run("5", "1"), run("6", "1"));
}

#[test]
fn a_trace_is_replayed_over_the_bridges_asked_for() {
    let trace = small_trace();
    let run = callsteer(&[
        "bench",
        "--trace",
        trace.to_str().unwrap(),
        "--weights",
        "1,2,1",
        "--max-calls",
        "3",
        "--capacity",
        "9",
        "--replays",
        "1",
        "--algorithm",
        "call_load",
        "--algorithm",
        "round_robin",
        "--json",
        "-",
    ]);
    assert_eq!((run.code, &*run.err), (0, ""));
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["workload"]["name"], "trace small.csv");
    let bridges = &report["workload"]["bridges"];
    assert_eq!(bridges[1], serde_json::json!({ "weight": 2, "max_calls": 3, "capacity": 13.5 }));
    assert_eq!(report["workload"]["classes"][1]["name"], "healthcare");
    assert_eq!(report["policies"].as_array().unwrap().len(), 2);
    assert_eq!(report["policies"][0]["totals"]["calls"], 16);
    assert!(report["policies"][0]["totals"]["refused"].as_u64().unwrap() > 0, "10 calls on 9 places");
}

#[test]
fn a_trace_that_cannot_be_used_is_refused_with_line_and_column() {
    let refused = |content: &str, expected: &str| {
        let run = callsteer_in(folder_with("calls.csv", content), &["bench", "--trace", "calls.csv"], &[]);
        assert_eq!((run.code, &*run.out, run.err.trim_end()), (2, "", expected));
        assert!(!run.folder.path().join("callsteer-report.json").exists());
    };
    refused(
        "start,duration\n1,60\n2,long\n",
        "callsteer: calls.csv, line 3, column 2 (duration): \"long\" is not a number of seconds",
    );
    refused(
        "begin,duration\n",
        "callsteer: calls.csv, line 1: no column is named \"start\", only: begin, duration",
    );
    let run = callsteer(&["bench", "--trace", "nowhere.csv"]);
    assert_eq!(run.code, 2);
    assert!(run.err.starts_with("callsteer: nowhere.csv: "), "{}", run.err);
}

#[test]
fn options_that_cannot_be_used_are_refused_and_a_typo_gets_a_suggestion() {
    let refused = |arguments: &[&str], expected: &str| {
        let run = callsteer(arguments);
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.err.contains(expected), "{arguments:?}: {}", run.err);
    };
    refused(&["bench", "--algorithm", "round_robbin"], "a similar value exists: 'round_robin'");
    refused(&["bench", "--weights", "10,0"], "0 is not in 1..=65535");
    refused(&["bench", "--bridges", "0"], "0 is not in 1..=4096");
    refused(&["bench", "--calls", "-5"], "unexpected argument '-5'");
    refused(&["bench", "--calls", "nan"], "not a number above 0");
    refused(&["bench", "--bridges", "4", "--weights", "1,1"], "cannot be used with");
    refused(&["bench", "--trace", "a.csv", "--calls", "9"], "cannot be used with");
    refused(
        &["bench", "--replays", "1", "--calls", "5", "--json", "no/such/folder.json"],
        "cannot write no/such/folder.json",
    );
    refused(&["bench", "--columns", "start=a"], "--trace <FILE>");
    refused(
        &["bench", "--trace", "a.csv", "--columns", "begin=a"],
        "is none of start, duration, class and cost",
    );
    refused(&["bench", "--trace", "a.csv", "--format", "asterix"], "a similar value exists: 'asterisk'");
    refused(&["bench", "--log", "a.jsonl"], "--policy <NAME>");
    refused(
        &["bench", "--log", "a.jsonl", "--policy", "random", "--policy", "weighted", "--calls", "5"],
        "--log is of one policy: give --policy once",
    );
    refused(&["lint"], "<FILE>");
    refused(&["benhc"], "a similar subcommand exists: 'bench'");
}

#[test]
fn lint_says_what_is_wrong_and_where() {
    let check = |content: &str, code: i32, expected: &[&str]| {
        let run = callsteer_in(folder_with("dispatcher.list", content), &["lint", "dispatcher.list"], &[]);
        assert_eq!((run.code, &*run.err), (code, ""), "{}", run.out);
        let lines: Vec<_> = run.out.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{}", run.out);
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}, not {expected}");
        }
    };
    check(
        "1 sip:10.0.0.1 0 0 duid=a;weight=50\n1 sip:10.0.0.2 0 0 duid=b;weight=50\n",
        0,
        &["dispatcher.list: destinations 2, unreadable lines 0, lints 0"],
    );
    check(
        "# bridges\n1 sip:10.0.0.1;weight=10 0 0 duid=a\n1 sip:10.0.0.2 0 0 duid=b\n",
        1,
        &[
            "dispatcher.list:2:16: error[weight_in_uri]: ",
            "dispatcher.list: destinations 2, unreadable lines 0, lints 1",
        ],
    );
    check(
        "1 sip:10.0.0.1 0 0 duid=a\none sip:10.0.0.2\n1 sip:10.0.0.3 0 0 duid=b\n",
        2,
        &[
            "dispatcher.list:2:1: error[missing_set]: ",
            "dispatcher.list: destinations 2, unreadable lines 1, lints 0",
        ],
    );
    let run = callsteer(&["lint", "nowhere.list"]);
    assert_eq!(run.code, 2);
    assert!(run.err.starts_with("callsteer: nowhere.list: "), "{}", run.err);
}

#[test]
fn simulate_prints_a_table_with_intervals_and_writes_json() {
    let run = callsteer(&["simulate", "black-hole", "--seeds", "2", "--json", "out.json"]);
    assert_eq!((run.code, &*run.err), (0, ""));
    assert!(run.out.starts_with("black-hole: bridge 1 answers 503 to every call"), "{}", run.out);
    for column in
        ["excess", "/ call_load", "bridge load, p99", "failed first", "call_load:no-ejection", "oracle"]
    {
        assert!(run.out.contains(column), "{column}\n{}", run.out);
    }
    let json = std::fs::read_to_string(run.folder.path().join("out.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let black_hole = &json["scenarios"][0];
    assert_eq!(black_hole["scenario"], "black-hole");
    assert_eq!(black_hole["policies"][1]["policy"], "call_load");
    assert_eq!(black_hole["policies"][1]["excess_ratio"]["mean"], 1.0);
    assert_eq!(black_hole["policies"][1]["excess"]["values"].as_array().unwrap().len(), 2);
}

/// Each number of a row of CSV stands in the row's JSON, and what is empty is null there.
fn check_sheet(rows: &str, policies: &[&serde_json::Value]) {
    let mut rows = csv::Reader::from_reader(rows.as_bytes());
    let header = rows.headers().unwrap().clone();
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), policies.len());
    for (row, policy) in rows.iter().zip(policies) {
        for (column, text) in header.iter().zip(row).filter(|(column, _)| *column != "scenario") {
            let (figure, part) =
                column.strip_suffix("_ci95").map_or((column, "mean"), |figure| (figure, "ci95"));
            let value = if policy[figure].is_null() { &policy["totals"][figure] } else { &policy[figure] };
            let value = if value.is_object() { &value[part] } else { value };
            match value.as_f64() {
                Some(number) => {
                    let difference = text.parse::<f64>().unwrap() - number;
                    assert!(difference.abs() <= 1e-15 * number.abs(), "{column}: {text}, not {number}");
                }
                None => assert_eq!(text, value.as_str().unwrap_or_default(), "{column}"),
            }
        }
    }
}

#[test]
fn the_numbers_of_a_sheet_are_those_of_the_json() {
    let written = |arguments: &[&str]| {
        let run = callsteer(&[arguments, &["--csv", "out.csv", "--json", "out.json"]].concat());
        assert_eq!((run.code, &*run.err), (0, ""));
        let read = |name| std::fs::read_to_string(run.folder.path().join(name)).unwrap();
        (read("out.csv"), serde_json::from_str::<serde_json::Value>(&read("out.json")).unwrap())
    };
    let (sheet, json) = written(&["bench", "--quiet", "--calls", "30", "--replays", "2"]);
    assert!(sheet.starts_with("policy,max_over_mean,max_over_mean_ci95,cv,"), "{sheet}");
    check_sheet(&sheet, &json["policies"].as_array().unwrap().iter().collect::<Vec<_>>());
    for seeds in ["1", "2"] {
        let (sheet, json) = written(&["simulate", "4x12", "frozen-report", "--seeds", seeds]);
        let scenarios = json["scenarios"].as_array().unwrap();
        let policies = scenarios.iter().flat_map(|one| one["policies"].as_array().unwrap());
        check_sheet(&sheet, &policies.collect::<Vec<_>>());
    }
}

#[test]
fn a_simulation_gives_the_same_bytes_with_any_number_of_threads() {
    let run = |seed: &str, threads: &str| {
        let arguments = ["simulate", "black-hole", "4x12", "--seeds", "2", "--seed", seed, "--json", "-"];
        let run = callsteer_in(tempfile::tempdir().unwrap(), &arguments, &[("RAYON_NUM_THREADS", threads)]);
        assert_eq!(run.code, 0, "{}", run.err);
        run.out
    };
    assert_eq!(run("5", "1"), run("5", "4"));
    assert_ne!(run("5", "1"), run("6", "1"));
}

#[test]
fn a_scenario_of_recorded_calls_needs_them() {
    let run = callsteer(&["simulate", "azure"]);
    assert_eq!((run.code, &*run.out), (2, ""));
    assert_eq!(run.err, "callsteer: azure is of recorded calls: give them with --trace\n");
    let short = folder_with("calls.csv", "start,duration\n0,60\n100,60\n");
    let run = callsteer_in(short, &["simulate", "azure", "--trace", "calls.csv"], &[]);
    assert_eq!((run.code, &*run.out), (2, ""));
    assert!(run.err.contains("the last recorded call comes after 100.0 s"), "{}", run.err);
}

#[test]
fn scenarios_are_listed_and_a_wrong_name_is_refused() {
    let list = callsteer(&["scenarios"]);
    assert!(list.out.lines().count() > 20 && list.out.starts_with("base16 "), "{}", list.out);
    let wrong = callsteer(&["simulate", "base17"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("no such scenario: see `callsteer scenarios`"), "{}", wrong.err);
}

#[test]
fn a_scenario_that_is_printed_and_simulated_as_a_file_is_the_embedded_one() {
    let printed = callsteer(&["scenarios", "--print", "black-hole"]);
    let simulate = |folder, which: &[&str]| {
        let options = ["simulate", "--seeds", "1", "--policy", "call_load", "--json", "-"];
        let run = callsteer_in(folder, &[&options, which].concat(), &[]);
        assert_eq!(run.code, 0, "{}", run.err);
        run.out
    };
    let from_file = simulate(folder_with("mine.toml", &printed.out), &["--file", "mine.toml"]);
    assert_eq!(from_file, simulate(tempfile::tempdir().unwrap(), &["black-hole"]));
}

#[test]
fn bridges_needed_are_searched_for_and_written_as_json() {
    let options = ["simulate", "4x12", "--bridges-needed", "--seeds", "2"];
    let policies = ["--policy", "call_load", "--policy", "round_robin", "--json", "out.json"];
    let run = callsteer(&[&options[..], &policies[..]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out.contains("bridges needed so that bridge load, p99, is below 0.9;\nit has 4"),
        "{}",
        run.out
    );
    let json = std::fs::read_to_string(run.folder.path().join("out.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let needed = &json["bridges_needed"][0];
    assert_eq!(needed["target"]["p99_load"], 0.9);
    let row = &needed["policies"][1];
    assert_eq!((&row["policy"], &row["round_robin_ratio"]["mean"]), (&"round_robin".into(), &1.0.into()));
    assert!(row["bridges"]["mean"].as_f64().unwrap() > 4.0, "{row}");
}

#[test]
fn a_plan_has_bridges_per_algorithm_and_the_figure_of_erlang() {
    let options = ["plan", "--calls-per-hour", "1000", "--per-bridge", "10", "--lead-time", "60"];
    let run = callsteer(&[&options[..], &["--seeds", "2", "--json", "out.json"]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.starts_with("50.0 calls in progress (1000 per hour of 180 s)"), "{}", run.out);
    assert!(run.out.contains("1 % blocked: 64 places, 6.40 bridges"), "{}", run.out);
    let json = std::fs::read_to_string(run.folder.path().join("out.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["erlang"]["slots"], 64);
    let load_score = &json["policies"][0];
    let bridges = load_score["bridges"]["mean"].as_f64().unwrap();
    assert!(bridges > 6.4 && load_score["with_spare"].as_f64().unwrap() > bridges, "{load_score}");
    assert!((load_score["scale_up_at"].as_f64().unwrap() - 5.0 / bridges).abs() < 1e-9, "{load_score}");
}

#[test]
fn a_plan_needs_calls_a_bridge_and_one_target() {
    let check = |arguments: &[&str], wanted: &str| {
        let run = callsteer(&[&["plan"], arguments].concat());
        assert_eq!((run.code, &*run.out), (2, ""), "{arguments:?}");
        assert!(run.err.contains(wanted), "{}", run.err);
    };
    check(&["--per-bridge", "10"], "--calls <N>|--calls-per-hour <N>");
    check(&["--calls", "10"], "--per-bridge <C>");
    check(&["--calls", "0", "--per-bridge", "10"], "not a number above 0");
    check(&["--calls", "9", "--per-bridge", "1", "--p99", "1", "--blocking", "0.1"], "cannot be used with");
    check(&["--calls", "100000", "--per-bridge", "1000"], "are not simulated");
}

#[test]
fn a_wrong_scenario_file_is_refused_with_file_line_and_column() {
    let folder = folder_with("mine.toml", "name = 'mine'\nabout = 'x'\n[fleet]\nbridgs = 3\n");
    let run = callsteer_in(folder, &["simulate", "--file", "mine.toml"], &[]);
    assert_eq!((run.code, &*run.out), (2, ""));
    assert!(run.err.starts_with("callsteer: mine.toml:4:1: unknown key `bridgs`"), "{}", run.err);
    assert!(run.err.ends_with("did you mean `bridges`?\n"), "{}", run.err);
    let missing = callsteer(&["simulate", "--file", "none.toml"]);
    assert!(missing.code == 2 && missing.err.contains("cannot read none.toml"), "{}", missing.err);
}

#[test]
fn a_log_of_a_replay_is_decided_the_same_until_somebody_changes_it() {
    let trace = small_trace();
    let bench = callsteer(&[
        "bench",
        "--trace",
        trace.to_str().unwrap(),
        "--bridges",
        "3",
        "--max-calls",
        "3",
        "--policy",
        "call_load",
        "--replays",
        "1",
        "--log",
        "log.jsonl",
        "--quiet",
    ]);
    assert_eq!((bench.code, &*bench.err), (0, ""));
    let log = std::fs::read_to_string(bench.folder.path().join("log.jsonl")).unwrap();
    let steps = log.lines().count() - 1;
    let same = callsteer_in(bench.folder, &["replay", "log.jsonl"], &[]);
    assert_eq!((same.code, &*same.err), (0, ""));
    assert_eq!(same.out, format!("log.jsonl: {steps} steps, all decided as the log says\n"));

    let line =
        1 + log.lines().position(|line| line.contains("\"begin\"") && line.contains("bridge-2")).unwrap();
    let changed: Vec<_> = log
        .lines()
        .enumerate()
        .map(|(at, text)| if at + 1 == line { text.replace("bridge-2", "bridge-1") } else { text.into() })
        .collect();
    let different =
        callsteer_in(folder_with("log.jsonl", &changed.join("\n")), &["replay", "log.jsonl"], &[]);
    assert_eq!((different.code, &*different.err), (1, ""));
    for expected in [
        &*format!("log.jsonl, line {line}: {{"),
        "  the log says: gives \"sip:bridge-1.example.com\"\n  decided now:  gives \"sip:bridge-2.example.com\"\n",
        "explain says that the call goes to sip:bridge-2.example.com:",
        "│ route ┆ destination              ┆ standing  ┆ key ┆ calls ┆ load │",
    ] {
        assert!(different.out.contains(expected), "{expected}\n{}", different.out);
    }
}

#[test]
fn a_log_that_cannot_be_read_is_refused_with_line_and_column() {
    let refused = |log: &str, expected: &str| {
        let run = callsteer_in(folder_with("log.jsonl", log), &["replay", "log.jsonl"], &[]);
        assert_eq!((run.code, &*run.out), (2, ""));
        assert!(run.err.starts_with(expected), "{}", run.err);
    };
    refused("{\"config\": {}\n", "callsteer: log.jsonl, line 1, column 13: EOF while parsing an object");
    refused("{\"config\": {}}\n{\"do\" 1}\n", "callsteer: log.jsonl, line 2, column 7: expected `:`");
    refused(
        "{\"config\": {\"sed\": 1}}\n",
        "callsteer: log.jsonl, line 1, column 17: unknown field `sed`, expected one of",
    );
    let run = callsteer(&["replay", "nowhere.jsonl"]);
    assert_eq!(run.code, 2);
    assert!(run.err.starts_with("callsteer: nowhere.jsonl: "), "{}", run.err);
}

#[test]
fn records_of_a_pbx_are_replayed_and_what_is_left_out_is_said() {
    let records = small_trace().with_file_name("asterisk.csv");
    let run =
        callsteer(&["bench", "--trace", records.to_str().unwrap(), "--replays", "1", "--policy", "random"]);
    assert_eq!((run.code, &*run.err), (0, ""));
    assert!(run.out.contains("  - left out: 2 calls that nobody answered\n"), "{}", run.out);

    let bad = "start,duration\n1,60\n2,long\n3,60\n";
    let arguments = [
        "bench",
        "--trace",
        "calls.csv",
        "--skip-bad-rows",
        "--replays",
        "1",
        "--policy",
        "random",
        "--json",
        "-",
    ];
    let run = callsteer_in(folder_with("calls.csv", bad), &arguments, &[]);
    assert_eq!((run.code, &*run.err), (0, ""));
    assert!(
        run.out.contains("left out: 1 rows that cannot be read; the first: line 3, column 2"),
        "{}",
        run.out
    );
}
