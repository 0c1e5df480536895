//! L1: anvil, and its state on disk.
//!
//! anvil writes its whole state to `l1/dump.json` every two seconds and when it is stopped. It
//! overwrites the file in place, so a crash may leave half of it; what was seen whole is kept as
//! `l1/state.json`. A start takes the dump if it is whole, else the kept state.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use alloy_primitives::U64;
use cairn_test_setup::anvil_binary;
use eyre::{WrapErr, bail};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::accounts;
use super::data_dir::{DataDir, replace};
use super::ports::http;
use super::service::{Probe, Service, args};
use super::settings::Settings;
use crate::rpc::RpcClient;

/// Name of the part.
pub(super) const L1: &str = "l1";
/// What anvil's chain id is by default, and everybody's expectation.
pub(super) const CHAIN_ID: u64 = 31_337;

/// Seconds between dumps: what a crash of L1 may lose.
const DUMP_SECONDS: u64 = 2;
/// Time for a dump that holds a given block.
const DUMP_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// Seconds between blocks while contracts are deployed and operators register.
const SET_UP_BLOCK_TIME: u64 = 1;
/// That of mainnet.
const GAS_LIMIT: u64 = 60_000_000;

/// anvil with the settings of a devnet. A first start mines as fast as timestamps allow.
pub(super) fn service(dir: &DataDir, settings: &Settings, resumes: bool) -> eyre::Result<Service> {
    let port = settings.ports.l1;
    let block_time = if resumes { settings.l1_block_time.get() } else { SET_UP_BLOCK_TIME };
    let accounts = u64::from(accounts::count(settings.da_nodes));
    let mut args = args([
        &"--host",
        &"127.0.0.1",
        &"--port",
        &port,
        &"--chain-id",
        &CHAIN_ID,
        &"--hardfork",
        &"osaka",
        &"--accounts",
        &accounts,
        &"--block-time",
        &block_time,
        &"--gas-limit",
        &GAS_LIMIT,
        &"--slots-in-an-epoch",
        &settings.l1_slots_in_an_epoch.get(),
        &"--dump-state",
        &dump_file(dir),
        &"--state-interval",
        &DUMP_SECONDS,
        // It would note every call.
        &"--quiet",
    ]);
    if resumes {
        args.extend(["--load-state".into(), state_file(dir).into()]);
    }
    let probes = vec![Probe::Block { url: http(port), at_least: 0 }];
    Ok(Service { name: L1.to_owned(), program: anvil_binary()?, args, probes })
}

/// Goes over from the pace of the set-up to that of the settings.
pub(super) async fn set_pace(settings: &Settings) -> eyre::Result<()> {
    let l1 = RpcClient::new(&http(settings.ports.l1))?;
    let seconds = settings.l1_block_time.get();
    if seconds != SET_UP_BLOCK_TIME {
        let _: Value = l1.call("evm_setIntervalMining", json!([seconds])).await?;
    }
    Ok(())
}

fn dump_file(dir: &DataDir) -> PathBuf {
    dir.l1().join("dump.json")
}

fn state_file(dir: &DataDir) -> PathBuf {
    dir.l1().join("state.json")
}

/// What a dump must have to be one.
#[derive(Debug, Deserialize)]
struct Dump {
    best_block_number: U64,
    #[serde(rename = "accounts")]
    _accounts: IgnoredAny,
    #[serde(rename = "blocks")]
    _blocks: IgnoredAny,
}

/// The newest block of a dump, if it is whole.
fn newest_block(dump: &[u8]) -> Option<u64> {
    let dump: Dump = serde_json::from_slice(dump).ok()?;
    Some(dump.best_block_number.to())
}

/// Keeps whole dumps.
#[derive(Debug)]
pub(super) struct StateKeeper {
    dir: DataDir,
    /// When the dump was written that was looked at last.
    seen: Option<SystemTime>,
    kept: Option<u64>,
}

impl StateKeeper {
    pub(super) fn new(dir: &DataDir) -> Self {
        Self { dir: dir.clone(), seen: None, kept: None }
    }

    /// Keeps the dump if it is new and whole. Gives the newest block that is kept.
    pub(super) fn keep(&mut self) -> eyre::Result<Option<u64>> {
        let path = dump_file(&self.dir);
        let Ok(written) = std::fs::metadata(&path).and_then(|metadata| metadata.modified()) else {
            return Ok(self.kept);
        };
        if self.seen == Some(written) {
            return Ok(self.kept);
        }
        let dump = std::fs::read(&path).wrap_err_with(|| path.display().to_string())?;
        if let Some(block) = newest_block(&dump) {
            replace(&state_file(&self.dir), &dump)?;
            (self.seen, self.kept) = (Some(written), Some(block));
        }
        Ok(self.kept)
    }

    /// Waits until a dump is kept that has the block.
    pub(super) async fn wait_for(&mut self, block: u64) -> eyre::Result<()> {
        let deadline = Instant::now() + DUMP_LIMIT;
        while self.keep()?.is_none_or(|kept| kept < block) {
            if Instant::now() >= deadline {
                bail!("anvil writes no state with block {block} in {DUMP_LIMIT:?}");
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Before a start: takes what the last one left. Gives the newest block.
    ///
    /// # Errors
    /// When neither file is whole: then L1 is lost, and everything that stands on it.
    pub(super) fn resume(&mut self) -> eyre::Result<u64> {
        if let Some(block) = self.keep()? {
            return Ok(block);
        }
        let path = state_file(&self.dir);
        let state = std::fs::read(&path);
        let state = state.wrap_err_with(|| format!("{}; --fresh begins anew", path.display()))?;
        let block = newest_block(&state).ok_or_else(|| {
            eyre::eyre!("{} is not a state of L1; --fresh begins anew", path.display())
        })?;
        self.kept = Some(block);
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> (tempfile::TempDir, DataDir) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DataDir::new(folder.path());
        dir.create().expect("folders");
        (folder, dir)
    }

    fn dump(block: u64) -> String {
        json!({"best_block_number": block, "accounts": {}, "blocks": [], "transactions": []})
            .to_string()
    }

    #[test]
    fn half_a_dump_does_not_replace_a_whole_one() {
        let (_folder, dir) = dir();
        std::fs::write(dump_file(&dir), dump(7)).expect("written");
        assert_eq!(StateKeeper::new(&dir).keep().expect("readable"), Some(7));
        let whole = dump(9);
        std::fs::write(dump_file(&dir), &whole[..whole.len() - 1]).expect("written");
        assert_eq!(StateKeeper::new(&dir).resume().expect("the kept one is whole"), 7);
        std::fs::write(dump_file(&dir), whole).expect("written");
        assert_eq!(StateKeeper::new(&dir).resume().expect("whole"), 9);
        let kept = std::fs::read(state_file(&dir)).expect("kept");
        assert_eq!(newest_block(&kept), Some(9));
    }

    #[test]
    fn a_start_without_a_whole_state_says_so() {
        let (_folder, dir) = dir();
        assert!(StateKeeper::new(&dir).resume().is_err(), "nothing is there");
        std::fs::write(state_file(&dir), "{}").expect("written");
        let error = StateKeeper::new(&dir).resume().expect_err("no state");
        assert!(error.to_string().contains("--fresh"), "{error}");
    }
}
