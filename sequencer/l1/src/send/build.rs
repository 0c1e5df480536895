//! Making and signing transactions.

use std::sync::Arc;

use alloy::network::TxSignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction, TxEip1559, TxEip4844, TxEip4844WithSidecar,
};
use alloy_eips::eip4844::env_settings::EnvKzgSettings;
use alloy_eips::eip4844::{Blob, BlobTransactionSidecar};
use alloy_eips::eip7594::{BlobTransactionSidecarEip7594, BlobTransactionSidecarVariant};
use alloy_eips::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};

use super::{Fees, SendError, TransactionKind};

/// Gas of a transfer.
const TRANSFER_GAS: u64 = 21_000;

type Pooled = EthereumTxEnvelope<TxEip4844WithSidecar<BlobTransactionSidecarVariant>>;

/// What a transaction is to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransactionContent {
    /// Whom it calls.
    pub to: Address,
    /// Wei that it brings along.
    pub value: U256,
    /// Calldata.
    pub input: Bytes,
    /// Gas limit; estimated if none is given.
    pub gas_limit: Option<u64>,
    /// Blobs, in order.
    pub blobs: Vec<Blob>,
}

/// Which proofs go with blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobForm {
    /// One for each blob (EIP-4844): before Osaka.
    BlobProofs,
    /// One for each cell (EIP-7594): from Osaka on.
    CellProofs,
}

/// A transaction but for its nonce and fees.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// Without blobs (EIP-1559).
    Plain(TxEip1559),
    /// With blobs (EIP-4844).
    Blobs(Arc<TxEip4844WithSidecar<BlobTransactionSidecarVariant>>),
}

/// A signed transaction.
#[derive(Debug, Clone)]
pub(super) struct SignedTransaction {
    pub(super) hash: B256,
    pub(super) raw: Bytes,
}

/// Commits to the blobs and proves them, which takes about a tenth of a second for each.
pub(super) fn sidecar(
    blobs: Vec<Blob>,
    form: BlobForm,
) -> Result<BlobTransactionSidecarVariant, SendError> {
    let made = match form {
        BlobForm::BlobProofs => {
            let settings = EnvKzgSettings::Default;
            BlobTransactionSidecar::try_from_blobs_with_settings(blobs, settings.get())
                .map(BlobTransactionSidecarVariant::from)
        }
        BlobForm::CellProofs => BlobTransactionSidecarEip7594::try_from_blobs(blobs)
            .map(BlobTransactionSidecarVariant::from),
    };
    made.map_err(|error| SendError::Content(error.to_string()))
}

impl Template {
    /// A transaction of that content. `sidecar` is that of its blobs, if it has some.
    pub(super) fn new(
        chain_id: u64,
        content: &TransactionContent,
        gas_limit: u64,
        sidecar: Option<BlobTransactionSidecarVariant>,
    ) -> Self {
        let TransactionContent { to, value, ref input, .. } = *content;
        let input = input.clone();
        match sidecar {
            None => Self::Plain(TxEip1559 {
                chain_id,
                gas_limit,
                to: TxKind::Call(to),
                value,
                input,
                ..TxEip1559::default()
            }),
            Some(sidecar) => {
                let blob_versioned_hashes = sidecar.versioned_hashes().collect();
                let tx = TxEip4844 {
                    chain_id,
                    gas_limit,
                    to,
                    value,
                    input,
                    blob_versioned_hashes,
                    ..TxEip4844::default()
                };
                Self::Blobs(Arc::new(TxEip4844WithSidecar { tx, sidecar }))
            }
        }
    }

    /// A transfer of nothing to oneself, in place of a transaction: with an empty blob if that one
    /// had some.
    pub(super) fn cancel(
        chain_id: u64,
        account: Address,
        replaced: Option<&Self>,
    ) -> Result<Self, SendError> {
        let content = TransactionContent { to: account, ..TransactionContent::default() };
        let sidecar = match replaced {
            Some(Self::Blobs(replaced)) => {
                let cells = replaced.sidecar.is_eip7594();
                let form = if cells { BlobForm::CellProofs } else { BlobForm::BlobProofs };
                Some(sidecar(vec![Blob::ZERO], form)?)
            }
            Some(Self::Plain(_)) | None => None,
        };
        Ok(Self::new(chain_id, &content, TRANSFER_GAS, sidecar))
    }

    /// The template of a signed transaction.
    pub(super) fn decode(raw: &[u8]) -> Option<Self> {
        match Pooled::decode_2718_exact(raw).ok()? {
            EthereumTxEnvelope::Eip1559(signed) => Some(Self::Plain(signed.strip_signature())),
            EthereumTxEnvelope::Eip4844(signed) => {
                Some(Self::Blobs(Arc::new(signed.strip_signature())))
            }
            _ => None,
        }
    }

    pub(super) const fn kind(&self) -> TransactionKind {
        match self {
            Self::Plain(_) => TransactionKind::Plain,
            Self::Blobs(_) => TransactionKind::Blobs,
        }
    }

    /// Signs it with a nonce and fees.
    pub(super) fn sign(
        &self,
        nonce: u64,
        fees: &Fees,
        signer: &PrivateKeySigner,
    ) -> Result<SignedTransaction, SendError> {
        let failed = |error: alloy::signers::Error| SendError::Content(error.to_string());
        let envelope: Pooled = match self {
            Self::Plain(template) => {
                let mut tx = template.clone();
                tx.nonce = nonce;
                tx.max_priority_fee_per_gas = fees.priority;
                tx.max_fee_per_gas = fees.max;
                let signature = signer.sign_transaction_sync(&mut tx).map_err(failed)?;
                EthereumTxEnvelope::Eip1559(tx.into_signed(signature))
            }
            Self::Blobs(template) => {
                let TxEip4844WithSidecar { mut tx, sidecar } = (**template).clone();
                tx.nonce = nonce;
                tx.max_priority_fee_per_gas = fees.priority;
                tx.max_fee_per_gas = fees.max;
                tx.max_fee_per_blob_gas = fees.blob;
                let signature = signer.sign_transaction_sync(&mut tx).map_err(failed)?;
                let tx = TxEip4844WithSidecar { tx, sidecar };
                EthereumTxEnvelope::Eip4844(tx.into_signed(signature))
            }
        };
        Ok(SignedTransaction { hash: *envelope.hash(), raw: envelope.encoded_2718().into() })
    }
}

/// The hash by which L1 knows a transaction in its network form.
pub(super) fn hash_of(raw: &[u8]) -> Option<B256> {
    Pooled::decode_2718_exact(raw).ok().map(|envelope| *envelope.hash())
}

/// The account that signed a transaction in its network form.
pub(super) fn signer_of(raw: &[u8]) -> Option<Address> {
    Pooled::decode_2718_exact(raw).ok()?.recover_signer().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_transaction_gives_its_template_back() {
        let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).unwrap();
        let fees = Fees { priority: 1, max: 2, blob: 3 };
        for form in [None, Some(BlobForm::BlobProofs), Some(BlobForm::CellProofs)] {
            let content = TransactionContent {
                to: Address::repeat_byte(4),
                value: U256::from(5),
                input: vec![6; 7].into(),
                ..TransactionContent::default()
            };
            let sidecar = form.map(|form| sidecar(vec![Blob::ZERO], form).unwrap());
            let template = Template::new(8, &content, 9, sidecar);
            let signed = template.sign(10, &fees, &signer).unwrap();
            assert_eq!(hash_of(&signed.raw), Some(signed.hash));
            assert_eq!(signer_of(&signed.raw), Some(signer.address()));
            let again = Template::decode(&signed.raw).unwrap();
            assert_eq!(again.kind(), template.kind());
            let same = again.sign(10, &fees, &signer).unwrap();
            assert_eq!((same.hash, same.raw), (signed.hash, signed.raw.clone()));
            let other = again.sign(11, &fees, &signer).unwrap();
            assert_ne!(other.hash, signed.hash);
        }
        assert!(Template::decode(&[2, 0xc0]).is_none() && hash_of(b"x").is_none());
        assert_eq!(signer_of(b"x"), None);
    }
}
