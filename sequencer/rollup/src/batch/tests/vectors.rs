//! Encodings written out by hand from the specification.

use super::*;

fn legacy(v: u64) -> Bytes {
    // nonce 5, price 2, gas 21000, to 11…11, value 3, no data, v, r = 7, s = 300.
    let head = hex!("05 02 825208 94 1111111111111111111111111111111111111111 03 80");
    let v = alloy_rlp::encode(v);
    let tail = hex!("07 82012c");
    let payload = [head.as_slice(), &v, &tail].concat();
    [&[0xc0 + payload.len() as u8], payload.as_slice()].concat().into()
}

fn dynamic_fee_creation() -> Bytes {
    // chain 901, nonce 300, tip 1, cap 128, gas 100000, no to, value 0, data 60ff, no list, odd.
    let payload = hex!("820385 82012c 01 8180 830186a0 80 80 8260ff c0 01 8180 80");
    [&[2, 0xc0 + payload.len() as u8], payload.as_slice()].concat().into()
}

fn blocks() -> Vec<BatchBlock> {
    let block = |number: u64, origin: u64, sequence_number, transactions| BatchBlock {
        block: L2BlockRef {
            hash: B256::repeat_byte(number as u8),
            number,
            parent_hash: B256::repeat_byte(number as u8 - 1),
            timestamp: GENESIS_TIME + 2 * number,
            l1_origin: BlockNumHash::new(origin, B256::repeat_byte(0xee)),
            sequence_number,
        },
        transactions,
    };
    let protected = legacy(CHAIN_ID * 2 + 36);
    vec![
        block(100, 130, 0, vec![legacy(27), dynamic_fee_creation()]),
        block(101, 130, 1, vec![]),
        block(102, 131, 0, vec![protected]),
    ]
}

fn encoded() -> Vec<u8> {
    let mut out = hex!(
        "01"           // version
        "c801"         // 200 seconds after genesis
        "8301"         // origin 131
        "6363636363636363636363636363636363636363"
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
        "03"           // blocks
        "05"           // origin bits: first and third
        "02 00 01"     // transactions
        "02"           // creations: the second
        "06"           // odd: the second and the third
    )
    .to_vec();
    for (r, s) in [(7, 300), (128, 0), (7, 300)] {
        out.extend(U256::from(r).to_be_bytes::<32>());
        out.extend(U256::from(s).to_be_bytes::<32>());
    }
    out.extend([0x11; 40]);
    out.extend(hex!("c3 03 02 80"));
    out.extend(hex!("02 c8 80 01 8180 8260ff c0"));
    out.extend(hex!("c3 03 02 80"));
    out.extend(hex!("05 ac02 05"));
    out.extend(hex!("88a401 a08d06 88a401"));
    out.push(2); // protected: the second of the two legacy ones
    out
}

#[test]
fn a_span_batch_is_written_column_by_column() {
    assert_eq!(hex::encode(encode_span(&blocks())), hex::encode(encoded()));
    assert_eq!(Batch::decode(&encoded(), &config()), Ok(Batch::Span(span_of(&blocks()))));
}

#[test]
fn a_singular_batch_is_a_list_of_five() {
    let batch = SingularBatch::from(&blocks()[2]);
    let transaction = legacy(CHAIN_ID * 2 + 36);
    let mut list =
        hex!("a0 6565656565656565656565656565656565656565656565656565656565656565").to_vec();
    list.extend(hex!("8183 a0 eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"));
    list.extend(alloy_rlp::encode(GENESIS_TIME + 204));
    list.push(0xc0 + transaction.len() as u8 + 1);
    list.push(0x80 + transaction.len() as u8);
    list.extend(&transaction);
    let expected = [&[0, 0xf8, list.len() as u8], list.as_slice()].concat();
    assert_eq!(hex::encode(batch.encode()), hex::encode(&expected));
    assert_eq!(Batch::decode(&expected, &config()), Ok(Batch::Singular(batch)));
}

/// What the specification leaves open and op-node accepts.
#[test]
fn needless_groups_in_varints_are_accepted() {
    let encoded = encoded();
    let longer = [&encoded[..2], &[0x81, 0x00], &encoded[3..]].concat();
    assert_eq!(encoded[2], 1);
    assert_eq!(Batch::decode(&longer, &config()), Ok(Batch::Span(span_of(&blocks()))));
}
