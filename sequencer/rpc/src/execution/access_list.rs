//! `eth_createAccessList`.
//!
//! A list changes what a call costs and with that what it does, so it is built by running the call
//! with the list found so far until the list stays the same.

use std::collections::{BTreeMap, BTreeSet};

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, B256, U64, U256};
use cairn_evm::inspectors::access_list::AccessListInspector;
use serde::Serialize;

use super::block_override::BlockOverrides;
use super::call_args::CallArgs;
use super::caller::Caller;
use super::context::{CallContext, active_precompiles};
use super::message::Message;
use super::state_override::StateOverrides;
use crate::params::Quantity;
use crate::{Args, Backend, BlockParam, RpcError};

/// Gas of one authorization (EIP-7702); more than the gas pays for are not looked at.
const AUTHORIZATION_GAS: u64 = 25_000;

/// What a call touches, and what it costs with that list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessListResult {
    access_list: AccessList,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    gas_used: U64,
}

type Slots = BTreeMap<Address, BTreeSet<B256>>;

/// `eth_createAccessList(transaction, block, state overrides, block overrides)`.
pub(super) fn create_access_list(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<AccessListResult, RpcError> {
    let mut request: CallArgs = args.required(0)?;
    let block: BlockParam = args.or_default(1)?;
    let state: Option<StateOverrides> = args.optional(2)?;
    let overrides: Option<BlockOverrides> = args.optional(3)?;
    let limits = &backend.config.methods;
    let deadline = caller.deadline(limits.evm_timeout);
    let at = backend.state_at(block.0)?;
    let mut context = CallContext::new(backend, at, state.as_ref(), overrides.as_ref())?;
    if request.nonce.is_none() {
        request.nonce = Some(Quantity(context.account(request.sender())?.nonce));
    }
    let mut message = context.message(&request, limits.gas_cap)?;
    let excluded = excluded(backend, &mut context, &message)?;
    let mut known = touched(message.access_list.take().unwrap_or_default(), &excluded);
    loop {
        deadline.check()?;
        let list = access_list(&known);
        message.access_list = Some(list.clone());
        let inspector = AccessListInspector::new(list.clone());
        let call = context
            .run(&message, inspector, &deadline)
            .map_err(|failure| failure.of_call(message.gas))?;
        let found = touched(call.inspector.access_list(), &excluded);
        if found == known {
            return Ok(AccessListResult {
                access_list: list,
                error: call.error_text(),
                gas_used: U64::from(call.outcome.result.tx_gas_used()),
            });
        }
        known = found;
    }
}

/// Addresses that are warm without a list: sender, recipient, precompiles, authorities.
fn excluded(
    backend: &Backend,
    context: &mut CallContext,
    message: &Message,
) -> Result<AddressSet, RpcError> {
    let env = context.env.clone();
    let mut excluded = active_precompiles(backend.chain.evm(), &mut context.db, &env);
    excluded.insert(message.from);
    excluded.insert(message.to.unwrap_or_else(|| message.from.create(message.nonce)));
    let authorizations = message.authorizations.as_deref().unwrap_or_default();
    if authorizations.len() as u64 > message.gas / AUTHORIZATION_GAS {
        return Err(RpcError::server("insufficient gas to process all authorizations"));
    }
    for signed in authorizations {
        let chain_id = *signed.chain_id();
        let elsewhere = !chain_id.is_zero() && chain_id != U256::from(message.chain_id);
        if elsewhere || signed.nonce() == u64::MAX {
            continue;
        }
        excluded.extend(signed.recover_authority());
    }
    Ok(excluded)
}

/// Sorted, without addresses that need no entry of their own.
fn touched(list: AccessList, excluded: &AddressSet) -> Slots {
    let mut slots = Slots::new();
    for item in list.0 {
        if item.storage_keys.is_empty() && excluded.contains(&item.address) {
            continue;
        }
        slots.entry(item.address).or_default().extend(item.storage_keys);
    }
    slots
}

fn access_list(slots: &Slots) -> AccessList {
    let item = |(address, keys): (&Address, &BTreeSet<B256>)| AccessListItem {
        address: *address,
        storage_keys: keys.iter().copied().collect(),
    };
    AccessList(slots.iter().map(item).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excluded_address_is_listed_for_its_slots_only() {
        let [bare, used] = [Address::repeat_byte(1), Address::repeat_byte(2)];
        let excluded: AddressSet = [bare, used].into_iter().collect();
        let item = |address, storage_keys| AccessListItem { address, storage_keys };
        let list =
            AccessList(vec![item(bare, Vec::new()), item(used, vec![B256::ZERO, B256::ZERO])]);
        let slots = touched(list, &excluded);
        assert_eq!(access_list(&slots), AccessList(vec![item(used, vec![B256::ZERO])]));
    }
}
