//! What came of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A case that failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Failure {
    /// File, relative to the directory of the run.
    pub file: PathBuf,
    /// Test in the file; empty where the file itself is at fault.
    pub name: String,
    /// Case of the test.
    pub index: usize,
    /// What was wrong.
    pub reason: String,
}

/// Numbers of one directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Cases that passed.
    pub passed: u64,
    /// Cases that failed.
    pub failed: u64,
}

/// Result of a run over a directory.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Files read, those that could not be read included.
    pub files: u64,
    /// By directory, relative to that of the run.
    pub directories: BTreeMap<PathBuf, Totals>,
    /// Failures, sorted.
    pub failures: Vec<Failure>,
    /// Failures that the exceptions list allows, with the reason in the list.
    pub excepted: Vec<Failure>,
    /// Cases that were left out, by fork or network.
    pub skipped: BTreeMap<String, u64>,
}

impl Report {
    /// Cases that passed.
    pub fn passed(&self) -> u64 {
        self.directories.values().map(|totals| totals.passed).sum()
    }

    /// Cases that failed.
    pub fn failed(&self) -> u64 {
        self.directories.values().map(|totals| totals.failed).sum()
    }

    /// Whether nothing failed. The exit code of a command follows from it.
    pub fn is_success(&self) -> bool {
        self.failed() == 0
    }

    /// The report as one JSON object:
    /// `{passed, failed, total, files, failures: [{file, name, index, reason}], excepted, skipped}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "passed": self.passed(),
            "failed": self.failed(),
            "total": self.passed().saturating_add(self.failed()),
            "files": self.files,
            "failures": self.failures,
            "excepted": self.excepted,
            "skipped": self.skipped,
        })
    }

    /// Numbers of the directory that holds a file.
    pub(crate) fn directory_of(&mut self, file: &Path) -> &mut Totals {
        let directory = file.parent().unwrap_or_else(|| Path::new(""));
        self.directories.entry(directory.to_path_buf()).or_default()
    }

    /// Adds what another worker found.
    pub(crate) fn merge(&mut self, other: Self) {
        self.files = self.files.saturating_add(other.files);
        for (directory, totals) in other.directories {
            let sum = self.directories.entry(directory).or_default();
            sum.passed = sum.passed.saturating_add(totals.passed);
            sum.failed = sum.failed.saturating_add(totals.failed);
        }
        for (what, count) in other.skipped {
            let sum = self.skipped.entry(what).or_default();
            *sum = sum.saturating_add(count);
        }
        self.failures.extend(other.failures);
        self.excepted.extend(other.excepted);
        self.failures.sort();
        self.excepted.sort();
    }
}

/// Failures, a line for each directory, the total last; each line ends.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Failure { file, name, index, reason } in &self.failures {
            writeln!(f, "FAILED {} {name} [{index}]: {reason}", file.display())?;
        }
        for Failure { file, name, index, reason } in &self.excepted {
            writeln!(f, "excepted {} {name} [{index}]: {reason}", file.display())?;
        }
        for (directory, totals) in &self.directories {
            let Totals { passed, failed } = totals;
            let directory = match directory.display().to_string() {
                name if name.is_empty() => ".".to_string(),
                name => name,
            };
            writeln!(f, "{directory}: {passed} passed, {failed} failed")?;
        }
        for (what, count) in &self.skipped {
            writeln!(f, "skipped {what}: {count}")?;
        }
        let (passed, failed, files) = (self.passed(), self.failed(), self.files);
        let excepted = match self.excepted.len() {
            0 => String::new(),
            some => format!(", {some} excepted"),
        };
        writeln!(f, "total: {passed} passed, {failed} failed{excepted} ({files} files)")
    }
}
