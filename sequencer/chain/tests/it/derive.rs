//! Blocks from complete attributes.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_chain::{
    AttributesSource, BlockRef, Chain, ChainEvent, DeriveError, DerivedPayload, DevAttributes,
    HeadUpdate, InvalidPayload,
};
use cairn_genesis::DEV_SYSTEM;
use cairn_primitives::{Header, TxEnvelope};
use cairn_state::{Keep, Options};

use crate::node::{Node, call, transfer, until};

/// The payload of the block after `parent`, one second later.
pub(crate) fn payload(chain: &Chain, parent: &Header, txs: Vec<Bytes>) -> DerivedPayload {
    let (_, genesis) = chain.header(BlockRef::Earliest).unwrap().unwrap();
    let mut source = DevAttributes::new(chain.spec().clone(), &genesis, DEV_SYSTEM);
    let attributes = source.next(parent, parent.timestamp + 1).unwrap();
    DerivedPayload { attributes, transactions: txs }
}

/// Derives a block on the unsafe head.
pub(crate) fn extend(chain: &Chain, txs: Vec<Bytes>) -> B256 {
    let (hash, head) = chain.header(BlockRef::Latest).unwrap().unwrap();
    let payload = payload(chain, &head, txs).recover().unwrap();
    chain.derive(hash, payload).unwrap().block.hash
}

fn header(chain: &Chain, number: u64) -> (B256, Header) {
    chain.header(BlockRef::Number(number)).unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequenced_block_and_its_derived_copy_are_the_same() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let node = Node::start(dir.path(), Duration::from_millis(400));
    for nonce in 0..40 {
        node.send(transfer(0, nonce, Address::repeat_byte(1), 5).1).await;
    }
    let last = node.sealed(transfer(0, 39, Address::repeat_byte(1), 5).0);
    let verifier = Node::open(other.path());
    let payload_of = |number: u64| {
        let block = node.chain.block(BlockRef::Number(number)).unwrap().unwrap();
        let (_, parent) = header(&node.chain, number - 1);
        let mut payload = payload(&node.chain, &parent, Vec::new());
        payload.attributes.block.timestamp = block.header().timestamp;
        payload.attributes.block.prev_randao = block.header().mix_hash;
        payload.attributes.deposits = block.transactions()[..1].to_vec();
        let txs = &block.transactions()[1..];
        payload.transactions =
            txs.iter().map(|tx| alloy_eips::Encodable2718::encoded_2718(tx).into()).collect();
        payload
    };
    let ahead: Vec<_> = (1..=last).map(|number| payload_of(number).recover_ahead()).collect();
    let mut parent = verifier.chain.genesis().hash;
    for (number, recovering) in (1..).zip(ahead) {
        let recovered = recovering.wait().unwrap().unwrap();
        let derived = verifier.chain.derive(parent, recovered).unwrap();
        assert_eq!(derived.block.hash, header(&node.chain, number).0, "block {number}");
        assert_eq!(derived.replaced, 0);
        parent = derived.block.hash;
    }
    verifier.chain.flush().unwrap();
    assert_eq!(verifier.chain.store().verify(|_| ()).unwrap().difference, None);
    node.stop();
    verifier.stop();
}

#[test]
fn an_invalid_transaction_makes_the_payload_invalid_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    extend(&node.chain, vec![transfer(0, 0, Address::ZERO, 1).1]);
    extend(&node.chain, vec![transfer(0, 1, Address::ZERO, 1).1]);
    let mut events = node.chain.subscribe();
    let (hash, parent) = header(&node.chain, 1);
    let heads = node.chain.heads();
    let good = transfer(0, 1, Address::ZERO, 1).1;
    let deposit = payload(&node.chain, &parent, vec![]).attributes.deposits[0].clone();
    let deposit: Bytes = alloy_eips::Encodable2718::encoded_2718(&deposit).into();
    let mut forged = good.to_vec();
    // The last byte of s: another account signs, or nobody.
    forged.truncate(good.len() - 32);
    forged.extend([0; 32]);
    let decoding =
        |bad: Bytes| payload(&node.chain, &parent, vec![good.clone(), bad]).recover().unwrap_err();
    let error = decoding(Bytes::from_static(&[0x02, 0xc0]));
    assert!(matches!(error, InvalidPayload::Undecodable { index: 1, .. }), "{error}");
    let error = decoding(Bytes::new());
    assert!(matches!(error, InvalidPayload::Undecodable { index: 1, .. }), "{error}");
    let error = decoding(deposit);
    assert!(matches!(error, InvalidPayload::Deposit { index: 1 }), "{error}");
    let error = decoding(forged.into());
    assert!(
        matches!(
            error,
            InvalidPayload::Undecodable { index: 1, .. }
                | InvalidPayload::Signature { index: 1, .. }
        ),
        "{error}"
    );
    for wrong in [transfer(0, 1, Address::ZERO, 1).1, transfer(0, 9, Address::ZERO, 1).1] {
        let invalid = payload(&node.chain, &parent, vec![good.clone(), wrong]);
        let error = node.chain.derive(hash, invalid.clone().recover().unwrap()).unwrap_err();
        let DeriveError::Invalid { number: 2, source: InvalidPayload::Execution { index: 1, .. } } =
            error
        else {
            panic!("{error}")
        };
    }
    assert_eq!(node.chain.heads(), heads);
    assert!(events.try_recv().is_err(), "nobody was told");
    let invalid = payload(&node.chain, &parent, vec![transfer(0, 7, Address::ZERO, 1).1]);
    let derived = node.chain.derive(hash, invalid.deposits_only().recover().unwrap()).unwrap();
    assert_eq!((derived.block.number, derived.replaced), (2, 1));
    assert!(matches!(events.try_recv().unwrap(), ChainEvent::Reorged { removed, added }
        if removed.len() == 1 && added.len() == 1));
    assert!(events.try_recv().is_err(), "one event");
    node.stop();
}

#[test]
fn attributes_that_no_l1_block_leads_to_are_told_apart_from_invalid_batches() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    let first = extend(&node.chain, vec![]);
    extend(&node.chain, vec![]);
    let (genesis, parent) = header(&node.chain, 0);
    let derive = |change: &dyn Fn(&mut DerivedPayload)| {
        let mut payload = payload(&node.chain, &parent, vec![]);
        change(&mut payload);
        node.chain.derive(genesis, payload.recover().unwrap()).unwrap_err()
    };
    let transaction = TxEnvelope::Legacy(alloy_consensus::Signed::new_unhashed(
        alloy_consensus::TxLegacy::default(),
        alloy_primitives::Signature::test_signature(),
    ));
    let changes: [&dyn Fn(&mut DerivedPayload); 5] = [
        &|p| p.attributes.block.extra_data = Bytes::new(),
        &|p| p.attributes.block.timestamp = 0,
        &|p| p.attributes.block.gas_limit = u64::MAX,
        &|p| p.attributes.deposits.push(transaction.clone()),
        &|p| p.attributes.block.gas_limit = 10,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let error = derive(change);
        assert!(matches!(error, DeriveError::Attributes { number: 1, .. }), "{index}: {error}");
    }
    let recovered = || payload(&node.chain, &parent, vec![]).recover().unwrap();
    let error = node.chain.derive(B256::ZERO, recovered()).unwrap_err();
    assert!(matches!(error, DeriveError::UnknownParent(B256::ZERO)), "{error}");
    node.chain.advance_heads(&HeadUpdate { safe: Some(first), ..Default::default() }).unwrap();
    let error = node.chain.derive(genesis, recovered()).unwrap_err();
    assert!(matches!(error, DeriveError::BelowSafe { number: 1, safe: 1 }), "{error}");
    assert_eq!(node.chain.heads().unsafe_head.number, 2);
    node.stop();
}

#[test]
fn a_derived_block_replaces_unsafe_blocks_in_memory_and_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    let to = Address::repeat_byte(7);
    for nonce in 0..5 {
        extend(&node.chain, vec![transfer(0, nonce, to, 1).1]);
        if nonce == 3 {
            node.chain.flush().unwrap();
        }
    }
    let mut events = node.chain.subscribe();
    let (hash, parent) = header(&node.chain, 2);
    let other = call(0, 2, alloy_primitives::TxKind::Call(to), U256::from(9), Bytes::new()).1;
    let derived = payload(&node.chain, &parent, vec![other]).recover().unwrap();
    assert!(!derived.is_empty() && derived.len() == 2);
    let derived = node.chain.derive(hash, derived).unwrap();
    assert_eq!((derived.block.number, derived.replaced), (3, 3));
    assert_eq!(node.chain.heads().unsafe_head, derived.block);
    assert_eq!(node.balance(BlockRef::Latest, to), U256::from(11));
    assert!(matches!(events.try_recv().unwrap(), ChainEvent::Reorged { added, .. }
        if added[0].block.num_hash() == derived.block));
    assert!(events.try_recv().is_err(), "one event");
    extend(&node.chain, vec![transfer(0, 3, to, 1).1]);
    node.chain.flush().unwrap();
    assert_eq!(node.chain.store().verify(|_| ()).unwrap().difference, None);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_goes_on_where_derivation_replaced_its_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path(), Duration::from_millis(300));
    let to = Address::repeat_byte(9);
    let hashes = node.transfers(0, 5, to).await;
    let replaced = node.chain.transaction(hashes[2]).unwrap().unwrap().block;
    let (hash, parent) = header(&node.chain, replaced.number() - 1);
    // The batch on L1 has another transaction with nonce 2: the old one can never come back.
    let (new, raw) = transfer(0, 2, to, 100);
    let mut derived = payload(&node.chain, &parent, vec![raw]);
    derived.attributes.block.timestamp = replaced.header().timestamp;
    let derived = node.chain.derive(hash, derived.recover().unwrap()).unwrap();
    assert!(derived.replaced >= 3, "{derived:?}");
    for hash in &hashes[3..] {
        let number = node.sealed(*hash);
        assert!(number > derived.block.number);
    }
    assert_eq!(node.sealed(new), derived.block.number);
    assert!(node.chain.transaction(hashes[2]).unwrap().is_none(), "refused by its nonce");
    assert!(node.pool.get(&hashes[2]).is_none());
    assert_eq!(node.balance(BlockRef::Latest, to), U256::from(104));
    let head = node.chain.heads().unsafe_head.number;
    until("the chain grows on", || {
        (node.chain.heads().unsafe_head.number > head + 1).then_some(())
    });
    node.stop();
    let again = Node::start(dir.path(), Duration::from_secs(3600));
    assert_eq!(again.chain.hash_of(derived.block.number).unwrap(), Some(derived.block.hash));
    assert_eq!(again.balance(BlockRef::Latest, to), U256::from(104));
    again.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_sequencer_takes_replaced_transactions_up_when_it_resumes() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path(), Duration::from_millis(300));
    let to = Address::repeat_byte(9);
    let hashes = node.transfers(0, 3, to).await;
    let sequencer = node.sequencer.clone().unwrap();
    sequencer.pause().await.unwrap();
    let (hash, parent) = header(&node.chain, 0);
    let empty = payload(&node.chain, &parent, vec![]).recover().unwrap();
    let derived = node.chain.derive(hash, empty).unwrap();
    assert_eq!(node.chain.heads().unsafe_head, derived.block);
    sequencer.resume().await.unwrap();
    for hash in hashes {
        assert!(node.sealed(hash) > 1);
    }
    assert_eq!(node.balance(BlockRef::Latest, to), U256::from(3));
    node.stop();
}

#[test]
fn a_parent_whose_state_is_pruned_is_a_failure_of_the_node_and_moves_no_head() {
    let dir = tempfile::tempdir().unwrap();
    let keep =
        Options { state_history: Keep::Last(2), block_data: Keep::Last(2), ..Options::default() };
    let node = Node::open_with(dir.path(), keep);
    for _ in 0..8 {
        extend(&node.chain, vec![]);
    }
    node.chain.flush().unwrap();
    while node.chain.store().prune(100).unwrap().remaining > 0 {}
    let heads = node.chain.heads();
    let (hash, parent) = header(&node.chain, 2);
    let recovered = payload(&node.chain, &parent, vec![]).recover().unwrap();
    let error = node.chain.derive(hash, recovered).unwrap_err();
    assert!(matches!(error, DeriveError::Chain(_)), "{error}");
    let mut events = node.chain.subscribe();
    node.chain.unwind_to(2).unwrap_err();
    assert_eq!(node.chain.heads(), heads);
    assert!(matches!(events.try_recv().unwrap(), ChainEvent::Reorged { removed, .. }
        if removed.is_empty()));
    extend(&node.chain, vec![]);
    assert_eq!(node.chain.heads().unsafe_head.number, 9);
    node.stop();
}
