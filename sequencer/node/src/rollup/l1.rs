//! L1 as the settings name it.

use std::path::Path;
use std::time::Duration;

use alloy::sol;
use alloy_primitives::Address;
use cairn_l1::{BlobClient, BlobConfig, BlobSchedule, HeadConfig, L1Client, L1Config};
use cairn_rollup::RollupConfig;
use eyre::WrapErr;

use tokio::sync::watch;

use super::args::{L1Args, RollupArgs};

/// Time between looks at who signs unsafe blocks.
const SIGNER_INTERVAL: Duration = Duration::from_secs(6);

sol! {
    #[sol(rpc)]
    contract SystemConfig {
        function unsafeBlockSigner() external view returns (address);
    }
}

fn endpoints(args: &L1Args) -> eyre::Result<&[String]> {
    let urls = args.rpc.as_deref().filter(|urls| !urls.is_empty());
    urls.ok_or_else(|| eyre::eyre!("a rollup's node needs --l1.rpc URL"))
}

pub(super) fn client(args: &RollupArgs, rollup: &RollupConfig) -> eyre::Result<L1Client> {
    let urls = endpoints(&args.l1)?
        .iter()
        .map(|url| url.parse().wrap_err_with(|| format!("l1.rpc: {url}")));
    let mut config = L1Config {
        sidecar_roots: args.l1.sidecar_roots,
        ..L1Config::new(urls.collect::<eyre::Result<_>>()?, rollup.l1_chain_id)
    };
    if let Some(path) = &args.l1_chain_config {
        config.schedule = Some(schedule(path, rollup.l1_chain_id)?);
    }
    Ok(L1Client::new(config)?)
}

fn schedule(path: &Path, chain_id: u64) -> eyre::Result<BlobSchedule> {
    let name = || format!("L1 chain configuration {}", path.display());
    let text = std::fs::read_to_string(path).wrap_err_with(name)?;
    BlobSchedule::parse(&text, chain_id).wrap_err_with(name)
}

pub(super) fn head_config(args: &L1Args) -> eyre::Result<HeadConfig> {
    let default = HeadConfig::default();
    let websocket = match &args.ws {
        Some(url) => Some(url.parse().wrap_err_with(|| format!("l1.ws: {url}"))?),
        None => None,
    };
    let interval = args.poll_ms.map_or(default.interval, Duration::from_millis);
    Ok(HeadConfig { interval, websocket, ..default })
}

/// A batch may be in blobs at any time, so every node needs to be able to read them.
pub(super) fn blobs(args: &L1Args) -> eyre::Result<BlobClient> {
    let urls = args.beacon.as_deref().filter(|urls| !urls.is_empty());
    let urls = urls.ok_or_else(|| eyre::eyre!("a rollup's node needs --l1.beacon URL"))?;
    let urls = urls.iter().map(|url| url.parse().wrap_err_with(|| format!("l1.beacon: {url}")));
    Ok(BlobClient::new(BlobConfig::new(urls.collect::<eyre::Result<_>>()?))?)
}

/// Whom the SystemConfig names as signer of unsafe blocks, looked up again and again for as long as
/// somebody wants to know: a stolen key is replaced on L1. `None` until L1 has answered.
pub(super) fn unsafe_block_signer(
    l1: &L1Client,
    rollup: &RollupConfig,
) -> watch::Receiver<Option<Address>> {
    let contract = SystemConfig::new(rollup.l1_system_config_address, l1.provider());
    let (known, signer) = watch::channel(None);
    tokio::spawn(async move {
        while !known.is_closed() {
            match contract.unsafeBlockSigner().call().await {
                Ok(now) => drop(known.send_if_modified(|known| known.replace(now) != Some(now))),
                Err(error) => {
                    tracing::warn!(target: "node", %error, "unsafe block signer not read");
                }
            }
            tokio::time::sleep(SIGNER_INTERVAL).await;
        }
    });
    signer
}
