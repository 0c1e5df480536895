//! What is left of an execution that never returns, or takes the process with it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use eyre::WrapErr;

/// An execution that takes longer is a finding.
const LONGEST: Duration = Duration::from_secs(10);

/// Keeps the input of the execution in progress in a file, and ends the process when that takes too long.
///
/// The file is `length (4, little-endian) ‖ input`. It is not synced: it has to outlive the process, not the
/// machine.
#[derive(Debug)]
pub(super) struct Watch {
    file: File,
    path: PathBuf,
    /// Microseconds from `since` to the begin of the execution; zero between executions.
    begun: Arc<AtomicU64>,
    since: Instant,
}

impl Watch {
    /// Begins with an empty file.
    pub(super) fn start(path: &Path) -> eyre::Result<Self> {
        let file = File::create(path).wrap_err_with(|| path.display().to_string())?;
        let (begun, since) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let (seen, file_name) = (Arc::downgrade(&begun), path.display().to_string());
        std::thread::Builder::new().name("watch".into()).spawn(move || {
            while let Some(begun) = seen.upgrade() {
                let begun = begun.load(Ordering::Relaxed);
                let elapsed = since.elapsed().as_micros() as u64;
                if begun != 0 && elapsed.saturating_sub(begun) > LONGEST.as_micros() as u64 {
                    eprintln!("an execution takes longer than {LONGEST:?}: input in {file_name}");
                    std::process::abort();
                }
                std::thread::sleep(Duration::from_millis(500));
            }
        })?;
        Ok(Self { file, path: path.to_path_buf(), begun, since })
    }

    pub(super) fn begin(&self, input: &[u8]) -> eyre::Result<()> {
        let length = u32::try_from(input.len()).wrap_err("the input is too long")?;
        self.file.write_all_at(&length.to_le_bytes(), 0)?;
        self.file.write_all_at(input, 4)?;
        self.begun.store(self.since.elapsed().as_micros() as u64 + 1, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn end(&self) {
        self.begun.store(0, Ordering::Relaxed);
    }

    /// The file is of no use any more.
    pub(super) fn finish(self) -> eyre::Result<()> {
        std::fs::remove_file(&self.path).wrap_err_with(|| self.path.display().to_string())
    }
}
