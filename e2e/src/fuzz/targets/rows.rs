//! Submissions: commitments and rows as a node reads and checks them.

use alloy_primitives::hex;
use cairn_da_client::Commitments;
use cairn_primitives::da::{ELEMENT_BYTES, Epoch, OperatorIndex, Submission, Timestamp};

use crate::da::{Parcel, snapshot};
use crate::fuzz::{Outcome, Target};

/// The node that reads.
const OPERATOR: OperatorIndex = OperatorIndex(2);
/// Modulus of the scalar field: elements below it are canonical.
const MODULUS: [u8; 32] = hex!("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");

pub(super) fn target() -> eyre::Result<Target> {
    let quorum = snapshot(Epoch(5), &[1, 2, 3, 1])?;
    let parcels = [1, 40, 700].map(|length| Parcel::new(&quorum, length, Timestamp(2_000_000_000)));
    let parcels = parcels.into_iter().collect::<eyre::Result<Vec<_>>>()?;
    let seeds = parcels.iter().map(|parcel| parcel.body(OPERATOR));
    let seeds = seeds.collect::<eyre::Result<Vec<_>>>()?;
    let execute = move |bytes: &[u8]| {
        let header = match Submission::decode_prefix(bytes) {
            Ok((header, _)) => header,
            Err(error) => return Outcome::error(&error),
        };
        let rows = quorum.rows_of(OPERATOR, &header);
        let submission = match Submission::decode(bytes, &rows) {
            Ok(submission) => submission,
            Err(error) => {
                return Outcome::refused(format!("whole.{}", Outcome::error(&error).name()));
            }
        };
        let commitments = match Commitments::check(&header, submission.commitments) {
            Ok(commitments) => commitments,
            Err(error) => return Outcome::error(&error),
        };
        let shape = header.shape;
        let sent = shape.split_rows(&rows, submission.rows).expect("the length was checked");
        let full = sent.iter().map(|(row, sent)| (*row, shape.unpack_row(*row, sent)));
        let full: Vec<_> = full.map(|(row, full)| (row, full.expect("of its length"))).collect();
        let borrowed: Vec<_> = full.iter().map(|(row, bytes)| (*row, &bytes[..])).collect();
        let one_by_one = commitments.verify(&borrowed);
        if let Err(error) = commitments.check_rows(&borrowed) {
            assert!(one_by_one.is_err(), "one check refuses what the other takes: {error}");
            return Outcome::error(&error);
        }
        assert!(one_by_one.is_ok(), "one check takes what the other refuses: {one_by_one:?}");
        let parcel = parcels.iter().find(|parcel| {
            let known = &parcel.header;
            known.hashes_root == header.hashes_root && known.shape.rows() == shape.rows()
        });
        let Some(parcel) = parcel else { return Outcome::accepted("others") };
        for (row, found) in borrowed {
            // A header may name more columns than the payload needs; those hold zeros.
            let mut expected = parcel.row(row).expect("a row of the matrix").to_vec();
            expected.resize(usize::from(shape.columns()) * ELEMENT_BYTES, 0);
            assert!(found == expected, "row {row} is not of the matrix");
        }
        Outcome::accepted("rows")
    };
    let tokens =
        vec![MODULUS.to_vec(), vec![0; 32], vec![0xff; 32], [&[0xc0][..], &[0; 47]].concat()];
    Ok(Target { name: "rows", seeds, tokens, max_bytes: 4096, execute: Box::new(execute) })
}
