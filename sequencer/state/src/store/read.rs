//! Reading blocks.

use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::Decodable;
use cairn_primitives::{BlockBody, Header, Receipt, RecoveredBlock};

use super::Store;
use crate::error::{Result, StateError};
use crate::schema::{Column, Reader, keys, meta};

/// Where a transaction stands in the canonical chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionLocation {
    /// Block number.
    pub block: u64,
    /// Position in the block.
    pub index: u32,
}

impl Store {
    fn block_value(&self, column: Column, number: u64) -> Result<Option<Vec<u8>>> {
        Ok(self.db().reader().get(column, &keys::block(number))?.map(|bytes| bytes.to_vec()))
    }

    /// Hash of the canonical block with a number, `None` above the tip.
    pub fn canonical_hash(&self, number: u64) -> Result<Option<B256>> {
        canonical_hash(self.db().reader(), number)
    }

    /// Number of a canonical block.
    pub fn number_of(&self, hash: B256) -> Result<Option<u64>> {
        let bytes = self.db().reader().get(Column::HashNumber, hash.as_slice())?;
        bytes.map(|bytes| meta::decode_number(&bytes)).transpose()
    }

    /// Header of a canonical block.
    pub fn header(&self, number: u64) -> Result<Option<Header>> {
        header(self.db().reader(), number)
    }

    /// Header of a canonical block.
    pub fn header_by_hash(&self, hash: B256) -> Result<Option<Header>> {
        self.number_of(hash)?.map_or(Ok(None), |number| self.header(number))
    }

    /// Body of a canonical block, `None` where it does not exist or has been pruned.
    pub fn body(&self, number: u64) -> Result<Option<BlockBody>> {
        self.block_value(Column::Body, number)?.map(|rlp| decode("body", number, &rlp)).transpose()
    }

    /// Senders of a canonical block's transactions.
    pub fn senders(&self, number: u64) -> Result<Option<Vec<Address>>> {
        let Some(bytes) = self.block_value(Column::Sender, number)? else { return Ok(None) };
        let (addresses, []) = bytes.as_chunks::<20>() else {
            return Err(StateError::corrupt(format!("senders of block {number}")));
        };
        Ok(Some(addresses.iter().copied().map(Address::new).collect()))
    }

    /// Receipts of a canonical block.
    pub fn receipts(&self, number: u64) -> Result<Option<Vec<Receipt>>> {
        let rlp = self.block_value(Column::Receipt, number)?;
        rlp.map(|rlp| decode("receipts", number, &rlp)).transpose()
    }

    /// A canonical block with its senders, `None` where it does not exist or has been pruned.
    pub fn block(&self, number: u64) -> Result<Option<RecoveredBlock>> {
        let (Some(hash), Some(header), Some(body), Some(senders)) = (
            self.canonical_hash(number)?,
            self.header(number)?,
            self.body(number)?,
            self.senders(number)?,
        ) else {
            return Ok(None);
        };
        if body.transactions.len() != senders.len() {
            return Err(StateError::corrupt(format!("block {number}: senders and transactions")));
        }
        let block = cairn_primitives::Block { header, body };
        Ok(Some(RecoveredBlock::with_hash(block, senders, hash)))
    }

    /// Where the canonical chain has a transaction.
    pub fn transaction_location(&self, hash: B256) -> Result<Option<TransactionLocation>> {
        let Some(bytes) = self.db().reader().get(Column::TxHash, hash.as_slice())? else {
            return Ok(None);
        };
        let parse = || {
            let (block, index) = bytes.split_first_chunk::<8>()?;
            let index = u32::from_be_bytes(index.try_into().ok()?);
            Some(TransactionLocation { block: u64::from_be_bytes(*block), index })
        };
        let location = parse();
        location.map(Some).ok_or_else(|| StateError::corrupt(format!("location of {hash}")))
    }

    /// Code by hash.
    pub fn code(&self, hash: B256) -> Result<Option<Bytes>> {
        let code = self.db().reader().get(Column::Code, hash.as_slice())?;
        Ok(code.map(|code| Bytes::copy_from_slice(&code)))
    }

    /// The blocks whose data can be read: genesis, and this one and later.
    pub fn first_block_with_body(&self) -> u64 {
        self.block_floor()
    }

    /// The first block whose state can be read.
    pub fn first_block_with_state(&self) -> u64 {
        self.state_floor()
    }
}

/// The last committed block that a reader sees.
pub(super) fn tip(reader: Reader<'_>) -> Result<BlockNumHash> {
    let tip = reader.get(Column::Meta, meta::TIP)?;
    meta::decode_block(&tip.ok_or(StateError::Genesis("the store has no genesis block yet"))?)
}

/// As [`Store::canonical_hash`].
pub(super) fn canonical_hash(reader: Reader<'_>, number: u64) -> Result<Option<B256>> {
    let Some(bytes) = reader.get(Column::Canon, &keys::block(number))? else { return Ok(None) };
    let hash = B256::try_from(&*bytes);
    hash.map(Some).map_err(|_| StateError::corrupt(format!("hash of block {number}")))
}

/// As [`Store::header`].
pub(super) fn header(reader: Reader<'_>, number: u64) -> Result<Option<Header>> {
    let rlp = reader.get(Column::Header, &keys::block(number))?;
    rlp.map(|rlp| decode("header", number, &rlp)).transpose()
}

fn decode<T: Decodable>(what: &str, number: u64, mut rlp: &[u8]) -> Result<T> {
    match T::decode(&mut rlp) {
        Ok(value) if rlp.is_empty() => Ok(value),
        Ok(_) => Err(StateError::corrupt(format!("{what} of block {number}: trailing bytes"))),
        Err(error) => Err(StateError::corrupt(format!("{what} of block {number}: {error}"))),
    }
}
