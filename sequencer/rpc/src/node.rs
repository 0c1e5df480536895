//! The `net`, `web3`, `rpc` and `admin` namespaces: what the node says about itself.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U64, keccak256};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Value, json};

use crate::params::BytesParam;
use crate::{Args, Backend, Methods, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.quick("net_version", 0, |backend, _| Ok(backend.spec().chain_id().to_string()));
    methods.quick("net_listening", 0, |_, _| Ok(true));
    methods.quick("net_peerCount", 0, |_, _| Ok(U64::ZERO));
    methods.quick("web3_clientVersion", 0, |backend, _| Ok(backend.config.client_version.clone()));
    methods.reading("web3_sha3", 1, sha3);
    methods.quick("admin_nodeInfo", 0, node_info);
    if methods.serves("rpc_modules") {
        let served: BTreeMap<String, &str> =
            methods.served_namespaces().into_iter().map(|name| (name, "1.0")).collect();
        let registered = methods.module_mut().register_method("rpc_modules", move |_, _, _| {
            Ok::<_, ErrorObjectOwned>(served.clone())
        });
        registered.expect("each method is registered once");
    }
}

fn sha3(_: &Backend, args: &Args) -> Result<B256, RpcError> {
    Ok(keccak256(args.required::<BytesParam>(0)?.0))
}

/// Without peers there is no enode; the chain is what a caller can learn.
fn node_info(backend: &Backend, _: &Args) -> Result<Value, RpcError> {
    let heads = backend.chain.heads();
    Ok(json!({
        "name": backend.config.client_version,
        "protocols": {
            "eth": {
                "network": backend.spec().chain_id(),
                "genesis": backend.chain.genesis().hash,
                "config": backend.spec().config(),
                "head": heads.unsafe_head.hash,
            }
        }
    }))
}
