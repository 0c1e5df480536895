//! Blocks of every kind from an honest endpoint.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use alloy::eips::eip2930::AccessList;
use alloy::network::TransactionBuilder7702;
use alloy::providers::Provider;
use alloy::rpc::types::{Authorization, TransactionRequest};
use alloy::signers::SignerSync;
use alloy_eips::{BlockNumHash, BlockNumberOrTag};
use alloy_primitives::{Address, B256, U256};
use cairn_l1::{HeadConfig, HeadFollower, L1Error, NextStep, Prefetcher};

use crate::anvil::{Anvil, CHAIN_ID, account, client};

pub(crate) fn quick() -> HeadConfig {
    HeadConfig { interval: Duration::from_millis(20), ..HeadConfig::default() }
}

/// A transaction of every type without blobs, all in one block.
async fn every_type(anvil: &Anvil) {
    let to = Address::repeat_byte(0x11);
    let request = || TransactionRequest::default().to(to).value(U256::from(1)).gas_limit(100_000);
    let legacy = request().gas_price(3_000_000_000);
    let access = request().gas_price(3_000_000_000).access_list(AccessList::default());
    let authority = account(5);
    let authorization = Authorization { chain_id: U256::from(CHAIN_ID), address: to, nonce: 0 };
    let signature = authority.sign_hash_sync(&authorization.signature_hash()).unwrap();
    let set_code = request().with_authorization_list(vec![authorization.into_signed(signature)]);
    for request in [legacy, access, request(), set_code] {
        let _ = anvil.provider.send_transaction(request).await.unwrap();
    }
    anvil.mine(1).await;
}

#[tokio::test]
async fn blocks_with_every_type_have_their_roots() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let logger = anvil.logger().await;
    anvil.send(logger, vec![7; 100]).await;
    every_type(&anvil).await;
    let client = anvil.client();
    client.check_chain().await.unwrap();
    let logged = client.block_by_number(2).await.unwrap().unwrap();
    let log = &logged.receipts[0].logs[0];
    assert_eq!((log.address, &log.data.data[..]), (logger, &[7; 100][..]));
    assert_eq!(logged.transactions[0].sender(), Some(account(0).address()));
    assert_eq!(logged.transactions[0].to(), Some(logger));
    assert_eq!(logged.transactions[0].input(), vec![7; 100]);
    let block = client.block_by_number(3).await.unwrap().unwrap();
    let mut kinds: Vec<_> = block.transactions.iter().map(|one| one.raw[0]).collect();
    kinds.sort_unstable();
    assert_eq!(kinds[..3], [1, 2, 4]);
    assert!(kinds[3] >= 0xc0, "a legacy transaction is a list");
    assert_eq!(client.block_by_hash(block.hash).await.unwrap(), Some(block));
    assert_eq!(client.block_by_number(4).await.unwrap(), None);
    assert_eq!(client.block_by_hash(B256::repeat_byte(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_block_is_the_child_of_the_cursor_or_a_reorganisation() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let client = anvil.client();
    anvil.mine(2).await;
    let one = client.block_by_number(1).await.unwrap().unwrap();
    let two = client.block_after(one.id()).await.unwrap().unwrap();
    assert_eq!(client.block_after(two.id()).await.unwrap(), None);
    let cursor = BlockNumHash { number: 1, hash: B256::repeat_byte(9) };
    let error = client.block_after(cursor).await.unwrap_err();
    assert_eq!(error, L1Error::Reorg { cursor, found: two.id() });
    assert_eq!(error.next_step(), NextStep::Reset);
}

#[tokio::test]
async fn another_chain_is_refused() {
    let Some(anvil) = Anvil::start(&["--chain-id", "5"]).await else { return };
    let client = client(&[&anvil.url], false);
    let error = client.check_chain().await.unwrap_err();
    assert!(matches!(error, L1Error::WrongChain { expected: CHAIN_ID, found: 5, .. }), "{error}");
    assert_eq!(error.next_step(), NextStep::Stop);
}

#[tokio::test]
async fn the_window_gives_blocks_in_order_and_waits_at_the_head() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    anvil.mine(40).await;
    let client = anvil.client();
    let follower = HeadFollower::spawn(Arc::clone(&client), quick());
    let genesis = client.block_ref(BlockNumberOrTag::Number(0)).await.unwrap().unwrap();
    let window = NonZeroUsize::new(8).unwrap();
    let mut blocks = Prefetcher::new(client, follower.states(), window, genesis.id());
    for number in 1..=40 {
        assert_eq!(blocks.next().await.unwrap().header.number, number);
    }
    assert_eq!(blocks.next_known().await.unwrap(), None);
    let (next, ()) = tokio::join!(blocks.next(), anvil.mine(1));
    assert_eq!(next.unwrap().header.number, 41);
}

#[tokio::test]
async fn a_reorganisation_resets_the_window() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    anvil.mine(20).await;
    let client = anvil.client();
    let follower = HeadFollower::spawn(Arc::clone(&client), quick());
    let genesis = client.block_ref(BlockNumberOrTag::Number(0)).await.unwrap().unwrap();
    let window = NonZeroUsize::new(4).unwrap();
    let mut blocks = Prefetcher::new(Arc::clone(&client), follower.states(), window, genesis.id());
    for _ in 1..=20 {
        blocks.next().await.unwrap();
    }
    // At the head no child tells of it.
    let cursor = blocks.cursor();
    let (error, ()) = tokio::join!(blocks.next(), anvil.reorg(5));
    let error = error.unwrap_err();
    assert!(matches!(error, L1Error::Reorg { cursor: told, .. } if told == cursor), "{error}");
    let joint = client.block_ref(BlockNumberOrTag::Number(15)).await.unwrap().unwrap();
    blocks.reset(joint.id());
    for number in 16..=20 {
        let block = blocks.next().await.unwrap();
        let canonical = client.block_ref(BlockNumberOrTag::Number(number)).await.unwrap().unwrap();
        assert_eq!(block.block_ref(), canonical);
    }
}
