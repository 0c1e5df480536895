//! Span batches: consecutive blocks, their fields sorted into columns.
//!
//! ```text
//! content = prefix ‖ payload
//! prefix  = rel_timestamp ‖ l1_origin_num ‖ parent_check (20) ‖ l1_origin_check (20)
//! payload = block_count ‖ origin_bits ‖ block_tx_counts ‖ txs
//! txs     = contract_creation_bits ‖ y_parity_bits ‖ tx_sigs ‖ tx_tos ‖ tx_datas
//!           ‖ tx_nonces ‖ tx_gases ‖ protected_bits
//! ```
//!
//! | column | of | form |
//! |---|---|---|
//! | rel_timestamp, l1_origin_num, block_count | span | varint: first block's time since genesis, last block's origin, blocks |
//! | origin_bits | block | bit: another origin than the block before |
//! | block_tx_counts | block | varint |
//! | contract_creation_bits, y_parity_bits | transaction | bit |
//! | tx_sigs | transaction | `r` and `s`, 32 bytes each |
//! | tx_tos | transaction that creates no contract | 20 bytes |
//! | tx_datas | transaction | type byte, unless legacy, and `rlp([value, price…, data, lists…])` |
//! | tx_nonces, tx_gases | transaction | varint |
//! | protected_bits | legacy transaction | bit: the signature names the chain (EIP-155) |
//!
//! Bits stand as one big-endian integer, bit 0 lowest, padded with zeros on the left to whole
//! bytes. Varints are protobuf's: seven bits a byte, lowest first, ten bytes at most; needless
//! trailing groups of zero are accepted. The prices of a legacy or type 1 transaction are one gas
//! price, those of type 2 and 4 tip and fee cap; type 4 (EIP-7702, Isthmus) has its authorization
//! list behind the access list. Chain id, and with it `v`, are not there: all transactions are of
//! this chain.

mod column;
mod decode;
mod encode;
mod split;
mod transaction;

pub use encode::SpanBatchBuilder;
