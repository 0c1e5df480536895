//! Blob transactions as wallets send them: with blobs, commitments and proofs (EIP-4844, EIP-7594).
//!
//! The node keeps no blobs. The sidecar is checked, so that a client learns of a bad one, and then
//! dropped; what goes on is the transaction as a block holds it.

use alloy_consensus::{EthereumTxEnvelope, TxEip4844WithSidecar};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_eips::eip4844::env_settings::EnvKzgSettings;
use alloy_eips::eip7594::BlobTransactionSidecarVariant;
use alloy_primitives::Bytes;
use cairn_pool::PoolError;

use crate::RpcError;

type Pooled = EthereumTxEnvelope<TxEip4844WithSidecar<BlobTransactionSidecarVariant>>;

/// The canonical form of a blob transaction that came with a sidecar; one without is given back as
/// it is.
pub(super) fn strip(raw: Bytes) -> Result<Bytes, RpcError> {
    let Ok(Pooled::Eip4844(signed)) = Pooled::decode_2718_exact(&raw) else { return Ok(raw) };
    let checked = signed.tx().validate_blob(EnvKzgSettings::Default.get());
    checked.map_err(|error| PoolError::Decode(format!("invalid blob sidecar: {error}")))?;
    let (tx, signature, hash) = signed.into_parts();
    let stripped = alloy_consensus::Signed::new_unchecked(tx.tx, signature, hash);
    let mut out = Vec::with_capacity(stripped.encode_2718_len());
    stripped.encode_2718(&mut out);
    Ok(out.into())
}
