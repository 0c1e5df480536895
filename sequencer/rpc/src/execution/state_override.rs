//! Accounts that a caller replaces (go-ethereum `internal/ethapi/override`).

use std::collections::BTreeMap;

use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, KECCAK256_EMPTY, U256, keccak256};
use cairn_evm::revm_types::{AccountInfo, Bytecode, CachedState};
use serde::Deserialize;

use super::call_args::BigQuantity;
use super::context::CallDb;
use crate::RpcError;
use crate::params::{AddressParam, BytesParam, HashParam, Quantity};

/// Replaced accounts; `None` replaces nothing. Sorted, so that of several mistakes always the same
/// is reported.
pub(super) type StateOverrides = BTreeMap<AddressParam, Option<AccountOverride>>;

/// Values of storage slots.
type Slots = BTreeMap<HashParam, HashParam>;

/// Replaced fields of one account.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AccountOverride {
    nonce: Option<Quantity>,
    code: Option<BytesParam>,
    balance: Option<BigQuantity>,
    state: Option<Slots>,
    state_diff: Option<Slots>,
    move_precompile_to_address: Option<AddressParam>,
}

/// What overrides do to the precompiles of a block.
#[derive(Debug, Clone, Default)]
pub(super) struct PrecompileChanges {
    /// Addresses that hold none any more.
    pub(super) removed: Vec<Address>,
    /// Where a precompile goes, and from where.
    pub(super) moved: Vec<(Address, Address)>,
}

impl PrecompileChanges {
    pub(super) const fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.moved.is_empty()
    }
}

/// Replaces accounts of `db`. Gives the changed precompiles, and in `empty` the accounts that
/// exist from now on although they are empty.
pub(super) fn apply(
    overrides: &StateOverrides,
    db: &mut CallDb,
    precompiles: &AddressSet,
    empty: &mut AddressSet,
) -> Result<PrecompileChanges, RpcError> {
    let mut changes = PrecompileChanges::default();
    let nothing = AccountOverride::default();
    for (AddressParam(address), fields) in overrides {
        let fields = fields.as_ref().unwrap_or(&nothing);
        if changes.moved.iter().any(|(_, target)| target == address) {
            return Err(RpcError::server(format!(
                "account {address} has already been overridden by a precompile"
            )));
        }
        let is_precompile = precompiles.contains(address);
        if let Some(target) = fields.move_precompile_to_address.map(|target| target.0) {
            if !is_precompile {
                return Err(RpcError::server(format!("account {address} is not a precompile")));
            }
            if overrides.contains_key(&AddressParam(target)) {
                return Err(RpcError::server(format!("account {target} is already overridden")));
            }
            changes.moved.push((*address, target));
        }
        if is_precompile {
            changes.removed.push(*address);
        }
        apply_account(*address, fields, db, empty)?;
    }
    Ok(changes)
}

fn apply_account(
    address: Address,
    fields: &AccountOverride,
    db: &mut CallDb,
    empty: &mut AddressSet,
) -> Result<(), RpcError> {
    if fields.state.is_some() && fields.state_diff.is_some() {
        let text = format!("account {address} has both 'state' and 'stateDiff'");
        return Err(RpcError::server(text));
    }
    let account = db.load_account(address).map_err(|error| RpcError::from(error.0))?;
    let mut info = account.info.clone();
    if let Some(nonce) = fields.nonce {
        info.nonce = nonce.0;
    }
    if let Some(code) = &fields.code {
        set_code(&mut info, code);
    }
    if let Some(balance) = fields.balance {
        info.balance = balance.0;
    }
    let touched = fields.nonce.is_some()
        || fields.code.is_some()
        || fields.balance.is_some()
        || fields.state.is_some()
        || fields.state_diff.as_ref().is_some_and(|diff| !diff.is_empty());
    if !touched {
        return Ok(());
    }
    if info.is_empty() {
        empty.insert(address);
    } else {
        empty.remove(&address);
    }
    db.insert_account_info(address, info);
    let account = db.load_account(address).map_err(|error| RpcError::from(error.0))?;
    if let Some(state) = &fields.state {
        account.account_state = CachedState::StorageCleared;
        account.storage.clear();
        account.storage.extend(slots(state));
    }
    if let Some(diff) = &fields.state_diff {
        account.storage.extend(slots(diff));
    }
    Ok(())
}

/// Sets code as it stands: an override is not held to the rules of deployment.
fn set_code(info: &mut AccountInfo, code: &BytesParam) {
    let bytes = code.0.clone();
    if bytes.is_empty() {
        info.code_hash = KECCAK256_EMPTY;
        info.code = None;
        return;
    }
    info.code_hash = keccak256(&bytes);
    let code = Bytecode::new_raw_checked(bytes.clone());
    info.code = Some(code.unwrap_or_else(|_| Bytecode::new_legacy(bytes)));
}

fn slots(state: &Slots) -> impl Iterator<Item = (U256, U256)> {
    state.iter().map(|(slot, value)| (slot.get().into(), value.get().into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn addresses_and_slots_need_their_prefix() {
        let read = |json: Value| serde_json::from_str::<StateOverrides>(&json.to_string());
        let (address, slot) = ("11".repeat(20), "22".repeat(32));
        let (with, key) = (format!("0x{address}"), format!("0x{slot}"));
        assert!(read(json!({&with: {"state": {&key: &key}, "stateDiff": {&key: &key}}})).is_ok());
        assert!(read(json!({&address: {}})).is_err());
        assert!(read(json!({&with: {"state": {&slot: &key}}})).is_err());
        assert!(read(json!({&with: {"stateDiff": {&key: &slot}}})).is_err());
    }
}
