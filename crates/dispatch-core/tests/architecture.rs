//! The design's rules about files and modules, checked against the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Arrows point down only: a module may use every line before its own.
const LAYERS: &[&[&str]] = &[
    &["time", "slots", "hash", "rng", "rate", "standing", "threads"],
    &["config", "error", "health", "load"],
    &["destination", "kamailio"],
    &["member", "capacity"],
    &["call", "event", "stats", "tenants", "replica"],
    &["snapshot"],
    &["select", "calls"],
    &["set"],
    &["fleet"],
    &["dispatcher"],
    &["internals", "list", "metrics", "shared"],
];

/// Arrows within a line, each with its reason. `select` and `calls` do not know each other.
const BESIDE: &[(&str, &str, &str)] = &[
    ("rng", "hash", "a random number is a hash of a counter"),
    ("rate", "time", "a rate is a time between calls"),
    ("config", "error", "a configuration that cannot work is refused"),
    ("error", "config", "an error names the set"),
    ("health", "config", "thresholds"),
    ("load", "error", "a report that no bridge can mean is refused"),
    ("event", "call", "an event names the call"),
];

/// Arrows that point down and are wrong all the same.
const NEVER: &[(&str, &str, &str)] =
    &[("list", "dispatcher", "a list is text and destinations; whoever has a dispatcher applies it")];

/// Files that may be longer than a page of thought, each with its reason.
const LONG: &[(&str, &str)] = &[
    ("dispatch-core/src/error.rs", "one table of all errors"),
    ("../xtask/src/steps.rs", "one table of all steps"),
];

const PAGE: usize = 300;

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for source in sources(&folder("dispatch-core/src")) {
        let Some(from) = module(&source.path) else { continue };
        if layer(&from).is_none() {
            wrong.push(format!("{}: `{from}` has no place in LAYERS yet", source.name));
        }
        for to in arrows(&source) {
            if let Some(why) = objection(&from, &to) {
                wrong.push(format!("{}: `{from}` uses `{to}`, {why}", source.name));
            }
            seen.insert((from.clone(), to));
        }
    }
    for &(from, to, _) in BESIDE {
        if !seen.contains(&(from.to_string(), to.to_string())) {
            wrong.push(format!("BESIDE allows `{from}` to use `{to}`, which it does not"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn files_are_a_page_of_thought_and_say_what_they_are() {
    let mut wrong = Vec::new();
    let mut long_unused: BTreeSet<_> = LONG.iter().map(|&(name, _)| name).collect();
    for source in all_sources() {
        let Source { name, text, .. } = &source;
        let lines = code(text).lines().count();
        let may_be_long = long_unused.remove(name.as_str());
        match (lines > PAGE, may_be_long) {
            (true, false) => wrong.push(format!("{name}: {lines} lines before its tests, {PAGE} at most")),
            (false, true) => wrong.push(format!("{name}: LONG allows it more lines than it needs")),
            _ => {}
        }
        if !text.starts_with("//! ") {
            wrong.push(format!("{name}: does not start with a line `//! what it is`"));
        }
        let stem = source.path.file_stem().unwrap_or_default().to_string_lossy();
        if ["util", "helper", "manager", "common", "misc"].iter().any(|vague| stem.contains(vague)) {
            wrong.push(format!("{name}: its name does not say what is in it"));
        }
    }
    wrong.extend(long_unused.iter().map(|name| format!("LONG allows {name}, which is not there")));
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Every dependency stands in ARCHITECTURE.md with what it is for.
#[test]
fn dependencies_are_listed_with_their_reason() {
    let text = fs::read_to_string(folder("../ARCHITECTURE.md")).expect("the table");
    let table = text.split("## Dependencies, and what for").nth(1).expect("its heading");
    let table = table.split("\n## ").next().unwrap_or_default();
    let manifests = fs::read_dir(folder(".")).expect("the crates").flatten().map(|entry| entry.path());
    let mut missing = Vec::new();
    let mut seen = 0;
    for manifest in manifests.chain([folder("../xtask")]).map(|path| path.join("Cargo.toml")) {
        let manifest = fs::read_to_string(&manifest).expect("a manifest");
        let mut is_list = false;
        for line in manifest.lines() {
            if line.starts_with('[') {
                is_list = line.ends_with("dependencies]") && !line.ends_with("dev-dependencies]");
            } else if let Some((name, _)) = line.split_once(" = ").filter(|_| is_list) {
                seen += 1;
                if !table.contains(&format!("`{name}`")) {
                    missing.push(name.to_string());
                }
            }
        }
    }
    assert!(seen > 40, "{seen} dependencies were found");
    assert!(missing.is_empty(), "ARCHITECTURE.md does not say what for: {missing:?}");
}

/// What is unsafe stands in docs/trust.md with its number and its reason, file by file.
#[test]
fn unsafe_code_is_listed_with_its_reason() {
    let listed = fs::read_to_string(folder("../docs/trust.md")).expect("the list of unsafe code");
    let rows = listed.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.splitn(3, " | ");
        let file = cells.next()?.strip_suffix('`').filter(|file| file.ends_with(".rs"))?;
        Some((file.to_string(), cells.next()?.parse().ok()?))
    });
    let listed: BTreeSet<(String, usize)> = rows.collect();
    let roots = ["../crates", "../xtask", "../fuzz/fuzz_targets", "../benches"];
    let sources = roots.iter().flat_map(|root| self::sources(&folder(root)));
    let counted = sources.map(|source| (source.name.replace("../", ""), unsafe_in(&source.text)));
    // This file speaks of it.
    let is_counted = |(name, count): &(String, usize)| *count > 0 && !name.ends_with("architecture.rs");
    let counted: BTreeSet<_> = counted.filter(is_counted).collect();
    let differ: Vec<_> = counted.symmetric_difference(&listed).collect();
    assert!(differ.is_empty(), "docs/trust.md and the sources differ in {differ:?}");
}

#[test]
fn unsafe_is_found_where_it_is_code() {
    let check = |text: &str, expected| assert_eq!(unsafe_in(text), expected, "{text}");
    check("let a = unsafe { b() };", 1);
    check("unsafe impl Sync for A {}\nunsafe fn f() {\n    unsafe { g() }\n}", 3);
    check("unsafe{ b() }\n#[unsafe(no_mangle)]", 2);
    check("// unsafe { }\n    /// an unsafe fn\n#![forbid(unsafe_code)]", 0);
    check("const POLICY: &str = \"'unsafe-inline'\";", 0);
}

/// How often code is said to be unsafe.
fn unsafe_in(text: &str) -> usize {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let words = |line: &str| {
        after(line, "unsafe").filter(|rest| rest.is_empty() || rest.starts_with([' ', '{', '('])).count()
    };
    code.map(words).sum()
}

#[test]
fn arrows_are_found_however_they_are_written() {
    let check = |path: &str, text: &str, expected: &[&str]| {
        let source = Source { path: path.into(), name: path.into(), text: text.into() };
        let found: Vec<_> = arrows(&source).into_iter().collect();
        assert_eq!(found, expected, "{path}: {text}");
    };
    check("src/set.rs", "use crate::time::Time;", &["time"]);
    check("src/set.rs", "use crate::{slots::{Key, Slots}, time::Time};", &["slots", "time"]);
    check("src/set.rs", "use crate::{\n    hash,\n    rng::Rng,\n};", &["hash", "rng"]);
    check("src/set.rs", "fn f() -> crate::call::Lease { crate::rng::draw() }", &["call", "rng"]);
    check("src/set.rs", "#[serde(with = \"crate::time::seconds\")]", &["time"]);
    check("src/set.rs", "use super::time::Time;", &["time"]);
    check("src/set.rs", "mod fields { use super::{Set, Deserialize}; }", &[]);
    check("src/select/mod.rs", "use super::calls::Calls;", &["calls"]);
    check("src/select/random.rs", "use super::Candidates;", &[]);
    check("src/select/random.rs", "use super::super::calls::Calls;", &["calls"]);
    check("src/set.rs", "use crate::set::Seat;", &[]);
    check("src/set.rs", "/// See [`crate::dispatcher`].", &[]);
    check("src/set.rs", "macro_rules! m { () => { $crate::time::Time } }", &["time"]);
    check("src/set.rs", "use crate::Dispatcher;", &["Dispatcher"]);
    check("src/set.rs", "use crate::time;\n#[cfg(test)]\nmod tests { use crate::rng; }", &["time"]);
}

#[test]
fn arrows_that_are_wrong_are_refused() {
    let check =
        |from, to, allowed: bool| assert_eq!(objection(from, to).is_none(), allowed, "{from} -> {to}");
    check("dispatcher", "select", true);
    check("set", "time", true);
    check("rng", "hash", true);
    check("hash", "rng", false);
    check("health", "member", false);
    check("health", "event", false);
    check("select", "calls", false);
    check("calls", "select", false);
    check("select", "dispatcher", false);
    check("list", "dispatcher", false);
    check("list", "config", true);
    check("list", "Config", false);
    check("set", "unheard_of", false);
}

/// Why `from` must not use `to`.
fn objection(from: &str, to: &str) -> Option<String> {
    let reasoned = |arrows: &'static [(&str, &str, &str)]| {
        arrows.iter().find(|arrow| (arrow.0, arrow.1) == (from, to)).map(|arrow| arrow.2)
    };
    if let Some(reason) = reasoned(NEVER) {
        return Some(format!("but {reason}"));
    }
    match (layer(from)?, layer(to)) {
        (_, None) if to.starts_with(char::is_uppercase) => Some("without saying from which module".into()),
        (_, None) => Some("which has no place in LAYERS yet".into()),
        (here, Some(there)) if there > here => Some("which is above it".into()),
        (here, Some(there)) if there == here && reasoned(BESIDE).is_none() => {
            Some("which is beside it: give the reason in BESIDE, or find the module both should use".into())
        }
        _ => None,
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The modules of the crate that a file names, other than its own.
fn arrows(source: &Source) -> BTreeSet<String> {
    let code: String =
        code(&source.text).lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    // From a module's own file one `super::` leads to the crate, from a file in its folder two.
    let up = "super::".repeat(modules(&source.path).len());
    let own = module(&source.path).unwrap_or_default();
    let by_name = after(&code, "crate::").flat_map(heads);
    let upwards = after(&code, &up).flat_map(heads).filter(|head| layer(head).is_some());
    by_name.chain(upwards).filter(|head| *head != own).collect()
}

/// What follows each `prefix` that no other path continues into.
fn after<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let starts =
        move |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    code.match_indices(prefix).filter(move |(at, _)| starts(*at)).map(|(at, _)| &code[at + prefix.len()..])
}

/// The first name of the path that begins here, or of each path of the group `{a::B, c}`.
fn heads(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut depth = 0;
    let mut heads = vec![name(group)];
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

fn name(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The file without its tests.
fn code(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default()
}

/// The module of the crate that a file belongs to; none for the crate's own file.
fn module(path: &Path) -> Option<String> {
    modules(path).into_iter().next()
}

fn modules(path: &Path) -> Vec<String> {
    let from_src =
        path.components().map(|part| part.as_os_str().to_string_lossy()).skip_while(|part| part != "src");
    let parts = from_src.skip(1).map(|part| part.trim_end_matches(".rs").to_string());
    parts.filter(|part| !matches!(part.as_str(), "lib" | "main" | "mod")).collect()
}

struct Source {
    path: PathBuf,
    /// The path from the folder of all crates, as people write it.
    name: String,
    text: String,
}

fn all_sources() -> Vec<Source> {
    let crates = fs::read_dir(folder("")).expect("the folder of all crates");
    let mut roots: Vec<_> = crates.map(|entry| entry.expect("a crate").path().join("src")).collect();
    roots.push(folder("../xtask/src"));
    roots.iter().filter(|root| root.is_dir()).flat_map(|root| sources(root)).collect()
}

fn sources(root: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(root).expect("a folder of sources") {
        let path = entry.expect("a source").path();
        if path.is_dir() {
            sources.extend(self::sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(folder("")).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&path).expect("a readable source");
            sources.push(Source { path, name, text });
        }
    }
    sources
}

/// A folder beside this crate's.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates lie together").join(name)
}
