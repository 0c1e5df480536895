//! Recovery of a payload from rows that somebody chose.
//!
//! An input is `log2 R (1) ‖ W (2) ‖ payload length (4)` and rows, each `number (2) ‖ W × 32 bytes`.

use cairn_da_codec::{RowIndex, Shape, recover_payload};
use cairn_primitives::da::{Epoch, Timestamp};

use crate::da::{Parcel, payload, snapshot};
use crate::fuzz::{Outcome, Target};

const HEAD: usize = 7;

pub(super) fn target() -> eyre::Result<Target> {
    let quorum = snapshot(Epoch(5), &[1; 16])?;
    let mut seeds = Vec::new();
    let mut matrices = Vec::new();
    for length in [1, 300, 1000] {
        let parcel = Parcel::new(&quorum, length, Timestamp(2_000_000_000))?;
        let rows = parcel.matrix.shape().rows() as u16;
        // From original rows, from parity rows, from both.
        for first in [0, 2 * rows, rows / 2] {
            seeds.push(encode(&parcel, first..first + rows)?);
        }
        matrices.push(parcel);
    }
    let execute = move |bytes: &[u8]| {
        let Some((shape, length, rows)) = decode(bytes) else {
            return Outcome::refused("no input");
        };
        let recovered = match recover_payload(shape, length, &rows) {
            Ok(recovered) => recovered,
            Err(error) => return Outcome::error(&error),
        };
        assert_eq!(recovered.len(), length);
        let of_matrix = |parcel: &&Parcel| {
            let same = |(row, bytes): &(RowIndex, &[u8])| {
                parcel.matrix.row(*row).is_ok_and(|it| it == *bytes)
            };
            parcel.matrix.shape() == shape && rows.iter().all(same)
        };
        match matrices.iter().find(of_matrix) {
            Some(parcel) if parcel.matrix.payload_length() == length => {
                assert!(recovered == payload(length), "another payload than was encoded");
                Outcome::accepted("payload")
            }
            _ => Outcome::accepted("other"),
        }
    };
    let tokens = vec![vec![0; 32], vec![0xff; 32], vec![0, 0], vec![0, 15], vec![0, 16]];
    Ok(Target { name: "recovery", seeds, tokens, max_bytes: 4096, execute: Box::new(execute) })
}

fn encode(parcel: &Parcel, rows: std::ops::Range<u16>) -> eyre::Result<Vec<u8>> {
    let shape = parcel.matrix.shape();
    let mut bytes = vec![shape.rows().ilog2() as u8];
    bytes.extend_from_slice(&(shape.columns() as u16).to_be_bytes());
    bytes.extend_from_slice(&(parcel.matrix.payload_length() as u32).to_be_bytes());
    for row in rows {
        bytes.extend_from_slice(&row.to_be_bytes());
        bytes.extend_from_slice(parcel.matrix.row(RowIndex(row))?);
    }
    Ok(bytes)
}

type Input<'a> = (Shape, usize, Vec<(RowIndex, &'a [u8])>);

fn decode(bytes: &[u8]) -> Option<Input<'_>> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let rows = 1_usize.checked_shl(u32::from(head[0]))?;
    let columns = usize::from(u16::from_be_bytes([head[1], head[2]]));
    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
    let shape = Shape::new(rows, columns).ok()?;
    // The last row may be short: what is checked is that this is noticed.
    let row =
        |chunk: &'_ [u8]| Some(RowIndex(u16::from_be_bytes([*chunk.first()?, *chunk.get(1)?])));
    let chunks = rest.chunks(2 + columns * 32);
    let rows = chunks.map(|chunk| Some((row(chunk)?, chunk.get(2..)?))).collect::<Option<_>>()?;
    Some((shape, length, rows))
}
