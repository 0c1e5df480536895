//! Headers: 90 bytes, read here and by a contract.

use cairn_primitives::da::{Epoch, Header, OperatorIndex, Timestamp};

use crate::da::{Parcel, snapshot};
use crate::fuzz::{Outcome, Target};

pub(super) fn target() -> eyre::Result<Target> {
    let quorum = snapshot(Epoch(5), &[1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3])?;
    let mut seeds = Vec::new();
    for length in [1, 31, 400, 5000, 130_000] {
        seeds
            .push(Parcel::new(&quorum, length, Timestamp(2_000_000_000))?.header.encode().to_vec());
    }
    let execute = move |bytes: &[u8]| match Header::decode(bytes) {
        Ok(header) => {
            assert!(contract_takes(bytes), "the contract refuses it");
            assert_eq!(header.encode(), bytes, "another header has the same bytes");
            let table = quorum.slot_table(&header);
            let weights = (0..12).map(|operator| table.weight(OperatorIndex(operator)));
            assert_eq!(weights.sum::<u16>(), table.slot_count(), "slots are lost");
            Outcome::accepted("header")
        }
        Err(error) => {
            assert!(!contract_takes(bytes), "the contract takes it: {error}");
            Outcome::error(&error)
        }
    };
    let tokens = [&[1_u8, 0, 0, 1][..], &[1, 0], &[0x10, 0], &[4]].map(<[u8]>::to_vec).to_vec();
    Ok(Target { name: "header", seeds, tokens, max_bytes: 100, execute: Box::new(execute) })
}

/// `DaHeader.isSupported`, `isShaped` and the one quorum, written after the contract.
fn contract_takes(bytes: &[u8]) -> bool {
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    if bytes.len() != 90 || number(0..4) != 0x0100_0001 || bytes[8] != 4 {
        return false;
    }
    let (rows, columns, length) = (number(4..6), number(6..8), number(9..13));
    let shaped = rows & rows.wrapping_sub(1) == 0 && rows <= 256 && columns <= 4096;
    shaped && length != 0 && length <= 31 * rows * columns && bytes[81] == 0
}
