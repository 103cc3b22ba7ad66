//! Runs testdata/*.json, the contract of all three languages; testdata/README.md tells the format.

// Steps live where logs of decisions are replayed too. That crate is packaged, this test is not.
#[path = "../../../dispatch-sim/src/steps/mod.rs"]
#[allow(dead_code, reason = "logs need more of it")]
mod steps;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use callsteer::{Algorithm, CODES, Config};
use serde::Deserialize;
use serde_json::{Value, from_str};

use steps::driver::Driver;
use steps::format::{Step, text};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    #[serde(rename = "about")]
    _about: String,
    config: Config,
    steps: Vec<Step>,
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

/// Runs one vector; says which step, counted from 1, does not hold.
fn run(vector: &str) -> Result<String, String> {
    let vector: Vector = from_str(vector).map_err(text)?;
    let mut driver = Driver::new(vector.config).map_err(text)?;
    for (number, step) in (1..).zip(vector.steps) {
        driver.step(step).map_err(|wrong| format!("step {number}: {wrong}"))?;
    }
    Ok(vector.name)
}

#[test]
fn every_vector_holds() {
    let mut failures = Vec::new();
    let files = files();
    for path in &files {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        match run(&fs::read_to_string(path).unwrap()) {
            Ok(name) if name == stem => {}
            Ok(name) => failures.push(format!("{stem}.json calls itself {name}")),
            Err(wrong) => failures.push(format!("{stem}.json, {wrong}")),
        }
    }
    assert!(files.len() > 20, "only {} files", files.len());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn an_unknown_key_anywhere_fails() {
    let vector = |extra: &str, config: &str, destination: &str, step: &str| {
        run(&format!(
            r#"{{"name": "", "about": "", {extra} "config": {{{config}}}, "steps": [
                {{"do": "add", "destination": {{"uri": "a" {destination}}}}},
                {{"do": "begin", "call": "1", "gives": "a" {step}}}]}}"#
        ))
    };
    assert_eq!(vector("", "", "", ""), Ok(String::new()));
    let tenant = r#""tenants": {"t": {"max": 1}}"#;
    let route = r#""policies": {"1": [{"set": 1, "algorithm": "random", "x": 1}]}"#;
    let hash = r#""algorithm": {"call_id_hash": {"bond": 1.25}}"#;
    let probing = r#""probing": {"accepted": {"code": [200]}}"#;
    for (extra, config, destination, step) in [
        (r#""x": 1,"#, "", "", ""),
        ("", r#""x": 1"#, "", ""),
        ("", tenant, "", ""),
        ("", route, "", ""),
        ("", hash, "", ""),
        ("", probing, "", ""),
        ("", r#""health": {"x": 1}"#, "", ""),
        ("", r#""ejection": {"x": 1}"#, "", ""),
        ("", "", r#", "x": 1"#, ""),
        ("", "", "", r#", "x": 1"#),
        ("", "", "", r#", "enabled": true"#),
        ("", "", "", r#", "state": {"a": {"x": 1}}"#),
        ("", "", "", r#", "stats": {"x": 1}"#),
    ] {
        assert!(vector(extra, config, destination, step).is_err(), "{extra}{config}{destination}{step}");
    }
    let next = |step: &str| vector("", "", "", &format!(r#"}}, {{{step}"#));
    let resources = r#""do": "score", "measured": {"cpu": 1}, "gives": 1, "resources"#;
    for (known, unknown) in [
        (
            r#""do": "report", "who": "a", "report": {"score": 1}"#,
            r#""do": "report", "who": "a", "report": {"x": 1}"#,
        ),
        (
            &format!(r#"{resources}": {{"resources": [{{"name": "cpu", "full": 1}}]}}"#),
            &format!(r#"{resources}": {{"resources": [{{"name": "cpu", "full": 1, "x": 1}}]}}"#),
        ),
    ] {
        assert_eq!(next(known), Ok(String::new()));
        assert!(next(unknown).is_err(), "{unknown}");
    }
}

#[test]
fn every_algorithm_and_every_error_occurs_in_a_vector() {
    let mut words = BTreeSet::new();
    for path in files() {
        collect(&from_str(&fs::read_to_string(path).unwrap()).unwrap(), &mut words);
    }
    // What serde says to a name that is none of them lists them all, between back quotes.
    let refused = from_str::<Algorithm>("\"\"").unwrap_err().to_string();
    let algorithms: Vec<_> = refused.split('`').skip(3).step_by(2).collect();
    assert!(algorithms.contains(&"round_robin"), "{refused}");
    // Nobody adds four billion destinations to see the next one refused, and no vector holds a snapshot.
    let elsewhere = |code: &str| code == "too_many" || code.contains("snapshot");
    let codes = CODES.iter().map(|(code, _)| *code).filter(|code| !elsewhere(code));
    let missing: Vec<_> = codes.chain(algorithms).filter(|word| !words.contains(*word)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The values of `error` and of `algorithm` anywhere in a vector.
fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, words)),
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(word) if key == "error" || key == "algorithm" => {
                        words.insert(word.clone());
                    }
                    Value::Object(with) if key == "algorithm" => words.extend(with.keys().cloned()),
                    _ => collect(value, words),
                }
            }
        }
        _ => {}
    }
}
