//! A real anvil.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::network::EthereumWallet;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::signers::local::MnemonicBuilder;
use alloy::signers::local::PrivateKeySigner;
use alloy::signers::local::coins_bip39::English;
use alloy_primitives::{Address, Bytes, U256};
use cairn_l1::rpc::Backoff;
use cairn_l1::{L1Client, L1Config};
use serde_json::Value;

pub(crate) const CHAIN_ID: u64 = 31337;
const MNEMONIC: &str = "test test test test test test test test test test test junk";
const PATIENCE: Duration = Duration::from_secs(60);

/// A running anvil that mines when told. Killed on drop.
#[derive(Debug)]
pub(crate) struct Anvil {
    child: Child,
    pub(crate) url: String,
    pub(crate) provider: DynProvider,
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let named = std::env::var_os("ANVIL_BIN").map(PathBuf::from);
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let package = format!("node_modules/@foundry-rs/anvil-linux-{arch}/bin/anvil");
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts");
    named.or_else(|| Some(contracts.join(package))).filter(|path| path.is_file())
}

pub(crate) fn account(index: u32) -> PrivateKeySigner {
    let builder = MnemonicBuilder::<English>::default().phrase(MNEMONIC);
    builder.index(index).unwrap().build().unwrap()
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Anvil {
    /// `None`, said on standard output, where anvil is missing. With `CI=true` that fails.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Self> {
        let _ = rustls_ring();
        let Some(program) = program() else {
            let missing = "anvil is missing: run make setup or set ANVIL_BIN";
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
            println!("skipped: {missing}");
            return None;
        };
        let port = free_port();
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--no-mining"]);
        if !arguments.contains(&"--hardfork") {
            command.args(["--hardfork", "osaka"]);
        }
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let wallet = EthereumWallet::from(account(0));
        let provider = ProviderBuilder::new().wallet(wallet).connect_http(url.parse().unwrap());
        let anvil = Self { child, url, provider: provider.erased() };
        let start = Instant::now();
        while anvil.provider.get_block_number().await.is_err() {
            assert!(start.elapsed() < PATIENCE, "anvil does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(anvil)
    }

    pub(crate) async fn rpc(&self, method: &'static str, params: Value) -> Value {
        self.provider.raw_request(method.into(), params).await.unwrap()
    }

    pub(crate) async fn mine(&self, blocks: u64) {
        self.rpc("anvil_mine", serde_json::json!([format!("{blocks:#x}")])).await;
    }

    /// Replaces the newest blocks by empty ones.
    pub(crate) async fn reorg(&self, depth: u64) {
        self.rpc("anvil_reorg", serde_json::json!([depth, []])).await;
    }

    /// Sends calldata, in a block of its own.
    pub(crate) async fn send(&self, to: Address, input: impl Into<Bytes>) -> TransactionReceipt {
        let request = TransactionRequest::default().to(to).value(U256::from(1));
        let request = request.input(input.into().into());
        let sent = self.provider.send_transaction(request).await.unwrap();
        self.mine(1).await;
        sent.get_receipt().await.unwrap()
    }

    /// A contract that logs its calldata under one topic: `CALLDATACOPY`, `LOG1`.
    pub(crate) async fn logger(&self) -> Address {
        let runtime = alloy_primitives::hex!("365f5f37602a365fa100");
        let creation = [&alloy_primitives::hex!("600a600c5f39600a5ff3")[..], &[0; 2], &runtime];
        let creation = creation.concat();
        let request = TransactionRequest::default();
        let request = alloy::network::TransactionBuilder::with_deploy_code(request, creation);
        let sent = self.provider.send_transaction(request).await.unwrap();
        self.mine(1).await;
        let receipt = sent.get_receipt().await.unwrap();
        assert!(receipt.status());
        receipt.contract_address.unwrap()
    }

    pub(crate) fn client(&self) -> Arc<L1Client> {
        client(&[&self.url], false)
    }
}

fn rustls_ring() -> Result<(), Arc<rustls::crypto::CryptoProvider>> {
    rustls::crypto::ring::default_provider().install_default()
}

/// Short pauses, so that tests see what comes after them.
pub(crate) const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(5),
    longest: Duration::from_secs(2),
    lie: Duration::from_millis(20),
};

pub(crate) fn config(urls: &[&str]) -> L1Config {
    let urls = urls.iter().map(|url| url.parse().unwrap()).collect();
    let answer_time = Duration::from_millis(1500);
    L1Config { answer_time, backoff: BACKOFF, ..L1Config::new(urls, CHAIN_ID) }
}

pub(crate) fn client(urls: &[&str], sidecar_roots: bool) -> Arc<L1Client> {
    Arc::new(L1Client::new(L1Config { sidecar_roots, ..config(urls) }).unwrap())
}
