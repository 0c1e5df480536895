//! `prestateTracer`: accounts that a transaction touched, as they were before it
//! (go-ethereum `tracers/native/prestate.go`).

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use revm::DatabaseRef;
use revm::state::{Account, AccountInfo, EvmState};
use serde::Serialize;

use super::PrestateConfig;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountState {
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<U256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_hash: Option<B256>,
    #[serde(skip_serializing_if = "is_zero")]
    nonce: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    storage: BTreeMap<B256, B256>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(nonce: &u64) -> bool {
    *nonce == 0
}

#[derive(Debug, Default, Serialize)]
struct Diff {
    post: BTreeMap<Address, AccountState>,
    pre: BTreeMap<Address, AccountState>,
}

/// The answer for one transaction: `state` is what it left behind, `before` what it started from.
pub fn prestate<DB: DatabaseRef>(
    config: PrestateConfig,
    state: &EvmState,
    before: &DB,
) -> Result<serde_json::Result<String>, DB::Error> {
    let mut diff = Diff::default();
    for (address, account) in state {
        let info = before.basic_ref(*address)?.unwrap_or_default();
        let pre = pre_state(config, &info, account, before)?;
        // An account that the transaction created was not there before.
        let created = account.is_created() && info.is_empty();
        if !config.diff_mode {
            if config.include_empty || !created {
                diff.pre.insert(*address, pre);
            }
            continue;
        }
        if account.is_selfdestructed() {
            diff.pre.insert(*address, pre);
        } else if let Some(post) = post_state(config, &info, account) {
            if !created {
                diff.pre.insert(*address, pre);
            }
            diff.post.insert(*address, post);
        }
    }
    Ok(if config.diff_mode {
        serde_json::to_string(&diff)
    } else {
        serde_json::to_string(&diff.pre)
    })
}

fn pre_state<DB: DatabaseRef>(
    config: PrestateConfig,
    info: &AccountInfo,
    account: &Account,
    before: &DB,
) -> Result<AccountState, DB::Error> {
    let code_hash = code_hash(info);
    let code = match code_hash {
        Some(hash) if !config.disable_code => Some(before.code_by_hash_ref(hash)?.original_bytes()),
        _ => None,
    };
    let mut storage = BTreeMap::new();
    if !config.disable_storage {
        for (slot, value) in &account.storage {
            let original = value.original_value();
            // A diff shows changed slots, and of those only values that were there.
            let shown = !config.diff_mode || (value.is_changed() && !original.is_zero());
            if shown {
                storage.insert(B256::from(*slot), B256::from(original));
            }
        }
    }
    Ok(AccountState { balance: Some(info.balance), code, code_hash, nonce: info.nonce, storage })
}

/// What changed, `None` if nothing did.
fn post_state(
    config: PrestateConfig,
    before: &AccountInfo,
    account: &Account,
) -> Option<AccountState> {
    let after = &account.info;
    let mut post = AccountState::default();
    let mut changed = false;
    if after.balance != before.balance {
        changed = true;
        post.balance = Some(after.balance);
    }
    if after.nonce != before.nonce {
        changed = true;
        post.nonce = after.nonce;
    }
    if code_hash(after) != code_hash(before) {
        changed = true;
        post.code_hash = Some(code_hash(after).unwrap_or(KECCAK256_EMPTY));
        if !config.disable_code {
            let code = after.code.as_ref().map(|code| code.original_bytes());
            post.code = code.filter(|code| !code.is_empty());
        }
    }
    if !config.disable_storage {
        for (slot, value) in account.storage.iter().filter(|(_, value)| value.is_changed()) {
            changed = true;
            if !value.present_value().is_zero() {
                post.storage.insert(B256::from(*slot), B256::from(value.present_value()));
            }
        }
    }
    changed.then_some(post)
}

fn code_hash(info: &AccountInfo) -> Option<B256> {
    Some(info.code_hash).filter(|hash| *hash != KECCAK256_EMPTY && !hash.is_zero())
}
