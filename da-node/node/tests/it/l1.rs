//! anvil with the DA contracts.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alloy::network::{EthereumWallet, TransactionBuilder};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::MnemonicBuilder;
use alloy::signers::local::PrivateKeySigner;
use alloy::signers::local::coins_bip39::English;
use alloy::sol;
use alloy::sol_types::SolValue;
use alloy_primitives::{Address, Bytes, U256, hex};
use cairn_primitives::da::Domain;

const MNEMONIC: &str = "test test test test test test test test test test test junk";
const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const CHAIN_ID: u64 = 31337;
/// Operators get the first accounts; this one deploys.
const DEPLOYER: u32 = 19;
pub(crate) const ETHER: u128 = 1_000_000_000_000_000_000;

sol! {
    struct Parameters {
        uint96 stakeMin;
        uint16 operatorsMin;
        uint16 signingRateMin;
        uint8 signingWindow;
        uint32 certificatesMin;
        uint32 rejoinDelay;
    }

    #[sol(rpc)]
    contract CertificateVerifier {
        function check(bytes calldata certificate) external view returns (uint8);
    }
}

/// How the registry is deployed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clockwork {
    pub(crate) epoch_length: u64,
    pub(crate) seed_delay: u64,
}

/// A running anvil with a registry. Killed on drop.
#[derive(Debug)]
pub(crate) struct L1 {
    child: Child,
    pub(crate) url: String,
    pub(crate) registry: Address,
}

impl Drop for L1 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts")
}

/// The anvil to run, where there is one: `ANVIL_BIN`, or that of the contracts' packages.
fn anvil() -> Option<PathBuf> {
    let named = std::env::var_os("ANVIL_BIN").map(PathBuf::from);
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let package = format!("node_modules/@foundry-rs/anvil-linux-{arch}/bin/anvil");
    named.or_else(|| Some(contracts().join(package))).filter(|path| path.is_file())
}

/// Creation code of a contract, as the repository has it.
fn creation_code(name: &str) -> Bytes {
    let path = contracts().join(format!("artifacts/da/{name}.json"));
    let artifact: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    hex::decode(artifact["initCode"].as_str().unwrap()).unwrap().into()
}

pub(crate) fn account(index: u32) -> PrivateKeySigner {
    let builder = MnemonicBuilder::<English>::default().phrase(MNEMONIC);
    builder.index(index).unwrap().build().unwrap()
}

pub(crate) fn free_port() -> u16 {
    free_ports(1)[0]
}

/// Ports that differ: all of them are taken before the first is free again.
pub(crate) fn free_ports(count: u32) -> Vec<u16> {
    let listen = |_| std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners: Vec<_> = (0..count).map(listen).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

impl L1 {
    /// `None`, said on standard output, where anvil is missing. With `CI=true` that fails.
    pub(crate) async fn start(clockwork: Clockwork) -> Option<Self> {
        let Some(program) = anvil() else {
            let missing = "anvil is missing: run make setup or set ANVIL_BIN";
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
            println!("skipped: {missing}");
            return None;
        };
        let port = free_port();
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--hardfork", "osaka", "--accounts", "20"]);
        command.args(["--block-time", "1", "--silent"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let mut l1 = Self { child, url, registry: Address::ZERO };
        l1.wait_ready().await;
        l1.registry = l1.deploy_registry(creation_code("OperatorRegistry"), clockwork).await;
        Some(l1)
    }

    async fn wait_ready(&self) {
        let (provider, start) = (self.provider(None), Instant::now());
        while provider.get_block_number().await.is_err() {
            assert!(start.elapsed() < PATIENCE, "anvil does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A provider, sending from an account.
    pub(crate) fn provider(&self, account: Option<PrivateKeySigner>) -> DynProvider {
        cairn_node_setup::install_tls();
        let url = self.url.parse().unwrap();
        let builder = ProviderBuilder::new();
        match account {
            Some(account) => {
                builder.wallet(EthereumWallet::from(account)).connect_http(url).erased()
            }
            None => builder.connect_http(url).erased(),
        }
    }

    pub(crate) fn domain(&self) -> Domain {
        Domain { chain_id: CHAIN_ID, registry: self.registry }
    }

    pub(crate) async fn time(&self) -> u64 {
        let block = self.provider(None).get_block(alloy::eips::BlockId::latest()).await;
        block.unwrap().unwrap().header.timestamp
    }

    async fn deploy_registry(&self, code: Bytes, clockwork: Clockwork) -> Address {
        let parameters = Parameters {
            stakeMin: alloy_primitives::Uint::from(ETHER),
            operatorsMin: 4,
            signingRateMin: 5000,
            signingWindow: 3,
            certificatesMin: 10,
            rejoinDelay: 0,
        };
        let arguments = (
            account(DEPLOYER).address(),
            U256::from(self.time().await),
            U256::from(clockwork.epoch_length),
            U256::from(clockwork.epoch_length.max(30 * 86_400)),
            U256::from(clockwork.seed_delay),
            parameters,
        );
        self.deploy(code, arguments.abi_encode_params()).await
    }

    pub(crate) async fn deploy_verifier(&self) -> Address {
        let code = creation_code("CertificateVerifier");
        self.deploy(code, self.registry.abi_encode()).await
    }

    async fn deploy(&self, code: Bytes, arguments: Vec<u8>) -> Address {
        let code = [&code[..], &arguments].concat();
        let request = TransactionRequest::default().with_deploy_code(code);
        let provider = self.provider(Some(account(DEPLOYER)));
        let receipt = provider.send_transaction(request).await.unwrap().get_receipt().await;
        receipt.unwrap().contract_address.unwrap()
    }

    /// The status that the contract gives a certificate.
    pub(crate) async fn check(&self, verifier: Address, certificate: &[u8]) -> u8 {
        let contract = CertificateVerifier::new(verifier, self.provider(None));
        contract.check(certificate.to_vec().into()).call().await.unwrap()
    }
}
