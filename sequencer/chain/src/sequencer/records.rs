//! Records of the open block's journal.
//!
//! The journal holds, for each block that the store may not have yet, what it takes to build that
//! block again, in order:
//!
//! ```text
//! index 0      Open   version 0x01 ‖ 0x00 ‖ rlp([parent hash, timestamp, fee recipient, randao,
//!                     gas limit, beacon root?, extra data, deposits only, [deposit, …]])
//! index 1…n    Tx     version 0x01 ‖ 0x01 ‖ sender (20 bytes) ‖ EIP-2718 transaction
//! index n+1    Seal   version 0x01 ‖ 0x02 ‖ block hash (32 bytes)
//! ```
//!
//! Recovery: the records above the store's tip are executed again, block by block; a sealed block
//! must come out with the hash of its seal. The last block may have no seal: it stays open. Records
//! are synced before what they say is shown to anyone, so a crash loses nothing that was shown.

use alloy_consensus::transaction::Recovered;
use alloy_eips::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use cairn_evm::BlockAttributes;
use cairn_primitives::{SignedTx, TxEnvelope};

use super::attributes::PayloadAttributes;

const VERSION: u8 = 1;
const OPEN: u8 = 0;
const TX: u8 = 1;
const SEAL: u8 = 2;

/// One record.
#[derive(Debug, Clone)]
pub(super) enum Record {
    /// A block was opened on a parent.
    Open(B256, PayloadAttributes),
    /// A transaction from the pool was executed in it, as its next one.
    Tx(SignedTx, Bytes),
    /// It was sealed with this hash.
    Seal(B256),
}

#[derive(Debug, RlpEncodable, RlpDecodable)]
struct OpenFields {
    parent_hash: B256,
    timestamp: u64,
    fee_recipient: Address,
    prev_randao: B256,
    gas_limit: u64,
    /// Empty or 32 bytes.
    beacon_root: Bytes,
    extra_data: Bytes,
    deposits_only: bool,
    deposits: Vec<Bytes>,
}

impl Record {
    pub(super) fn open(parent_hash: B256, attributes: &PayloadAttributes) -> Vec<u8> {
        let block = &attributes.block;
        let fields = OpenFields {
            parent_hash,
            timestamp: block.timestamp,
            fee_recipient: block.fee_recipient,
            prev_randao: block.prev_randao,
            gas_limit: block.gas_limit,
            beacon_root: block.parent_beacon_block_root.map_or(Bytes::new(), |r| r.into()),
            extra_data: block.extra_data.clone(),
            deposits_only: attributes.deposits_only,
            deposits: attributes.deposits.iter().map(|tx| tx.encoded_2718().into()).collect(),
        };
        let mut out = vec![VERSION, OPEN];
        fields.encode(&mut out);
        out
    }

    pub(super) fn tx(sender: Address, encoded: &[u8]) -> Vec<u8> {
        [&[VERSION, TX], sender.as_slice(), encoded].concat()
    }

    pub(super) fn seal(hash: B256) -> Vec<u8> {
        [&[VERSION, SEAL], hash.as_slice()].concat()
    }

    /// Decodes a record; an error names what is wrong with it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let [VERSION, kind, body @ ..] = bytes else {
            return Err(format!("version or length ({} bytes) is not ours", bytes.len()));
        };
        match *kind {
            OPEN => decode_open(body).map_err(|e| format!("open record: {e}")),
            TX => decode_tx(body).map_err(|e| format!("transaction record: {e}")),
            SEAL if body.len() == 32 => Ok(Self::Seal(B256::from_slice(body))),
            other => Err(format!("kind {other} with {} bytes", body.len())),
        }
    }
}

fn decode_open(mut body: &[u8]) -> alloy_rlp::Result<Record> {
    let fields = OpenFields::decode(&mut body)?;
    let parent_beacon_block_root = match fields.beacon_root.len() {
        0 => None,
        32 => Some(B256::from_slice(&fields.beacon_root)),
        _ => return Err(alloy_rlp::Error::UnexpectedLength),
    };
    if !body.is_empty() {
        return Err(alloy_rlp::Error::UnexpectedLength);
    }
    let deposits = fields
        .deposits
        .iter()
        .map(|bytes| TxEnvelope::decode_2718_exact(bytes))
        .collect::<Result<_, _>>()
        .map_err(|_| alloy_rlp::Error::Custom("deposit"))?;
    let block = BlockAttributes {
        timestamp: fields.timestamp,
        fee_recipient: fields.fee_recipient,
        prev_randao: fields.prev_randao,
        gas_limit: fields.gas_limit,
        parent_beacon_block_root,
        extra_data: fields.extra_data,
    };
    let deposits_only = fields.deposits_only;
    Ok(Record::Open(fields.parent_hash, PayloadAttributes { block, deposits, deposits_only }))
}

fn decode_tx(body: &[u8]) -> alloy_rlp::Result<Record> {
    let (sender, encoded) =
        body.split_first_chunk::<20>().ok_or(alloy_rlp::Error::InputTooShort)?;
    let tx = TxEnvelope::decode_2718_exact(encoded)
        .map_err(|_| alloy_rlp::Error::Custom("transaction"))?;
    let signed = Recovered::new_unchecked(tx, Address::from(sender));
    Ok(Record::Tx(signed, Bytes::copy_from_slice(encoded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes() -> PayloadAttributes {
        let deposit = op_alloy_consensus::TxDeposit { gas_limit: 7, ..Default::default() };
        PayloadAttributes {
            block: BlockAttributes {
                timestamp: 9,
                fee_recipient: Address::repeat_byte(1),
                prev_randao: B256::repeat_byte(2),
                gas_limit: 30_000_000,
                parent_beacon_block_root: Some(B256::repeat_byte(3)),
                extra_data: Bytes::from([4; 17]),
            },
            deposits: vec![deposit.into()],
            deposits_only: true,
        }
    }

    #[test]
    fn open_and_seal_records_round_trip() {
        let parent = B256::repeat_byte(5);
        let bytes = Record::open(parent, &attributes());
        let Record::Open(got, decoded) = Record::decode(&bytes).unwrap() else { panic!("kind") };
        assert_eq!(got, parent);
        assert_eq!(decoded.block, attributes().block);
        assert!(decoded.deposits_only);
        assert_eq!(decoded.deposits[0].hash(), attributes().deposits[0].hash());
        let sealed = Record::decode(&Record::seal(parent)).unwrap();
        assert!(matches!(sealed, Record::Seal(hash) if hash == parent));
    }

    #[test]
    fn damaged_records_are_errors_at_every_length() {
        let whole = Record::open(B256::ZERO, &attributes());
        for len in 0..whole.len() {
            assert!(Record::decode(&whole[..len]).is_err(), "{len} bytes");
        }
        assert!(Record::decode(&[2, 0]).is_err());
        assert!(Record::decode(&Record::tx(Address::ZERO, &[0xff])).is_err());
        assert!(Record::decode(&[&whole[..], &[0]].concat()).is_err());
    }
}
