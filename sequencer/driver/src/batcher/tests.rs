use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, Bytes};
use cairn_l1::HeadState;
use cairn_l1::send::{Journal, SendError, SenderConfig};
use cairn_rollup::batcher::{BatcherTransaction, Event, TxFailure, TxId};
use serde_json::json;

use super::*;
use crate::DriverError;
use crate::testing::{EmptyL1, L1Server, Reply, TestChain, rollup};

/// What a batcher works with, over an L1 of three empty blocks.
pub(super) struct Scene {
    pub(super) setup: BatcherSetup,
    pub(super) l1: L1Server,
    blocks: EmptyL1,
    heads: watch::Sender<HeadState>,
    _chain: TestChain,
    _journal: tempfile::TempDir,
}

pub(super) async fn scene() -> Scene {
    let chain = TestChain::new();
    let blocks = EmptyL1::new(3, 1_700_000_000, 0);
    let answers = blocks.clone();
    let l1 = L1Server::start(move |method, params| answers.answer(method, params)).await;
    let (heads, states) = watch::channel(blocks.state());
    let journal = tempfile::tempdir().unwrap();
    let opened = Journal::open(journal.path()).unwrap();
    let (client, signer) = (l1.client(), PrivateKeySigner::random());
    let config = SenderConfig::default();
    let sender = TransactionSender::start(client.clone(), states.clone(), signer, opened, config);
    let rollup = rollup(&chain.chain, blocks.block_ref(0).id());
    let setup = BatcherSetup {
        config: BatcherConfig::default(),
        chain: chain.chain.clone(),
        handle: RollupHandle::new(rollup.clone()),
        rollup,
        l1: client,
        heads: states,
        sender: Arc::new(sender.await.unwrap()),
        da_limit: DaLimit::default(),
        dispersal: None,
    };
    Scene { setup, l1, blocks, heads, _chain: chain, _journal: journal }
}

impl Scene {
    async fn send(&self, transaction: BatcherTransaction) -> Result<Event, DriverError> {
        carry::send(self.setup.sender.clone(), Address::ZERO, TxId(7), transaction).await
    }
}

fn calldata() -> BatcherTransaction {
    BatcherTransaction::Calldata(Bytes::from_static(&[0, 1, 2]))
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_by_whether_the_inbox_or_l1_refused_it() {
    let scene = scene().await;
    let failed = |failure| Event::TxFailed { id: TxId(7), failure };
    let long = BatcherTransaction::Blobs(vec![vec![0; 200_000].into()]);
    assert_eq!(scene.send(long).await.unwrap(), failed(TxFailure::Refused));
    assert!(scene.l1.calls("eth_estimateGas").is_empty(), "no blob holds that");
    scene.l1.answer(|_, _| Reply::Error(3, "execution reverted"));
    assert_eq!(scene.send(calldata()).await.unwrap(), failed(TxFailure::Reverted));
    scene.l1.answer(|_, _| Reply::Status(503));
    assert_eq!(scene.send(calldata()).await.unwrap(), failed(TxFailure::Refused));
}

#[tokio::test]
async fn nonces_are_asked_for_until_l1_answers() {
    let scene = scene().await;
    scene.l1.answer(|_, _| Reply::Status(503));
    let (l1, sender) = (scene.setup.l1.clone(), scene.setup.sender.clone());
    let asking = tokio::spawn(carry::settled_nonces(l1, sender));
    scene.l1.called("eth_getBlockByNumber", 3).await;
    let blocks = scene.blocks.clone();
    // An endpoint whose pool is behind its chain.
    scene.l1.answer(move |method, params| match (method, params[1].as_str()) {
        ("eth_getTransactionCount", Some("pending")) => Reply::Result(json!("0x1")),
        ("eth_getTransactionCount", _) => Reply::Result(json!("0x5")),
        _ => blocks.answer(method, params),
    });
    let event = tokio::time::timeout(std::time::Duration::from_secs(60), asking).await.unwrap();
    assert_eq!(event.unwrap().unwrap(), Event::Nonces { latest: 5, pending: 5, at: 2 });
}

#[tokio::test]
async fn a_sender_that_has_ended_is_an_end() {
    let mut scene = scene().await;
    // A sender that nobody tells of L1 ends.
    scene.heads = watch::channel(HeadState::default()).0;
    let sent = tokio::time::timeout(std::time::Duration::from_secs(60), scene.send(calldata()));
    let error = sent.await.unwrap().unwrap_err();
    assert!(matches!(error, DriverError::Send(SendError::Stopped)), "{error}");
    assert_eq!(error.next_step(), cairn_l1::NextStep::Stop);
}

#[tokio::test]
async fn without_a_network_a_payload_is_refused_at_once() {
    use cairn_rollup::batcher::{DispersalFailure, DispersalId};
    let id = DispersalId(3);
    let event = carry::disperse(None, id, Bytes::from_static(&[1])).await;
    assert_eq!(event, Event::DispersalFailed { id, failure: DispersalFailure::Unavailable });
}

#[test]
fn a_block_is_given_without_its_deposits_or_not_at_all() {
    let chain = TestChain::new();
    let config = rollup(&chain.chain, Default::default());
    assert_eq!(blocks::batch_block(&chain.chain, &config, 1).unwrap(), None);
    let made = chain.extend(1);
    let block = blocks::batch_block(&chain.chain, &config, 1).unwrap().unwrap();
    assert_eq!((block.block.id(), block.transactions.len()), (made, 0));
    let mut other = (*config).clone();
    other.genesis.l2.number = 5;
    // Genesis has no L1 attributes, and only the first block of the rollup need not have them.
    let error = blocks::batch_block(&chain.chain, &other, 0).unwrap_err();
    assert!(matches!(error, DriverError::Block(_)), "{error}");
}
