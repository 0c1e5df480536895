//! What is posted: records, each `L1 block (1) ‖ form (1) ‖ length (2) ‖ content`.
//!
//! | form | content |
//! |---|---|
//! | 0 | calldata, version byte included |
//! | 1 | the same in a blob |
//! | 2 | the same on the DA network |
//! | 3 | the same, by somebody who is not the batcher |
//! | 4 | batches as RLP strings: compressed and put into one frame |
//! | 5 | one batch: put into a channel like those |
//! | 6 | one batch that is made to fit: its hashes become those of the chain derived so far |
//!
//! The last three are there because hardly any change of a compressed channel leaves one, and none to a hash.
//! A number beyond these, or beyond L1's blocks, is taken modulo.

/// Forms that there are.
const FORMS: u8 = 7;

/// What becomes of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Calldata,
    Blob,
    Certificate,
    Stranger,
    Batches,
    Batch,
    FittedBatch,
}

/// One transaction to the inbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) l1: u8,
    pub(super) form: Form,
    pub(super) content: &'a [u8],
}

impl Form {
    const fn of(byte: u8) -> Self {
        match byte % FORMS {
            0 => Self::Calldata,
            1 => Self::Blob,
            2 => Self::Certificate,
            3 => Self::Stranger,
            4 => Self::Batches,
            5 => Self::Batch,
            _ => Self::FittedBatch,
        }
    }
}

/// The records of an input; the length of the last may be cut.
pub(super) fn records(mut bytes: &[u8]) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    while let Some(([l1, form, length @ ..], rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (content, rest) = rest.split_at(length);
        records.push(Record { l1: *l1, form: Form::of(*form), content });
        bytes = rest;
    }
    records
}

/// Appends a record.
pub(super) fn put(out: &mut Vec<u8>, record: &Record<'_>) -> eyre::Result<()> {
    out.extend([record.l1, record.form as u8]);
    out.extend(u16::try_from(record.content.len())?.to_be_bytes());
    out.extend(record.content);
    Ok(())
}
