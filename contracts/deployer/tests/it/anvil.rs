//! anvil as a child process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alloy::network::TransactionBuilder;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_deploy::{Contracts, DeployConfig, DeployError, Deployment, RunOptions, deploy};
use cairn_genesis::dev_accounts;

const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const L1_CHAIN_ID: u64 = 31_337;

/// A running anvil. Killed on drop.
pub(crate) struct L1 {
    child: Child,
    pub(crate) url: String,
    pub(crate) provider: DynProvider,
}

impl Drop for L1 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The anvil to run, where there is one: `ANVIL_BIN`, or that of the contracts' packages.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("ANVIL_BIN").map(PathBuf::from);
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let package = format!("../node_modules/@foundry-rs/anvil-linux-{arch}/bin/anvil");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(package);
    named.or(Some(own)).filter(|path| path.is_file())
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Key of an account of the usual mnemonic.
pub(crate) fn key(index: usize) -> PrivateKeySigner {
    let account = dev_accounts(index as u32 + 1).unwrap()[index];
    PrivateKeySigner::from_bytes(&account.private_key).unwrap()
}

pub(crate) fn account(index: usize) -> Address {
    key(index).address()
}

impl L1 {
    /// `None`, said on standard output, where anvil is missing. With `CI=true` that fails.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            let missing = "anvil is missing: run make setup or set ANVIL_BIN";
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
            println!("skipped: {missing}");
            return None;
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = free_port();
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--hardfork", "osaka", "--silent"]);
        let child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let url = format!("http://127.0.0.1:{port}");
        let provider = ProviderBuilder::new()
            .disable_recommended_fillers()
            .connect_http(url.parse().unwrap())
            .erased();
        let l1 = Self { child: child.unwrap(), url, provider };
        let start = Instant::now();
        while l1.provider.get_block_number().await.is_err() {
            assert!(start.elapsed() < PATIENCE, "anvil does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(l1)
    }

    /// Deploys with the first account.
    pub(crate) async fn deploy(&self, config: DeployConfig) -> Result<Deployment, DeployError> {
        self.deploy_with(config, RunOptions::default()).await
    }

    pub(crate) async fn deploy_with(
        &self,
        config: DeployConfig,
        options: RunOptions,
    ) -> Result<Deployment, DeployError> {
        deploy(self.url.parse().unwrap(), key(0), config, options, &mut |_| ()).await
    }

    /// Transactions that the first account has sent and that are mined.
    pub(crate) async fn nonce(&self) -> u64 {
        self.provider.get_transaction_count(account(0)).latest().await.unwrap()
    }

    /// The answer to a call, by the function's signature and its encoded arguments.
    pub(crate) async fn call(&self, to: Address, signature: &str, arguments: &[B256]) -> Bytes {
        let mut data = keccak256(signature)[..4].to_vec();
        data.extend(arguments.iter().flat_map(|word| word.0));
        let request = TransactionRequest::default().with_to(to).with_input(data);
        let answer = self.provider.call(request).block(alloy::eips::BlockId::latest()).await;
        answer.unwrap_or_else(|e| panic!("{signature} of {to}: {e}"))
    }

    pub(crate) async fn word(&self, to: Address, signature: &str, arguments: &[B256]) -> U256 {
        let answer = self.call(to, signature, arguments).await;
        assert_eq!(answer.len(), 32, "{signature} of {to}: {answer}");
        U256::from_be_slice(&answer)
    }

    /// Sends from one of anvil's own accounts and waits for the receipt.
    pub(crate) async fn send(&self, request: TransactionRequest) -> TransactionReceipt {
        let hash: B256 =
            self.provider.raw_request("eth_sendTransaction".into(), (request,)).await.unwrap();
        let start = Instant::now();
        loop {
            if let Some(receipt) = self.provider.get_transaction_receipt(hash).await.unwrap() {
                return receipt;
            }
            assert!(start.elapsed() < PATIENCE, "{hash} is not mined");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Code of every contract of a deployment, by the name that its file gives it.
    pub(crate) async fn codes(&self, contracts: &Contracts) -> Vec<(String, Address, Bytes)> {
        let serde_json::Value::Object(names) = serde_json::to_value(contracts).unwrap() else {
            panic!("addresses are an object");
        };
        let mut codes = Vec::new();
        for (name, address) in names {
            let address: Address = serde_json::from_value(address).unwrap();
            codes.push((name, address, self.provider.get_code_at(address).await.unwrap()));
        }
        codes
    }
}
