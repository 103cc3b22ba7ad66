//! The page of `--report`: its numbers are those of the JSON, and a browser shows it without asking for more.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;
use tempfile::TempDir;

/// The page and the JSON that `callsteer` writes with these arguments.
fn written(arguments: &[&str], threads: &str) -> (String, Value, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let command = Command::new(assert_cmd::cargo::cargo_bin!("callsteer"))
        .current_dir(folder.path())
        .env("RAYON_NUM_THREADS", threads)
        .args(arguments)
        .args(["--report", "page.html", "--json", "out.json"])
        .output()
        .unwrap();
    assert!(command.status.success(), "{}", String::from_utf8_lossy(&command.stderr));
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    let (page, json) = (read("page.html"), serde_json::from_str(&read("out.json")).unwrap());
    (page, json, folder)
}

fn bench() -> (String, Value, TempDir) {
    written(&["bench", "--quiet", "--calls", "60", "--bridges", "5", "--replays", "3"], "2")
}

fn simulate() -> (String, Value, TempDir) {
    written(&["simulate", "frozen-report", "4x12", "--seeds", "2", "--bridges-needed"], "2")
}

fn all<'a>(within: ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    within.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: ElementRef) -> String {
    element.text().collect()
}

/// The rows of a page's tables, which an attribute marks, are cell by cell the figures of `policies`; how many
/// were compared.
fn check_rows(within: ElementRef, mark: &str, policies: &Value) -> usize {
    let rows = all(within, &format!("tr[{mark}]"));
    let policies = policies.as_array().unwrap();
    assert_eq!(rows.len(), policies.len());
    let mut compared = 0;
    for row in rows {
        let name = row.attr(mark).unwrap();
        let policy = policies.iter().find(|policy| policy["policy"] == name).unwrap();
        for cell in all(row, "td[data-figure]") {
            let key = cell.attr("data-figure").unwrap();
            let figure = if policy[key].is_null() { &policy["totals"][key] } else { &policy[key] };
            let expected: Vec<f64> = match figure {
                Value::Object(estimate) => {
                    ["mean", "ci95"].iter().filter_map(|part| estimate[*part].as_f64()).collect()
                }
                number => vec![number.as_f64().unwrap()],
            };
            let numbers: Vec<_> = all(cell, "data").iter().map(|data| number(*data)).collect();
            // serde_json reads a number to its last bit but one.
            let same = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-15 * b.abs();
            assert!(numbers.len() == expected.len(), "{name}: {key}");
            assert!(numbers.iter().zip(&expected).all(same), "{name}: {key}: {numbers:?}, not {expected:?}");
            compared += 1;
        }
    }
    compared
}

/// The number in full, of which the text is a rounding, perhaps in percent.
fn number(data: ElementRef) -> f64 {
    let full: f64 = data.attr("value").unwrap().parse().unwrap();
    let shown = text(data).replace(',', "");
    let decimals = shown.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let as_shown = [1.0, 100.0].map(|times| format!("{:.decimals$}", full * times));
    assert!(as_shown.contains(&shown), "{full} is shown as {shown}");
    full
}

fn check_bench(page: &str, json: &Value) {
    let page = Html::parse_document(page);
    let root = page.root_element();
    assert_eq!(text(all(root, "header .answer")[0]), json["answer"].as_str().unwrap());
    assert_eq!(check_rows(root, "data-policy", &json["policies"]), 9 * 5);
    for note in json["workload"]["notes"].as_array().unwrap() {
        assert!(all(root, "li").iter().any(|item| text(*item) == note.as_str().unwrap()), "{note}");
    }
}

fn check_simulate(page: &str, json: &Value) {
    let page = Html::parse_document(page);
    for (comparison, needed) in
        json["scenarios"].as_array().unwrap().iter().zip(json["bridges_needed"].as_array().unwrap())
    {
        let name = comparison["scenario"].as_str().unwrap();
        let section = all(page.root_element(), &format!("section[data-scenario=\"{name}\"]"))[0];
        let columns = if comparison["watched_bridge"].is_null() { 9 } else { 10 };
        assert_eq!(check_rows(section, "data-policy", &comparison["policies"]), 8 * columns, "{name}");
        assert_eq!(check_rows(section, "data-needed", &needed["policies"]), 9 * 3, "{name}");
    }
}

#[test]
fn the_numbers_of_the_page_are_those_of_the_json() {
    let (page, json, _) = bench();
    check_bench(&page, &json);
    let (page, json, _) = simulate();
    check_simulate(&page, &json);
}

#[test]
fn every_plot_has_a_title_and_a_description_of_its_own() {
    for (page, plots) in [(bench().0, 9 + 2), (simulate().0, 1 + 2 * (8 + 3))] {
        let page = Html::parse_document(&page);
        let figures = all(page.root_element(), "figure > svg");
        assert_eq!(figures.len(), plots);
        let mut ids = Vec::new();
        for figure in figures {
            for id in figure.attr("aria-labelledby").unwrap().split(' ') {
                assert!(!text(all(figure, &format!("[id=\"{id}\"]"))[0]).is_empty(), "{id}");
                ids.push(id.to_owned());
            }
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 2 * plots);
    }
}

#[test]
fn a_page_has_no_script_and_asks_for_nothing() {
    for (page, ..) in [bench(), simulate()] {
        let page = Html::parse_document(&page);
        let outside = "script, link, img, iframe, object, embed, [src], [href^='http'], [onload]";
        assert_eq!(all(page.root_element(), outside).len(), 0);
        let style = text(all(page.root_element(), "style")[0]);
        assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    }
}

#[test]
fn a_seed_gives_the_same_page_with_any_number_of_threads() {
    let page = |seed, threads| {
        written(&["bench", "--quiet", "--calls", "30", "--replays", "2", "--seed", seed], threads).0
    };
    assert_eq!(page("3", "1"), page("3", "4"));
    assert_ne!(page("3", "1"), page("4", "1"));
    let page = |threads| written(&["simulate", "4x12", "--seeds", "2"], threads).0;
    assert_eq!(page("1"), page("4"));
}

#[test]
fn a_page_that_cannot_be_written_is_an_error() {
    let command = Command::new(assert_cmd::cargo::cargo_bin!("callsteer"))
        .current_dir(tempfile::tempdir().unwrap().path())
        .args(["simulate", "4x12", "--seeds", "1", "--report", "no/such/page.html"])
        .output()
        .unwrap();
    assert_eq!(command.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&command.stderr).contains("cannot write no/such/page.html"));
}

#[test]
fn a_browser_shows_the_page_without_complaint_or_request() {
    if !has_browser() {
        return;
    }
    for (name, (_, json, folder), check) in
        [("bench", bench(), check_bench as fn(&str, &Value)), ("simulate", simulate(), check_simulate)]
    {
        let seen = browse(&folder.path().join("page.html"));
        assert_eq!(seen.complaints, [""; 0], "{name}");
        assert_eq!(seen.requests, [""; 0], "{name}");
        check(&seen.page, &json);
    }
}

#[test]
fn a_browser_would_notice_a_request_and_a_complaint() {
    if !has_browser() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let page = "<!DOCTYPE html><img src='http://127.0.0.1:9/x.png'><script>console.error('oh')</script>";
    fs::write(&file, page).unwrap();
    let seen = browse(&file);
    assert!(seen.complaints.iter().any(|line| line.contains("oh")), "{:?}", seen.complaints);
    assert_eq!(seen.requests, ["http://127.0.0.1:9/x.png"]);
}

/// Whether there is a browser. Where there is none, `cargo xtask test` says so; in CI one must be there.
fn has_browser() -> bool {
    let found = Command::new("chromium").arg("--version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "chromium is missing");
    found
}

/// What a browser makes of a page.
struct Seen {
    /// The document as it stands in the browser.
    page: String,
    /// What it logs on its console.
    complaints: Vec<String>,
    /// The addresses that the page asked for on the network.
    requests: Vec<String>,
}

fn browse(file: &Path) -> Seen {
    let profile = tempfile::tempdir().unwrap();
    let log = profile.path().join("net.json");
    let Output { status, stdout, stderr } = Command::new("chromium")
        .args(CHROMIUM)
        .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .timeout(Duration::from_secs(60))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "Chromium: {status}\n{errors}");
    let complaints = errors.lines().filter(|line| line.contains("CONSOLE")).map(String::from).collect();
    let log: Value = serde_json::from_str(&fs::read_to_string(log).unwrap()).unwrap();
    Seen { page: String::from_utf8(stdout).unwrap(), complaints, requests: requests(&log) }
}

/// The addresses of those requests in Chromium's network log that a page made, not the browser itself.
fn requests(log: &Value) -> Vec<String> {
    let params = log["events"].as_array().unwrap().iter().map(|event| &event["params"]);
    let by_a_page =
        params.filter(|params| params["initiator"].as_str().is_some_and(|who| who != "not an origin"));
    let mut urls: Vec<_> = by_a_page.filter_map(|params| params["url"].as_str()).map(String::from).collect();
    urls.sort();
    urls.dedup();
    urls
}

const CHROMIUM: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
];
