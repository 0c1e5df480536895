use alloy_primitives::keccak256;
use proptest::prelude::*;

use super::{any_header, header};
use crate::da::{
    HEADER_BYTES, Header, HeaderError, MAX_PAYLOAD_BYTES, PayloadLength, QuorumId, Shape,
    ShapeError,
};

proptest! {
    #[test]
    fn headers_survive_the_round_trip(header in any_header()) {
        let bytes = header.encode();
        prop_assert_eq!(Header::decode(&bytes), Ok(header));
        prop_assert_eq!(header.hash(), keccak256(bytes));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        bytes in any::<[u8; 32]>(), at in 0_usize..HEADER_BYTES,
    ) {
        let mut changed = header().encode();
        for (i, byte) in bytes.iter().enumerate().take(4) {
            changed[(at + i) % HEADER_BYTES] ^= byte;
        }
        if let Ok(decoded) = Header::decode(&changed) {
            prop_assert_eq!(decoded.encode(), changed);
        }
    }

    #[test]
    fn payloads_fit_their_shape(length in 1..=MAX_PAYLOAD_BYTES, operators in 0_usize..400) {
        let shape = Shape::for_payload(PayloadLength(length), operators).unwrap();
        prop_assert!(shape.capacity() >= length);
        // No narrower matrix with these rows would do.
        if shape.columns() > 1 {
            let narrower = Shape::new(shape.rows(), shape.columns() - 1).unwrap();
            prop_assert!(narrower.capacity() < length);
        }
        let elements = length.div_ceil(31);
        let rows = u32::from(shape.rows());
        prop_assert!(rows <= elements.next_power_of_two());
        // Fewer rows would not hold the payload, or would leave operators without a row.
        if rows > 1 {
            let half = rows / 2;
            prop_assert!(half * 4096 < elements || 4 * half < operators as u32);
        }
    }
}

#[test]
fn fields_stand_at_their_offsets() {
    let bytes = header().encode();
    assert_eq!(bytes[..9], [1, 0, 0, 1, 0, 16, 0, 100, 4]);
    assert_eq!(bytes[9..13], 40_000_u32.to_be_bytes());
    assert_eq!(bytes[13..45], [7; 32]);
    assert_eq!(bytes[45..65], [9; 20]);
    assert_eq!(bytes[65..73], 11_u64.to_be_bytes());
    assert_eq!(bytes[73..81], 3_u64.to_be_bytes());
    assert_eq!(bytes[81], 0);
    assert_eq!(bytes[82..], 1_000_000_u64.to_be_bytes());
}

#[test]
fn every_other_length_is_refused() {
    let bytes = [header().encode().as_slice(), &[0; 8]].concat();
    for length in (0..HEADER_BYTES).chain(HEADER_BYTES + 1..bytes.len()) {
        assert_eq!(Header::decode(&bytes[..length]), Err(HeaderError::Length(length)));
    }
}

#[test]
fn constants_of_other_versions_are_refused() {
    let fields = [(0, "version"), (1, "layout"), (2, "class"), (3, "codec"), (8, "expansion")];
    for (at, field) in fields {
        let mut bytes = header().encode();
        bytes[at] = 9;
        assert_eq!(Header::decode(&bytes), Err(HeaderError::Unsupported { field, value: 9 }));
    }
    let mut bytes = header().encode();
    bytes[81] = 1;
    assert_eq!(Header::decode(&bytes), Err(HeaderError::Quorum(QuorumId(1))));
}

#[test]
fn impossible_shapes_are_refused() {
    let with = |rows: u16, columns: u16, length: u32| {
        let mut bytes = header().encode();
        bytes[4..6].copy_from_slice(&rows.to_be_bytes());
        bytes[6..8].copy_from_slice(&columns.to_be_bytes());
        bytes[9..13].copy_from_slice(&length.to_be_bytes());
        Header::decode(&bytes).map(|header| header.shape)
    };
    for rows in [0, 3, 255, 257, 512, 0x8000] {
        assert_eq!(with(rows, 1, 1), Err(ShapeError::Rows(rows).into()));
    }
    for columns in [0, 4097, u16::MAX] {
        assert_eq!(with(1, columns, 1), Err(ShapeError::Columns(columns).into()));
    }
    for (length, capacity) in [(0, 62), (63, 62)] {
        let error = ShapeError::PayloadLength { length, capacity };
        assert_eq!(with(2, 1, length), Err(error.into()));
    }
    assert_eq!(with(2, 1, 62), Ok(Shape::new(2, 1).unwrap()));
    assert!(with(256, 4096, MAX_PAYLOAD_BYTES).is_ok());
    for length in [0, MAX_PAYLOAD_BYTES + 1] {
        assert!(Shape::for_payload(PayloadLength(length), 64).is_err());
    }
}
