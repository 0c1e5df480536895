//! What holds for every block, whatever was posted (OP specification: Derivation, Batch queue, Payload attributes
//! derivation).

use cairn_primitives::{L1Attributes, L1AttributesFormat};
use cairn_rollup::derivation::DerivedAttributes;
use cairn_rollup::{L2BlockRef, MAX_SEQUENCER_DRIFT};

use super::world::World;

/// Asserts that attributes may follow the safe head.
pub(super) fn check_attributes(world: &World, safe: &L2BlockRef, derived: &DerivedAttributes) {
    let attributes = &derived.attributes;
    let config = &world.config;
    assert_eq!(derived.parent, *safe, "not on the safe head");
    assert_eq!(attributes.timestamp, safe.timestamp + config.block_time);
    assert!(attributes.no_tx_pool, "a derived block takes nothing from the pool");

    let parent_origin = safe.l1_origin.number;
    let number = derived.l1_origin.number;
    assert!(number == parent_origin || number == parent_origin + 1, "an origin is passed over");
    let origin = world.l1.block(number).expect("a block of L1");
    assert_eq!(origin.hash, derived.l1_origin.hash, "an origin of another L1");
    assert!(origin.timestamp <= attributes.timestamp, "before its origin");
    assert!(number <= derived.derived_from.number, "an origin that is not known yet");
    let sequence_number = if number == parent_origin { safe.sequence_number + 1 } else { 0 };
    assert_eq!(derived.sequence_number, sequence_number);

    let empty = attributes.transactions.is_empty();
    let ahead = attributes.timestamp - origin.timestamp;
    assert!(empty || ahead <= MAX_SEQUENCER_DRIFT, "{ahead} s ahead of its origin, not empty");
    let window = number + config.seq_window_size;
    assert!(empty || derived.derived_from.number <= window, "beyond its sequencing window");
    for transaction in &attributes.transactions {
        let allowed = matches!(transaction.first(), Some(1 | 2 | 4 | 0xc0..=0xfe));
        assert!(allowed, "no transaction of a user: {transaction}");
    }
    check_deposits(world, derived);
}

/// The L1-attributes transaction of the origin, then all its deposits in its first block and none later.
fn check_deposits(world: &World, derived: &DerivedAttributes) {
    let origin = world.l1.block(derived.l1_origin.number).expect("a block of L1");
    let (first, rest) = derived.attributes.deposits.split_first().expect("L1 attributes");
    let read = L1Attributes::from_deposit(first).expect("L1 attributes");
    assert_eq!(read.origin, origin.origin());
    assert_eq!(read.sequence_number, derived.sequence_number);
    assert!(read.to_deposit(L1AttributesFormat::Jovian) == *first, "attributes of another form");
    let expected = if derived.sequence_number == 0 { &origin.deposits[..] } else { &[] };
    assert!(rest == expected, "deposits are lost or made up");
    let updates = world.l1.blocks.iter().filter(|block| block.number <= origin.number);
    let gas_limit = updates.flat_map(|block| &block.config_updates).last();
    if let Some(cairn_rollup::l1::ConfigUpdate::GasLimit(limit)) = gas_limit {
        assert_eq!(derived.attributes.gas_limit, *limit, "an update is lost");
    }
}

/// Asserts that no block is missing behind an L1 block: once the sequencing window of an epoch is over, its
/// blocks are there, made of deposits if of nothing else.
pub(super) fn check_end_of_l1(world: &World, l1: u64, safe: &L2BlockRef) {
    let Some(next) = world.l1.block(safe.l1_origin.number + 1).filter(|next| next.number <= l1)
    else {
        return;
    };
    let stays = safe.timestamp + world.config.block_time < next.timestamp;
    let origin = safe.l1_origin.number + u64::from(!stays);
    assert!(origin + world.config.seq_window_size > l1, "a block of epoch {origin} is missing");
}
