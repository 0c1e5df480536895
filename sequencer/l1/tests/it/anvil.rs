//! A real anvil.

use std::sync::Arc;
use std::time::Duration;

use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy_primitives::{Address, Bytes, U256};
use cairn_l1::rpc::Backoff;
use cairn_l1::{L1Client, L1Config};
use serde_json::Value;

pub(crate) use cairn_test_setup::{CHAIN_ID, account};

/// A running anvil that mines when told. Killed on drop.
#[derive(Debug)]
pub(crate) struct Anvil {
    _process: cairn_test_setup::Anvil,
    pub(crate) url: String,
    pub(crate) provider: DynProvider,
}

impl Anvil {
    /// `None`, said on standard output, where anvil is missing. With `CI` set that fails.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Self> {
        let arguments = [&["--no-mining"], arguments].concat();
        let process = cairn_test_setup::Anvil::start(&arguments).await?;
        let provider = process.provider_of(account(0));
        Some(Self { url: process.url.clone(), provider, _process: process })
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
