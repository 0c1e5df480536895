//! Running the files of a directory on several threads.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::exceptions::{EXCEPTIONS, Exception, Suite};
use crate::failure::{CaseError, RunError};
use crate::files::test_files;
use crate::{Failure, Fork, Report};

/// Stack of a worker. The deepest tests nest 1024 calls.
const STACK_BYTES: usize = 32 << 20;

/// Stands between the name of a test and a fork other than the default.
const FORK_MARK: char = '@';

/// How a suite is run.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Forks whose cases run, where the suite has several for each test.
    pub forks: &'a [Fork],
    /// Threads; each has a store of its own.
    pub workers: NonZeroUsize,
    /// Cases that may fail.
    pub exceptions: &'a [Exception],
    /// Called after every file, from any worker.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            forks: &[Fork::Cancun],
            workers: NonZeroUsize::new(2).expect("two is not zero"),
            exceptions: EXCEPTIONS,
            progress: None,
        }
    }
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("forks", &self.forks)
            .field("workers", &self.workers)
            .field("exceptions", &self.exceptions.len())
            .finish_non_exhaustive()
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files that are done.
    pub files_done: usize,
    /// All files.
    pub files: usize,
    /// Cases that passed.
    pub passed: u64,
    /// Cases that failed.
    pub failed: u64,
}

/// A suite: how one test of a file is run.
pub(crate) trait Runner: Sync {
    /// One test, the value of a file's top-level key.
    type Test: DeserializeOwned;
    /// What one thread keeps from test to test.
    type Worker: Default;
    const SUITE: Suite;

    /// Runs all cases of a test.
    fn run_test(&self, worker: &mut Self::Worker, test: &Self::Test, cases: &mut Cases<'_>);
}

/// Takes the results of one test.
pub(crate) struct Cases<'a> {
    file: &'a Path,
    label: String,
    exceptions: &'a [&'a Exception],
    report: &'a mut Report,
}

impl Cases<'_> {
    /// Tells the cases of a fork apart from those of the default one, which have the bare name.
    pub(crate) fn with_fork(&mut self, fork: Fork) -> Cases<'_> {
        let label = match fork {
            Fork::Cancun => self.label.clone(),
            other => format!("{}{FORK_MARK}{other}", self.label),
        };
        Cases { file: self.file, label, exceptions: self.exceptions, report: self.report }
    }

    /// Runs a case and takes its result. A panic fails the case. Gives back whether it passed.
    pub(crate) fn run(
        &mut self,
        index: usize,
        case: impl FnOnce() -> Result<(), CaseError>,
    ) -> bool {
        let result = catch_unwind(AssertUnwindSafe(case)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Err(CaseError::Panic(text.unwrap_or_else(|| "no message".into())))
        });
        let passed = result.is_ok();
        self.take(index, result);
        passed
    }

    /// Takes the result of a case.
    pub(crate) fn take(&mut self, index: usize, result: Result<(), CaseError>) {
        let failure = |reason: String| Failure {
            file: self.file.to_path_buf(),
            name: self.label.clone(),
            index,
            reason,
        };
        let exception = self.exceptions.iter().find(|it| it.covers(&self.label, index));
        let error = match (result, exception.map(|it| it.reason)) {
            (Ok(()), None) => {
                self.report.directory_of(self.file).passed += 1;
                return;
            }
            (Err(_), Some(reason)) => {
                self.report.excepted.push(failure(reason.to_string()));
                return;
            }
            (Ok(()), Some(reason)) => CaseError::Stale { reason },
            (Err(error), None) => error,
        };
        self.report.failures.push(failure(error.to_string()));
        self.report.directory_of(self.file).failed += 1;
    }

    /// Notes a case that is left out.
    pub(crate) fn skip(&mut self, what: &str) {
        *self.report.skipped.entry(what.to_string()).or_default() += 1;
    }
}

/// Runs every file under `root`.
pub(crate) fn run<R: Runner>(
    runner: &R,
    root: &Path,
    options: &Options<'_>,
) -> Result<Report, RunError> {
    let files = test_files(root)?;
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Report::default());
    let work = || {
        let mut worker = R::Worker::default();
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let report = run_file(runner, &mut worker, root, path, options.exceptions);
            let mut total = total.lock();
            total.merge(report);
            if let Some(progress) = options.progress {
                progress(Progress {
                    files_done: usize::try_from(total.files).unwrap_or(usize::MAX),
                    files: files.len(),
                    passed: total.passed(),
                    failed: total.failed(),
                });
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..options.workers.get().min(files.len()) {
            let thread = thread::Builder::new().name("conformance".into());
            thread.stack_size(STACK_BYTES).spawn_scoped(scope, work).map_err(RunError::Thread)?;
        }
        Ok(())
    })?;
    Ok(total.into_inner())
}

/// Runs every test of a file.
fn run_file<R: Runner>(
    runner: &R,
    worker: &mut R::Worker,
    root: &Path,
    path: &Path,
    exceptions: &[Exception],
) -> Report {
    let mut report = Report { files: 1, ..Report::default() };
    let file = path.strip_prefix(root).unwrap_or(path);
    let file = if file.as_os_str().is_empty() { path } else { file };
    // An entry names a file by the end of its path, so the whole path counts.
    let exceptions: Vec<&Exception> =
        exceptions.iter().filter(|it| it.is_of(R::SUITE, path)).collect();
    let tests = match read(path) {
        Ok(tests) => tests,
        Err(error) => {
            Cases { file, label: String::new(), exceptions: &exceptions, report: &mut report }
                .take(0, Err(error));
            return report;
        }
    };
    for (name, json) in &tests {
        let mut cases =
            Cases { file, label: name.clone(), exceptions: &exceptions, report: &mut report };
        match serde_json::from_str(json.get()) {
            Ok(test) => runner.run_test(worker, &test, &mut cases),
            Err(error) => cases.take(0, Err(error.into())),
        }
    }
    for exception in &exceptions {
        let Some(name) = exception.name else { continue };
        let test = name.split(FORK_MARK).next().unwrap_or(name);
        if !tests.contains_key(test) {
            Cases { file, label: name.to_string(), exceptions: &[], report: &mut report }
                .take(0, Err(CaseError::Dangling));
        }
    }
    report
}

type Tests = BTreeMap<String, Box<RawValue>>;

fn read(path: &Path) -> Result<Tests, CaseError> {
    let tests: Tests = serde_json::from_slice(&std::fs::read(path)?)?;
    if tests.is_empty() { Err(CaseError::Shape("it holds no test".into())) } else { Ok(tests) }
}
