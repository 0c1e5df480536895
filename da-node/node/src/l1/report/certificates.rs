//! The certificates in the inbox that are not reported yet, read from L1's logs.
//!
//! The inbox keeps hashes only; header and bitmap are in the calldata of the transaction that
//! appended the batch. Logs are read up to the confirmed block, and those of the last blocks again
//! each time. What is kept and fetched at a time is bounded; the rest is read when there is room.

use std::collections::BTreeMap;

use alloy::consensus::Transaction;
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::Log;
use alloy_primitives::{B256, keccak256};
use cairn_da_client::registry::RegistryError;
use cairn_primitives::da::bls::Signature;
use cairn_primitives::da::{Certificate, HEADER_BYTES, MAX_OPERATORS, Timestamp};

use super::super::keep::read_from;
use super::contract::BatchInbox::{BatchInboxInstance, CertificateBatchAppended};
use super::plan::{BatchIndex, GROUP, Pending, Place, Signed};

/// First bytes of the calldata of a certificate.
const CERTIFICATE_FORMAT: [u8; 2] = [1, 1];
/// Blocks asked for logs in one request.
const LOG_RANGE: u64 = 2000;
/// Requests for logs in one read.
const RANGES: usize = 64;
/// Certificates kept.
pub(super) const PENDING_MAX: usize = 8 * GROUP;
/// Transactions fetched in one read.
const FETCH_MAX: usize = 2 * GROUP;

/// The inbox as of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct InboxState {
    /// Number of the block.
    pub(super) block: u64,
    /// Its time.
    pub(super) time: Timestamp,
    /// First batch that is not reported.
    pub(super) next: BatchIndex,
    /// Batches.
    pub(super) count: u64,
}

/// What is not reported. Nothing of it is on disk: it is read again after a restart.
#[derive(Debug)]
pub(super) struct Certificates {
    inbox: BatchInboxInstance<DynProvider>,
    /// First block that may have logs.
    first_block: u64,
    /// First block whose logs were not read yet.
    next_block: u64,
    /// All certificates from here on, up to `next_block`, are pending.
    floor: BatchIndex,
    pending: BTreeMap<BatchIndex, Pending>,
}

impl Certificates {
    pub(super) const fn new(inbox: BatchInboxInstance<DynProvider>, first_block: u64) -> Self {
        let (next_block, floor) = (first_block, BatchIndex(0));
        Self { inbox, first_block, next_block, floor, pending: BTreeMap::new() }
    }

    pub(super) const fn pending(&self) -> &BTreeMap<BatchIndex, Pending> {
        &self.pending
    }

    /// Forgets what was read: it may be of blocks that a deep reorganisation replaced.
    pub(super) fn start_over(&mut self) {
        self.next_block = self.first_block;
        self.pending.clear();
    }

    /// Reads up to the confirmed block, or as far as there is room; says whether up to the block.
    ///
    /// `next` is the first batch that is not reported as of L1's newest block. Where a
    /// reorganisation undid reports, it can be lower than what is kept.
    pub(super) async fn read(
        &mut self,
        confirmed: &InboxState,
        next: BatchIndex,
    ) -> Result<bool, RegistryError> {
        let lowest = confirmed.next.min(next);
        if lowest < self.floor {
            tracing::warn!(target: "da::l1", batch = lowest.0, "L1 undid reports of signers");
            self.start_over();
        }
        self.floor = lowest;
        self.pending = self.pending.split_off(&lowest);
        if lowest.0 >= confirmed.count {
            // All batches up to this block are reported: none of its logs is needed.
            self.pending.clear();
            self.next_block = confirmed.block.saturating_add(1);
            return Ok(true);
        }
        self.next_block = read_from(self.first_block, self.next_block, confirmed.block);
        let mut known = self.take_from(self.next_block);
        let mut room = FETCH_MAX;
        for _ in 0..RANGES {
            if self.next_block > confirmed.block {
                return Ok(true);
            }
            let last = confirmed.block.min(self.next_block.saturating_add(LOG_RANGE - 1));
            for (batch, place, time) in self.logs(last, confirmed.time).await? {
                if self.pending.len() >= PENDING_MAX || room == 0 {
                    self.next_block = place.block;
                    return Ok(false);
                }
                let same = known.remove(&batch).filter(|known| known.place == place);
                let certificate = match same {
                    Some(known) => known,
                    None => {
                        room -= 1;
                        self.fetch(place, time).await?
                    }
                };
                self.pending.insert(batch, certificate);
            }
            self.next_block = last.saturating_add(1);
        }
        Ok(self.next_block > confirmed.block)
    }

    /// Takes out what is of a block and later ones.
    fn take_from(&mut self, block: u64) -> BTreeMap<BatchIndex, Pending> {
        let (again, kept) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|(_, certificate)| certificate.place.block >= block);
        self.pending = kept;
        again
    }

    /// The certificates that the logs up to a block name and that are not reported, in their order.
    async fn logs(
        &self,
        last: u64,
        seen: Timestamp,
    ) -> Result<Vec<(BatchIndex, Place, Timestamp)>, RegistryError> {
        let filter = self.inbox.CertificateBatchAppended_filter();
        let logs = filter.from_block(self.next_block).to_block(last).query().await?;
        let mut found = Vec::new();
        for (event, log) in logs {
            let batch = batch_index(event.batch)?;
            if batch >= self.floor {
                let time = log.block_timestamp.map_or(seen, Timestamp);
                found.push((batch, self.place(&event, &log, last)?, time));
            }
        }
        found.sort_unstable_by_key(|(batch, ..)| *batch);
        Ok(found)
    }

    fn place(
        &self,
        event: &CertificateBatchAppended,
        log: &Log,
        last: u64,
    ) -> Result<Place, RegistryError> {
        let block = log.block_number.filter(|block| (self.next_block..=last).contains(block));
        let (Some(block), Some(transaction)) = (block, log.transaction_hash) else {
            return Err(RegistryError::Range { what: "log of the inbox" });
        };
        let CertificateBatchAppended { headerHash, signersHash, .. } = event;
        Ok(Place { block, transaction, header_hash: *headerHash, signers_hash: *signersHash })
    }

    async fn fetch(&self, place: Place, time: Timestamp) -> Result<Pending, RegistryError> {
        let hash = place.transaction;
        let found = self.inbox.provider().get_transaction_by_hash(hash).await?;
        let missing = || RegistryError::Provider(format!("no transaction {hash}"));
        let signed = signed_of(found.ok_or_else(missing)?.input(), &place);
        Ok(Pending { place, time, signed })
    }
}

/// A number of the inbox as index.
pub(super) fn batch_index(number: alloy_primitives::U256) -> Result<BatchIndex, RegistryError> {
    let number = u64::try_from(number);
    number.map(BatchIndex).map_err(|_| RegistryError::Range { what: "number of batches" })
}

/// Who signed the certificate in calldata; `None` if it is not the one of that place.
fn signed_of(calldata: &[u8], place: &Place) -> Option<Signed> {
    let certificate = calldata.strip_prefix(&CERTIFICATE_FORMAT)?;
    let bitmap = certificate.len().checked_sub(HEADER_BYTES + Signature::BYTES)?;
    if bitmap > MAX_OPERATORS / 8 {
        return None;
    }
    // Which of the last bits are nobody's does not matter here: the inbox has checked it.
    let Certificate { header, signers, .. } = Certificate::decode(certificate, bitmap * 8).ok()?;
    let bitmap = signers.as_bytes().to_vec();
    if header.hash() != place.header_hash
        || signers_hash(header.epoch.0, &bitmap) != place.signers_hash
    {
        return None;
    }
    let depth = header.shape.rows().trailing_zeros();
    Some(Signed { epoch: header.epoch, bitmap, hashes_root: header.hashes_root, depth })
}

fn signers_hash(epoch: u64, bitmap: &[u8]) -> B256 {
    keccak256([&epoch.to_be_bytes()[..], bitmap].concat())
}

#[cfg(test)]
#[path = "certificates_tests.rs"]
mod tests;
