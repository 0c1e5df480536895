//! What stands on disk: column families, keys, values, and their RocksDB settings.
//!
//! # Format (schema 3)
//!
//! All numbers in keys are big-endian, so that key order is numeric order. `A` is
//! keccak-256(address), `S` is keccak-256(slot), `B` is a block number in 8 bytes,
//! `I` that of the first block of an interval (see [`crate::store::intervals`]).
//!
//! | column family | key | value |
//! |---|---|---|
//! | `account` | `A` | [`AccountRecord`]: nonce, balance, code hash, storage root |
//! | `slot` | `A ‖ S` | value, big-endian, without leading zeros; zero is absent |
//! | `atrie` | nibble path, one nibble a byte | [`BranchRecord`](crate::trie::BranchRecord) |
//! | `strie` | `A ‖ nibble path` | the same |
//! | `code` | code hash | code |
//! | `acs` | `B ‖ A` | record before block `B`, empty if there was none |
//! | `scs` | `B ‖ A ‖ S` | value before block `B`, empty if zero |
//! | `ccs` | `B` | hashes of code that block `B` was first to store |
//! | `ahist`, `shist` | `A ‖ B`, `A ‖ S ‖ B` | empty: block `B` changed that key |
//! | `atcs`, `stcs` | `I ‖ nibble path`, `I ‖ A ‖ nibble path` | node before block `I`, empty if there was none |
//! | `athist`, `sthist` | `path ‖ I`, `A ‖ path ‖ I`, with a path as [`Family`] writes it | empty: the interval from block `I` on changed that node |
//! | `interval` | `I` | number of changes of the interval so far |
//! | `header`, `body`, `receipt`, `sender` | `B` | RLP; senders are addresses in a row |
//! | `txhash` | transaction hash | `B ‖ index` (4 bytes) |
//! | `canon` | `B` | block hash |
//! | `hashnum` | block hash | `B` |
//! | `orphan` | `B ‖ block hash` | header and body in RLP, senders: a block that was removed |
//! | `safehead` | L1 block number in 8 bytes | L1 block hash, then number and hash of the block that was safe |
//! | `meta` | name | see [`meta`] |
//!
//! The history index has one key for each change instead of shards with lists: a commit then
//! writes it blindly, where shards would be read, extended and written back for each key. Keys of
//! one account share their prefix, which RocksDB stores once in a block.
//!
//! # Durability
//!
//! A block's writes, its history and the new tip go into one synced `WriteBatch`, so after a crash
//! the store stands exactly at some committed tip. Nothing acknowledged is lost; a commit that had
//! not returned is there as a whole or not at all. Unwinding and pruning go in steps, each of them
//! one batch that leaves a valid store.

mod codec;
mod columns;
mod database;
mod family;
pub(crate) mod keys;
pub(crate) mod meta;

pub use codec::AccountRecord;
pub(crate) use codec::{decode_slot, encode_slot};
pub(crate) use columns::Column;
pub(crate) use database::{Batch, Database, Reader, house_options, open_with, synced};
pub(crate) use family::Family;

/// Version of everything described above. Another version on disk is refused.
pub(crate) const SCHEMA_VERSION: u32 = 3;
