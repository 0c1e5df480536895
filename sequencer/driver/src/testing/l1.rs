//! An L1 whose blocks are empty.

use alloy_primitives::{B256, Bytes, U256, keccak256};
use cairn_l1::{HeadState, Heads};
use cairn_primitives::Header;
use cairn_rollup::L1BlockRef;
use serde_json::{Value, json};

use super::Reply;

pub(crate) const CHAIN_ID: u64 = 31337;

/// Blocks from 0 on, each the child of the one before.
#[derive(Debug, Clone, Default)]
pub(crate) struct EmptyL1(pub(crate) Vec<Header>);

/// A header of an empty block.
fn header(number: u64, parent_hash: B256, timestamp: u64) -> Header {
    Header {
        number,
        parent_hash,
        timestamp,
        gas_limit: 30_000_000,
        base_fee_per_gas: Some(7),
        withdrawals_root: Some(Header::default().transactions_root),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(B256::ZERO),
        ..Header::default()
    }
}

impl EmptyL1 {
    /// So many blocks, the first at that time. Another `fork` has other blocks.
    pub(crate) fn new(count: u64, time: u64, fork: u8) -> Self {
        let mut headers: Vec<Header> = Vec::new();
        for number in 0..count {
            let parent = headers.last().map_or(B256::ZERO, Header::hash_slow);
            let extra_data = Bytes::from(vec![fork]);
            headers.push(Header { extra_data, ..header(number, parent, time + number) });
        }
        Self(headers)
    }

    pub(crate) fn block_ref(&self, number: u64) -> L1BlockRef {
        let header = &self.0[number as usize];
        L1BlockRef {
            hash: header.hash_slow(),
            number,
            parent_hash: header.parent_hash,
            timestamp: header.timestamp,
        }
    }

    /// What a follower of the heads says.
    pub(crate) fn state(&self) -> HeadState {
        let latest = self.block_ref(self.0.len() as u64 - 1);
        HeadState { heads: Some(Heads { latest, safe: None, finalized: None }), reorgs: 0 }
    }

    /// What an honest endpoint says.
    pub(crate) fn answer(&self, method: &str, params: &Value) -> Reply {
        let fork = json!({
            "activationTime": 0, "precompiles": {},
            "blobSchedule": {"baseFeeUpdateFraction": 5_007_716, "max": 9, "target": 6},
        });
        Reply::Result(match method {
            "eth_chainId" => json!(format!("{CHAIN_ID:#x}")),
            "eth_config" => json!({"current": fork, "next": null}),
            "eth_getBlockByNumber" | "eth_getBlockByHash" => self.block(&params[0]),
            "eth_getBlockReceipts" => json!([]),
            "eth_getTransactionCount" => json!("0x0"),
            "eth_getTransactionReceipt" => Value::Null,
            "eth_estimateGas" => json!("0x5208"),
            "eth_feeHistory" => json!({
                "oldestBlock": "0x0", "baseFeePerGas": ["0x7", "0x7"], "gasUsedRatio": [0.5],
                "baseFeePerBlobGas": ["0x1", "0x1"], "blobGasUsedRatio": [0.0], "reward": [["0x1"]],
            }),
            "eth_sendRawTransaction" => {
                let raw: Bytes = serde_json::from_value(params[0].clone()).unwrap();
                json!(keccak256(raw))
            }
            _ => return Reply::Error(-32601, "no such method"),
        })
    }

    fn block(&self, name: &Value) -> Value {
        let name = name.as_str().unwrap();
        let header = match name {
            "latest" | "safe" | "finalized" | "pending" => self.0.last(),
            hash if hash.len() == 66 => {
                self.0.iter().find(|header| header.hash_slow().to_string() == hash)
            }
            number => {
                let number: U256 = number.parse().unwrap();
                self.0.get(number.to::<usize>())
            }
        };
        let Some(header) = header else { return Value::Null };
        let mut block = json!(header);
        block["hash"] = json!(header.hash_slow());
        block["transactions"] = json!([]);
        block["uncles"] = json!([]);
        block
    }
}
