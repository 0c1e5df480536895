//! A chain with its store.

use std::path::Path;
use std::sync::Arc;

use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, Bytes};
use cairn_chain::{
    AttributesSource, BlockRef, Chain, ChainOptions, DerivedPayload, DevAttributes, HeadUpdate,
    PayloadAttributes, Retention, open_store,
};
use cairn_evm::EvmConfig;
use cairn_genesis::{DEV_SYSTEM, DevOptions, dev_genesis};
use cairn_primitives::{ChainSpec, Header};
use cairn_rollup::RollupConfig;
use cairn_state::Options;

fn open(directory: &Path, options: Options, retention: Option<Arc<dyn Retention>>) -> Chain {
    let genesis = dev_genesis(&DevOptions::default()).unwrap();
    let spec = Arc::new(ChainSpec::from_genesis(&genesis).unwrap());
    let options = Options { block_cache_bytes: 8 << 20, ..options };
    let store = open_store(directory, options, &spec, &genesis).unwrap();
    let options = ChainOptions { retention, ..ChainOptions::default() };
    Chain::open(store, EvmConfig::new(spec), options).unwrap()
}

/// A development chain. Its L1 origins are made up.
pub(crate) struct TestChain {
    pub(crate) chain: Chain,
    _directory: tempfile::TempDir,
}

impl TestChain {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let chain = open(directory.path(), Options::default(), None);
        Self { chain, _directory: directory }
    }

    /// One that keeps what the options say, and what the retention for such a chain does.
    pub(crate) fn keeping(
        options: Options,
        retention: impl FnOnce(&Chain) -> Arc<dyn Retention>,
    ) -> Self {
        let of_its_kind = retention(&Self::new().chain);
        let directory = tempfile::tempdir().unwrap();
        let chain = open(directory.path(), options, Some(of_its_kind));
        Self { chain, _directory: directory }
    }

    pub(crate) fn header(&self, number: u64) -> (B256, Header) {
        self.chain.header(BlockRef::Number(number)).unwrap().unwrap()
    }

    /// Attributes of the block after that one, a second later.
    pub(crate) fn attributes(&self, parent: &Header) -> PayloadAttributes {
        let (_, genesis) = self.header(0);
        let mut source = DevAttributes::new(self.chain.spec().clone(), &genesis, DEV_SYSTEM);
        source.next(parent, parent.timestamp + 1).unwrap()
    }

    /// Makes a block of deposits on the head, told apart from others by its randomness.
    pub(crate) fn extend(&self, randomness: u8) -> BlockNumHash {
        let (hash, head) = self.chain.header(BlockRef::Latest).unwrap().unwrap();
        let mut attributes = self.attributes(&head);
        attributes.block.prev_randao = B256::repeat_byte(randomness);
        let payload = DerivedPayload { attributes, transactions: Vec::<Bytes>::new() };
        self.chain.derive(hash, payload.recover().unwrap()).unwrap().block
    }

    /// Makes a block safe, as derived from that L1 block.
    pub(crate) fn make_safe(&self, safe: B256, derived_from: Option<BlockNumHash>) {
        let update = HeadUpdate { safe: Some(safe), derived_from, finalized: None };
        self.chain.advance_heads(&update).unwrap();
    }

    pub(crate) fn finalize(&self, block: B256) {
        let update = HeadUpdate { finalized: Some(block), ..HeadUpdate::default() };
        self.chain.advance_heads(&update).unwrap();
    }
}

impl Drop for TestChain {
    /// The process must not end while a thread is at work in the store.
    fn drop(&mut self) {
        if let Err(error) = self.chain.close() {
            eprintln!("{error}");
        }
    }
}

/// The parameters of a rollup with that chain.
pub(crate) fn rollup(chain: &Chain, l1: BlockNumHash) -> Arc<RollupConfig> {
    let (hash, genesis) = chain.header(BlockRef::Earliest).unwrap().unwrap();
    let (time, gas_limit) = (genesis.timestamp, genesis.gas_limit);
    Arc::new(cairn_rollup::testing::on_genesis(l1, hash, time, gas_limit))
}
