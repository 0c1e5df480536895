//! Input that nobody honest writes.

use super::*;

fn block(transactions: Vec<Bytes>) -> BatchBlock {
    let block = L2BlockRef {
        number: 100,
        timestamp: GENESIS_TIME + 200,
        l1_origin: BlockNumHash::new(7, B256::ZERO),
        ..L2BlockRef::default()
    };
    BatchBlock { block, transactions }
}

fn common() -> Common {
    Common {
        nonce: 1,
        gas_limit: 21000,
        to: Some([1; 20]),
        value: [0; 32],
        prices: [1, 2],
        input: vec![],
        keys: vec![],
        signature: Signature::new(U256::from(5), U256::from(6), true),
    }
}

fn decode(bytes: &[u8]) -> Result<Batch, BatchError> {
    Batch::decode(bytes, &config())
}

/// Prefix with the given number of blocks.
fn prefix(blocks: &[u8]) -> Vec<u8> {
    [&[1, 0, 9], [0; 40].as_slice(), blocks].concat()
}

#[test]
fn unknown_versions_and_nothing_are_no_batches() {
    assert_eq!(decode(&[]), Err(BatchError::Empty));
    assert_eq!(decode(&[2, 0, 0]), Err(BatchError::Version(2)));
    assert!(matches!(decode(&[0]), Err(BatchError::Singular(_))));
    assert_eq!(decode(&[1]), Err(BatchError::Truncated(SpanField::RelativeTimestamp)));
}

#[test]
fn counts_beyond_the_limit_or_the_input_are_refused_before_anything_is_allocated() {
    assert_eq!(decode(&prefix(&[0])), Err(BatchError::NoBlock));
    let ten_million_and_one = [0x81, 0xad, 0xe2, 0x04];
    let error = Err(BatchError::Elements(10_000_001));
    assert_eq!(decode(&prefix(&ten_million_and_one)), error);
    let one_block = [&[1, 0], ten_million_and_one.as_slice()].concat();
    assert_eq!(decode(&prefix(&one_block)), error);
    let sum = [[2, 0].as_slice(), &[0x80, 0xad, 0xe2, 0x04], &[1]].concat();
    assert_eq!(decode(&prefix(&sum)), error);

    let ten_million = [0x80, 0xad, 0xe2, 0x04];
    let origins = vec![0; 1_250_000];
    let blocks = [ten_million.as_slice(), &origins].concat();
    let error = Err(BatchError::Truncated(SpanField::TransactionCounts));
    assert_eq!(decode(&prefix(&blocks)), error);
    let bits = vec![0; 2_500_000];
    let transactions = [[1, 0].as_slice(), &ten_million, &bits].concat();
    let error = Err(BatchError::Truncated(SpanField::Signatures));
    assert_eq!(decode(&prefix(&transactions)), error);
}

#[test]
fn times_and_origins_stay_in_range() {
    let mut early = prefix(&[3, 0b110, 0, 0, 0]);
    assert!(decode(&early).is_ok());
    early[2] = 1;
    assert_eq!(decode(&early), Err(BatchError::Range(SpanField::L1OriginNumber)));
    let latest = [&[1], [0xff; 9].as_slice(), &[1, 9], &[0; 40], &[1, 0, 0]].concat();
    assert_eq!(decode(&latest), Err(BatchError::Range(SpanField::RelativeTimestamp)));
}

#[test]
fn every_cut_of_a_span_batch_is_refused() {
    let kinds = (0..5).map(|kind| transaction(kind, common())).collect();
    let encoded = encode_span(&[block(kinds)]);
    for end in 0..encoded.len() {
        assert!(decode(&encoded[..end]).is_err(), "{end}");
    }
}

/// One transaction with the given data column.
fn with_data(data: &[u8], creation: bool) -> Result<Batch, BatchError> {
    let head = [1, 0, 1, u8::from(creation), 0];
    let to = if creation { &[][..] } else { &[1; 20] };
    let tail = [1, 1, 0];
    decode(&[prefix(&head).as_slice(), &[9; 64], to, data, &tail].concat())
}

#[test]
fn transaction_data_must_be_what_its_type_says() {
    assert!(with_data(&hex!("c3 01 02 80"), false).is_ok());
    assert!(with_data(&hex!("04 c6 01 02 03 80 c0 c0"), false).is_ok());
    for kind in [0, 3, 5, 0x7e] {
        let data = [&[kind], hex!("c3 01 02 80").as_slice()].concat();
        assert_eq!(with_data(&data, false), Err(BatchError::TransactionType { index: 0, kind }));
    }
    let creation = with_data(&hex!("04 c6 01 02 03 80 c0 c0"), true);
    assert_eq!(creation, Err(BatchError::NoDestination(0)));
    let wrong: [&[u8]; 10] = [
        &hex!("83 010280"),                 // a string
        &hex!("c2 01 02"),                  // too few
        &hex!("c4 01 02 80 80"),            // too many
        &hex!("c4 00 02 80 80"),            // zero with a byte
        &hex!("c4 8101 02 80"),             // one in two bytes
        &hex!("c3 01 02 c0"),               // a list as input
        &hex!("01 c4 01 02 80 80"),         // a string as access list
        &hex!("01 c5 01 02 80 c101"),       // a number as access list item
        &hex!("04 c6 01 02 03 80 c0 80"),   // a string as authorizations
        &hex!("04 c7 01 02 03 80 c0 c1c0"), // an empty authorization
    ];
    for data in wrong {
        let error = with_data(data, false).unwrap_err();
        assert!(matches!(error, BatchError::Transaction { index: 0, .. }), "{data:x?}: {error}");
    }
    let long = [hex!("e4 a1").as_slice(), &[1; 33], &[1, 0x80]].concat();
    let error = BatchError::Transaction { index: 0, error: alloy_rlp::Error::Overflow };
    assert_eq!(with_data(&long, false), Err(error));
}

#[test]
fn singular_batches_have_five_fields_of_the_right_shape() {
    let good = SingularBatch::from(&block(vec![transaction(3, common())])).encode();
    for end in 1..good.len() {
        assert!(decode(&good[..end]).is_err(), "{end}");
    }
    let sixth = hex!("00 c2 80 80");
    assert!(matches!(decode(&sixth), Err(BatchError::Singular(_))));
    let mut list_inside = good.clone();
    let size = transaction(3, common()).len();
    let place = good.len() - size - 1;
    assert_eq!(usize::from(list_inside[place]), 0x80 + size, "header of the transaction's string");
    list_inside[place] += 0x40;
    assert!(matches!(decode(&list_inside), Err(BatchError::Singular(_))));
}

#[test]
fn a_builder_refuses_what_no_span_batch_can_hold() {
    let mut builder = SpanBatchBuilder::new(&config());
    let good = block(vec![transaction(2, common())]);
    let refused = |builder: &mut SpanBatchBuilder, transaction: Bytes| {
        builder.push(&block(vec![good.transactions[0].clone(), transaction])).unwrap_err()
    };
    let kind = |kind| BatchError::TransactionType { index: 1, kind };
    assert_eq!(refused(&mut builder, hex!("7e c0").into()), kind(0x7e));
    assert_eq!(refused(&mut builder, hex!("03 c0").into()), kind(3));
    let error = BatchError::Transaction { index: 1, error: alloy_rlp::Error::InputTooShort };
    assert_eq!(refused(&mut builder, Bytes::new()), error);
    let foreign = transaction(1, common());
    let other = RollupConfig { l2_chain_id: 5, ..config() };
    let error = SpanBatchBuilder::new(&other).push(&block(vec![foreign])).unwrap_err();
    assert_eq!(error, BatchError::ForeignTransaction { index: 0, chain_id: CHAIN_ID });
    assert_eq!(builder.encode(), None, "nothing of the refused blocks is left");

    builder.push(&good).unwrap();
    let mut second = good.clone();
    second.block.number = 101;
    let error = BatchError::NotConsecutive { number: 101, last: 100 };
    assert_eq!(builder.push(&second), Err(error), "same time");
    second.block.timestamp += 2;
    second.block.l1_origin.number += 2;
    assert_eq!(builder.push(&second), Err(error), "skips an origin");
    second.block.l1_origin.number -= 1;
    second.block.parent_hash = B256::repeat_byte(1);
    assert_eq!(builder.push(&second), Err(error), "another parent");
    second.block.parent_hash = good.block.hash;
    builder.push(&second).unwrap();
    assert_eq!((builder.blocks(), builder.transactions()), (2, 2));
}

proptest! {
    /// Whatever decodes is a batch that can be written again and then reads the same.
    #[test]
    fn changed_span_batches_decode_to_something_sound_or_not_at_all(
        blocks in any_blocks(4),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut bytes = encode_span(&blocks);
        for (index, byte) in changes {
            let place = index.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(Batch::Span(span)) = decode(&bytes) {
            prop_assert!(!span.blocks.is_empty());
            let size: usize = span
                .blocks
                .iter()
                .flat_map(|block| &block.transactions)
                .map(|transaction| transaction.len())
                .sum();
            prop_assert!(size <= 4 * bytes.len());
            for transaction in span.blocks.iter().flat_map(|block| &block.transactions) {
                let again = SpanBatchBuilder::new(&config()).push(&block(vec![transaction.clone()]));
                prop_assert_eq!(again, Ok(()));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(
        version in 0u8..3,
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let _ = decode(&[&[version], bytes.as_slice()].concat());
        let _ = decode(&[&prefix(&[1, 0]), bytes.as_slice()].concat());
    }
}
