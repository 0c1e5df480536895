//! From a checked block to what derivation reads of it.

use alloy_consensus::{EthereumTxEnvelope, Signed, TxEip4844, TxLegacy};
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::Signature;
use cairn_rollup::RollupConfig;
use cairn_rollup::l1::{L1Block, L1BlockError, L1BlockInput};

use super::{FetchedBlock, FetchedTransaction};

impl FetchedBlock {
    /// Deposits, configuration updates and batches of the block. `blob_params` are those of L1 at
    /// the block's time.
    ///
    /// # Errors
    /// [`L1BlockError`].
    pub fn extract(
        &self,
        config: &RollupConfig,
        blob_params: BlobParams,
    ) -> Result<L1Block, L1BlockError> {
        let transactions: Vec<_> = self.transactions.iter().map(envelope).collect();
        let input = L1BlockInput {
            header: &self.header,
            hash: self.hash,
            transactions: &transactions,
            receipts: &self.receipts,
            blob_params,
        };
        L1Block::extract(config, &input)
    }
}

/// The transaction; for one of an unknown type a creation, which derivation passes over too.
fn envelope(transaction: &FetchedTransaction) -> EthereumTxEnvelope<TxEip4844> {
    transaction.envelope.clone().unwrap_or_else(|| {
        let signature = Signature::test_signature();
        let creation = TxLegacy::default();
        EthereumTxEnvelope::Legacy(Signed::new_unchecked(creation, signature, transaction.hash))
    })
}
