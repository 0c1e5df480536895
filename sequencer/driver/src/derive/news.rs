//! What reaches derivation while it waits for L1 or for data.

use cairn_chain::ChainEvent;
use cairn_l1::HeadState;
use cairn_primitives::Block;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};

/// Something that comes from outside while the machine waits.
pub(super) enum News {
    Unsafe(Box<Block>),
    Heads,
    /// The chain has other blocks than before.
    Chain,
}

/// What comes from outside. Can be cancelled.
pub(super) async fn news(
    feed: &mut Option<mpsc::Receiver<Block>>,
    heads: &mut watch::Receiver<HeadState>,
    chain: &mut broadcast::Receiver<ChainEvent>,
) -> News {
    let next = async {
        match feed {
            Some(feed) => match feed.recv().await {
                Some(block) => block,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        block = next => News::Unsafe(block.into()),
        Ok(()) = heads.changed() => News::Heads,
        // What was missed is no matter: the heads are read anew.
        Ok(_) | Err(RecvError::Lagged(_)) = chain.recv() => News::Chain,
        else => std::future::pending().await,
    }
}
