//! L1 blocks as derivation sees them: header fields, deposits, configuration updates, batches.
//!
//! Nothing here checks that transactions and receipts belong to the header: whoever fetches them
//! compares roots before.

mod block;
mod deposits;
mod extract;
mod inbox;
mod updates;

pub use block::L1Block;
pub use deposits::{DepositLogError, TRANSACTION_DEPOSITED, deposit_from_log};
pub use extract::{L1BlockError, L1BlockInput};
pub use inbox::{BlobId, Carrier, InboxTransaction};
pub use updates::{CONFIG_UPDATE, ConfigUpdate, config_update_from_log};
