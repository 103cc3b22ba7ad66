//! `callsteer lint`: what is wrong with a dispatcher list or a kamailio.cfg, and what is not as it looks.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer::list::{self, List, Mode, Severity};
use callsteer_sim::script::{self, Script};
use clap::Args;

use super::{BAD_INPUT, Done, FOUND, define, print};

/// Check dispatcher lists and kamailio.cfg for what cannot be read and what misleads
///
/// For each finding: file, line, column, severity, code, what is wrong, and what to write instead. A
/// list beside a kamailio.cfg tells more of both: sets, weights, duids.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Lint {
    /// Lists in the format of Kamailio's dispatcher.list; a kamailio.cfg is told by its name, *.cfg
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Read kamailio.cfg with this defined, as Kamailio's option -A does; may be given several times
    #[arg(short = 'A', long = "define", value_name = "NAME[=VALUE]", value_parser = define)]
    defines: Vec<(String, String)>,
}

impl Lint {
    pub(super) fn run(self) -> Done {
        let is_script = |file: &&PathBuf| file.extension().is_some_and(|end| end == "cfg");
        let (scripts, lists): (Vec<_>, Vec<_>) = self.files.iter().partition(is_script);
        let mut found = Found::default();
        let mut read = None;
        for file in lists {
            read = Some(found.list(file)?);
        }
        let defines: BTreeMap<String, String> = self.defines.iter().cloned().collect();
        for file in scripts {
            found.script(file, &defines, read.as_ref())?;
        }
        print(&found.text)?;
        Ok(match (found.unread, found.lints) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) => ExitCode::from(FOUND),
            _ => ExitCode::from(BAD_INPUT),
        })
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    text: String,
    unread: usize,
    lints: usize,
}

impl Found {
    fn list(&mut self, path: &Path) -> Result<List, Box<dyn Error>> {
        let file = path.display();
        let bytes = std::fs::read(path).map_err(|error| format!("{file}: {error}"))?;
        let list = list::parse(&bytes, Mode::Lenient)?;
        let lints = list::lint(&list);

        let mut found: Vec<_> =
            list.skipped().iter().map(|error| (error.line, error.column, refusal(error))).collect();
        found.extend(lints.iter().map(|lint| (lint.line, lint.column, remark(lint))));
        found.sort();
        for (line, column, what) in &found {
            writeln!(self.text, "{file}:{line}:{column}: {what}")?;
        }
        let (unread, remarks) = (list.skipped().len(), lints.len());
        writeln!(
            self.text,
            "{file}: destinations {}, unreadable lines {unread}, lints {remarks}",
            list.entries().count()
        )?;
        (self.unread, self.lints) = (self.unread + unread, self.lints + remarks);
        Ok(list)
    }

    fn script(
        &mut self,
        path: &Path,
        defines: &BTreeMap<String, String>,
        list: Option<&List>,
    ) -> Result<(), Box<dyn Error>> {
        let script = Script::read(path, defines)?;
        let lints = script::lint::lint(&script, list);
        for lint in &lints {
            let (severity, code) = (severity(lint.severity), lint.code);
            writeln!(self.text, "{}: {severity}[{code}]: {}; {}", lint.place, lint.message, lint.fix)?;
        }
        let params = script.params.iter().filter(|param| param.is_of("dispatcher")).count();
        let calls = script.calls.iter().filter(|call| call.name.starts_with("ds_")).count();
        writeln!(
            self.text,
            "{}: parameters of the dispatcher {params}, calls of its functions {calls}, lints {}",
            path.display(),
            lints.len()
        )?;
        self.lints += lints.len();
        Ok(())
    }
}

fn refusal(error: &list::ParseError) -> String {
    format!("error[{}]: {}", error.code(), error.message)
}

fn remark(lint: &list::Lint) -> String {
    format!("{}[{}]: {}; {}", severity(lint.severity), lint.code, lint.message, lint.fix)
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

const AFTER_HELP: &str = "\
Examples:
  callsteer lint dispatcher.list
  callsteer lint dispatcher.list kamailio.cfg

Exit codes: 0 nothing found; 1 something found; 2 a file or a line of a list cannot be read.";
