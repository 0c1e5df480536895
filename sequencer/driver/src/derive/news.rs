//! What reaches derivation while it waits for L1 or for data.

use cairn_l1::HeadState;
use cairn_primitives::Block;
use tokio::sync::{mpsc, watch};

/// Something that comes from outside while the machine waits.
pub(super) enum News {
    Unsafe(Box<Block>),
    Heads,
}

/// What comes from outside. Can be cancelled.
pub(super) async fn news(
    feed: &mut Option<mpsc::Receiver<Block>>,
    heads: &mut watch::Receiver<HeadState>,
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
        else => std::future::pending().await,
    }
}
