use std::net::SocketAddr;

use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use cairn_rollup::feed::feed_digest;
use jsonrpsee::RpcModule;
use jsonrpsee::server::{Server, ServerHandle, SubscriptionMessage};

use super::*;
use crate::testing::TestChain;

/// A sequencer that sends each follower blocks of these numbers, and tells from where it asked.
async fn sequencer(
    blocks: Vec<SignedBlock>,
) -> (SocketAddr, ServerHandle, mpsc::UnboundedReceiver<u64>) {
    let (tell, asked) = mpsc::unbounded_channel();
    let mut module = RpcModule::new((blocks, tell));
    let registered = module.register_subscription(
        "cairn_subscribeUnsafeBlocks",
        "cairn_unsafeBlock",
        "cairn_unsubscribeUnsafeBlocks",
        |params, pending, context, _| async move {
            let (blocks, tell) = &*context;
            let from: U64 = params.one().unwrap();
            tell.send(from.to()).unwrap();
            let sink = pending.accept().await.unwrap();
            for block in blocks {
                let json = serde_json::value::to_raw_value(block).unwrap();
                let _ = sink.send(SubscriptionMessage::from(json)).await;
            }
            sink.closed().await;
        },
    );
    registered.unwrap();
    let server = Server::builder().build("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    (address, server.start(module), asked)
}

fn sign(signer: &PrivateKeySigner, block: &Block) -> SignedBlock {
    let digest = feed_digest(901, block.header.hash_slow());
    SignedBlock::new(block, &signer.sign_hash_sync(&digest).unwrap())
}

fn config(address: SocketAddr, signer: &PrivateKeySigner) -> FeedConfig {
    FeedConfig {
        url: format!("ws://{address}"),
        signer: watch::channel(Some(signer.address())).1,
        chain_id: 901,
        pause: Duration::from_millis(10),
        silence: Duration::from_secs(600),
    }
}

/// The first blocks of a chain, the genesis block left out.
fn blocks_of(chain: &TestChain, count: u64) -> Vec<Block> {
    for number in 0..count {
        chain.extend(number as u8);
    }
    let block = |number| chain.chain.block(BlockRef::Number(number)).unwrap().unwrap();
    (1..=count).map(|number| block(number).block().clone()).collect()
}

async fn soon<T>(wanted: impl Future<Output = Option<T>>) -> T {
    tokio::time::timeout(Duration::from_secs(60), wanted).await.expect("it comes").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_stays_behind_its_feed_is_fed_anew() {
    let (theirs, ours) = (TestChain::new(), TestChain::new());
    let signer = PrivateKeySigner::random();
    let mut blocks = blocks_of(&theirs, UNDER_WAY + 2);
    // The second one gets lost: no later one has a parent here.
    blocks.remove(1);
    let signed = blocks.iter().map(|block| sign(&signer, block)).collect();
    let (address, _server, mut asked) = sequencer(signed).await;
    let (client, mut out) = FeedClient::spawn(config(address, &signer), ours.chain.clone());
    assert_eq!(soon(asked.recv()).await, 1);
    let importing = tokio::spawn(async move {
        while let Some(block) = out.recv().await {
            import(&ours.chain, block).unwrap();
        }
    });
    // At the latest behind the only block that could be taken.
    assert!(soon(asked.recv()).await <= 2);
    assert_eq!(client.ended(), None);
    drop(client);
    importing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_somebody_else_signed_ends_the_connection_and_goes_nowhere() {
    let (theirs, ours) = (TestChain::new(), TestChain::new());
    let signer = PrivateKeySigner::random();
    let blocks = blocks_of(&theirs, 2);
    let forged = vec![sign(&signer, &blocks[0]), sign(&PrivateKeySigner::random(), &blocks[1])];
    let (address, _server, mut asked) = sequencer(forged).await;
    let (_client, mut out) = FeedClient::spawn(config(address, &signer), ours.chain.clone());
    for _ in 0..2 {
        soon(asked.recv()).await;
        assert_eq!(soon(out.recv()).await, blocks[0], "and not the second");
    }
}

#[test]
fn only_blocks_that_fit_above_the_safe_head_are_taken() {
    let (theirs, ours) = (TestChain::new(), TestChain::new());
    let blocks = blocks_of(&theirs, 3);
    import(&ours.chain, blocks[1].clone()).unwrap();
    assert_eq!(ours.chain.heads().unsafe_head.number, 0, "without its parent it is passed over");
    let first = ours.extend(99);
    ours.extend(99);
    // The sequencer has another first block, and takes back both of ours.
    import(&ours.chain, blocks[0].clone()).unwrap();
    assert_eq!(
        ours.chain.heads().unsafe_head,
        theirs.chain.block(BlockRef::Number(1)).unwrap().unwrap().num_hash()
    );
    let mut invalid = blocks[1].clone();
    invalid.header.state_root.0[0] ^= 1;
    import(&ours.chain, invalid).unwrap();
    assert_eq!(ours.chain.heads().unsafe_head.number, 1, "what does not execute is not taken");
    import(&ours.chain, blocks[1].clone()).unwrap();
    let head = ours.chain.heads().unsafe_head;
    ours.make_safe(head.hash, None);
    let fork = TestChain::new();
    assert_eq!(fork.extend(99), first);
    let fork = fork.chain.block(BlockRef::Number(1)).unwrap().unwrap().block().clone();
    import(&ours.chain, fork).unwrap();
    assert_eq!(ours.chain.heads().unsafe_head, head, "what is safe follows from L1");
}
