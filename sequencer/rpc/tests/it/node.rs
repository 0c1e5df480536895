//! Nodes for tests, each with a directory of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alloy_genesis::Genesis;
use cairn_chain::{
    BlockRef, Chain, ChainOptions, DevAttributes, Sequencer, SequencerOptions, TimestampRule,
    open_store,
};
use cairn_evm::EvmConfig;
use cairn_genesis::{DEV_SYSTEM, DevOptions, dev_genesis};
use cairn_pool::{BlockConditions, PoolConfig, Recovery, RecoveryConfig, SharedPool};
use cairn_primitives::ChainSpec;
use cairn_rpc::{Backend, PortConfig, RpcConfig, RpcHandle, RpcServer};
use cairn_state::Options;
use tempfile::TempDir;

/// Namespaces that tests call.
const NAMESPACES: [&str; 9] =
    ["eth", "net", "web3", "txpool", "debug", "rpc", "admin", "testing", "optimism"];

/// A node that serves RPC.
pub(crate) struct TestNode {
    pub(crate) chain: Chain,
    pub(crate) pool: SharedPool,
    pub(crate) address: SocketAddr,
    handle: Option<RpcHandle>,
    sequencer: Option<Sequencer>,
    _recovery: Arc<Recovery>,
    _directory: TempDir,
}

/// Caches that fit a test.
fn options() -> Options {
    Options {
        block_cache_bytes: 8 << 20,
        write_buffer_bytes: 8 << 20,
        read_cache_bytes: 4 << 20,
        node_cache_bytes: 4 << 20,
        ..Options::default()
    }
}

/// Settings that listen on any free port.
pub(crate) fn config() -> RpcConfig {
    let port = PortConfig {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        namespaces: NAMESPACES.iter().map(|name| (*name).to_owned()).collect(),
        ..PortConfig::default()
    };
    RpcConfig { ports: vec![port], ..RpcConfig::default() }
}

pub(crate) fn open_chain(directory: &Path, genesis: &Genesis, options_: ChainOptions) -> Chain {
    let spec = Arc::new(ChainSpec::from_genesis(genesis).expect("a genesis"));
    let store = open_store(directory, options(), &spec, genesis).expect("a store");
    Chain::open(store, EvmConfig::new(spec), options_).expect("a chain")
}

impl TestNode {
    /// Serves a chain that somebody else fills.
    pub(crate) async fn serve(chain: Chain, directory: TempDir, config: RpcConfig) -> Self {
        Self::serve_with(chain, directory, config, |backend| backend).await
    }

    /// [`Self::serve`] with more parts behind the methods.
    pub(crate) async fn serve_with(
        chain: Chain,
        directory: TempDir,
        config: RpcConfig,
        add: impl FnOnce(Backend) -> Backend,
    ) -> Self {
        let conditions = next_conditions(&chain);
        let tip = Arc::new(chain.clone());
        let pool = SharedPool::new(PoolConfig::default(), tip, conditions);
        let recovery = Recovery::spawn(pool.clone(), &RecoveryConfig::default()).expect("threads");
        let recovery = Arc::new(recovery);
        let backend = add(Backend::new(chain.clone(), pool.clone(), recovery.clone(), config));
        let handle = RpcServer::start(backend).await.expect("a free port");
        Self {
            chain,
            pool,
            address: handle.addresses()[0],
            handle: Some(handle),
            sequencer: None,
            _recovery: recovery,
            _directory: directory,
        }
    }

    /// A development chain under OP rules with prefunded accounts, building blocks.
    pub(crate) async fn dev(config: RpcConfig, block_time: Duration) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let genesis = dev_genesis(&DevOptions::default()).expect("a genesis");
        let options =
            ChainOptions { timestamps: TimestampRule::NonDecreasing, ..ChainOptions::default() };
        let chain = open_chain(&directory.path().join("state"), &genesis, options);
        let journal = directory.path().join("journal");
        let mut node = Self::serve(chain, directory, config).await;
        let (_, header) = node.chain.header(BlockRef::Earliest).unwrap().expect("genesis");
        let source = Box::new(DevAttributes::new(node.chain.spec().clone(), &header, DEV_SYSTEM));
        let options = SequencerOptions { block_time, ..SequencerOptions::new(journal) };
        let sequencer = Sequencer::start(node.chain.clone(), node.pool.clone(), source, options);
        node.sequencer = Some(sequencer.expect("a sequencer"));
        node
    }

    /// Stops the server gracefully, as the node does at its end.
    pub(crate) async fn stop_server(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.stop().await;
        }
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        if let Some(sequencer) = &self.sequencer {
            sequencer.shutdown();
        }
    }
}

/// Conditions of the block after the head.
fn next_conditions(chain: &Chain) -> BlockConditions {
    let (_, head) = chain.header(BlockRef::Latest).unwrap().expect("a head");
    let spec = chain.spec();
    let base_fee = spec.next_base_fee(&head, head.timestamp).unwrap().unwrap_or(0);
    let blob_fee = head
        .excess_blob_gas
        .zip(spec.blob_params(head.timestamp))
        .map_or(0, |(excess, params)| params.calc_blob_fee(excess));
    let number = head.number + 1;
    BlockConditions::new(spec, number, head.timestamp, base_fee, blob_fee, head.gas_limit)
}
