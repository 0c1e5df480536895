//! Accounts of the node. It has none: keys belong to wallets.

use alloy_primitives::Address;
use serde_json::Value;

use crate::{Args, Backend, Methods, RpcError};

pub(super) fn register(methods: &mut Methods) {
    methods.quick("eth_accounts", 0, |_, _| Ok(Vec::<Address>::new()));
    methods.quick("eth_pendingTransactions", 0, |_, _| Ok(Vec::<Value>::new()));
    methods.quick("eth_sendTransaction", 1, unknown_account);
    methods.quick("eth_signTransaction", 1, unknown_account);
    methods.quick("eth_sign", 2, unknown_account);
    methods.quick("eth_signTypedData", 2, unknown_account);
    methods.quick("eth_signTypedData_v4", 2, unknown_account);
}

/// What geth answers for an account that it has no key of.
fn unknown_account(_: &Backend, args: &Args) -> Result<Value, RpcError> {
    let _: Value = args.required(0)?;
    Err(RpcError::server("unknown account"))
}
