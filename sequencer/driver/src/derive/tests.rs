use std::time::Duration;

use alloy::providers::{Provider, ProviderBuilder};
use alloy_eips::BlockNumHash;
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_l1::{BlobClient, BlobConfig};
use cairn_rollup::start::StartError;
use serde_json::Value;

use super::*;
use crate::testing::{EmptyL1, L1Server, Reply, TestChain, rollup};

const PATIENCE: Duration = Duration::from_secs(60);

struct Scene {
    chain: TestChain,
    l1: L1Server,
    task: DerivationTask,
    handle: RollupHandle,
    heads: watch::Sender<HeadState>,
    _feed: mpsc::Sender<Block>,
}

/// Derivation of a chain whose L1 genesis is this block.
fn scene(chain: TestChain, l1: L1Server, genesis: BlockNumHash, state: HeadState) -> Scene {
    let rollup = rollup(&chain.chain, genesis);
    let provider = ProviderBuilder::new().connect_http(l1.url.parse().unwrap()).erased();
    let blobs = BlobClient::new(BlobConfig::new(vec![l1.url.parse().unwrap()])).unwrap();
    let (heads, states) = watch::channel(state);
    let (feed, blocks) = mpsc::channel(1);
    let handle = RollupHandle::new(rollup.clone());
    let task = DerivationTask::spawn(DerivationConfig {
        chain: chain.chain.clone(),
        data: DataReader::new(&rollup, provider, blobs, RetrievalPolicy::default()).unwrap(),
        rollup,
        l1: l1.client(),
        heads: states,
        feed: Some(blocks),
        prefetch: NonZeroUsize::new(4).unwrap(),
        handle: handle.clone(),
    });
    Scene { chain, l1, task: task.unwrap(), handle, heads, _feed: feed }
}

impl Scene {
    async fn ended(&self) -> String {
        tokio::time::timeout(PATIENCE, self.task.worker.ended().wait()).await.expect("it ends")
    }

    /// Waits until all of an L1 block was read.
    async fn read(&self, number: u64) {
        let read = async {
            while self.handle.status().current_l1.number < number {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("L1 is read");
        assert_eq!(self.task.ended(), None);
    }

    async fn stop(self) {
        tokio::task::spawn_blocking(move || drop(self.task)).await.unwrap();
    }
}

fn honest(l1: &EmptyL1) -> impl FnMut(&str, &Value) -> Reply + Send + 'static {
    let l1 = l1.clone();
    move |method, params| l1.answer(method, params)
}

fn time_of(chain: &TestChain) -> u64 {
    chain.header(0).1.timestamp
}

#[tokio::test(flavor = "multi_thread")]
async fn another_l1_than_is_configured_ends_derivation_and_one_that_is_behind_does_not() {
    let chain = TestChain::new();
    let blocks = EmptyL1::new(6, time_of(&chain), 0);
    let genesis = blocks.block_ref(3).id();
    let behind = EmptyL1(blocks.0[..2].to_vec());
    let l1 = L1Server::start(honest(&behind)).await;
    let scene = scene(chain, l1, genesis, behind.state());
    // Looked for more than once: it was missed, and nothing has ended.
    scene.l1.called("eth_getBlockByNumber", 2).await;
    assert_eq!(scene.task.ended(), None);
    scene.l1.answer(honest(&blocks));
    scene.heads.send_replace(blocks.state());
    scene.read(5).await;
    scene.stop().await;

    let chain = TestChain::new();
    let l1 = L1Server::start(honest(&EmptyL1::new(6, time_of(&chain), 1))).await;
    let scene = self::scene(chain, l1, genesis, blocks.state());
    assert!(scene.ended().await.contains("as configured"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_id_ends_derivation() {
    let chain = TestChain::new();
    let blocks = EmptyL1::new(2, time_of(&chain), 0);
    let mut answer = honest(&blocks);
    let l1 = L1Server::start(move |method, params| match method {
        "eth_chainId" => Reply::Result("0x5".into()),
        _ => answer(method, params),
    });
    let scene = scene(chain, l1.await, blocks.block_ref(0).id(), blocks.state());
    assert!(scene.ended().await.contains("serves chain 5"));
}

/// A chain whose first block is final, derived from block 4 of L1.
fn finalized(l1: &EmptyL1, chain: &TestChain) {
    let block = chain.extend(1);
    chain.make_safe(block.hash, Some(l1.block_ref(4).id()));
    chain.finalize(block.hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_l1_that_gave_up_what_was_final_ends_derivation() {
    let chain = TestChain::new();
    let blocks = EmptyL1::new(6, time_of(&chain), 0);
    finalized(&blocks, &chain);
    // The same genesis, and everything after it is otherwise.
    let mut other = EmptyL1::new(6, time_of(&chain), 1);
    other.0[0] = blocks.0[0].clone();
    let l1 = L1Server::start(honest(&other)).await;
    let scene = scene(chain, l1, blocks.block_ref(0).id(), other.state());
    let error = StartError::BelowFinalized { safe: 0, finalized: 1 };
    assert_eq!(scene.ended().await, error.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_has_not_got_to_what_was_final_is_waited_for() {
    let chain = TestChain::new();
    let blocks = EmptyL1::new(6, time_of(&chain), 0);
    finalized(&blocks, &chain);
    let behind = EmptyL1(blocks.0[..3].to_vec());
    let l1 = L1Server::start(honest(&behind)).await;
    let scene = scene(chain, l1, blocks.block_ref(0).id(), behind.state());
    // Genesis and block 4 are asked for in each of two attempts.
    scene.l1.called("eth_getBlockByNumber", 4).await;
    assert_eq!(scene.task.ended(), None);
    assert_eq!(scene.chain.chain.heads().safe.number, 1, "nothing is unwound");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_l1_and_resets_end_nothing() {
    let chain = TestChain::new();
    let blocks = EmptyL1::new(8, time_of(&chain), 0);
    let l1 = L1Server::start(|_, _| Reply::Status(503)).await;
    let scene = scene(chain, l1, blocks.block_ref(0).id(), blocks.state());
    scene.l1.called("eth_getBlockByNumber", 2).await;
    scene.l1.answer(honest(&blocks));
    scene.read(7).await;
    let asked = scene.l1.calls("eth_getBlockByNumber").len();
    assert!(scene.handle.reset());
    // Genesis is looked up by every start.
    scene.l1.called("eth_getBlockByNumber", asked + 2).await;
    scene.read(7).await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn derivation_stops_when_told_to_though_l1_is_silent() {
    let chain = TestChain::new();
    let blocks = EmptyL1::new(2, time_of(&chain), 0);
    let l1 = L1Server::start(|_, _| Reply::Silence).await;
    let scene = scene(chain, l1, blocks.block_ref(0).id(), blocks.state());
    scene.l1.called("eth_chainId", 1).await;
    // Less than the time that L1 has for an answer, 10 s.
    tokio::time::timeout(Duration::from_secs(8), scene.stop()).await.expect("it stops at once");
}
