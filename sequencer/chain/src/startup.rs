//! From a genesis file to an open store.

use std::path::Path;

use alloy_genesis::Genesis;
use alloy_primitives::keccak256;
use cairn_primitives::{ChainSpec, genesis_header};
use cairn_state::{ChainIdentity, Options, Store};

use crate::error::ChainError;
use crate::execute::MESSAGE_PASSER;

/// Opens the store of a chain, writing its genesis block if the store is new.
///
/// The store knows its chain by the whole genesis file: one that differs in any fork time, fee
/// parameter or account is refused.
pub fn open_store(
    path: &Path,
    options: Options,
    spec: &ChainSpec,
    genesis: &Genesis,
) -> Result<Store, ChainError> {
    let file = serde_json::to_vec(genesis).map_err(|e| ChainError::Genesis(e.to_string()))?;
    let identity = ChainIdentity {
        name: format!("chain {}", spec.chain_id()),
        config_hash: keccak256([spec.config_hash(), keccak256(file)].concat()),
        genesis_hash: None,
    };
    let store = Store::open(path, options, &identity)?;
    if store.genesis().is_none() {
        let accounts = genesis.alloc.iter().map(|(address, account)| (*address, account.clone()));
        store.init_genesis(accounts, |state| {
            let passer = state.storage_root(MESSAGE_PASSER);
            genesis_header(spec, genesis, state.state_root, passer)
        })?;
    }
    Ok(store)
}
