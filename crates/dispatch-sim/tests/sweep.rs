//! `callsteer bench --sweep`, as a user meets it: whoever runs the tasks, and whatever stops them, the bytes are the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;

/// A folder with a grid and what comes of it.
struct Place(TempDir);

impl Place {
    fn new(axes: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write(axes);
        place
    }

    fn write(&self, axes: &str) {
        let base = "name = 'short'\nabout = ''\n[measure]\nfrom = 60\nuntil = 240\n";
        let grid = format!(
            "name = 'test'\nbase = 'base.toml'\npolicies = ['load_score', 'random']\nseeds = 2\n{axes}"
        );
        fs::write(self.0.path().join("base.toml"), base).unwrap();
        fs::write(self.0.path().join("grid.toml"), grid).unwrap();
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("callsteer"));
        command.args(["bench", "--sweep", "grid.toml", "--out", "out", "--quiet"]).args(more);
        command.current_dir(self.0.path());
        command
    }

    /// What it prints, where nothing is wrong.
    fn run(&self, more: &[&str]) -> String {
        let (out, err) = text(self.command(more).output().unwrap());
        assert_eq!(err, "");
        out
    }

    /// What it objects to.
    fn refused(&self, more: &[&str]) -> String {
        let output = self.command(more).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        text(output).1
    }

    fn out(&self, name: &str) -> PathBuf {
        self.0.path().join("out").join(name)
    }

    /// What all results are joined to.
    fn joined(&self) -> [Vec<u8>; 2] {
        ["sweep.json", "sweep.csv"].map(|name| fs::read(self.out(name)).unwrap())
    }

    /// Every result, and when it was written.
    fn results(&self) -> BTreeMap<PathBuf, SystemTime> {
        let Ok(files) = fs::read_dir(self.out("results")) else { return BTreeMap::new() };
        let files = files.map(|file| file.unwrap().path()).filter(|path| path.extension().unwrap() == "json");
        files.filter_map(|path| Some((path.clone(), fs::metadata(path).ok()?.modified().ok()?))).collect()
    }

    fn ids(&self) -> Vec<String> {
        let tasks = fs::read_to_string(self.out("tasks.jsonl")).unwrap();
        let task = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
        tasks.lines().map(|line| task(line)["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn text(output: Output) -> (String, String) {
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

const AXES: &str = "[axes]\nfleet.dispatchers = [1, 4]\nfleet.shared_every = [1, 'never']\n";

#[test]
fn tasks_run_alone_in_any_order_join_to_the_bytes_of_a_whole_run() {
    let whole = Place::new(AXES);
    let out = whole.run(&[]);
    assert!(out.starts_with("16 tasks, 0 of them done\ntest\nbase.toml with 2 seeds; excess\n"), "{out}");
    for expected in [
        "┆ shared_every   ┆ shared_every   │",
        "│           4 ┆ random     ┆ 7.45 ± 14.40 % ┆",
        "Joined: out/sweep.json, out/sweep.csv\n",
    ] {
        assert!(out.contains(&expected.replace('/', std::path::MAIN_SEPARATOR_STR)), "{expected}\n{out}");
    }

    let alone = Place::new(AXES);
    assert_eq!(alone.run(&["--tasks-only"]), "16 tasks, 0 of them done\n");
    let mut ids = alone.ids();
    ids.reverse();
    assert_eq!(alone.run(&["--task", &ids[0]]), "");
    assert_eq!(alone.results().len(), 1);
    let missing = alone.refused(&["--join"]);
    assert_eq!(missing, format!("callsteer: 1 of 16 tasks have a result, {} has none\n", ids[15]));
    for id in &ids[1..] {
        alone.run(&["--task", id]);
    }
    alone.run(&["--join"]);
    assert_eq!(alone.joined(), whole.joined());

    let one_thread = Place::new(AXES);
    one_thread.command(&[]).env("RAYON_NUM_THREADS", "1").output().unwrap();
    assert_eq!(one_thread.joined(), whole.joined());
}

#[test]
fn figures_are_those_of_simulate() {
    let place = Place::new("[axes]\nfleet.dispatchers = [1]\n");
    place.run(&[]);
    let [json, csv] = place.joined().map(|bytes| String::from_utf8(bytes).unwrap());
    let swept: serde_json::Value = serde_json::from_str(&json).unwrap();
    let simulate = Command::new(assert_cmd::cargo::cargo_bin!("callsteer"))
        .args([
            "simulate",
            "--file",
            "base.toml",
            "--seeds",
            "2",
            "--json",
            "-",
            "--csv",
            "simulate.csv",
            "--quiet",
        ])
        .args(["--policy", "load_score", "--policy", "random"])
        .current_dir(place.0.path())
        .output()
        .unwrap();
    let simulated: serde_json::Value = serde_json::from_slice(&simulate.stdout).unwrap();
    assert_eq!(swept["cells"][0]["policies"], simulated["scenarios"][0]["policies"]);
    assert_eq!(swept["cells"][0]["load"], simulated["scenarios"][0]["load"]);
    let rows = fs::read_to_string(place.0.path().join("simulate.csv")).unwrap();
    assert_eq!(csv.replacen("fleet.dispatchers", "scenario", 1).replace("\n1,", "\nshort,"), rows);
}

#[test]
fn a_run_that_is_killed_goes_on_where_it_was() {
    let axes = format!(
        "[axes]\nfleet.load = {:?}\n",
        (50..90).map(|load| f64::from(load) / 100.0).collect::<Vec<_>>()
    );
    let killed = Place::new(&axes);
    let mut run = killed.command(&[]).stdout(Stdio::null()).spawn().unwrap();
    while killed.results().is_empty() {
        assert!(run.try_wait().unwrap().is_none(), "it ended without a result");
        std::thread::yield_now();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let before = killed.results();
    assert!(!killed.out("sweep.json").exists() && before.len() < 160, "it was killed after its end");
    // What a process leaves that is killed while it writes.
    fs::write(killed.out("results/0123456789abcdef.1.new"), "{").unwrap();

    let out = killed.run(&[]);
    assert!(out.starts_with(&format!("160 tasks, {} of them done\n", before.len())), "{out}");
    let after = killed.results();
    assert!(before.iter().all(|(path, written)| after[path] == *written), "a result was made again");
    assert_eq!(after.len(), 160);
    let whole = Place::new(&axes);
    whole.run(&[]);
    assert_eq!(killed.joined(), whole.joined());
}

#[test]
fn a_grid_that_grows_runs_only_what_is_new() {
    let place = Place::new("[axes]\nfleet.dispatchers = [1, 4]\n");
    place.run(&[]);
    let before = place.results();
    let grown = "[axes]\nfleet.dispatchers = [2, 1, 4]\n";
    place.write(grown);
    let out = place.run(&[]);
    assert!(out.starts_with("12 tasks, 8 of them done\n"), "{out}");
    let after = place.results();
    assert!(before.iter().all(|(path, written)| after[path] == *written), "a result was made again");
    let anew = Place::new(grown);
    anew.run(&[]);
    assert_eq!(place.joined(), anew.joined());
}

#[test]
fn a_damaged_result_is_named_and_its_task_run_again() {
    let place = Place::new("[axes]\nfleet.dispatchers = [1]\n");
    place.run(&[]);
    let whole = place.joined();
    let ids = place.ids();
    let result = |id: &str| place.out("results").join(format!("{id}.json"));
    let cut = fs::read_to_string(result(&ids[1])).unwrap();
    fs::write(result(&ids[1]), &cut[..cut.len() / 2]).unwrap();
    fs::copy(result(&ids[3]), result(&ids[2])).unwrap();

    let refused = place.refused(&["--join"]);
    assert!(refused.contains(&format!("2 of 4 tasks have a result, {} has none; ", ids[1])), "{refused}");
    let (out, err) = text(place.command(&[]).output().unwrap());
    assert!(out.starts_with("4 tasks, 2 of them done\n"), "{out}");
    let lines: Vec<_> = err.lines().collect();
    let shown = |id: &str| Path::new("out").join("results").join(format!("{id}.json")).display().to_string();
    assert!(lines[0].starts_with(&format!("callsteer: {}: this is no result: EOF", shown(&ids[1]))), "{err}");
    assert!(lines[0].ends_with(": the task is run again"), "{err}");
    assert!(lines[1].contains(&format!("{}: this is the result of another task", shown(&ids[2]))), "{err}");
    assert_eq!(place.joined(), whole);
}

#[test]
fn what_cannot_be_used_is_refused() {
    let place = Place::new("[axes]\nfleet.dispatchers = [1, 65]\n");
    assert_eq!(place.refused(&[]), "callsteer: grid.toml:6:25: there are 1 to 64 dispatchers\n");
    assert!(!place.out("").exists(), "nothing is written for a wrong grid");
    fs::write(place.0.path().join("base.toml"), "name = ''\nabout = ''\nfleet.lod = 1\n").unwrap();
    let error = place.refused(&[]);
    assert!(error.starts_with("callsteer: grid.toml:2:8: base.toml:3:7: unknown key `lod`"), "{error}");

    place.write("[axes]\nfleet.dispatchers = [1]\n");
    place.run(&["--tasks-only"]);
    assert_eq!(place.refused(&["--task", "no"]), "callsteer: there is no task no\n");
    let grid = fs::read_to_string(place.0.path().join("grid.toml")).unwrap().replace("'test'", "'other'");
    fs::write(place.0.path().join("grid.toml"), grid).unwrap();
    let error = place.refused(&[]);
    assert_eq!(
        error,
        "callsteer: out has the tasks of the sweep `test`, not of `other`: give another folder\n"
    );
    fs::write(place.out("tasks.jsonl"), "something else\n").unwrap();
    assert!(place.refused(&[]).contains("tasks.jsonl: this is no task: "));

    assert!(place.refused(&["--calls", "5"]).contains("cannot be used with"));
    assert!(place.refused(&["--join", "--tasks-only"]).contains("cannot be used with"));
    let alone =
        Command::new(assert_cmd::cargo::cargo_bin!("callsteer")).args(["bench", "--sweep", "g"]).output();
    assert!(text(alone.unwrap()).1.contains("--out <FOLDER>"));
}
