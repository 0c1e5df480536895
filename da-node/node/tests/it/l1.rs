//! anvil with the DA contracts.

use std::path::{Path, PathBuf};

use alloy::network::TransactionBuilder;
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol;
use alloy::sol_types::SolValue;
use alloy_primitives::{Address, Bytes, U256, hex};
use cairn_da_client::registry::OperatorRegistry::Parameters;
use cairn_primitives::da::Domain;
use cairn_test_setup::Anvil;

pub(crate) use cairn_test_setup::{CHAIN_ID, account};

/// Operators get the first accounts; this one deploys.
const DEPLOYER: u32 = 19;
pub(crate) const ETHER: u128 = 1_000_000_000_000_000_000;

sol! {
    #[sol(rpc)]
    contract CertificateVerifier {
        function check(bytes calldata certificate) external view returns (uint8);
    }

    #[sol(rpc)]
    contract Recorders {
        function setRecorder(address account, bool allowed) external;
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
    anvil: Anvil,
    pub(crate) url: String,
    pub(crate) registry: Address,
}

fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts")
}

/// Creation code of a contract, as the repository has it.
fn creation_code(name: &str) -> Bytes {
    let path = contracts().join(format!("artifacts/da/{name}.json"));
    let artifact: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    hex::decode(artifact["initCode"].as_str().unwrap()).unwrap().into()
}

/// Creation code that returns a contract's code.
fn creation_code_of(code: &[u8]) -> Bytes {
    let length = u8::try_from(code.len()).unwrap();
    [&[0x60, length][..], &hex!("8060095f395ff3"), code].concat().into()
}

impl L1 {
    /// `None`, said on standard output, where anvil is missing. With `CI` set that fails.
    pub(crate) async fn start(clockwork: Clockwork) -> Option<Self> {
        let arguments = ["--accounts", "20", "--block-time", "1"];
        let anvil = Anvil::start(&arguments).await?;
        let mut l1 = Self { url: anvil.url.clone(), anvil, registry: Address::ZERO };
        l1.registry = l1.deploy_registry(creation_code("OperatorRegistry"), clockwork).await;
        Some(l1)
    }

    /// A provider, sending from an account.
    pub(crate) fn provider(&self, account: Option<PrivateKeySigner>) -> DynProvider {
        match account {
            Some(account) => self.anvil.provider_of(account),
            None => self.anvil.provider(),
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

    /// A batch inbox that reports to the registry, for certificates that its verifier takes.
    pub(crate) async fn deploy_inbox(&self, batcher: Address) -> Address {
        // As much of a SystemConfig as an inbox asks for: it answers everything with the batcher.
        let source = [&hex!("73")[..], batcher.as_slice(), &hex!("5f5260205ff3")].concat();
        let source = self.deploy(creation_code_of(&source), Vec::new()).await;
        let owner = account(DEPLOYER).address();
        let router = (owner, self.registry, self.deploy_verifier().await).abi_encode_params();
        let router = self.deploy(creation_code("CertificateVerifierRouter"), router).await;
        let inbox = (source, router, self.registry).abi_encode_params();
        let inbox = self.deploy(creation_code("BatchInbox"), inbox).await;
        let registry = Recorders::new(self.registry, self.provider(Some(account(DEPLOYER))));
        let allowed = registry.setRecorder(inbox, true).send().await.unwrap().get_receipt().await;
        assert!(allowed.unwrap().status());
        inbox
    }

    /// A contract that sends on what is behind the address in its calldata to that address.
    pub(crate) async fn deploy_forwarder(&self) -> Address {
        let code = hex!("601436038060145f375f5f825f5f5f3560601c5af1601b575f5ffd5b00");
        self.deploy(creation_code_of(&code), Vec::new()).await
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
