//! The folder one node runs in.

use std::path::{Path, PathBuf};

use eyre::WrapErr;
use tempfile::TempDir;

/// A temporary folder that is deleted with the handle, and the place of the log.
#[derive(Debug)]
pub(super) struct RunDir {
    folder: TempDir,
    log: PathBuf,
}

impl RunDir {
    /// Creates the folder for a node called `name`.
    pub(super) fn create(name: &str) -> eyre::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir()
            .wrap_err("no temporary run directory")?;
        let log = match std::env::var_os("CAIRN_E2E_LOGS") {
            None => folder.path().join(format!("{name}.log")),
            Some(logs) => {
                let logs = PathBuf::from(logs);
                std::fs::create_dir_all(&logs)
                    .wrap_err_with(|| format!("cannot create {}", logs.display()))?;
                let unique = folder.path().file_name().unwrap_or_default().to_string_lossy();
                logs.join(format!("{unique}.log"))
            }
        };
        Ok(Self { folder, log })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }
}
