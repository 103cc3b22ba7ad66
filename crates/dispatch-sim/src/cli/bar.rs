//! A progress bar on standard error; none where that is not a terminal.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// What is counted is named in the plural: "replays".
    pub(super) fn new(what: &str, quiet: bool) -> Self {
        if quiet {
            return Self(ProgressBar::hidden());
        }
        let style = format!("{{prefix}}{{bar:40}} {{pos}}/{{len}} {what}, {{eta}} left");
        let style = ProgressStyle::with_template(&style).expect("the template is well-formed");
        Self(ProgressBar::new(0).with_style(style))
    }

    /// Begins anew, for what `name` says.
    pub(super) fn begin(&self, name: &str) {
        self.0.reset();
        self.0.set_prefix(format!("{name} "));
    }

    /// So many are done.
    pub(super) fn show(&self, done: usize, of: usize) -> ControlFlow<()> {
        self.0.set_length(of as u64);
        self.0.set_position(done as u64);
        ControlFlow::Continue(())
    }

    /// Makes room for what is printed.
    pub(super) fn hide(&self) {
        self.0.finish_and_clear();
    }
}
