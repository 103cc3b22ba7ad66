//! Commands of documents: `callsteer ...` is run, and what is not run stands in one list with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::document::Document;

/// Runs the commands of all documents, each once, in one folder with the files that they name. Says how many.
pub(crate) fn run(documents: &[Document], program: &Path) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    for (name, from) in FILES {
        fs::copy(from, folder.path().join(name)).with_context(|| format!("cannot copy {from}"))?;
    }
    let plots = folder.path().join(PLOTS);
    fs::create_dir_all(&plots)?;
    let mut not_run = not_run(documents)?;
    let mut done = BTreeSet::new();
    for document in documents {
        for block in document.blocks.iter().filter(|block| block.language == "sh") {
            for (line, command) in lines(&block.text) {
                let place = format!("{}:{}", document.path.display(), block.line + line);
                if let Some(used) = not_run.get_mut(&*command) {
                    *used = true;
                } else if let Some(arguments) = arguments(&command) {
                    if done.insert(arguments.to_owned()) {
                        execute(program, arguments, folder.path()).context(place)?;
                    }
                } else {
                    bail!("{place}: `{command}` is not run; say why in {LIST}, or write what can be run");
                }
            }
        }
    }
    let unused: Vec<_> = not_run.iter().filter(|(_, used)| !**used).map(|(command, _)| &**command).collect();
    ensure!(unused.is_empty(), "{LIST} lists what no document has: {}", unused.join(", "));
    let drawn = drawn_anew(&plots)?;
    Ok(format!("{} commands run, {} not; {drawn} plots drawn anew", done.len(), not_run.len()))
}

/// Compares the plots that commands have drawn with those that are committed. Says how many.
fn drawn_anew(plots: &Path) -> anyhow::Result<usize> {
    let mut count = 0;
    for drawn in fs::read_dir(plots)? {
        let drawn = drawn?;
        let committed = Path::new(PLOTS).join(drawn.file_name());
        let name = committed.display();
        let before = fs::read(&committed).with_context(|| format!("{name} is not committed"))?;
        ensure!(fs::read(drawn.path())? == before, "{name} is not what its command draws now");
        count += 1;
    }
    Ok(count)
}

/// The output that documents show of `callsteer ... --help`: blocks of text whose first line is that command. Says
/// what differs.
pub(crate) fn help_that_differs(documents: &[Document], program: &Path) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut shown = 0;
    for document in documents {
        for block in document.blocks.iter().filter(|block| block.language == "text") {
            let Some((command, output)) = block.text.split_once('\n') else { continue };
            if !command.starts_with("$ callsteer") || !command.ends_with("--help") {
                continue;
            }
            shown += 1;
            if output != help(program, command)? {
                wrong.push(format!("{}:{}: this is not what it prints", document.path.display(), block.line));
            }
        }
    }
    ensure!(shown > 0, "no document shows the help of callsteer");
    Ok(wrong)
}

/// What such a command prints.
pub(super) fn help(program: &Path, command: &str) -> anyhow::Result<String> {
    let output = Command::new(program).args(command.split_whitespace().skip(2)).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(|line| line.trim_end().to_owned() + "\n").collect())
}

/// The table of commands that are not run, from its first column, and whether some document has it.
fn not_run(documents: &[Document]) -> anyhow::Result<BTreeMap<String, bool>> {
    ensure!(documents.iter().any(|document| document.path == Path::new(LIST)), "there is no {LIST}");
    let text = fs::read_to_string(LIST)?;
    let section = text.split_once(HEADING).with_context(|| format!("{LIST} has no {HEADING:?}"))?.1;
    let rows = section.lines().skip_while(|line| !line.starts_with("| `")).take_while(|l| l.starts_with('|'));
    let listed = rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ");
        let command = cells.next().unwrap_or_default().trim().trim_matches('`');
        let reason = cells.next().unwrap_or_default().trim();
        ensure!(!reason.is_empty(), "{LIST} gives no reason for `{command}`");
        Ok((command.to_owned(), false))
    });
    listed.collect()
}

/// The commands of a block with their lines, from 0: without comments, with continued lines joined.
fn lines(block: &str) -> Vec<(usize, String)> {
    let mut commands: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in block.lines().enumerate() {
        let code = line.split(" #").next().unwrap_or_default().trim();
        let (code, continues) = code.strip_suffix('\\').map_or((code, false), |code| (code.trim_end(), true));
        match commands.last_mut() {
            Some((_, command)) if open => *command += &format!(" {code}"),
            _ if code.is_empty() || code.starts_with('#') => {}
            _ => commands.push((number, code.to_owned())),
        }
        open = continues;
    }
    commands
}

/// What a command gives to callsteer, if that is what it runs.
fn arguments(command: &str) -> Option<&str> {
    let words = ["cargo run --release --", "cargo run --release", "callsteer"];
    let rest = words.iter().find_map(|words| command.strip_prefix(words))?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim())
}

/// Runs one command line of callsteer, whose output may go to a file.
fn execute(program: &Path, arguments: &str, folder: &Path) -> anyhow::Result<()> {
    let (arguments, to) =
        arguments.split_once(" > ").map_or((arguments, None), |(a, to)| (a, Some(to.trim())));
    let mut arguments: Vec<&str> = arguments.split_whitespace().map(|word| word.trim_matches('\'')).collect();
    if arguments.is_empty() {
        arguments.push("bench");
    }
    let name = arguments[0];
    let few = FEW.contains(&name) && !arguments.iter().any(|word| SAY_SEEDS.contains(word));
    arguments.extend(few.then_some(["--seeds", "1"]).into_iter().flatten());
    let line = format!("callsteer {}", arguments.join(" "));
    println!("$ {line}");
    let output = Command::new(PathBuf::from(program)).args(&arguments).current_dir(folder).output()?;
    let found = output.status.code() == Some(1) && FINDS.contains(&name) && output.stderr.is_empty();
    ensure!(
        output.status.success() || found,
        "`{line}` ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    if let Some(file) = to {
        fs::write(folder.join(file), output.stdout)?;
    }
    Ok(())
}

/// The files that documents name, and what they are in the repository.
const FILES: &[(&str, &str)] = &[
    ("calls.csv", "testdata/traces/small.csv"),
    ("calls.parquet", "testdata/traces/small.parquet"),
    ("Master.csv", "testdata/traces/asterisk.csv"),
    ("dispatcher.list", "testdata/shadow/dispatcher.list"),
    ("kamailio.cfg", "testdata/shadow/kamailio.cfg"),
    ("sip.pcap", "testdata/shadow/sip.pcap"),
    ("grid.toml", "examples/sweep/grid.toml"),
];

/// Commands that are run with one seed where documents name none: the default would take a minute.
const FEW: &[&str] = &["bench", "plan", "simulate"];

/// What says how many seeds there are, or runs nothing.
const SAY_SEEDS: &[&str] = &["--seeds", "--sweep", "--help"];

/// Commands whose exit code 1 says that they found something.
const FINDS: &[&str] = &["lint", "migrate", "replay"];

/// Where commands of documents draw.
const PLOTS: &str = "docs/plots";

const LIST: &str = "docs/testing.md";
const HEADING: &str = "## Commands that are not run";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_without_comments_and_with_what_follows_a_backslash() {
        let block = "# all\ncallsteer bench   # made up\n\ntcpdump -i any \\\n    'udp' # both\nls\n";
        let expected = [(1, "callsteer bench"), (3, "tcpdump -i any 'udp'"), (5, "ls")];
        assert_eq!(lines(block), expected.map(|(line, command)| (line, command.to_owned())));
    }

    #[test]
    fn callsteer_is_known_however_it_is_called() {
        let check = |command, expected| assert_eq!(arguments(command), expected, "{command}");
        check("cargo run --release", Some(""));
        check("cargo run --release -- bench --seeds 1", Some("bench --seeds 1"));
        check("callsteer lint a", Some("lint a"));
        check("callsteer-benches", None);
        check("cargo run --release --manifest-path x", None);
        check("cargo xtask test", None);
    }
}
