//! Whether the rows of a submission are what its header commits to.

use cairn_da_client::Commitments;
use cairn_da_codec::{BadRow, CodecError, RowFault};
use cairn_primitives::da::{Refusal, RefusalCode, RowIndex, Submission};

/// Checks commitments against the header and rows against the commitments.
pub(crate) fn check_rows(submission: &Submission<'_>, rows: &[RowIndex]) -> Result<(), Refusal> {
    let header = &submission.header;
    let commitments = Commitments::check(header, submission.commitments)
        .map_err(|error| Refusal::new(RefusalCode::WrongCommitments, error.to_string()))?;
    let wrong_length = || Refusal::new(RefusalCode::Malformed, "the rows have another length");
    let sent = header.shape.split_rows(rows, submission.rows).ok_or_else(wrong_length)?;
    let full = sent.iter().map(|(row, sent)| Some((*row, header.shape.unpack_row(*row, sent)?)));
    let full = full.collect::<Option<Vec<_>>>().ok_or_else(wrong_length)?;
    let rows: Vec<_> = full.iter().map(|(row, bytes)| (*row, &bytes[..])).collect();
    commitments.check_rows(&rows).map_err(|error| refusal_of(&error, &rows))
}

fn refusal_of(error: &CodecError, rows: &[(RowIndex, &[u8])]) -> Refusal {
    let code = match error {
        CodecError::BadRows(bad) if bad.iter().any(is_not_canonical) => RefusalCode::WrongElement,
        CodecError::BadRows(_) => RefusalCode::WrongRow,
        CodecError::WrongRows { .. } => return wrong_rows(rows),
        _ => RefusalCode::Internal,
    };
    Refusal::new(code, error.to_string())
}

/// Says which rows were expected: a payer that reads another snapshot or seed sends others. Which of
/// them is wrong would cost the node a combination for each.
fn wrong_rows(rows: &[(RowIndex, &[u8])]) -> Refusal {
    let rows: Vec<_> = rows.iter().map(|(row, _)| format!("row {row}")).collect();
    let rows = rows.join(", ");
    let text = format!("not everything here is what the commitments fix: {rows}");
    Refusal::new(RefusalCode::WrongRow, text)
}

const fn is_not_canonical(bad: &BadRow) -> bool {
    matches!(bad.fault, RowFault::NonCanonical { .. })
}
