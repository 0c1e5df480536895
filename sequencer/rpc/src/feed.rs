//! `cairn_subscribeUnsafeBlocks`: the sequencer's blocks, signed, as they are sealed.
//!
//! The one parameter is the number of the first block wanted; it may be one that is not there yet.
//! Blocks come in order without gaps. When the chain is reorganised, the feed goes back to the last
//! block sent that is still canonical and goes on from there. The format is that of
//! [`cairn_rollup::feed`]. A node without a signing key has no such method.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::{B256, U64};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use cairn_chain::{BlockRef, Chain, ChainError};
use cairn_rollup::feed::{SignedBlock, feed_digest};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{Extensions, PendingSubscriptionSink};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::broadcast::error::RecvError;

use crate::server::{Ended, Origin, Subscriber};
use crate::{Args, Backend, Methods, RpcError};

/// Blocks sent that a reorganisation is looked for in.
const REMEMBERED: usize = 512;

/// Who follows the chain and what it has been sent.
#[derive(Debug)]
struct Cursor {
    next: u64,
    sent: VecDeque<(u64, B256)>,
}

impl Cursor {
    const fn new(first: u64) -> Self {
        Self { next: first, sent: VecDeque::new() }
    }

    /// Goes back behind the last block sent that is canonical still. With none left that it
    /// remembers, it goes on with the oldest it does: the follower asks anew when that does not fit.
    fn rewind<E>(&mut self, canonical: impl Fn(u64) -> Result<Option<B256>, E>) -> Result<(), E> {
        while let Some((number, hash)) = self.sent.back().copied() {
            if canonical(number)? == Some(hash) {
                break;
            }
            self.next = number;
            self.sent.pop_back();
        }
        Ok(())
    }

    fn sent(&mut self, number: u64, hash: B256) {
        self.next = number.saturating_add(1);
        self.sent.push_back((number, hash));
        if self.sent.len() > REMEMBERED {
            self.sent.pop_front();
        }
    }
}

pub(crate) fn register(methods: &mut Methods, signer: Option<Arc<PrivateKeySigner>>) {
    let Some(signer) = signer else { return };
    if !methods.serves("cairn_subscribeUnsafeBlocks") {
        return;
    }
    let registered = methods.module_mut().register_subscription_raw(
        "cairn_subscribeUnsafeBlocks",
        "cairn_unsafeBlock",
        "cairn_unsubscribeUnsafeBlocks",
        move |params, pending, backend: Arc<Backend>, extensions: &Extensions| {
            let first = Args::parse(params.as_str(), 1).and_then(|args| args.required::<U64>(0));
            let origin = Origin::of(extensions);
            tokio::spawn(serve(first, pending, backend, signer.clone(), origin));
        },
    );
    registered.expect("each method is registered once");
}

async fn serve(
    first: Result<U64, RpcError>,
    pending: PendingSubscriptionSink,
    backend: Arc<Backend>,
    signer: Arc<PrivateKeySigner>,
    origin: Origin,
) {
    let first = match first {
        Ok(first) => first.to::<u64>(),
        Err(error) => return pending.reject(ErrorObjectOwned::from(error)).await,
    };
    // Listening starts before the client is told, so that it misses nothing after the answer.
    let mut events = backend.chain.subscribe();
    let Ok(sink) = pending.accept().await else { return };
    let mut cursor = Cursor::new(first.max(1));
    let follower = Subscriber::new(sink, origin, backend.config.limits.write_timeout);
    loop {
        if let Err(error) = catch_up(&backend, &signer, &mut cursor, &follower).await {
            tracing::debug!(target: "sequencer::rpc", %error, "a block feed has ended");
            return;
        }
        tokio::select! {
            () = follower.closed() => return,
            event = events.recv() => match event {
                // What the events say is read from the chain, so losing some does no harm.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// Sends everything up to the head.
async fn catch_up(
    backend: &Backend,
    signer: &Arc<PrivateKeySigner>,
    cursor: &mut Cursor,
    follower: &Subscriber,
) -> Result<(), RpcError> {
    let chain = &backend.chain;
    cursor.rewind(|number| canonical(chain, number))?;
    loop {
        let next = cursor.next;
        if next > chain.heads().unsafe_head.number {
            return Ok(());
        }
        let (chain, signer) = (chain.clone(), signer.clone());
        let message = backend.read(move || message(&chain, &signer, next)).await?;
        // Unwound in between: the event that says so comes next.
        let Some((hash, json)) = message else { return Ok(()) };
        let sent = follower.send(json).await;
        sent.map_err(|Ended| RpcError::server("the follower is gone or too slow"))?;
        cursor.sent(next, hash);
    }
}

fn canonical(chain: &Chain, number: u64) -> Result<Option<B256>, ChainError> {
    Ok(chain.header(BlockRef::Number(number))?.map(|(hash, _)| hash))
}

fn message(
    chain: &Chain,
    signer: &PrivateKeySigner,
    number: u64,
) -> Result<Option<(B256, Box<RawValue>)>, RpcError> {
    let Some(block) = chain.block(BlockRef::Number(number))? else { return Ok(None) };
    let digest = feed_digest(chain.spec().chain_id(), block.hash());
    let signature = signer.sign_hash_sync(&digest).map_err(RpcError::internal)?;
    let signed = SignedBlock::new(block.block(), &signature);
    Ok(Some((block.hash(), to_raw_value(&signed).map_err(RpcError::internal)?)))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn hash(number: u64, fork: u8) -> B256 {
        B256::with_last_byte(number as u8 | fork << 7)
    }

    #[test]
    fn a_cursor_goes_back_to_the_last_canonical_block() {
        let mut cursor = Cursor::new(1);
        for number in 1..=5 {
            assert_eq!(cursor.next, number);
            cursor.sent(number, hash(number, 0));
        }
        let unmoved = |number| Ok::<_, Infallible>(Some(hash(number, 0)));
        cursor.rewind(unmoved).unwrap();
        assert_eq!(cursor.next, 6);
        let forked = |number: u64| Ok::<_, Infallible>(Some(hash(number, u8::from(number > 3))));
        cursor.rewind(forked).unwrap();
        assert_eq!(cursor.next, 4);
        let gone = |_| Ok::<_, Infallible>(None);
        cursor.rewind(gone).unwrap();
        assert_eq!((cursor.next, cursor.sent.len()), (1, 0));
    }

    #[test]
    fn a_cursor_remembers_a_bounded_number_of_blocks() {
        let mut cursor = Cursor::new(1);
        for number in 1..=2000 {
            cursor.sent(number, hash(number, 0));
        }
        assert_eq!(cursor.sent.len(), REMEMBERED);
        assert_eq!(cursor.next, 2001);
    }
}
