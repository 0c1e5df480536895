//! Accounts, storage, code and proofs.

use std::collections::BTreeMap;

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U64, U256};
use cairn_primitives::{Account, StateReader};
use cairn_state::{AccountProof, StorageProof};
use serde::Serialize;

use crate::methods::answer;
use crate::params::{AddressParam, HashParam, storage_key};
use crate::view::quantity;
use crate::{Args, Backend, BlockParam, Methods, RpcError};

/// Most slots that one call may name.
const MAX_SLOTS: usize = 1024;
/// Code of geth's error for more.
const CLIENT_LIMIT_EXCEEDED: i32 = -38026;

pub(super) fn register(methods: &mut Methods) {
    methods.cached("eth_getBalance", 2, balance_in_memory, balance);
    methods.cached("eth_getTransactionCount", 2, count_in_memory, transaction_count);
    methods.reading("eth_getCode", 2, code);
    methods.reading("eth_getStorageAt", 3, storage_at);
    methods.reading("eth_getStorageValues", 2, storage_values);
    // An old state may have to be turned back first, one at a time: that is no work for the threads
    // that short reads wait for.
    methods.waiting("eth_getProof", 3, |backend, args| {
        Box::pin(async move {
            let recent = backend.state_in_memory(block_arg(&args, 2)?).is_some();
            let work = backend.clone();
            let prove = move || answer(proof(&work, &args));
            if recent { backend.read(prove).await } else { backend.scan(prove).await }
        })
    });
}

fn block_arg(args: &Args, index: usize) -> Result<BlockId, RpcError> {
    Ok(args.or_default::<BlockParam>(index)?.0)
}

fn account(backend: &Backend, address: Address, block: BlockId) -> Result<Account, RpcError> {
    Ok(backend.state(block)?.account(address)?.unwrap_or_default())
}

fn in_memory(backend: &Backend, args: &Args) -> Result<Option<Account>, RpcError> {
    let address = args.required::<AddressParam>(0)?.0;
    let state = backend.state_in_memory(block_arg(args, 1)?);
    let account = state.and_then(|state| state.cached_account(&address));
    Ok(account.map(Option::unwrap_or_default))
}

fn balance(backend: &Backend, args: &Args) -> Result<U256, RpcError> {
    let address = args.required::<AddressParam>(0)?.0;
    Ok(account(backend, address, block_arg(args, 1)?)?.balance)
}

fn balance_in_memory(backend: &Backend, args: &Args) -> Result<Option<U256>, RpcError> {
    Ok(in_memory(backend, args)?.map(|account| account.balance))
}

fn transaction_count(backend: &Backend, args: &Args) -> Result<U64, RpcError> {
    let address = args.required::<AddressParam>(0)?.0;
    let account = account(backend, address, block_arg(args, 1)?)?;
    count(backend, args, account.nonce)
}

fn count_in_memory(backend: &Backend, args: &Args) -> Result<Option<U64>, RpcError> {
    let account = in_memory(backend, args)?;
    account.map(|account| count(backend, args, account.nonce)).transpose()
}

/// `pending` counts the open block and the transactions of the pool that follow it.
fn count(backend: &Backend, args: &Args, nonce: u64) -> Result<U64, RpcError> {
    if block_arg(args, 1)? != BlockId::pending() {
        return Ok(quantity(nonce));
    }
    let pooled = backend.pool.pending_nonce(args.required::<AddressParam>(0)?.0);
    Ok(quantity(nonce.max(pooled.unwrap_or(0))))
}

fn code(backend: &Backend, args: &Args) -> Result<Bytes, RpcError> {
    let address = args.required::<AddressParam>(0)?.0;
    let state = backend.state(block_arg(args, 1)?)?;
    match state.account(address)? {
        Some(account) if account.has_code() => Ok(state.code(account.code_hash)?),
        _ => Ok(Bytes::new()),
    }
}

fn storage_at(backend: &Backend, args: &Args) -> Result<B256, RpcError> {
    let address = args.required::<AddressParam>(0)?.0;
    let (key, _) = storage_key(&args.required::<String>(1)?)?;
    let state = backend.state(block_arg(args, 2)?)?;
    Ok(state.storage(address, key.into())?.into())
}

fn storage_values(
    backend: &Backend,
    args: &Args,
) -> Result<BTreeMap<Address, Vec<B256>>, RpcError> {
    let requests: std::collections::HashMap<AddressParam, Vec<HashParam>> = args.required(0)?;
    check_slots(requests.values().map(Vec::len).sum())?;
    if requests.values().all(Vec::is_empty) {
        return Err(RpcError::InvalidParams("empty request".into()));
    }
    let state = backend.state(block_arg(args, 1)?)?;
    let values = requests.into_iter().map(|(address, keys)| {
        let read = |key: &HashParam| Ok(state.storage(address.0, key.get().into())?.into());
        Ok((address.0, keys.iter().map(read).collect::<Result<_, RpcError>>()?))
    });
    values.collect()
}

fn check_slots(count: usize) -> Result<(), RpcError> {
    if count <= MAX_SLOTS {
        return Ok(());
    }
    let message = format!("too many slots (max {MAX_SLOTS})");
    Err(RpcError::coded(CLIENT_LIMIT_EXCEEDED, message))
}

/// A proof as EIP-1186 gives it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProofView {
    address: Address,
    account_proof: Vec<Bytes>,
    balance: U256,
    code_hash: B256,
    nonce: U64,
    storage_hash: B256,
    storage_proof: Vec<StorageProofView>,
}

#[derive(Debug, Serialize)]
struct StorageProofView {
    key: String,
    value: U256,
    proof: Vec<Bytes>,
}

/// `pending` is proven at the newest block: the open block has no root.
fn proof(backend: &Backend, args: &Args) -> Result<ProofView, RpcError> {
    let address = args.required::<AddressParam>(0)?.0;
    let keys: Vec<String> = args.required(1)?;
    check_slots(keys.len())?;
    let keys = keys.iter().map(|key| storage_key(key)).collect::<Result<Vec<_>, _>>()?;
    let state = backend.state(block_arg(args, 2)?)?.without_pending();
    let slots: Vec<U256> = keys.iter().map(|(key, _)| (*key).into()).collect();
    let proof = state.proof(address, &slots)?;
    let storage = proof.storage.iter().zip(&keys).map(|(slot, key)| storage_view(slot, *key));
    let storage = storage.collect();
    Ok(proof_view(proof, storage))
}

fn proof_view(proof: AccountProof, storage_proof: Vec<StorageProofView>) -> ProofView {
    let exists = proof.account.is_some();
    let account = proof.account.unwrap_or_default();
    debug_assert!(exists || account.code_hash == KECCAK256_EMPTY, "the default has no code");
    ProofView {
        address: proof.address,
        account_proof: proof.nodes,
        balance: account.balance,
        // geth shows zero hashes for an account that does not exist.
        code_hash: if exists { account.code_hash } else { B256::ZERO },
        nonce: quantity(account.nonce),
        storage_hash: if exists { proof.storage_root } else { B256::ZERO },
        storage_proof,
    }
}

/// A key of 32 bytes comes back as it was given, a shorter one as a quantity.
fn storage_view(slot: &StorageProof, (key, length): (B256, usize)) -> StorageProofView {
    let key = if length == B256::len_bytes() {
        key.to_string()
    } else {
        format!("{:#x}", U256::from_be_bytes(key.0))
    };
    StorageProofView { key, value: slot.value, proof: slot.nodes.clone() }
}
