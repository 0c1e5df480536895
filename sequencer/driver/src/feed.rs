//! Following a sequencer's unsafe blocks.
//!
//! The client subscribes from the block after its own unsafe head, checks the signature of each
//! message and hands the block to the derivation thread. It tells nothing to anybody and believes
//! nothing: a feed that is silent, wrong or gone costs the verifier nothing but its lead over L1.

use std::time::Duration;

use alloy_primitives::{Address, U64};
use cairn_chain::{BlockRef, Chain, ImportError, Imported};
use cairn_primitives::Block;
use cairn_rollup::feed::SignedBlock;
use jsonrpsee::core::client::{Subscription, SubscriptionClientT};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use tokio::sync::{mpsc, watch};

use crate::DriverError;
use crate::worker::Task;

/// Longest message: a block of the largest size in hexadecimal.
const MESSAGE_BYTES: u32 = 160 << 20;
/// Messages that wait before the connection does.
const BUFFERED: usize = 16;
/// Blocks that can be between the client and the chain: those that wait, one that is imported, and
/// the one in hand. One that is further ahead has another before it that was not taken.
const UNDER_WAY: u64 = BUFFERED as u64 + 2;
/// Blocks that a follower goes back when what it has is not what the sequencer has.
const REWIND: u64 = 64;

/// Where a feed is.
#[derive(Debug, Clone)]
pub struct FeedConfig {
    /// WebSocket URL of the sequencer's JSON-RPC.
    pub url: String,
    /// Who signs: the unsafe block signer of the `SystemConfig`, which its owner may change at any
    /// time; nothing before it is known.
    pub signer: watch::Receiver<Option<Address>>,
    /// Chain id of L2.
    pub chain_id: u64,
    /// Pause before a new connection.
    pub pause: Duration,
    /// A feed that says nothing for so long is connected anew.
    pub silence: Duration,
}

/// A running client. Dropping it ends it.
#[derive(Debug)]
pub struct FeedClient(Task);

impl FeedClient {
    /// Follows the feed; checked blocks come out of the receiver.
    pub fn spawn(config: FeedConfig, chain: Chain) -> (Self, mpsc::Receiver<Block>) {
        let (out, blocks) = mpsc::channel(BUFFERED);
        (Self(Task::spawn("feed", follow(config, chain, out))), blocks)
    }

    /// Why nothing is followed any more, if so: a bug.
    pub fn ended(&self) -> Option<String> {
        self.0.ended().reason()
    }
}

async fn follow(
    mut config: FeedConfig,
    chain: Chain,
    out: mpsc::Sender<Block>,
) -> Result<(), String> {
    let known = config.signer.wait_for(Option::is_some).await;
    known.map(drop).map_err(|_| "nobody says who signs".to_owned())?;
    let mut back = 0;
    while !out.is_closed() {
        let head = chain.heads().unsafe_head.number;
        // What the sequencer has otherwise lies behind the head, but never behind the safe head.
        let from = head.saturating_sub(back).max(chain.heads().safe.number).saturating_add(1);
        let reason = match connect(&config, from).await {
            // The connection ends with its client.
            Ok((_client, feed)) => read(&config, &chain, feed, &out).await,
            Err(reason) => reason,
        };
        let moved = chain.heads().unsafe_head.number > head;
        back = if moved { 0 } else { (back + REWIND).min(1 << 16) };
        metrics::counter!("cairn_feed_disconnects_total").increment(1);
        tracing::warn!(target: "driver::feed", url = config.url, reason, from, "no feed");
        tokio::time::sleep(config.pause).await;
    }
    Ok(())
}

async fn connect(
    config: &FeedConfig,
    from: u64,
) -> Result<(WsClient, Subscription<SignedBlock>), String> {
    let client = WsClientBuilder::default()
        .max_response_size(MESSAGE_BYTES)
        .max_buffer_capacity_per_subscription(BUFFERED)
        .connection_timeout(Duration::from_secs(10))
        .build(&config.url)
        .await
        .map_err(|error| error.to_string())?;
    let feed = client
        .subscribe(
            "cairn_subscribeUnsafeBlocks",
            rpc_params![U64::from(from)],
            "cairn_unsubscribeUnsafeBlocks",
        )
        .await
        .map_err(|error| error.to_string())?;
    Ok((client, feed))
}

/// Reads until the feed ends or says something wrong; gives the reason.
async fn read(
    config: &FeedConfig,
    chain: &Chain,
    mut feed: Subscription<SignedBlock>,
    out: &mpsc::Sender<Block>,
) -> String {
    loop {
        let message = match tokio::time::timeout(config.silence, feed.next()).await {
            Err(_) => return format!("nothing for {:?}", config.silence),
            Ok(None) => return "the sequencer ended it".to_owned(),
            Ok(Some(Err(error))) => return error.to_string(),
            Ok(Some(Ok(message))) => message,
        };
        let Some(signer) = *config.signer.borrow() else {
            return "nobody says who signs".to_owned();
        };
        let block = match message.open(config.chain_id, signer) {
            Ok((_, block)) => block,
            Err(error) => {
                metrics::counter!("cairn_feed_refused_total").increment(1);
                return error.to_string();
            }
        };
        let (number, head) = (block.header.number, chain.heads().unsafe_head.number);
        if number > head.saturating_add(UNDER_WAY) {
            return format!("block {number} has no parent here, the head is {head}");
        }
        if out.send(block).await.is_err() {
            return "nobody wants blocks any more".to_owned();
        }
    }
}

/// Takes an unsafe block. One that builds on a canonical block above the safe head takes the place of
/// what is there; one whose parent is unknown is passed over, and comes again when the client sees that the
/// chain stays behind and connects anew. Only failures of the node are errors.
pub(crate) fn import(chain: &Chain, block: Block) -> Result<(), DriverError> {
    let number = block.header.number;
    let parent = block.header.parent_hash;
    let heads = chain.heads();
    if number <= heads.safe.number
        || chain.header(BlockRef::Hash(block.header.hash_slow()))?.is_some()
    {
        return Ok(());
    }
    if parent != heads.unsafe_head.hash {
        let Some((_, ours)) = chain.header(BlockRef::Hash(parent))? else { return Ok(()) };
        if ours.number < heads.safe.number {
            return Ok(());
        }
        tracing::warn!(target: "driver::feed", number, "the sequencer replaced unsafe blocks");
        chain.unwind_to(ours.number)?;
    }
    match chain.import(block) {
        Ok(Imported::Head | Imported::Known | Imported::Side) => Ok(()),
        Err(ImportError::Chain(error)) => Err(error.into()),
        Err(error) => {
            metrics::counter!("cairn_feed_invalid_total").increment(1);
            tracing::error!(target: "driver::feed", number, %error, "invalid unsafe block");
            Ok(())
        }
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
