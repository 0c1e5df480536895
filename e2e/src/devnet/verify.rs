//! `verify`: derives a running devnet's chain from nothing and compares it block by block.

use std::path::Path;
use std::time::{Duration, Instant};

use eyre::{ContextCompat, WrapErr};
use indicatif::{ProgressBar, ProgressStyle};

use super::compare::{block, compare, wait_for};
use super::data_dir::DataDir;
use super::manifest::Manifest;
use super::pid_file::STOP_LIMIT;
use super::rollup::{self, NodePorts};
use super::service::Running;
use crate::rpc::RpcClient;

/// Name of the part, for its log and its folder.
const NAME: &str = "verifier-from-nothing";
const READY_LIMIT: Duration = Duration::from_secs(60);
/// Time without a further block after which it is given up.
const STALL_LIMIT: Duration = Duration::from_secs(60);

/// Starts a verifier with an empty data directory, waits until it has derived what is safe now, and
/// compares.
///
/// # Errors
/// When a block differs, or the verifier does not get there.
pub(super) async fn run(dir: &DataDir) -> eyre::Result<()> {
    let manifest = Manifest::read(&dir.manifest())?;
    let settings = dir.read_settings()?.wrap_err("this devnet was never set up")?;
    let sequencer = RpcClient::new(&manifest.l2.rpc)?;
    let target = block(&sequencer, "safe").await.wrap_err("does the devnet run?")?;
    let folder = dir.of(NAME);
    clear(&folder)?;
    let ports = NodePorts::free()?;
    let service = rollup::verifier(dir, &settings, NAME, ports, false)?;
    let began = Instant::now();
    let mut verifier = service.start(dir, false)?;
    verifier.wait_ready(READY_LIMIT).await?;
    let rpc = RpcClient::new(&super::ports::http(ports.http))?;
    let last = target.number.to();
    let derived = derive(&mut verifier, &rpc, last).await;
    let seconds = began.elapsed().as_secs_f64();
    let outcome = match derived {
        Ok(()) => compare(&sequencer, &rpc, last).await,
        Err(error) => Err(error),
    };
    verifier.stop(dir, STOP_LIMIT).await?;
    outcome?;
    clear(&folder)?;
    println!(
        "{last} blocks derived from nothing in {seconds:.1} s, all equal; the last is {}",
        target.hash
    );
    Ok(())
}

fn clear(folder: &Path) -> eyre::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).wrap_err_with(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Waits until the block is safe.
async fn derive(verifier: &mut Running, rpc: &RpcClient, target: u64) -> eyre::Result<()> {
    let form = "derived {bar:30} {human_pos}/{human_len} {eta}";
    let style = ProgressStyle::with_template(form);
    let bar = ProgressBar::new(target);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let derived = wait_for(rpc, "safe", target, STALL_LIMIT, |safe| bar.set_position(safe)).await;
    bar.finish_and_clear();
    derived.wrap_err_with(|| verifier.child.log_tail())
}
