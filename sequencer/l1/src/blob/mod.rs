//! Blobs by their versioned hashes.
//!
//! `GET /eth/v1/beacon/blobs/{id}?versioned_hashes=…` of the beacon API gives
//! `{"data": ["0x…", …]}`, 131,072 bytes each, in no order that is relied on. Each blob is committed
//! to again (c-kzg), and the version byte and the hash of the commitment must be those of the
//! transaction; what fits nothing is passed over, since an endpoint may give all blobs of a block.
//!
//! `{id}` is the slot, which is the block's time by the genesis and the seconds per slot that the
//! node says (`/eth/v1/beacon/genesis`, `/eth/v1/config/spec`). anvil has no spec and takes the
//! number of the execution block: [`BlobIds`].

mod client;
mod slot;

pub use client::{BlobClient, BlobConfig};
pub use slot::{BlobIds, SlotClock, SlotError};
