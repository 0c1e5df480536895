//! Tells a waiting person how far a start is: a bar on a terminal, lines otherwise.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Steps of a start. What is shown goes to standard error.
#[derive(Debug)]
pub struct Progress {
    shown: Shown,
    began: Instant,
}

#[derive(Debug)]
enum Shown {
    Nothing,
    Lines,
    Bar(ProgressBar),
}

impl Progress {
    /// Shows nothing, for tests.
    #[must_use]
    pub fn silent() -> Self {
        Self { shown: Shown::Nothing, began: Instant::now() }
    }

    /// Shows what is done, and on a terminal how much is left.
    pub(super) fn begin() -> Self {
        let shown = if std::io::stderr().is_terminal() {
            let form = "{spinner} {bar:24} {pos}/{len} {elapsed} {msg}";
            let style = ProgressStyle::with_template(form);
            let bar = ProgressBar::new(1);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(100));
            Shown::Bar(bar)
        } else {
            Shown::Lines
        };
        Self { shown, began: Instant::now() }
    }

    /// How many steps there are.
    pub(super) fn expect(&self, steps: usize) {
        if let Shown::Bar(bar) = &self.shown {
            bar.set_length(steps as u64);
        }
    }

    /// What is waited for now.
    pub(super) fn waiting(&self, what: &str) {
        if let Shown::Bar(bar) = &self.shown {
            bar.set_message(what.to_owned());
        }
    }

    /// A step that was made.
    pub(super) fn done(&self, what: &str) {
        let line = format!("{:5.1} s  {what}", self.began.elapsed().as_secs_f64());
        match &self.shown {
            Shown::Nothing => {}
            Shown::Lines => eprintln!("{line}"),
            Shown::Bar(bar) => {
                bar.println(line);
                bar.inc(1);
            }
        }
    }

    /// Time since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// A number of things.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!(count(1, "DA node"), "1 DA node");
        assert_eq!(count(4, "DA node"), "4 DA nodes");
    }
}
