//! Calls as the unsigned transactions of simulated blocks (`ToTransaction` of go-ethereum).

use alloy_consensus::{Signed, TransactionEnvelope, TxEip1559, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use alloy_rlp::{Encodable, Header};
use cairn_primitives::{TxEnvelope, TxType};

use crate::execution::message::Message;

/// A transaction whose signature is all zeroes.
#[derive(Debug)]
pub(super) struct UnsignedTx {
    pub(super) envelope: TxEnvelope,
    pub(super) sender: Address,
    pub(super) hash: B256,
    /// EIP-2718 form.
    pub(super) encoded: Bytes,
}

/// The `chainId` that geth derives from a legacy transaction with `v` zero, (0 − 35) / 2.
pub(super) const ZERO_V_CHAIN_ID: u64 = 35u64.wrapping_neg() / 2;

impl UnsignedTx {
    pub(super) fn new(message: &Message) -> Self {
        let envelope = envelope(message);
        let (hash, encoded) = match &envelope {
            // No valid legacy signature has a `v` of zero, so the type cannot express it.
            TxEnvelope::Legacy(tx) => {
                let encoded = encode_legacy(tx.tx());
                (keccak256(&encoded), encoded)
            }
            typed => (*typed.hash(), typed.encoded_2718().into()),
        };
        Self { envelope, sender: message.from, hash, encoded }
    }

    /// Its type.
    pub(super) fn tx_type(&self) -> TxType {
        self.envelope.tx_type()
    }

    /// Bytes that it takes in the RLP of a block.
    pub(super) fn block_length(&self) -> usize {
        match self.envelope {
            TxEnvelope::Legacy(_) => self.encoded.len(),
            _ => self.encoded.as_ref().length(),
        }
    }
}

fn envelope(message: &Message) -> TxEnvelope {
    let zero = || Signature::new(U256::ZERO, U256::ZERO, false);
    let Message { nonce, gas: gas_limit, value, chain_id, .. } = *message;
    let input = message.data.clone();
    let to = message.to.map_or(TxKind::Create, TxKind::Call);
    let access_list = message.access_list.clone().unwrap_or_default();
    // Fees beyond 128 bits never run: nobody has the funds.
    let max_fee_per_gas = message.fee_cap.saturating_to();
    let max_priority_fee_per_gas = message.tip_cap.saturating_to();
    if message.priced {
        let gas_price = message.gas_price.saturating_to();
        let tx = TxLegacy { chain_id: None, nonce, gas_price, gas_limit, to, value, input };
        return TxEnvelope::Legacy(Signed::new_unhashed(tx, zero()));
    }
    let recipient = message.to.unwrap_or_default();
    if let Some(authorization_list) = message.authorizations.clone() {
        let tx = TxEip7702 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to: recipient,
            value,
            access_list,
            authorization_list,
            input,
        };
        return TxEnvelope::Eip7702(Signed::new_unhashed(tx, zero()));
    }
    if let Some(blob_versioned_hashes) = message.blob_hashes.clone() {
        let tx = TxEip4844 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to: recipient,
            value,
            access_list,
            blob_versioned_hashes,
            max_fee_per_blob_gas: message.blob_fee_cap.saturating_to(),
            input,
        };
        return TxEnvelope::Eip4844(Signed::new_unhashed(tx, zero()));
    }
    let tx = TxEip1559 {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas,
        max_priority_fee_per_gas,
        to,
        value,
        access_list,
        input,
    };
    TxEnvelope::Eip1559(Signed::new_unhashed(tx, zero()))
}

/// `rlp([nonce, price, gas, to, value, data, 0, 0, 0])`.
fn encode_legacy(tx: &TxLegacy) -> Bytes {
    let fields: [&dyn Encodable; 9] =
        [&tx.nonce, &tx.gas_price, &tx.gas_limit, &tx.to, &tx.value, &tx.input, &0u8, &0u8, &0u8];
    let payload_length = fields.iter().map(|field| field.length()).sum();
    let header = Header { list: true, payload_length };
    let mut out = Vec::with_capacity(header.length_with_payload());
    header.encode(&mut out);
    for field in fields {
        field.encode(&mut out);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::b256;
    use serde_json::json;

    use super::*;
    use crate::execution::call_args::CallArgs;

    #[test]
    fn the_hash_is_that_of_geth() {
        // Of the execution-apis fixture `ethSimulate-only-from-to-transaction`.
        let args = json!({
            "from": "0xc000000000000000000000000000000000000000",
            "to": "0xc100000000000000000000000000000000000000",
        });
        let args: CallArgs = serde_json::from_value(args).unwrap();
        let message = Message::new(&args, 50_000_000, Some(0), 3_503_995_874_084_926).unwrap();
        let tx = UnsignedTx::new(&message);
        let want = b256!("0x234a1d9897819c206fdeb6af312d742010a91b5b4159978a902c9a0b90e7bee5");
        assert_eq!(tx.hash, want);
        assert_eq!(tx.tx_type(), TxType::Eip1559);
    }

    #[test]
    fn a_priced_call_is_a_legacy_transaction_with_v_zero() {
        let args: CallArgs = serde_json::from_value(json!({"gasPrice": "0x1"})).unwrap();
        let tx = UnsignedTx::new(&Message::new(&args, 21_000, Some(0), 1).unwrap());
        assert_eq!(tx.tx_type(), TxType::Legacy);
        assert!(tx.encoded.ends_with(&[0x80, 0x80, 0x80]));
        assert_eq!(ZERO_V_CHAIN_ID, 0x7fff_ffff_ffff_ffee);
    }
}
