//! The three files.
//!
//! `genesis.json` (geth's form), `addresses.json` ([`Contracts`](crate::Contracts)) and `rollup.json`
//! (op-node's form, [`RollupConfig`](cairn_rollup::RollupConfig)), in this order: a folder that has the
//! last has them all. Each is written beside its place, synced and renamed; a crash leaves the old file
//! or the new one. A file of another deployment is not overwritten.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::{DeployError, Deployment};

/// L2's genesis.
pub const GENESIS_FILE: &str = "genesis.json";
/// Addresses on L1.
pub const ADDRESSES_FILE: &str = "addresses.json";
/// Parameters of the rollup.
pub const ROLLUP_FILE: &str = "rollup.json";

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> DeployError + '_ {
    move |source| DeployError::File { path: path.to_path_buf(), source }
}

impl Deployment {
    /// Writes the files into a folder, which is created if it is missing.
    ///
    /// # Errors
    /// [`DeployError::OtherDeployment`], [`DeployError::File`].
    pub fn write(&self, folder: &Path) -> Result<(), DeployError> {
        std::fs::create_dir_all(folder).map_err(file_error(folder))?;
        let files = [
            (folder.join(GENESIS_FILE), json(&self.genesis)),
            (folder.join(ADDRESSES_FILE), json(&self.contracts)),
            (folder.join(ROLLUP_FILE), json(&self.rollup)),
        ];
        let mut missing = Vec::new();
        for (path, text) in files {
            match std::fs::read_to_string(&path) {
                Ok(present) if present == text => {}
                Ok(_) => return Err(DeployError::OtherDeployment { path }),
                Err(e) if e.kind() == ErrorKind::NotFound => missing.push((path, text)),
                Err(source) => return Err(DeployError::File { path, source }),
            }
        }
        for (path, text) in missing {
            replace(folder, &path, &text)?;
        }
        Ok(())
    }
}

fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("all three have a JSON form");
    text.push('\n');
    text
}

fn replace(folder: &Path, path: &PathBuf, text: &str) -> Result<(), DeployError> {
    let write = || -> std::io::Result<()> {
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        make_readable(file.as_file())?;
        file.persist(path).map_err(|e| e.error)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(file_error(path))
}

/// Temporary files are for their owner alone; these hold no secret.
fn make_readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
