//! Receipts of both rule sets.

use alloy_consensus::{Eip658Value, Receipt as LogReceipt, ReceiptWithBloom, TxReceipt};
use alloy_eips::Typed2718;
use alloy_primitives::{Bloom, Log};
use alloy_rlp::{BufMut, Decodable, Encodable, Header};

use crate::TxType;

/// A receipt as consensus knows it.
///
/// RLP (`Encodable`/`Decodable`) is the form that the store keeps, without bloom:
/// `[type, status-or-state, cumulative gas, logs, deposit nonce?, deposit version?]`.
/// [`Receipt::encode_2718_with_bloom`] gives the leaf of the receipts trie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Type of the transaction.
    pub tx_type: TxType,
    /// Status, cumulative gas and logs.
    pub inner: LogReceipt<Log>,
    /// Nonce of a deposit's sender before it ran (OP specification, Regolith).
    pub deposit_nonce: Option<u64>,
    /// Receipt version of a deposit, 1 since Canyon.
    pub deposit_receipt_version: Option<u64>,
}

impl Receipt {
    /// A receipt of a transaction that is no deposit.
    pub const fn new(tx_type: TxType, success: bool, cumulative_gas: u64, logs: Vec<Log>) -> Self {
        Self {
            tx_type,
            inner: LogReceipt {
                status: Eip658Value::Eip658(success),
                cumulative_gas_used: cumulative_gas,
                logs,
            },
            deposit_nonce: None,
            deposit_receipt_version: None,
        }
    }

    /// Whether the transaction succeeded. Receipts before Byzantium hold a state root instead and
    /// count as successful.
    pub fn success(&self) -> bool {
        self.inner.status.coerce_status()
    }

    /// Gas used by the block up to and including this transaction.
    pub const fn cumulative_gas_used(&self) -> u64 {
        self.inner.cumulative_gas_used
    }

    /// The logs.
    pub fn logs(&self) -> &[Log] {
        &self.inner.logs
    }

    /// The bloom filter over addresses and topics of the logs.
    pub fn bloom(&self) -> Bloom {
        self.inner.bloom()
    }

    /// The canonical encoding, `type ‖ rlp([status, gas, bloom, logs, …])`, legacy without type.
    pub fn encode_2718_with_bloom(&self, bloom: &Bloom, out: &mut dyn BufMut) {
        if self.tx_type != TxType::Legacy {
            out.put_u8(self.tx_type.ty());
        }
        let payload_length = self.inner.status.length()
            + self.inner.cumulative_gas_used.length()
            + bloom.length()
            + self.inner.logs.length()
            + self.deposit_fields_length();
        Header { list: true, payload_length }.encode(out);
        self.inner.status.encode(out);
        self.inner.cumulative_gas_used.encode(out);
        bloom.encode(out);
        self.inner.logs.encode(out);
        self.encode_deposit_fields(out);
    }

    /// The receipt beside its bloom.
    pub fn with_bloom(self) -> ReceiptWithBloom<Self> {
        let logs_bloom = self.bloom();
        ReceiptWithBloom { receipt: self, logs_bloom }
    }

    fn deposit_fields_length(&self) -> usize {
        self.deposit_nonce.map_or(0, |n| n.length())
            + self.deposit_receipt_version.map_or(0, |v| v.length())
    }

    fn encode_deposit_fields(&self, out: &mut dyn BufMut) {
        if let Some(nonce) = self.deposit_nonce {
            nonce.encode(out);
        }
        if let Some(version) = self.deposit_receipt_version {
            version.encode(out);
        }
    }

    fn payload_length(&self) -> usize {
        self.tx_type.ty().length()
            + self.inner.status.length()
            + self.inner.cumulative_gas_used.length()
            + self.inner.logs.length()
            + self.deposit_fields_length()
    }
}

impl Encodable for Receipt {
    fn encode(&self, out: &mut dyn BufMut) {
        Header { list: true, payload_length: self.payload_length() }.encode(out);
        self.tx_type.ty().encode(out);
        self.inner.status.encode(out);
        self.inner.cumulative_gas_used.encode(out);
        self.inner.logs.encode(out);
        self.encode_deposit_fields(out);
    }

    fn length(&self) -> usize {
        Header { list: true, payload_length: self.payload_length() }.length_with_payload()
    }
}

impl Decodable for Receipt {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let mut fields = Header::decode_bytes(buf, true)?;
        let tx_type = TxType::try_from(u8::decode(&mut fields)?)
            .map_err(|_| alloy_rlp::Error::Custom("unknown transaction type in receipt"))?;
        let inner = LogReceipt {
            status: Decodable::decode(&mut fields)?,
            cumulative_gas_used: Decodable::decode(&mut fields)?,
            logs: Decodable::decode(&mut fields)?,
        };
        let mut optional = || -> alloy_rlp::Result<Option<u64>> {
            if fields.is_empty() { Ok(None) } else { u64::decode(&mut fields).map(Some) }
        };
        let deposit_nonce = optional()?;
        let deposit_receipt_version = optional()?;
        if !fields.is_empty() {
            return Err(alloy_rlp::Error::UnexpectedLength);
        }
        Ok(Self { tx_type, inner, deposit_nonce, deposit_receipt_version })
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, Bytes};

    use super::*;

    fn receipt(tx_type: TxType) -> Receipt {
        let log =
            Log::new_unchecked(Address::repeat_byte(7), vec![B256::ZERO], Bytes::from([1, 2]));
        Receipt::new(tx_type, true, 21_000, vec![log])
    }

    #[test]
    fn stored_form_round_trips_for_every_type() {
        for ty in [0u8, 1, 2, 3, 4, 0x7e] {
            let mut original = receipt(TxType::try_from(ty).unwrap());
            if ty == 0x7e {
                original.deposit_nonce = Some(9);
                original.deposit_receipt_version = Some(1);
            }
            let bytes = alloy_rlp::encode(&original);
            assert_eq!(Receipt::decode(&mut bytes.as_slice()).unwrap(), original);
        }
    }

    #[test]
    fn rejects_trailing_fields_and_unknown_types() {
        let mut bytes = Vec::new();
        alloy_rlp::encode_list::<_, u64>(&[0, 1, 2], &mut bytes);
        assert!(Receipt::decode(&mut bytes.as_slice()).is_err());
        let mut unknown = alloy_rlp::encode(receipt(TxType::Legacy));
        let at = unknown.iter().position(|b| *b == 0x80).unwrap();
        unknown[at] = 0x55;
        assert!(Receipt::decode(&mut unknown.as_slice()).is_err());
    }

    #[test]
    fn consensus_form_agrees_with_op_alloy_for_a_deposit() {
        use alloy_consensus::Eip2718EncodableReceipt;
        let mut ours = receipt(TxType::Deposit);
        ours.deposit_nonce = Some(5);
        ours.deposit_receipt_version = Some(1);
        let theirs = op_alloy_consensus::OpReceipt::Deposit(op_alloy_consensus::OpDepositReceipt {
            inner: ours.inner.clone(),
            deposit_nonce: Some(5),
            deposit_receipt_version: Some(1),
        });
        let bloom = ours.bloom();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        ours.encode_2718_with_bloom(&bloom, &mut a);
        theirs.eip2718_encode_with_bloom(&bloom, &mut b);
        assert_eq!(a, b);
    }
}
