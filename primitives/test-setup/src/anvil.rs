//! anvil as a child process.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alloy::network::EthereumWallet;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::signers::local::coins_bip39::English;
use alloy::signers::local::{MnemonicBuilder, PrivateKeySigner};

use crate::{anvil_binary, free_port, skip};

/// anvil's chain id if none is given.
pub const CHAIN_ID: u64 = 31_337;

const MNEMONIC: &str = "test test test test test test test test test test test junk";
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Account `index` of the mnemonic whose first accounts anvil funds.
pub fn account(index: u32) -> PrivateKeySigner {
    let builder = MnemonicBuilder::<English>::default().phrase(MNEMONIC);
    builder.index(index).and_then(|builder| builder.build()).expect("a derivation path")
}

/// A running anvil. Killed on drop.
#[derive(Debug)]
pub struct Anvil {
    child: Child,
    /// `http://127.0.0.1:<port>`.
    pub url: String,
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Anvil {
    /// Starts anvil with these arguments, on Osaka if they name no fork, and waits until it answers.
    /// `None`, said on standard output, where anvil is missing; with `CI` set that fails.
    pub async fn start(arguments: &[&str]) -> Option<Self> {
        let program = anvil_binary().map_err(|error| skip(&error.to_string())).ok()?;
        let port = free_port().expect("a port");
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--silent"]);
        if !arguments.contains(&"--hardfork") {
            command.args(["--hardfork", "osaka"]);
        }
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("anvil starts");
        let mut anvil = Self { child, url: format!("http://127.0.0.1:{port}") };
        let (provider, start) = (anvil.provider(), Instant::now());
        while provider.get_block_number().await.is_err() {
            let ended = anvil.child.try_wait().expect("a child");
            assert!(ended.is_none(), "anvil ended: {command:?}, {ended:?}");
            assert!(start.elapsed() < PATIENCE, "anvil does not answer");
            tokio::time::sleep(POLL).await;
        }
        Some(anvil)
    }

    /// A provider that sends requests as they are.
    pub fn provider(&self) -> DynProvider {
        install_tls();
        let builder = ProviderBuilder::new().disable_recommended_fillers();
        builder.connect_http(self.url.parse().expect("a URL")).erased()
    }

    /// A provider that completes transactions and signs them.
    pub fn provider_of(&self, account: PrivateKeySigner) -> DynProvider {
        install_tls();
        let builder = ProviderBuilder::new().wallet(EthereumWallet::from(account));
        builder.connect_http(self.url.parse().expect("a URL")).erased()
    }
}

/// HTTP clients cannot be made without a TLS provider, though nothing here speaks TLS.
pub fn install_tls() {
    // Fails when another one is installed, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
