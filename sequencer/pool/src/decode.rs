//! From bytes to a transaction with hash and sender.

use alloy_consensus::crypto::secp256k1;
use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{Signed, Transaction, TxLegacy};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, keccak256};
use cairn_primitives::{DEPOSIT_TX_TYPE, TxEnvelope, TxType};

use crate::PoolError;

/// First byte above which a transaction is a legacy one, an RLP list (EIP-2718).
const LAST_TYPE_BYTE: u8 = 0x7f;
/// Legacy transactions have no type byte; a zero in its place is none (EIP-2718).
const LEGACY_TYPE: u8 = 0;

/// Decodes a canonical EIP-2718 transaction and hashes its bytes. Deposits are refused before they
/// are looked at: users have none. Nothing may follow the transaction. The caller bounds the size.
pub fn decode_canonical(raw: &[u8]) -> Result<(TxEnvelope, B256), PoolError> {
    let hash = keccak256(raw);
    decode_hashed(raw, hash).map(|tx| (tx, hash))
}

/// Decodes a transaction whose hash is known.
pub(crate) fn decode_hashed(raw: &[u8], hash: B256) -> Result<TxEnvelope, PoolError> {
    let rlp = |error: alloy_rlp::Error| PoolError::Decode(error.to_string());
    let tx = match raw {
        [] | [..=LAST_TYPE_BYTE] => return Err(PoolError::TooShort),
        [ty @ ..=LAST_TYPE_BYTE, ..] => {
            if *ty == DEPOSIT_TX_TYPE || *ty == LEGACY_TYPE || TxType::try_from(*ty).is_err() {
                return Err(PoolError::TypeNotSupported { ty: *ty });
            }
            TxEnvelope::decode_2718_exact(raw).map_err(|error| rlp(error.into()))?
        }
        _ => {
            let mut rest = raw;
            let tx = Signed::<TxLegacy>::rlp_decode(&mut rest).map_err(rlp)?;
            if !rest.is_empty() {
                return Err(rlp(alloy_rlp::Error::UnexpectedLength));
            }
            TxEnvelope::Legacy(tx)
        }
    };
    // RLP is read canonically throughout, so the bytes at hand are the bytes that are signed for.
    Ok(with_hash(tx, hash))
}

/// Recovers the sender. Costs about 45 µs.
pub fn recover_sender(tx: &TxEnvelope) -> Result<Address, PoolError> {
    tx.recover_signer().map_err(|_| PoolError::InvalidSender)
}

/// Recovers the signers of an authorization list, leaving out tuples that have none.
pub(crate) fn recover_authorities(tx: &TxEnvelope) -> Vec<Address> {
    let list = tx.authorization_list().unwrap_or_default();
    list.iter()
        .filter_map(|tuple| {
            let signature = tuple.signature().ok()?;
            secp256k1::recover_signer(&signature, tuple.signature_hash()).ok()
        })
        .collect()
}

/// Stores the hash in the envelope, which would otherwise encode itself again to compute it.
fn with_hash(tx: TxEnvelope, hash: B256) -> TxEnvelope {
    fn hashed<T>(signed: Signed<T>, hash: B256) -> Signed<T> {
        let signature = *signed.signature();
        Signed::new_unchecked(signed.strip_signature(), signature, hash)
    }
    match tx {
        TxEnvelope::Legacy(tx) => TxEnvelope::Legacy(hashed(tx, hash)),
        TxEnvelope::Eip2930(tx) => TxEnvelope::Eip2930(hashed(tx, hash)),
        TxEnvelope::Eip1559(tx) => TxEnvelope::Eip1559(hashed(tx, hash)),
        TxEnvelope::Eip4844(tx) => TxEnvelope::Eip4844(hashed(tx, hash)),
        TxEnvelope::Eip7702(tx) => TxEnvelope::Eip7702(hashed(tx, hash)),
        TxEnvelope::Deposit(tx) => TxEnvelope::Deposit(tx),
    }
}
