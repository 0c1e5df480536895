//! What L1 says of an account.

use std::collections::HashMap;
use std::sync::Arc;

use alloy_eips::{BlockNumHash, BlockNumberOrTag};
use alloy_primitives::{Address, B256, U64};
use alloy_rpc_types_eth::FeeHistory;
use serde::Deserialize;
use serde_json::json;

use super::{MarketFees, Mined, Observation, SendError, Sent, TransactionContent};
use crate::rpc::{Attempt, CallError};
use crate::{L1Client, L1Error};

/// Blocks whose priority fees are looked at, and the percentile that is taken.
const HISTORY_BLOCKS: u64 = 10;
const PERCENTILE: f64 = 50.0;
/// Least priority fee, in wei per gas: below it pools do not take a transaction.
const PRIORITY_MIN: u128 = 1_000_000;

/// Looks at L1 for one account.
#[derive(Debug)]
pub(super) struct Observer {
    client: Arc<L1Client>,
    account: Address,
    /// Blocks that were read and have the transaction, and whether it succeeded.
    checked: HashMap<(B256, B256), bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    block_hash: Option<B256>,
    block_number: Option<U64>,
}

impl Observer {
    pub(super) fn new(client: Arc<L1Client>, account: Address) -> Self {
        Self { client, account, checked: HashMap::new() }
    }

    /// The account's nonce at a tag.
    pub(super) async fn nonce(&self, tag: BlockNumberOrTag) -> Result<u64, L1Error> {
        let method = "eth_getTransactionCount";
        let nonce = self.client.endpoints().call::<U64>(method, json!([self.account, tag])).await?;
        nonce.map(|nonce| nonce.to()).ok_or_else(|| nothing(method))
    }

    /// Looks at everything. `in_doubt` are the hashes of each nonce.
    pub(super) async fn observe(
        &mut self,
        in_doubt: Vec<(u64, Vec<B256>)>,
    ) -> Result<Observation, L1Error> {
        let head = self.client.block_ref(BlockNumberOrTag::Latest).await?;
        let head = head.ok_or_else(|| nothing("the newest block"))?.number;
        let nonce = self.nonce(BlockNumberOrTag::Number(head)).await?;
        let market = self.market().await?;
        let mut mined = Vec::new();
        for (used, hashes) in in_doubt.into_iter().filter(|(used, _)| *used < nonce) {
            for hash in hashes {
                if let Some(block) = self.mined_in(hash).await? {
                    mined.push(Mined { nonce: used, hash, block });
                    break;
                }
            }
        }
        let kept = |key: &(B256, B256)| mined.iter().any(|one| (one.hash, one.block.hash) == *key);
        self.checked.retain(|key, _| kept(key));
        Ok(Observation { head, nonce, market, mined })
    }

    /// Whether a transaction that [`observe`](Self::observe) found mined succeeded.
    pub(super) fn succeeded(&self, hash: B256, block: B256) -> bool {
        self.checked.get(&(hash, block)).copied().unwrap_or_default()
    }

    /// The block that has the transaction. That it does is seen in the block itself.
    async fn mined_in(&mut self, hash: B256) -> Result<Option<BlockNumHash>, L1Error> {
        let method = "eth_getTransactionReceipt";
        let receipt = self.client.endpoints().call::<Receipt>(method, json!([hash])).await?;
        let Some(Receipt { block_hash: Some(block), block_number: Some(number) }) = receipt else {
            return Ok(None);
        };
        let place = BlockNumHash { number: number.to(), hash: block };
        if !self.checked.contains_key(&(hash, block)) {
            let Some(read) = self.client.block_by_number(place.number).await? else {
                return Ok(None);
            };
            let index = read.transactions.iter().position(|one| one.hash == hash);
            let receipt = index.and_then(|index| read.receipts.get(index));
            let (Some(receipt), true) = (receipt, read.hash == block) else { return Ok(None) };
            self.checked.insert((hash, block), receipt.status.coerce_status());
        }
        Ok(Some(place))
    }

    async fn market(&self) -> Result<MarketFees, L1Error> {
        let params = json!([format!("{HISTORY_BLOCKS:#x}"), "latest", [PERCENTILE]]);
        let method = "eth_feeHistory";
        let history = self.client.endpoints().call::<FeeHistory>(method, params).await?;
        let history = history.ok_or_else(|| nothing(method))?;
        let mut paid: Vec<u128> = history.reward.iter().flatten().flatten().copied().collect();
        paid.sort_unstable();
        let usual = paid.get(paid.len() / 2).copied().unwrap_or_default();
        Ok(MarketFees {
            base: history.base_fee_per_gas.last().copied().unwrap_or_default(),
            priority: usual.max(PRIORITY_MIN),
            blob_base: history.base_fee_per_blob_gas.last().copied().unwrap_or_default(),
        })
    }
}

/// Gas that a transaction takes, with a quarter on top.
pub(super) async fn estimate_gas(
    client: &L1Client,
    account: Address,
    content: &TransactionContent,
    blob_hashes: &[B256],
) -> Result<u64, SendError> {
    let mut call = json!({
        "from": account, "to": content.to, "value": content.value, "input": content.input,
    });
    if let (Some(call), false) = (call.as_object_mut(), blob_hashes.is_empty()) {
        call.insert("blobVersionedHashes".to_owned(), json!(blob_hashes));
        call.insert("maxFeePerBlobGas".to_owned(), json!("0x3b9aca00"));
    }
    let params = &json!([call, "latest"]);
    let attempt = move |endpoint| async move {
        match crate::rpc::call_as::<U64>(endpoint, "eth_estimateGas", params).await {
            Err(Attempt::Failed(CallError::Refused { code, message, data }))
                if data.is_some() || code == 3 || message.contains("revert") =>
            {
                let data = data.unwrap_or_default();
                Ok(Err(SendError::Reverted { message, data }))
            }
            other => other.map(Ok),
        }
    };
    let gas = client.endpoints().attempt("eth_estimateGas", attempt).await??;
    let gas = gas.ok_or_else(|| nothing("eth_estimateGas"))?.to::<u64>();
    Ok(gas.saturating_add(gas / 4))
}

/// Sends a signed transaction; says what the node said, and in its words.
pub(super) async fn broadcast(client: &L1Client, raw: &alloy_primitives::Bytes) -> (Sent, String) {
    let params = &json!([raw]);
    let attempt = move |endpoint| async move {
        match crate::rpc::call_as::<B256>(endpoint, "eth_sendRawTransaction", params).await {
            Err(Attempt::Failed(CallError::Refused { message, .. })) => {
                Ok((judge(&message), message))
            }
            Err(other) => Err(other),
            Ok(_) => Ok((Sent::Accepted, String::new())),
        }
    };
    let answer = client.endpoints().attempt("eth_sendRawTransaction", attempt).await;
    answer.unwrap_or_else(|error| (Sent::Unanswered, error.to_string()))
}

/// What geth, reth, Nethermind, Besu, Erigon and anvil mean by their words.
fn judge(message: &str) -> Sent {
    const KNOWN: [&str; 4] =
        ["already known", "known transaction", "already imported", "alreadyknown"];
    const NONCE: [&str; 3] = ["nonce too low", "nonce is too low", "oldnonce"];
    const FEES: [&str; 6] = [
        "underpriced",
        "feetoolow",
        "fee too low",
        "less than block base fee",
        "lower than the minimum",
        "fee cap less than",
    ];
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match () {
        () if says(&KNOWN) => Sent::Accepted,
        () if says(&NONCE) => Sent::NonceUsed,
        () if says(&FEES) => Sent::Underpriced,
        () => Sent::Refused,
    }
}

fn nothing(what: &str) -> L1Error {
    L1Error::Unavailable {
        what: what.to_owned(),
        reason: "an empty answer".to_owned(),
        after: std::time::Duration::from_secs(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_understood() {
        for (message, sent) in [
            ("already known", Sent::Accepted),
            ("transaction already imported", Sent::Accepted),
            ("nonce too low: next nonce 5, tx nonce 4", Sent::NonceUsed),
            ("replacement transaction underpriced: new tx gas tip cap 1", Sent::Underpriced),
            ("max fee per gas less than block base fee: address 0x", Sent::Underpriced),
            ("insufficient funds for gas * price + value", Sent::Refused),
            ("transaction type not supported", Sent::Refused),
        ] {
            assert_eq!(judge(message), sent, "{message}");
        }
    }
}
