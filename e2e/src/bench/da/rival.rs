//! The side of c-kzg.

use cairn_da_codec::{Committer, EncodedMatrix, MAX_COLUMNS, PAYLOAD_BYTES_PER_ELEMENT, RowIndex};
use eyre::{ContextCompat, WrapErr, ensure};

use super::{DaArgs, DaFigures, DaRatios, middle, once};
use crate::da::payload;
use crate::progress::Bar;

/// Payload bytes of a blob.
const BLOB_PAYLOAD: usize = MAX_COLUMNS * PAYLOAD_BYTES_PER_ELEMENT;

/// Commitments and cells in turns with our commitments.
pub(super) fn compare(
    args: &DaArgs,
    committer: &Committer,
    figures: &[DaFigures],
) -> eyre::Result<DaRatios> {
    let bar = Bar::begin("da: comparing with c-kzg", args.rounds.into());
    let settings = c_kzg::ethereum_kzg_settings(0);
    let matrix = EncodedMatrix::encode(committer, &payload(BLOB_PAYLOAD), 1)?;
    let row = matrix.row(RowIndex(0))?;
    let blob = c_kzg::Blob::from_bytes(row).wrap_err("a full row is a blob")?;
    let commitment = settings.blob_to_kzg_commitment(&blob)?;
    ensure!(*commitment.to_bytes() == committer.commit(row)?.0, "the commitments differ");
    let mut rounds: [Vec<f64>; 3] = Default::default();
    for _ in 0..args.rounds {
        rounds[0].push(once(|| Ok(committer.commit(row)?))?);
        rounds[1].push(once(|| Ok(settings.blob_to_kzg_commitment(&blob)?))?);
        rounds[2].push(once(|| Ok(settings.compute_cells_and_kzg_proofs(&blob)?))?);
        bar.advance(1);
    }
    let [ours, theirs, cells] = &rounds;
    let (ours, theirs) = (middle(ours)?, middle(theirs)?);
    let cells_per_mib = middle(cells)? / (BLOB_PAYLOAD as f64 / f64::from(1 << 20));
    let largest = figures.iter().max_by_key(|size| size.bytes).wrap_err("no size")?;
    Ok(DaRatios {
        commit_ms: ours * 1e3,
        their_commit_ms: theirs * 1e3,
        their_cells_core_seconds_per_mib: cells_per_mib,
        commit_ratio: theirs / ours,
        cells_ratio: cells_per_mib / largest.encode_core_seconds_per_mib,
    })
}
