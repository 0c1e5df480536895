//! L1 as the settings name it.

use std::path::Path;
use std::time::Duration;

use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::RpcClient;
use alloy::sol;
use alloy::transports::http::Http;
use alloy::transports::http::reqwest::Client;
use alloy::transports::layers::FallbackService;
use alloy_primitives::Address;
use cairn_l1::{BlobClient, BlobConfig, BlobSchedule, HeadConfig, L1Client, L1Config};
use cairn_rollup::RollupConfig;
use eyre::WrapErr;

use tokio::sync::watch;

use super::args::{L1Args, RollupArgs};

/// Time between looks at who signs unsafe blocks.
const SIGNER_INTERVAL: Duration = Duration::from_secs(6);
/// Time for an answer about a contract.
const ANSWER_TIME: Duration = Duration::from_secs(10);

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

/// What is asked about contracts. Each call goes to one endpoint after the other until one answers.
const CALLS: [&str; 6] = [
    "eth_call",
    "eth_getLogs",
    "eth_blockNumber",
    "eth_getBlockByNumber",
    "eth_getBlockByHash",
    "eth_chainId",
];

/// A provider over all endpoints, for questions about contracts. An endpoint that takes a request and
/// says nothing is an error like others: what asks again later must not wait for ever.
pub(super) fn provider(args: &L1Args) -> eyre::Result<DynProvider> {
    bounded_provider(endpoints(args)?, ANSWER_TIME)
}

fn bounded_provider(urls: &[String], answer_time: Duration) -> eyre::Result<DynProvider> {
    let client = Client::builder().timeout(answer_time).build()?;
    let transport = |url: &String| {
        let parsed = url.parse().wrap_err_with(|| format!("l1.rpc: {url}"))?;
        Ok(Http::with_client(client.clone(), parsed))
    };
    let transports = urls.iter().map(transport).collect::<eyre::Result<Vec<_>>>()?;
    let calls = CALLS.iter().map(|call| (*call).to_owned()).collect();
    let service =
        FallbackService::new_with_sequential_methods(transports, urls.len().max(1), calls);
    let client = RpcClient::new(service, false);
    Ok(ProviderBuilder::new().connect_client(client).erased())
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
    args: &L1Args,
    rollup: &RollupConfig,
) -> eyre::Result<watch::Receiver<Option<Address>>> {
    let contract = SystemConfig::new(rollup.l1_system_config_address, provider(args)?);
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
    Ok(signer)
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::routing::post;
    use serde_json::{Value, json};

    use super::*;

    /// An endpoint at block 42.
    async fn answering() -> String {
        let answer = |Json(request): Json<Value>| async move {
            Json(json!({"jsonrpc": "2.0", "id": request["id"], "result": "0x2a"}))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().route("/", post(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    #[tokio::test]
    async fn a_silent_endpoint_is_an_error() {
        cairn_node_setup::install_tls();
        // Connections are taken by the kernel, and nobody reads them.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let provider =
            bounded_provider(std::slice::from_ref(&url), Duration::from_millis(50)).unwrap();
        let answer = tokio::time::timeout(ANSWER_TIME, provider.get_block_number()).await;
        assert!(answer.expect("it does not wait").is_err());

        // Where there is another one, it is asked: each time, whatever was learnt of the first.
        let other = answering().await;
        let provider = bounded_provider(&[url, other], Duration::from_millis(50)).unwrap();
        for _ in 0..3 {
            assert_eq!(provider.get_block_number().await.unwrap(), 0x2a);
        }
    }
}
