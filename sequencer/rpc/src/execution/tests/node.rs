//! A chain behind a table of methods.

use std::path::Path;
use std::sync::Arc;

use alloy_genesis::Genesis;
use alloy_rlp::Decodable;
use cairn_chain::{BlockRef, Chain, ChainOptions, Head, Imported, open_store};
use cairn_evm::EvmConfig;
use cairn_pool::{BlockConditions, PoolConfig, Recovery, RecoveryConfig, SharedPool};
use cairn_primitives::{Block, ChainSpec};
use cairn_state::Options;
use jsonrpsee::RpcModule;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Backend, Methods, RpcConfig};

pub(super) struct Node {
    pub(super) chain: Chain,
    pub(super) pool: SharedPool,
    module: RpcModule<Backend>,
    _dir: TempDir,
}

impl Node {
    /// A chain at its genesis.
    pub(super) fn new(genesis: &Genesis, config: RpcConfig) -> Self {
        Self::with(genesis, config, crate::execution::register)
    }

    /// A chain at its genesis behind the methods that `register` adds.
    pub(super) fn with(
        genesis: &Genesis,
        config: RpcConfig,
        register: impl FnOnce(&mut Methods),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spec = Arc::new(ChainSpec::from_genesis(genesis).unwrap());
        let options = Options { block_cache_bytes: 8 << 20, ..Options::default() };
        let store = open_store(&dir.path().join("state"), options, &spec, genesis).unwrap();
        let evm = EvmConfig::new(spec.clone());
        let chain = Chain::open(store, evm, ChainOptions::default()).unwrap();
        let (_, head) = chain.header(BlockRef::Latest).unwrap().unwrap();
        let conditions = BlockConditions::new(&spec, 1, head.timestamp, 1, 0, head.gas_limit);
        let pool = SharedPool::new(PoolConfig::default(), Arc::new(chain.clone()), conditions);
        let recovery = Recovery::spawn(pool.clone(), &RecoveryConfig::default()).unwrap();
        let backend = Backend::new(chain.clone(), pool.clone(), Arc::new(recovery), config);
        let mut methods = Methods::new(backend, None);
        register(&mut methods);
        Self { chain, pool, module: methods.into_module(), _dir: dir }
    }

    /// The chain of the execution-apis fixtures, all its blocks imported.
    pub(super) fn of_fixtures(dir: &Path) -> Self {
        let genesis = std::fs::read(dir.join("genesis.json")).unwrap();
        let node = Self::new(&serde_json::from_slice(&genesis).unwrap(), RpcConfig::default());
        let blocks = std::fs::read(dir.join("chain.rlp")).unwrap();
        let mut blocks: &[u8] = &blocks;
        while !blocks.is_empty() {
            let block = Block::decode(&mut blocks).unwrap();
            let number = block.header.number;
            if number > 0 {
                assert_eq!(node.chain.import(block).unwrap(), Imported::Head, "block {number}");
            }
        }
        let head = node.chain.heads().unsafe_head.hash;
        node.chain.set_head(Head::Safe, head).unwrap();
        node.chain.set_head(Head::Finalized, head).unwrap();
        node
    }

    /// The response to a request.
    pub(super) async fn answer(&self, request: &str) -> Value {
        serde_json::from_str(&self.raw(request).await).unwrap()
    }

    /// The response to a request as text.
    pub(super) async fn raw(&self, request: &str) -> String {
        let (response, _) = self.module.raw_json_request(request, 1).await.unwrap();
        response.get().to_owned()
    }

    /// The result of a method, or its error object.
    pub(super) async fn call(&self, method: &str, params: Value) -> Result<Value, Value> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut response = self.answer(&request.to_string()).await;
        match response.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(response["result"].take()),
        }
    }
}
