//! A devnet with the hands of its users.

use std::time::{Duration, Instant};

use alloy::network::{EthereumWallet, TransactionBuilder};
use alloy::providers::{DynProvider, PendingTransactionBuilder, Provider, ProviderBuilder};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use eyre::{ContextCompat, WrapErr, ensure};
use tempfile::TempDir;

use super::contracts::{BatchInbox, OptimismPortal};
use super::inbox::{Batch, batches};
use crate::devnet::{Devnet, DevnetOptions, PortChoice, Progress, block, compare, wait_for};
use crate::rpc::RpcClient;

/// Time for a head to move.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time for one transaction to be mined on either chain.
const MINED_LIMIT: Duration = Duration::from_secs(60);
const DEPOSIT_GAS: u64 = 100_000;
const POLL: Duration = Duration::from_millis(100);
/// Name of the verifier that knows nothing.
const FROM_NOTHING: &str = "verifier-from-nothing";

/// A devnet in a temporary folder. Its processes end with it.
#[derive(Debug)]
pub struct Chain {
    /// The devnet itself, to kill and restart parts of.
    pub devnet: Devnet,
    _folder: TempDir,
}

impl Chain {
    /// Starts a devnet on free ports.
    ///
    /// # Errors
    /// As [`Devnet::start`].
    pub async fn start(options: DevnetOptions) -> eyre::Result<Self> {
        let folder = tempfile::Builder::new().prefix("cairn-scenario-").tempdir()?;
        let options = DevnetOptions {
            data_dir: folder.path().to_owned(),
            ports: Some(PortChoice::Auto),
            ..options
        };
        let devnet = Devnet::start(&options, &Progress::silent()).await?;
        Ok(Self { devnet, _folder: folder })
    }

    /// L1.
    ///
    /// # Errors
    /// Never for the URLs of a devnet.
    pub fn l1(&self) -> eyre::Result<RpcClient> {
        RpcClient::new(&self.devnet.manifest().l1.rpc)
    }

    /// The sequencer.
    ///
    /// # Errors
    /// Never for the URLs of a devnet.
    pub fn sequencer(&self) -> eyre::Result<RpcClient> {
        RpcClient::new(&self.devnet.manifest().l2.rpc)
    }

    /// The verifier.
    ///
    /// # Errors
    /// When the devnet has none.
    pub fn verifier(&self) -> eyre::Result<RpcClient> {
        let verifier = self.devnet.manifest().verifier.as_ref().wrap_err("there is no verifier")?;
        RpcClient::new(&verifier.rpc)
    }

    /// A provider of L1 that sends as user `index`.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn l1_as(&self, index: usize) -> eyre::Result<DynProvider> {
        provider(&self.devnet.manifest().l1.rpc, self.user(index)?)
    }

    /// A provider of L1 that sends with one of the devnet's own keys, such as `proposer`.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn l1_with_key(&self, name: &str) -> eyre::Result<DynProvider> {
        provider(&self.devnet.manifest().l1.rpc, self.key(name)?)
    }

    /// One of the devnet's own keys.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn key(&self, name: &str) -> eyre::Result<PrivateKeySigner> {
        let path = self.devnet.dir().key(name);
        let text = std::fs::read_to_string(&path).wrap_err_with(|| path.display().to_string())?;
        text.trim().parse().wrap_err_with(|| path.display().to_string())
    }

    /// A provider of L2 that sends as user `index`.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn l2_as(&self, index: usize) -> eyre::Result<DynProvider> {
        provider(&self.devnet.manifest().l2.rpc, self.user(index)?)
    }

    /// The key of user `index`.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn user(&self, index: usize) -> eyre::Result<PrivateKeySigner> {
        let account = self.devnet.manifest().accounts.get(index);
        let account = account.wrap_err_with(|| format!("there is no user {index}"))?;
        PrivateKeySigner::from_bytes(&account.private_key).wrap_err("a user's key")
    }

    /// Address of a contract on L1.
    ///
    /// # Errors
    /// When the deployer did not name it.
    pub fn contract(&self, name: &str) -> eyre::Result<Address> {
        let address = self.devnet.manifest().contracts.l1.get(name).copied();
        address.wrap_err_with(|| format!("there is no {name} on L1"))
    }

    /// Sends transfers on L2 one behind the other; gives the block of the last.
    ///
    /// # Errors
    /// When one is refused or not mined.
    pub async fn transfers(&self, count: u64) -> eyre::Result<u64> {
        let l2 = self.l2_as(0)?;
        let mut last = None;
        for number in 0..count {
            let request = TransactionRequest::default()
                .with_to(address_of("a recipient", number))
                .with_value(U256::from(1));
            last = Some(l2.send_transaction(request).await?);
        }
        let receipt = mined(last.wrap_err("no transfers were asked for")?).await?;
        receipt.block_number.wrap_err("a receipt without a block")
    }

    /// Deposits ether for an address; gives the block of L1.
    ///
    /// # Errors
    /// When the portal refuses.
    pub async fn deposit(&self, to: Address, value: u64) -> eyre::Result<u64> {
        let portal = OptimismPortal::new(self.contract("OptimismPortal")?, self.l1_as(1)?);
        let value = U256::from(value);
        let call = portal.depositTransaction(to, value, DEPOSIT_GAS, false, Bytes::new());
        let receipt = mined(call.value(value).send().await?).await?;
        receipt.block_number.wrap_err("a receipt without a block")
    }

    /// Waits until an address has so much on L2.
    ///
    /// # Errors
    /// When it does not get it.
    pub async fn wait_balance(&self, of: Address, value: u64) -> eyre::Result<()> {
        let sequencer = self.sequencer()?;
        let wait = async {
            loop {
                if let Ok(balances) = sequencer.balances(&[of]).await
                    && balances == [U256::from(value)]
                {
                    return;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let arrived = tokio::time::timeout(PATIENCE, wait).await;
        arrived.wrap_err_with(|| format!("{of} does not get {value} wei in {PATIENCE:?}"))
    }

    /// Waits until a block is safe at the sequencer and the verifier.
    ///
    /// # Errors
    /// When a safe head stands still below it.
    pub async fn wait_safe(&self, number: u64) -> eyre::Result<()> {
        wait_for(&self.sequencer()?, "safe", number, PATIENCE, |_| ()).await?;
        wait_for(&self.verifier()?, "safe", number, PATIENCE, |_| ()).await
    }

    /// Waits until the verifier has blocks that no batch can have told it: its feed works.
    ///
    /// # Errors
    /// When its unsafe head stays with its safe head.
    pub async fn wait_feed(&self) -> eyre::Result<()> {
        let verifier = self.verifier()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let [safe, latest] = ["safe", "latest"].map(|name| block(&verifier, name));
            let (safe, latest) = (safe.await?.number, latest.await?.number);
            // The one block that derivation has just made is not safe yet, either.
            if latest > safe + U64::from(1) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the verifier is at {latest}, safe at {safe}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// The batches from `first` on.
    ///
    /// # Errors
    /// When L1 does not answer.
    pub async fn batches(&self, first: u64) -> eyre::Result<Vec<Batch>> {
        let inbox = BatchInbox::new(self.contract("BatchInbox")?, self.l1_as(0)?);
        batches(&inbox, first).await
    }

    /// The end of every scenario: what is sent now becomes safe, and sequencer, verifier and a
    /// verifier that began with nothing have the same blocks. Stops everything.
    ///
    /// # Errors
    /// When blocks differ, a part has ended by itself, or does not stop.
    pub async fn agree(mut self) -> eyre::Result<()> {
        let last = self.transfers(3).await?;
        self.wait_safe(last).await?;
        let url = self.devnet.add_verifier(FROM_NOTHING).await?;
        let from_nothing = RpcClient::new(&url)?;
        wait_for(&from_nothing, "safe", last, PATIENCE, |_| ()).await?;
        let sequencer = self.sequencer()?;
        ensure!(block(&sequencer, "safe").await?.number.to::<u64>() >= last, "safe went back");
        compare(&sequencer, &self.verifier()?, last).await?;
        compare(&sequencer, &from_nothing, last).await?;
        let deaths = self.devnet.deaths()?;
        ensure!(deaths.is_empty(), "ended by themselves: {deaths:?}");
        self.devnet.stop().await
    }
}

/// Nobody's address, the same in every run.
#[must_use]
pub fn address_of(what: &str, number: u64) -> Address {
    let mut seed = what.as_bytes().to_vec();
    seed.extend(number.to_be_bytes());
    Address::from_word(keccak256(seed))
}

fn provider(url: &str, key: PrivateKeySigner) -> eyre::Result<DynProvider> {
    cairn_node_setup::install_tls();
    let wallet = EthereumWallet::from(key);
    let url = url.parse().wrap_err("a devnet's URL")?;
    Ok(ProviderBuilder::new().wallet(wallet).connect_http(url).erased())
}

/// Waits for a transaction that must succeed.
pub(super) async fn mined(
    transaction: PendingTransactionBuilder<alloy::network::Ethereum>,
) -> eyre::Result<TransactionReceipt> {
    let receipt = received(transaction).await?;
    ensure!(receipt.status(), "{} failed", receipt.transaction_hash);
    Ok(receipt)
}

/// Waits for a transaction, whatever becomes of it.
pub(super) async fn received(
    transaction: PendingTransactionBuilder<alloy::network::Ethereum>,
) -> eyre::Result<TransactionReceipt> {
    let hash: B256 = *transaction.tx_hash();
    let receipt = tokio::time::timeout(MINED_LIMIT, transaction.get_receipt()).await;
    Ok(receipt.wrap_err_with(|| format!("{hash} is not mined in {MINED_LIMIT:?}"))??)
}
