//! Holding a block's parts against each other.

use alloy_consensus::Header;
use alloy_consensus::proofs::ordered_trie_root_with_encoder;
use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use alloy_rlp::BufMut;

use super::json::{JsonBlock, JsonReceipt, JsonTransaction};
use super::{FetchedBlock, FetchedTransaction};
use crate::Lie;

/// The block asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By tag: any.
    Tag,
    /// By number.
    Number(u64),
    /// By hash.
    Hash(B256),
}

/// Whether a block is one of those that anvil hashes wrongly.
pub(crate) fn is_trusted(header: &Header, trust_rpc: bool) -> bool {
    trust_rpc && header.blob_gas_used.is_some_and(|gas| gas > 0)
}

/// Checks a header: its hash is the one announced, and it is what was asked for.
///
/// # Errors
/// [`Lie::HeaderHash`], [`Lie::Number`].
pub fn checked_header(
    header: &Header,
    announced: B256,
    asked: Option<BlockNumHash>,
    trust_rpc: bool,
) -> Result<(), Lie> {
    let computed = header.hash_slow();
    let number = header.number;
    if computed != announced && !is_trusted(header, trust_rpc) {
        return Err(Lie::HeaderHash { number, announced, computed });
    }
    match asked {
        Some(asked) if asked.number != number => {
            Err(Lie::Number { asked: asked.number, found: number })
        }
        Some(asked) if asked.hash != announced => {
            Err(Lie::HeaderHash { number, announced: asked.hash, computed })
        }
        _ => Ok(()),
    }
}

impl Asked {
    /// Checks the header of the answer.
    pub(crate) fn check<T>(self, block: &JsonBlock<T>, trust_rpc: bool) -> Result<(), Lie> {
        let JsonBlock { hash, header, .. } = block;
        let asked = match self {
            Self::Tag => None,
            Self::Number(number) => Some(BlockNumHash { number, hash: *hash }),
            Self::Hash(hash) => Some(BlockNumHash { number: header.number, hash }),
        };
        checked_header(header, *hash, asked, trust_rpc)
    }
}

/// Puts a block together. `transactions` are those of the JSON block, encoded.
pub(crate) fn assemble(
    hash: B256,
    header: Header,
    transactions: Vec<FetchedTransaction>,
    receipts: Vec<JsonReceipt>,
    trust_rpc: bool,
) -> Result<FetchedBlock, Lie> {
    let number = header.number;
    if receipts.len() != transactions.len() {
        let (transactions, receipts) = (transactions.len(), receipts.len());
        return Err(Lie::ReceiptCount { number, transactions, receipts });
    }
    let computed =
        ordered_trie_root_with_encoder(&transactions, |transaction: &FetchedTransaction, out| {
            out.put_slice(&transaction.raw);
        });
    if computed != header.transactions_root && !is_trusted(&header, trust_rpc) {
        return Err(Lie::TransactionsRoot { number, header: header.transactions_root, computed });
    }
    let (receipts, raw): (Vec<_>, Vec<_>) = receipts.into_iter().map(JsonReceipt::encode).unzip();
    let computed = ordered_trie_root_with_encoder(&raw, |raw: &Vec<u8>, out| out.put_slice(raw));
    if computed != header.receipts_root {
        let unknown = transactions.iter().find(|transaction| transaction.envelope.is_none());
        let unknown = unknown.and_then(|transaction| transaction.raw.first().copied());
        let header = header.receipts_root;
        return Err(Lie::ReceiptsRoot { number, header, computed, unknown });
    }
    Ok(FetchedBlock { hash, header, transactions, receipts })
}

/// Encodes a transaction of a known type and compares its hash.
pub(crate) fn known_transaction(
    number: u64,
    index: usize,
    json: JsonTransaction,
) -> Result<FetchedTransaction, Lie> {
    let announced = json.hash;
    let transaction = json.encode().map_err(|error| Lie::Malformed {
        what: format!("transaction {announced} of block {number}"),
        reason: error.to_string(),
    })?;
    compare_hash(number, index, announced, transaction)
}

/// The transaction, if it has the hash that the block says.
pub(crate) fn compare_hash(
    number: u64,
    index: usize,
    announced: B256,
    transaction: FetchedTransaction,
) -> Result<FetchedTransaction, Lie> {
    let computed = transaction.hash;
    if computed == announced {
        return Ok(transaction);
    }
    Err(Lie::TransactionHash { number, index, announced, computed })
}

#[cfg(test)]
mod tests {
    use alloy_consensus::constants::EMPTY_ROOT_HASH;
    use alloy_primitives::keccak256;
    use serde_json::json;

    use super::*;
    use crate::block::json::from_raw;

    fn receipt(kind: &str) -> JsonReceipt {
        let json =
            json!({"type": kind, "status": "0x1", "cumulativeGasUsed": "0x5208", "logs": []});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_block_with_an_unknown_type_has_its_roots() {
        let transaction = from_raw(vec![0x7f, 1, 2, 3].into());
        assert!(transaction.envelope.is_none() && transaction.sender().is_none());
        assert_eq!(transaction.hash, keccak256([0x7f, 1, 2, 3]));
        let root = |raw: &[u8]| {
            ordered_trie_root_with_encoder(&[raw], |raw: &&[u8], out| out.put_slice(raw))
        };
        let (_, raw) = receipt("0x7f").encode();
        assert_eq!(raw[0], 0x7f);
        let mut header = Header {
            transactions_root: root(&transaction.raw),
            receipts_root: root(&raw),
            ..Header::default()
        };
        let block = |header: &Header| {
            let (transactions, receipts) = (vec![transaction.clone()], vec![receipt("0x7f")]);
            assemble(B256::ZERO, header.clone(), transactions, receipts, false)
        };
        assert!(block(&header).is_ok());
        header.receipts_root = EMPTY_ROOT_HASH;
        let lie = block(&header).unwrap_err();
        assert!(matches!(lie, Lie::ReceiptsRoot { unknown: Some(0x7f), .. }), "{lie}");
    }
}
