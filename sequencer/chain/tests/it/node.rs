//! A development node without its servers.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::network::TxSignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use cairn_chain::{
    BlockRef, Chain, ChainOptions, DevAttributes, Preconfirmation, Retention, Sequencer,
    SequencerOptions, open_store,
};
use cairn_evm::EvmConfig;
use cairn_genesis::{DEV_SYSTEM, DevOptions, dev_accounts, dev_genesis};
use cairn_pool::{BlockConditions, Origin, PoolConfig, Recovery, RecoveryConfig, SharedPool};
use cairn_primitives::{ChainSpec, StateReader, TxEnvelope};
use cairn_state::Options;

pub(crate) const CHAIN_ID: u64 = 901;

pub(crate) struct Node {
    pub(crate) chain: Chain,
    pub(crate) pool: SharedPool,
    pub(crate) recovery: Recovery,
    pub(crate) sequencer: Option<Sequencer>,
}

impl Node {
    /// A chain without sequencer.
    pub(crate) fn open(dir: &Path) -> Self {
        Self::open_with(dir, Options::default())
    }

    /// A chain without sequencer that keeps what the options say.
    pub(crate) fn open_with(dir: &Path, options: Options) -> Self {
        Self::open_retaining(dir, options, None)
    }

    /// The same, and what a retention says.
    pub(crate) fn open_retaining(
        dir: &Path,
        options: Options,
        retention: Option<Arc<dyn Retention>>,
    ) -> Self {
        let genesis = dev_genesis(&DevOptions::default()).unwrap();
        let spec = Arc::new(ChainSpec::from_genesis(&genesis).unwrap());
        let options = Options { block_cache_bytes: 8 << 20, ..options };
        let store = open_store(&dir.join("state"), options, &spec, &genesis).unwrap();
        let options = ChainOptions { retention, ..ChainOptions::default() };
        let chain = Chain::open(store, EvmConfig::new(spec.clone()), options).unwrap();
        let (_, head) = chain.header(BlockRef::Latest).unwrap().unwrap();
        let base_fee = spec.next_base_fee(&head, head.timestamp).unwrap().unwrap();
        let conditions =
            BlockConditions::new(&spec, 1, head.timestamp, base_fee, 0, head.gas_limit);
        let pool = SharedPool::new(PoolConfig::default(), Arc::new(chain.clone()), conditions);
        let recovery = Recovery::spawn(pool.clone(), &RecoveryConfig::default()).unwrap();
        Self { chain, pool, recovery, sequencer: None }
    }

    /// A chain that builds a block each `block_time`.
    pub(crate) fn start(dir: &Path, block_time: Duration) -> Self {
        let mut node = Self::open(dir);
        let (_, genesis) = node.chain.header(BlockRef::Earliest).unwrap().unwrap();
        let source = DevAttributes::new(node.chain.spec().clone(), &genesis, DEV_SYSTEM);
        let options = SequencerOptions { block_time, ..SequencerOptions::new(dir.join("journal")) };
        let (chain, pool) = (node.chain.clone(), node.pool.clone());
        node.sequencer = Some(Sequencer::start(chain, pool, Box::new(source), options).unwrap());
        node
    }

    pub(crate) fn stop(self) {
        if let Some(sequencer) = &self.sequencer {
            sequencer.shutdown();
        }
        drop(self.recovery);
        self.chain.close().unwrap();
    }

    /// Submits a transaction and waits until the open block has executed it.
    pub(crate) async fn send(&self, raw: Bytes) -> Preconfirmation {
        let executed = self.chain.wait_for(alloy_primitives::keccak256(&raw));
        self.recovery.add(raw, Origin::Local).await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), executed).await.unwrap().unwrap()
    }

    /// Transfers one from a development account, so many times, each sealed before the next.
    pub(crate) async fn transfers(&self, from: usize, count: u64, to: Address) -> Vec<B256> {
        let mut hashes = Vec::new();
        for nonce in 0..count {
            let (hash, raw) = transfer(from, nonce, to, 1);
            self.send(raw).await;
            self.sealed(hash);
            hashes.push(hash);
        }
        hashes
    }

    pub(crate) fn balance(&self, at: BlockRef, address: Address) -> U256 {
        let view = self.chain.state_at(at).unwrap().unwrap();
        view.account(address).unwrap().map_or(U256::ZERO, |account| account.balance)
    }

    /// Waits until a sealed block holds the transaction; gives its number.
    pub(crate) fn sealed(&self, hash: B256) -> u64 {
        until("the transaction is sealed", || {
            self.chain.transaction(hash).unwrap().map(|at| at.block.number())
        })
    }
}

/// Polls until there is a value.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "gave up waiting until {what}");
        std::thread::yield_now();
    }
}

/// A signed transfer from a development account.
pub(crate) fn transfer(from: usize, nonce: u64, to: Address, value: u64) -> (B256, Bytes) {
    call(from, nonce, TxKind::Call(to), U256::from(value), Bytes::new())
}

/// A signed transaction from a development account.
pub(crate) fn call(
    from: usize,
    nonce: u64,
    to: TxKind,
    value: U256,
    input: Bytes,
) -> (B256, Bytes) {
    let account = dev_accounts(u32::try_from(from).unwrap() + 1).unwrap()[from];
    let signer = PrivateKeySigner::from_bytes(&account.private_key).unwrap();
    let mut tx = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 1_000_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000,
        to,
        value,
        input,
        ..TxEip1559::default()
    };
    let signature = signer.sign_transaction_sync(&mut tx).unwrap();
    let tx = TxEnvelope::Eip1559(tx.into_signed(signature));
    (*tx.hash(), tx.encoded_2718().into())
}
