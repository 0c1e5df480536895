//! The data directory of a devnet.
//!
//! ```text
//! lock                 held while a devnet runs; its text is the process id
//! settings.json        what the devnet is; written last when it was set up
//! devnet.json          what users need to know
//! logs/NAME.log        what each process says
//! pids/NAME.json       which process each part is
//! keys/NAME            private keys, mode 0600
//! l1/state.json        the newest state of L1 known to be whole
//! l1/dump.json         what anvil writes, whole or not
//! contracts/           addresses.json, genesis.json, rollup.json
//! da-N/ sequencer/ verifier/
//! ```
//!
//! The set-up is not resumed: it takes seconds, and until `settings.json` is there the directory
//! counts as empty. Behind that, L1 may lose what it mined after its last dump, which to everybody
//! else is a reorganisation of L1.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::hex;
use eyre::{WrapErr, bail};
use serde::Serialize;

use super::settings::Settings;

/// Everything that [`DataDir::clear`] removes: nothing else in the folder is ours.
const ENTRIES: [&str; 8] =
    ["settings.json", "devnet.json", "logs", "pids", "keys", "l1", "contracts", "gateway"];

/// A devnet's folder.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
}

/// The right to run the devnet of a folder. Ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl DataDir {
    /// The folder `root`, which need not exist.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `devnet.json`.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.root.join("devnet.json")
    }

    /// The log of a part.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    pub(super) fn pids(&self) -> PathBuf {
        self.root.join("pids")
    }

    /// The file of a private key.
    #[must_use]
    pub fn key(&self, name: &str) -> PathBuf {
        self.root.join("keys").join(name)
    }

    /// Writes a private key where a part can take it from; gives the file.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write_key(&self, name: &str, key: &PrivateKeySigner) -> eyre::Result<PathBuf> {
        let path = self.key(name);
        write_secret(&path, &hex::encode_prefixed(key.to_bytes()))?;
        Ok(path)
    }

    pub(super) fn l1(&self) -> PathBuf {
        self.root.join("l1")
    }

    /// What the deployer wrote.
    #[must_use]
    pub fn contracts(&self) -> PathBuf {
        self.root.join("contracts")
    }

    /// The data directory of a part.
    #[must_use]
    pub fn of(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn settings(&self) -> PathBuf {
        self.root.join("settings.json")
    }

    /// Makes the folders that must be there before anything starts.
    pub(super) fn create(&self) -> eyre::Result<()> {
        for folder in [self.logs(), self.pids(), self.root.join("keys"), self.l1()] {
            std::fs::create_dir_all(&folder)
                .wrap_err_with(|| format!("cannot create {}", folder.display()))?;
        }
        Ok(())
    }

    /// Takes the lock; tells who has it otherwise.
    pub(super) fn lock(&self) -> eyre::Result<Lock> {
        std::fs::create_dir_all(&self.root)
            .wrap_err_with(|| format!("cannot create {}", self.root.display()))?;
        let mut file = self.open_lock()?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = self.holder()?.unwrap_or_default();
                bail!("the devnet in {} runs already, as process {pid}", self.root.display());
            }
            Err(TryLockError::Error(error)) => return Err(error).wrap_err("cannot lock"),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        file.sync_all()?;
        Ok(Lock { _file: file })
    }

    /// The process that runs this devnet.
    pub(super) fn holder(&self) -> eyre::Result<Option<i32>> {
        if !self.root.join("lock").exists() {
            return Ok(None);
        }
        let mut file = self.open_lock()?;
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error).wrap_err("cannot lock"),
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // Empty for the moment between locking and writing.
        Ok(Some(text.trim().parse().unwrap_or_default()))
    }

    fn open_lock(&self) -> eyre::Result<File> {
        let path = self.root.join("lock");
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        opened.wrap_err_with(|| format!("cannot open {}", path.display()))
    }

    /// The settings of a devnet that was set up.
    pub(super) fn read_settings(&self) -> eyre::Result<Option<Settings>> {
        let path = self.settings();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).wrap_err_with(|| path.display().to_string()),
        };
        let settings = serde_json::from_str(&text)
            .wrap_err_with(|| format!("{}; --fresh begins anew", path.display()))?;
        Ok(Some(settings))
    }

    /// Says that the devnet is set up.
    pub(super) fn write_settings(&self, settings: &Settings) -> eyre::Result<()> {
        write_json(&self.settings(), settings)
    }

    /// Removes everything that a devnet puts here, and nothing else.
    pub(super) fn clear(&self) -> eyre::Result<()> {
        // First of all, so that half of a devnet does not count as one.
        for entry in ENTRIES {
            remove(&self.root.join(entry))?;
        }
        let entries = std::fs::read_dir(&self.root)
            .wrap_err_with(|| format!("cannot read {}", self.root.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let node = ["da-", "sequencer", "verifier"].iter().any(|node| name.starts_with(node));
            if node {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) -> eyre::Result<()> {
    let removed =
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).wrap_err_with(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes a file of JSON that is whole or not there.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> eyre::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    replace(path, text.as_bytes())
}

/// Puts a file in the place of another at once.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> eyre::Result<()> {
    let beside = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().wrap_err_with(|| format!("cannot write {}", path.display()))
}

/// Writes a secret that only its owner may read.
fn write_secret(path: &Path, text: &str) -> eyre::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.wrap_err_with(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_runs_a_devnet_and_it_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DataDir::new(folder.path());
        assert_eq!(dir.holder().expect("readable"), None);
        let lock = dir.lock().expect("nobody holds it");
        let own = i32::try_from(std::process::id()).expect("a process id");
        assert_eq!(dir.holder().expect("readable"), Some(own));
        let error = dir.lock().expect_err("it is held");
        assert!(error.to_string().contains(&own.to_string()), "{error}");
        drop(lock);
        assert_eq!(dir.holder().expect("readable"), None);
        dir.lock().expect("nobody holds it any more");
    }

    #[test]
    fn clearing_leaves_what_is_not_ours() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DataDir::new(folder.path());
        dir.create().expect("folders");
        for ours in ["settings.json", "da-0", "verifier-2", "l1/state.json"] {
            std::fs::write(dir.of(ours), "").expect("written");
        }
        std::fs::write(dir.of("notes.txt"), "mine").expect("written");
        dir.clear().expect("cleared");
        let left: Vec<_> = std::fs::read_dir(dir.root()).expect("there").flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(dir.of("notes.txt").is_file());
    }

    #[test]
    fn a_secret_is_its_owners() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key");
        write_secret(&path, "0x01").expect("written");
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
    }
}
