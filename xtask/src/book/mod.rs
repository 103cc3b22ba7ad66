//! Documents: links lead somewhere, blocks of code are run, and what the command line shows is what it prints.

mod commands;
mod document;
mod links;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use clap::Args;

use document::Document;

#[derive(Args)]
pub(crate) struct Book {
    /// Write what `--help` prints into the blocks that show it
    #[arg(long)]
    write: bool,
}

impl Book {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let built = ["build", "--quiet", "--locked", "--package", "callsteer-sim", "--all-features"];
        ensure!(Command::new("cargo").args(built).status()?.success(), "callsteer cannot be built");
        if self.write {
            return write_help();
        }
        println!("{}", check()?);
        Ok(())
    }
}

/// Checks every document of the repository; `callsteer` has been built.
pub(crate) fn check() -> anyhow::Result<String> {
    let documents = documents()?;
    let (mut wrong, links) = links::check(&documents, Path::exists);
    wrong.extend(links::without_a_place(&documents));
    let mut blocks = 0;
    for document in &documents {
        blocks += document.blocks.len();
        wrong.extend(document.blocks.iter().filter_map(|block| {
            let objection = objection(document, block).err()?;
            Some(format!("{}:{}: {objection:#}", document.path.display(), block.line))
        }));
    }
    wrong.extend(commands::help_that_differs(&documents, &program()?)?);
    ensure!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let commands = commands::run(&documents, &program()?)?;
    Ok(format!("{} documents, {links} links, {blocks} blocks of code; {commands}", documents.len()))
}

/// Each language has somebody who runs it; what nobody would run is refused.
fn objection(document: &Document, block: &document::Block) -> anyhow::Result<()> {
    match &*block.language {
        // Run by `commands`; by tests/test_documents.py; by test/documents.test.js, which find them themselves.
        "sh" | "python" | "js" | "ts" => Ok(()),
        // Output, and forms that are not code.
        "text" => Ok(()),
        "json" => json(&block.text),
        "rust" => {
            let included = format!("include_str!(\"../../../{}\")", document.path.display());
            ensure!(DOCTESTS.iter().any(|text| text.contains(&included)), "nobody compiles this: {included}");
            Ok(())
        }
        other => bail!("nobody runs the language {other:?}"),
    }
}

/// One value, or one on each line.
fn json(text: &str) -> anyhow::Result<()> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    values.collect::<Result<Vec<_>, _>>().map(drop).context("this is no JSON")
}

/// Writes what `--help` prints into the blocks that show it.
fn write_help() -> anyhow::Result<()> {
    for document in documents()? {
        let text = fs::read_to_string(&document.path)?;
        let mut new = text.clone();
        for block in &document.blocks {
            let command = block.text.lines().next().unwrap_or_default();
            if block.language == "text" && command.starts_with("$ callsteer") && command.ends_with("--help") {
                let fresh = format!("{command}\n{}", commands::help(&program()?, command)?);
                new =
                    new.replacen(&format!("```text\n{}```", block.text), &format!("```text\n{fresh}```"), 1);
            }
        }
        if new != text {
            println!("{}", document.path.display());
            fs::write(&document.path, new)?;
        }
    }
    Ok(())
}

/// Every Markdown file that is in the repository, or could be committed.
fn documents() -> anyhow::Result<Vec<Document>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"])
        .output()
        .context("cannot start git")?;
    ensure!(listed.status.success(), "git does not list the documents");
    let paths = String::from_utf8(listed.stdout)?;
    let there = paths.lines().map(PathBuf::from).filter(|path| path.exists());
    there.map(|path| Ok(Document::new(path.clone(), &fs::read_to_string(path)?))).collect()
}

fn program() -> anyhow::Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let program = Path::new(&target).join(format!("debug/callsteer{}", std::env::consts::EXE_SUFFIX));
    // Commands run in another folder.
    program.canonicalize().with_context(|| format!("{} was not built", program.display()))
}

/// Where examples in Rust become tests.
const DOCTESTS: &[&str] = &[include_str!("../../../crates/dispatch-core/src/lib.rs")];
