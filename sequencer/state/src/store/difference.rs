//! What a verification can find.

use alloy_primitives::B256;
use alloy_trie::Nibbles;

/// Where the store contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// The flat state does not give the header's root.
    #[error("state root: the header says {expected}, the flat state gives {computed}")]
    StateRoot {
        /// Root in the header.
        expected: B256,
        /// Root of the rebuild.
        computed: B256,
    },
    /// The old trie nodes of an interval do not give the header's root.
    #[error("old trie nodes: the header of block {block} says {expected}, they give {computed}")]
    OldRoot {
        /// The block before the interval.
        block: u64,
        /// Root in its header.
        expected: B256,
        /// Hash of the root node.
        computed: B256,
    },
    /// The slots of an account do not give its storage root.
    #[error("storage root of {account}: stored {stored}, the slots give {computed}")]
    StorageRoot {
        /// Hashed address.
        account: B256,
        /// Root in the record.
        stored: B256,
        /// Root of the rebuild.
        computed: B256,
    },
    /// A stored trie node is missing, wrong, or should not be there.
    #[error("trie node at {path:?} of {}: {what}", owner(account))]
    Node {
        /// Hashed address of a storage trie, `None` for the account trie.
        account: Option<B256>,
        /// Nibble path.
        path: Nibbles,
        /// What is wrong.
        what: &'static str,
    },
    /// A slot without an account, or a stored zero.
    #[error("slot {slot} of {account}: {what}")]
    Slot {
        /// Hashed address.
        account: B256,
        /// Hashed slot.
        slot: B256,
        /// What is wrong.
        what: &'static str,
    },
    /// An account whose code is missing or has another hash.
    #[error("code {code_hash} of {account}: {what}")]
    Code {
        /// Hashed address.
        account: B256,
        /// Code hash.
        code_hash: B256,
        /// What is wrong.
        what: &'static str,
    },
}

fn owner(account: &Option<B256>) -> String {
    account.map_or_else(|| "the account trie".into(), |account| format!("account {account}"))
}
