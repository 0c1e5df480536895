use std::collections::VecDeque;

use alloy_eips::eip4844::Blob;
use alloy_primitives::{Address, B256, Bytes};

use super::frames::prune;
use super::{BatchData, DataRequest, DataSource, DropReason};
use crate::L1BlockRef;
use crate::blob::decode_blob;
use crate::frame::{Frame, decode_frames};
use crate::l1::{Carrier, InboxTransaction};

/// L1 retrieval and frame queue: the frames of one L1 block in order.
#[derive(Debug, Default)]
pub(super) struct Retrieval {
    block: L1BlockRef,
    transactions: VecDeque<InboxTransaction>,
    requested: Option<DataRequest>,
    /// Data of the transaction that is read now, each with its position.
    data: VecDeque<(usize, Bytes)>,
    transaction: B256,
    frames: VecDeque<Frame>,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Retrieved {
    Frame(Frame),
    Request(DataRequest),
    Dropped(DropReason),
    /// The L1 block has been read.
    End,
}

impl Retrieval {
    /// Goes on to the next block.
    pub(super) fn open(&mut self, block: L1BlockRef, transactions: Vec<InboxTransaction>) {
        *self = Self { block, transactions: transactions.into(), ..Self::default() };
    }

    /// Takes an answer in; `false` if it is not what was asked for.
    pub(super) fn provide(&mut self, answer: &BatchData) -> bool {
        let Some(request) = &self.requested else { return false };
        let expected = match &request.source {
            DataSource::Blobs(blobs) => blobs.len(),
            DataSource::Certificate(_) => 1,
        };
        if request.transaction != answer.transaction || answer.data.len() != expected {
            return false;
        }
        let is_blob = matches!(request.source, DataSource::Blobs(_));
        // A blob that does not decode holds no data, and no data holds no frames.
        let read = |data: &Bytes| match is_blob {
            true => blob_data(data).unwrap_or_default(),
            false => data.clone(),
        };
        self.data = answer.data.iter().map(read).enumerate().collect();
        self.requested = None;
        true
    }

    /// The next frame of the batcher's transactions.
    pub(super) fn next(&mut self, batcher: Address) -> Retrieved {
        if let Some(frame) = self.frames.pop_front() {
            return Retrieved::Frame(frame);
        }
        while let Some((index, data)) = self.data.pop_front() {
            let Ok(frames) = decode_frames(&data) else {
                let transaction = self.transaction;
                return Retrieved::Dropped(DropReason::Data { transaction, index });
            };
            self.frames = prune(frames).into();
            if let Some(frame) = self.frames.pop_front() {
                return Retrieved::Frame(frame);
            }
        }
        let Some(transaction) = self.transactions.pop_front() else { return Retrieved::End };
        if transaction.sender != batcher {
            let InboxTransaction { hash, sender, .. } = transaction;
            return Retrieved::Dropped(DropReason::Stranger { transaction: hash, sender });
        }
        self.transaction = transaction.hash;
        let source = match transaction.carrier {
            Carrier::Calldata(data) => {
                self.data.push_back((0, data));
                return self.next(batcher);
            }
            Carrier::Blobs(blobs) => DataSource::Blobs(blobs),
            Carrier::Certificate(certificate) => DataSource::Certificate(certificate),
        };
        let request = DataRequest { block: self.block, transaction: transaction.hash, source };
        self.requested = Some(request.clone());
        Retrieved::Request(request)
    }
}

fn blob_data(bytes: &[u8]) -> Option<Bytes> {
    let blob = Blob::try_from(bytes).ok()?;
    decode_blob(&blob).ok().map(Into::into)
}
