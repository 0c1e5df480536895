//! ethrex-trie on the in-memory database it comes with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ethereum_types::{H256, U256};
use ethrex_crypto::{Crypto, NativeCrypto};
use ethrex_rlp::structs::Encoder;
use ethrex_trie::trie_sorted::trie_from_sorted_accounts_wrap;
use ethrex_trie::{EMPTY_TRIE_HASH, InMemoryTrieDB, Nibbles, Trie, TrieDB, TrieError};
use eyre::eyre;
use rayon::prelude::*;

use crate::plan::{self, Change};

/// All nodes in memory, and the root of the last round.
pub(crate) struct EthrexTrie {
    nodes: Arc<InMemoryTrieDB>,
    root: H256,
}

/// Where a round spent its time.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) root: H256,
    /// Hashing, reading, inserting, new root and nodes to be stored.
    pub(crate) compute: Duration,
    /// Storing them.
    pub(crate) commit: Duration,
}

/// Lets the tries of all rounds share one database.
struct Shared(Arc<InMemoryTrieDB>);

impl TrieDB for Shared {
    fn get(&self, key: Nibbles) -> Result<Option<Vec<u8>>, TrieError> {
        self.0.get(key)
    }

    fn put_batch(&self, key_values: Vec<(Nibbles, Vec<u8>)>) -> Result<(), TrieError> {
        self.0.put_batch(key_values)
    }
}

impl EthrexTrie {
    /// Builds the trie of `accounts` accounts in order of their paths, which is
    /// how ethrex builds large ones.
    pub(crate) fn load(accounts: u32) -> eyre::Result<Self> {
        let mut order: Vec<(H256, u32)> =
            (0..accounts).into_par_iter().map(|index| (path(index), index)).collect();
        order.par_sort_unstable();
        let nodes = Arc::new(InMemoryTrieDB::new_empty());
        let mut leaves =
            order.into_iter().map(|(path, index)| (path, leaf(plan::first_balance(index))));
        let root = trie_from_sorted_accounts_wrap(nodes.as_ref(), &mut leaves)
            .map_err(|error| eyre!("the trie cannot be built: {error}"))?;
        Ok(Self { nodes, root })
    }

    /// Applies the changes of one round.
    pub(crate) fn round(&mut self, changes: &[Change]) -> eyre::Result<Step> {
        let failed = |error| eyre!("ethrex-trie: {error}");
        let addresses: Vec<[u8; 20]> = changes.iter().map(|c| address(c.index)).collect();
        let mut trie = Trie::open(Box::new(Shared(self.nodes.clone())), self.root);
        let start = Instant::now();
        let mut leaves: Vec<(H256, Vec<u8>)> = addresses
            .iter()
            .zip(changes)
            .map(|(address, change)| (keccak(address), leaf(change.balance)))
            .collect();
        leaves.sort_unstable();
        let paths: Vec<Nibbles> =
            leaves.iter().map(|(path, _)| Nibbles::from_bytes(path.as_bytes())).collect();
        trie.prefetch_sorted(&paths).map_err(failed)?;
        for (path, value) in leaves {
            trie.insert(path.as_bytes().to_vec(), value).map_err(failed)?;
        }
        let (root, changed) = trie.collect_changes_since_last_hash(&NativeCrypto);
        let compute = start.elapsed();

        let start = Instant::now();
        self.nodes.put_batch(changed).map_err(failed)?;
        self.root = root;
        Ok(Step { root, compute, commit: start.elapsed() })
    }
}

fn keccak(bytes: &[u8]) -> H256 {
    H256(NativeCrypto.keccak256(bytes))
}

fn address(index: u32) -> [u8; 20] {
    let mut address = [0; 20];
    address.copy_from_slice(&keccak(&plan::seed(index)).as_bytes()[12..]);
    address
}

fn path(index: u32) -> H256 {
    keccak(&address(index))
}

/// An account with nonce 1, without code and storage.
fn leaf(balance: u128) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(96);
    Encoder::new(&mut encoded)
        .encode_field(&1u64)
        .encode_field(&U256::from(balance))
        .encode_field(&EMPTY_TRIE_HASH)
        .encode_field(&keccak(&[]))
        .finish();
    encoded
}
