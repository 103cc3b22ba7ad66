//! `callsteer lint` and `callsteer migrate` on a kamailio.cfg, as a user meets them.

use std::path::Path;

use assert_cmd::Command;
use callsteer::list::{Mode, parse};
use callsteer::{Algorithm, Config};
use callsteer_sim::script::lint::SCRIPT_LINTS;
use callsteer_sim::script::names::{FUNCTIONS, Kind, PARAMETERS};
use tempfile::TempDir;

/// `callsteer` in a folder with these files.
struct Run {
    folder: TempDir,
    code: i32,
    out: String,
    err: String,
}

fn callsteer(files: &[(&str, &str)], arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let output = Command::new(assert_cmd::cargo::cargo_bin!("callsteer"))
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { folder, code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn repository(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)).unwrap()
}

/// The policy of the article: call load, then weights; and the mistakes of its guide.
const SCRIPT: &str = r#"#!KAMAILIO
#!define LIST "dispatcher.list"
loadmodule "tm.so"
loadmodule "dispatcher.so"
modparam("dispatcher", "list_file", LIST)
modparam("dispatcher", "flags", 2)
modparam("dispatcher", "ds_ping_interval", 30)
modparam("dispatcher", "ds_ping_from", "sip:p@example.com")
modparam("dispatcher", "dst_avp", "$avp(x)")
request_route {
	if (!ds_select_dst("1", "10")) { /* full */
		ds_select_dst("2", "9"); # "spare"
	}
	t_relay();
}
"#;

const LIST: &str = "1 sip:10.0.0.1 0 0 duid=a;maxload=20\n1 sip:10.0.0.2 0 0 duid=b;maxload=20\n2 sip:10.0.0.3 0 0 weight=70\n2 sip:10.0.0.4 0 0 weight=30\n";

#[test]
fn lint_reads_a_script_beside_its_list() {
    let files = [("kamailio.cfg", SCRIPT), ("dispatcher.list", LIST)];
    let run = callsteer(&files, &["lint", "kamailio.cfg", "dispatcher.list"]);
    assert_eq!((run.code, &*run.err), (1, ""), "{}", run.out);
    let starts = [
        "dispatcher.list: destinations 4, unreadable lines 0, lints 0",
        "kamailio.cfg:7: warning[one_lost_probe]: ",
        "kamailio.cfg:9: error[unknown_parameter]: Kamailio 5.6 has no parameter \"dst_avp\"",
        "kamailio.cfg:11: error[call_load_off]: ",
        "kamailio.cfg:11: error[call_load_failed_stay]: ",
        "kamailio.cfg:11: warning[call_load_race]: 8 processes",
        "kamailio.cfg:11: warning[failover_unused]: ",
        "kamailio.cfg: parameters of the dispatcher 5, calls of its functions 2, lints 12",
    ];
    for start in starts {
        assert!(run.out.lines().any(|line| line.starts_with(start)), "{start}\n{}", run.out);
    }
    // The weights of set 2 show that 9 is meant.
    assert!(!run.out.contains("misnumbered_algorithm"), "{}", run.out);
    let alone = callsteer(&files, &["lint", "kamailio.cfg"]);
    assert!(alone.out.contains("misnumbered_algorithm"), "{}", alone.out);
    let broken = callsteer(&[("kamailio.cfg", "\nrequest_route {\n")], &["lint", "kamailio.cfg"]);
    assert_eq!((broken.code, broken.err.trim_end()), (2, "callsteer: kamailio.cfg:2: this '{' has no '}'"));
}

#[test]
fn migrate_writes_a_configuration_and_a_list_and_names_the_rest() {
    let files = [("kamailio.cfg", SCRIPT), ("dispatcher.list", LIST)];
    let run = callsteer(&files, &["migrate", "kamailio.cfg"]);
    assert_eq!((run.code, &*run.err), (1, ""), "{}", run.out);
    for line in [
        "kamailio.cfg:5: carried: list_file = \"dispatcher.list\": the list was read from dispatcher.list",
        "kamailio.cfg:7: carried: ds_ping_interval = 30: probing.interval",
        "kamailio.cfg:8: outside: ds_ping_from = \"sip:p@example.com\": the prober writes From",
        "kamailio.cfg:9: lost: dst_avp = \"$avp(x)\": Kamailio 5.6 has no such parameter",
        "kamailio.cfg:11: carried: policies.1: set 1 by call_load, then set 2 by weighted",
        "Configuration: callsteer/callsteer.json",
        "List: callsteer/dispatcher.list",
    ] {
        assert!(run.out.lines().any(|found| found == line), "{line}\n{}", run.out);
    }
    let written =
        |name: &str| std::fs::read_to_string(run.folder.path().join("callsteer").join(name)).unwrap();
    let config: Config = serde_json::from_str(&written("callsteer.json")).unwrap();
    assert_eq!(config.check(), Ok(()));
    assert_eq!(config.probing.interval.as_secs(), 30);
    assert_eq!(config.policies[&1].iter().map(|route| route.set).collect::<Vec<_>>(), [1, 2]);
    let list = parse(written("dispatcher.list").as_bytes(), Mode::Strict).unwrap();
    assert_eq!(list.destinations(), parse(LIST.as_bytes(), Mode::Strict).unwrap().destinations());
}

#[test]
fn migrate_keeps_kamailios_decisions_on_request_and_writes_toml() {
    let files = [("kamailio.cfg", SCRIPT), ("other.list", LIST)];
    let arguments = [
        "migrate",
        "kamailio.cfg",
        "--list",
        "other.list",
        "--as-kamailio",
        "--format",
        "toml",
        "--into",
        "new/here",
    ];
    let run = callsteer(&files, &arguments);
    assert_eq!((run.code, &*run.err), (1, ""), "{}", run.out);
    let toml = std::fs::read_to_string(run.folder.path().join("new/here/callsteer.toml")).unwrap();
    let config: Config = toml::from_str(&toml).unwrap();
    let algorithms: Vec<_> = config.policies[&1].iter().map(|route| route.algorithm).collect();
    let exact = |alg| Algorithm::Kamailio { alg, use_default: false, unsigned_bytes: false };
    assert_eq!(algorithms, [exact(10), exact(9)]);
}

#[test]
fn migrate_needs_a_script_and_a_list() {
    let check = |script: &str, arguments: &[&str], expected: &str| {
        let run = callsteer(&[("kamailio.cfg", script)], &[&["migrate", "kamailio.cfg"], arguments].concat());
        assert_eq!((run.code, &*run.out), (2, ""));
        assert!(run.err.contains(expected), "{}", run.err);
        assert!(!run.folder.path().join("callsteer").exists());
    };
    check(
        SCRIPT,
        &[],
        "callsteer: dispatcher.list: No such file or directory (os error 2); another one: --list FILE",
    );
    check("", &[], "the script names no list, or one that only Kamailio knows: give --list FILE");
    check(
        "modparam(\"dispatcher\", \"db_url\", \"mysql://a\")\n",
        &[],
        "the list is in a database (db_url): ",
    );
    check("\n\"", &[], "callsteer: kamailio.cfg:2: this string has no end");
    let strict = "modparam(\"dispatcher\", \"ds_load_mode\", 1)\nmodparam(\"dispatcher\", \"list_file\", \"kamailio.cfg\")\n";
    check(strict, &[], "callsteer: kamailio.cfg:1:1: a line starts with the number of a set");
    let run = callsteer(&[], &["migrate", "nowhere.cfg"]);
    assert!(run.err.starts_with("callsteer: nowhere.cfg: "), "{}", run.err);
}

#[test]
fn a_script_without_anything_to_do_is_carried_over_with_exit_code_0() {
    let script = "modparam(\"dispatcher\", \"list_file\", \"a.list\")\nrequest_route { ds_select_dst(\"1\", \"4\"); }\n";
    let run = callsteer(
        &[("kamailio.cfg", script), ("a.list", "1 sip:a\n1 sip:b\n")],
        &["migrate", "kamailio.cfg"],
    );
    assert_eq!((run.code, &*run.err), (0, ""), "{}", run.out);
}

#[test]
fn the_page_has_every_parameter_function_number_and_lint() {
    let page = repository("docs/kamailio.md");
    let names = PARAMETERS.iter().map(|row| row.name).chain(FUNCTIONS.iter().map(|row| row.name));
    for name in names {
        assert!(page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}(")), "{name}");
    }
    for (code, severity, _) in SCRIPT_LINTS {
        let severity = format!("{severity:?}").to_lowercase();
        assert!(page.contains(&format!("| `{code}` | {severity} |")), "{code}");
    }
    for (code, ..) in callsteer::list::LINTS {
        assert!(repository("docs/dispatcher-list.md").contains(&format!("| `{code}` |")), "{code}");
    }
}

/// The lines of the log that the page shows are those by which the recording was made.
#[test]
fn the_page_shows_the_lines_of_the_recorded_script() {
    let script = repository("testdata/shadow/kamailio.cfg");
    let page = repository("docs/kamailio.md");
    let lines: Vec<_> = page.lines().filter(|line| line.starts_with("xlog(")).collect();
    assert_eq!(lines.len(), 8);
    for line in lines {
        assert!(script.lines().any(|other| other.trim() == line), "{line}");
    }
}

/// Only where Kamailio 5.6 is installed; the step `kamailio-names` of `cargo xtask test` needs it.
#[test]
fn kamailio_itself_knows_these_parameters_and_functions_and_no_others() {
    let accepts = |line: &str, body: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kamailio.cfg");
        let text = format!(
            "loadmodule \"tm.so\"\nloadmodule \"dispatcher.so\"\nmodparam(\"dispatcher\", \"ds_hash_size\", 4)\n{line}\nrequest_route {{ {body} exit; }}\n"
        );
        std::fs::write(&file, text).unwrap();
        let output = std::process::Command::new("kamailio").arg("-c").arg("-f").arg(&file).output().ok()?;
        Some(!String::from_utf8_lossy(&output.stderr).contains("ERROR"))
    };
    let Some(true) = accepts("", "") else { return };
    for known in PARAMETERS {
        let [number, text] =
            ["1", "\"1\""].map(|value| format!("modparam(\"dispatcher\", \"{}\", {value})", known.name));
        let taken = [accepts(&number, ""), accepts(&text, "")];
        let expected = [known.kind == Kind::Number, known.kind == Kind::Text].map(Some);
        assert_eq!(taken, expected, "{}", known.name);
    }
    assert_eq!(accepts("modparam(\"dispatcher\", \"dst_avp\", \"1\")", ""), Some(false));
    for known in FUNCTIONS {
        let taken =
            ["", "\"1\"", "\"1\", \"1\""].map(|args| accepts("", &format!("{}({args});", known.name)));
        assert!(taken.contains(&Some(true)), "{}", known.name);
    }
    assert_eq!(accepts("", "ds_nothing();"), Some(false));
}
