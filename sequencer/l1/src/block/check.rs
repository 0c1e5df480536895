//! Holding a block's parts against each other.

use alloy_consensus::Header;
use alloy_consensus::constants::EIP4844_TX_TYPE_ID;
use alloy_consensus::proofs::ordered_trie_root_with_encoder;
use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, Bytes};
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

/// Checks a header: its hash is the one announced, and it is what was asked for.
///
/// # Errors
/// [`Lie::HeaderHash`], [`Lie::Number`].
pub fn checked_header(
    header: &Header,
    announced: B256,
    asked: Option<BlockNumHash>,
) -> Result<(), Lie> {
    let computed = header.hash_slow();
    let number = header.number;
    if computed != announced {
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
    pub(crate) fn check<T>(self, block: &JsonBlock<T>) -> Result<(), Lie> {
        let JsonBlock { hash, header, .. } = block;
        let asked = match self {
            Self::Tag => None,
            Self::Number(number) => Some(BlockNumHash { number, hash: *hash }),
            Self::Hash(hash) => Some(BlockNumHash { number: header.number, hash }),
        };
        checked_header(header, *hash, asked)
    }
}

/// Root of the transactions of a block, by the bytes that stand for each.
pub(crate) fn transactions_root(rooted: &[Bytes]) -> B256 {
    ordered_trie_root_with_encoder(rooted, |raw: &Bytes, out| out.put_slice(raw))
}

/// Puts a block together. `transactions` are those of the JSON block, encoded; `rooted` is what
/// stands for each in the transactions root: its encoding, or that with its sidecar.
pub(crate) fn assemble(
    hash: B256,
    header: Header,
    transactions: Vec<FetchedTransaction>,
    rooted: &[Bytes],
    receipts: Vec<JsonReceipt>,
) -> Result<FetchedBlock, Lie> {
    let number = header.number;
    if receipts.len() != transactions.len() {
        let (transactions, receipts) = (transactions.len(), receipts.len());
        return Err(Lie::ReceiptCount { number, transactions, receipts });
    }
    let computed = transactions_root(rooted);
    if computed != header.transactions_root {
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

/// A blob transaction with its sidecar, `0x03 ‖ rlp([transaction, sidecar…])` (EIP-4844, EIP-7594),
/// if it is that transaction. The sidecar is not looked at: the root vouches for all bytes.
pub(crate) fn with_sidecar(
    number: u64,
    transaction: &FetchedTransaction,
    raw: Bytes,
) -> Result<Bytes, Lie> {
    let body = transaction.raw.get(1..).unwrap_or_default();
    let same = || {
        let (kind, mut rest) = raw.split_first()?;
        let header = alloy_rlp::Header::decode(&mut rest).ok()?;
        Some(*kind == EIP4844_TX_TYPE_ID && header.list && rest.starts_with(body))
    };
    if same() == Some(true) && !body.is_empty() {
        return Ok(raw);
    }
    Err(Lie::Malformed {
        what: format!("the form with a sidecar of {} in block {number}", transaction.hash),
        reason: "it holds something else".to_owned(),
    })
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
            let rooted = [transaction.raw.clone()];
            assemble(B256::ZERO, header.clone(), transactions, &rooted, receipts)
        };
        assert!(block(&header).is_ok());
        header.receipts_root = EMPTY_ROOT_HASH;
        let lie = block(&header).unwrap_err();
        assert!(matches!(lie, Lie::ReceiptsRoot { unknown: Some(0x7f), .. }), "{lie}");
    }

    #[test]
    fn a_sidecar_belongs_to_its_own_transaction() {
        let body = [0xc2, 1, 2];
        let transaction = from_raw([&[3][..], &body].concat().into());
        let form = |kind: u8, list: &[u8], sidecar: &[u8]| -> Bytes {
            let length = u8::try_from(list.len() + sidecar.len()).unwrap();
            [&[kind, 0xc0 + length][..], list, sidecar].concat().into()
        };
        let whole = form(3, &body, &[0xc1, 5]);
        assert_eq!(with_sidecar(7, &transaction, whole.clone()), Ok(whole));
        let others: [Bytes; 6] = [
            form(2, &body, &[0xc1, 5]),
            form(3, &[0xc2, 1, 3], &[0xc1, 5]),
            form(3, &[0xc1, 5], &body),
            [&[3, 0x83][..], &body].concat().into(),
            Bytes::from_static(&[3]),
            Bytes::new(),
        ];
        for other in others {
            let lie = with_sidecar(7, &transaction, other.clone()).unwrap_err();
            assert!(matches!(lie, Lie::Malformed { .. }), "{other}: {lie}");
        }
        let empty = from_raw(Bytes::new());
        assert!(with_sidecar(7, &empty, form(3, &body, &[])).is_err());
    }
}
