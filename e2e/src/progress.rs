//! Tells a waiting person what is going on: a line that turns on a terminal, log
//! lines otherwise. Always on standard error, so that output stays a table or JSON.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// One stage of a run; ends when dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    bar: ProgressBar,
}

impl Stage {
    pub(crate) fn begin(text: String) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("{text}");
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::new_spinner().with_message(text);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A stage of known length.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(crate) fn begin(text: &str, total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("{text} ({total})");
            return Self::hidden();
        }
        let form = "{msg} {wide_bar} {human_pos}/{human_len} {eta}";
        let style = ProgressStyle::with_template(form);
        let bar = ProgressBar::new(total).with_message(text.to_owned());
        Self { bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())) }
    }

    /// Shows nothing.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    pub(crate) fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
