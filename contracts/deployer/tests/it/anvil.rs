//! anvil to deploy to.

use std::time::{Duration, Instant};

use alloy::network::TransactionBuilder;
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_deploy::{Contracts, DeployConfig, DeployError, Deployment, RunOptions, deploy};
use cairn_test_setup::Anvil;

const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) use cairn_test_setup::CHAIN_ID as L1_CHAIN_ID;

/// A running anvil. Killed on drop.
pub(crate) struct L1 {
    _anvil: Anvil,
    pub(crate) url: String,
    pub(crate) provider: DynProvider,
}

/// Key of an account of the usual mnemonic.
pub(crate) fn key(index: usize) -> PrivateKeySigner {
    cairn_test_setup::account(index as u32)
}

pub(crate) fn account(index: usize) -> Address {
    key(index).address()
}

impl L1 {
    /// `None`, said on standard output, where anvil is missing. With `CI` set that fails.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Self> {
        let anvil = Anvil::start(arguments).await?;
        Some(Self { url: anvil.url.clone(), provider: anvil.provider(), _anvil: anvil })
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
