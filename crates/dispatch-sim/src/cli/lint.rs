//! `callsteer lint`: what is wrong with a dispatcher list, and what is not as it looks.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use callsteer::list::{self, Mode, Severity};
use clap::Args;

use super::{BAD_INPUT, Done, FOUND, print};

/// Check a dispatcher list for lines that cannot be read and lines that mislead
///
/// For each finding: file, line, column, severity, code, what is wrong, and what to write instead.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 nothing found; 1 something found; 2 the file or a line of it cannot be read."
)]
pub(super) struct Lint {
    /// The list, in the format of Kamailio's dispatcher.list
    file: PathBuf,
}

impl Lint {
    pub(super) fn run(self) -> Done {
        let file = self.file.display();
        let bytes = std::fs::read(&self.file).map_err(|error| format!("{file}: {error}"))?;
        let list = list::parse(&bytes, Mode::Lenient)?;
        let lints = list::lint(&list);

        let mut found: Vec<_> =
            list.skipped().iter().map(|error| (error.line, error.column, refusal(error))).collect();
        found.extend(lints.iter().map(|lint| (lint.line, lint.column, remark(lint))));
        found.sort();
        let mut text = String::new();
        for (line, column, what) in &found {
            writeln!(text, "{file}:{line}:{column}: {what}")?;
        }
        let (unread, remarks) = (list.skipped().len(), lints.len());
        writeln!(
            text,
            "{file}: destinations {}, unreadable lines {unread}, lints {remarks}",
            list.entries().count()
        )?;
        print(&text)?;
        Ok(match (unread, remarks) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) => ExitCode::from(FOUND),
            _ => ExitCode::from(BAD_INPUT),
        })
    }
}

fn refusal(error: &list::ParseError) -> String {
    format!("error[{}]: {}", error.code(), error.message)
}

fn remark(lint: &list::Lint) -> String {
    let severity = match lint.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    format!("{severity}[{}]: {}; {}", lint.code, lint.message, lint.fix)
}
