use alloy_primitives::{B256, U256, keccak256};
use proptest::prelude::*;

use super::{any_header, any_shape, header, snapshot};
use crate::da::{
    Epoch, Header, OperatorIndex, QuorumId, SlotIndex, SlotPermutation, Snapshot, SnapshotError,
    Timestamp,
};

fn stakes() -> impl Strategy<Value = Vec<u128>> {
    prop_oneof![
        prop::collection::vec(1_u128..1000, 1..40),
        prop::collection::vec(any::<u128>().prop_map(|stake| stake.max(1)), 1..40),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn slots_are_shared_out_by_stake(
        seed in any::<[u8; 32]>(), stakes in stakes(), shape in any_shape(),
    ) {
        let snapshot = snapshot(B256::new(seed), &stakes);
        let slots = snapshot.slot_count(shape);
        prop_assert_eq!(slots % shape.extended_rows(), 0);
        prop_assert!(usize::from(slots) >= stakes.len());
        prop_assert!(usize::from(slots - shape.extended_rows()) < stakes.len());
        let total: U256 = stakes.iter().map(|stake| U256::from(*stake)).sum();
        let mut next = 0;
        for (i, stake) in stakes.iter().enumerate() {
            let range = snapshot.slots_of(OperatorIndex(i as u16), shape);
            prop_assert_eq!(range.start, next);
            next = range.end;
            // Within one of the exact share.
            let count = U256::from(range.len());
            let share = U256::from(slots) * U256::from(*stake);
            prop_assert!(count * total < share + total && (count + U256::ONE) * total > share);
        }
        prop_assert_eq!(next, slots);
        let beyond = OperatorIndex(stakes.len() as u16);
        prop_assert!(snapshot.slots_of(beyond, shape).is_empty());
    }

    #[test]
    fn the_permutation_is_a_bijection_and_fills_rows_alike(
        seed in any::<[u8; 32]>(), hash in any::<[u8; 32]>(), slots in 1_u16..1500,
    ) {
        let permutation = SlotPermutation::new(B256::new(seed), B256::new(hash), slots);
        let mut seen = vec![false; usize::from(slots)];
        for slot in 0..slots {
            let image = usize::from(permutation.image(SlotIndex(slot)).unwrap());
            prop_assert!(!std::mem::replace(&mut seen[image], true));
        }
        prop_assert_eq!(permutation.image(SlotIndex(slots)), None);
    }

    #[test]
    fn every_row_has_the_same_number_of_slots(
        seed in any::<[u8; 32]>(), stakes in stakes(), header in any_header(),
    ) {
        let snapshot = snapshot(B256::new(seed), &stakes);
        let table = snapshot.slot_table(&header);
        let rows = header.shape.extended_rows();
        let mut count = vec![0_u16; usize::from(rows)];
        for slot in 0..table.slot_count() {
            count[table.row(SlotIndex(slot)).unwrap().as_usize()] += 1;
        }
        prop_assert!(count.iter().all(|each| *each == table.slot_count() / rows));
        let holders = table.holders();
        for i in 0..stakes.len() as u16 {
            let rows = table.rows_of(OperatorIndex(i));
            prop_assert!(rows.is_sorted_by(|a, b| a < b));
            prop_assert!(rows.iter().all(|r| holders[r.as_usize()].contains(&OperatorIndex(i))));
        }
        prop_assert!(holders.iter().all(|operators| !operators.is_empty()));
    }
}

/// The permutation as the text has it, without tables.
fn image_by_the_text(seed: B256, hash: B256, slots: u16, slot: u16) -> u16 {
    let key = keccak256([seed, hash].concat());
    let b: u32 = (1..).find(|b| 1_u64 << (2 * b) >= u64::from(slots)).unwrap();
    let mut value = u32::from(slot);
    loop {
        let (mut l, mut q) = (value >> b, value & ((1 << b) - 1));
        for j in 0..4_u8 {
            let input = [key.as_slice(), &[j], &(q as u16).to_be_bytes()].concat();
            let f = U256::from_be_bytes(keccak256(input).0) % (U256::ONE << b);
            (l, q) = (q, l ^ f.to::<u32>());
        }
        value = (l << b) | q;
        if value < u32::from(slots) {
            return value as u16;
        }
    }
}

#[test]
fn the_tables_give_what_the_text_says() {
    let seed = B256::repeat_byte(1);
    for slots in [1, 2, 4, 5, 16, 17, 64, 100, 256, 1000, 1024, 2048] {
        let hash = keccak256([slots as u8]);
        let permutation = SlotPermutation::new(seed, hash, slots);
        for slot in 0..slots {
            let image = permutation.image(SlotIndex(slot));
            assert_eq!(image, Some(image_by_the_text(seed, hash, slots, slot)), "{slot}/{slots}");
        }
    }
}

#[test]
fn seed_and_header_both_move_rows() {
    let one = snapshot(B256::repeat_byte(1), &[1; 16]);
    let two = snapshot(B256::repeat_byte(2), &[1; 16]);
    let mut other = header();
    other.reservation.0 += 1;
    let rows = |snapshot: &Snapshot, header: &Header| snapshot.rows_of(OperatorIndex(0), header);
    assert_ne!(rows(&one, &header()), rows(&two, &header()));
    assert_ne!(rows(&one, &header()), rows(&one, &other));
    assert_eq!(rows(&one, &header()).len(), 4);
}

#[test]
fn shares_are_exact_on_average_over_seeds() {
    let stakes = [1_u128, 2, 3, 10, 1000];
    let total: u128 = stakes.iter().sum();
    let mut sums = [0_u64; 5];
    let shape = header().shape;
    for seed in 0..total {
        let snapshot = snapshot(B256::from(U256::from(seed)), &stakes);
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum += snapshot.slots_of(OperatorIndex(i as u16), shape).len() as u64;
        }
    }
    // Over all offsets an operator gets S · stake slots in all: exactly its share on average.
    let slots = 64;
    for (sum, stake) in sums.iter().zip(stakes) {
        assert_eq!(u128::from(*sum), slots * stake);
    }
}

#[test]
fn quorums_without_operators_or_stake_are_refused() {
    let make =
        |operators| Snapshot::new(Epoch(1), QuorumId(0), B256::ZERO, Timestamp(1), operators);
    assert_eq!(make(Vec::new()), Err(SnapshotError::Operators(0)));
    let mut one = snapshot(B256::ZERO, &[1]).operators().to_vec();
    one[0].stake.0 = 0;
    assert_eq!(make(one.clone()), Err(SnapshotError::NoStake(Epoch(1))));
    one[0].stake.0 = 1;
    assert_eq!(make(one.repeat(1025)), Err(SnapshotError::Operators(1025)));
    assert!(make(one.repeat(1024)).is_ok());
}
