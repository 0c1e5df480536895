//! Whether the chain really included a load. Runs after the clock has stopped.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use alloy_primitives::{B256, U64};
use eyre::{WrapErr, eyre};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::inclusion::SeenBlock;
use crate::rpc::{RpcClient, RpcError};

/// Receipts asked for in one batch where a block's are refused as too many.
const RECEIPT_BATCH: usize = 500;

/// Every transaction of a load by its hash, and whether its success leaves a log.
pub(super) type Sent = HashMap<B256, Trace>;

/// How a transaction's success can be seen without its receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// A call that emits an event unless it fails.
    Log,
    /// A transfer to an address without code, which cannot fail once included.
    Inclusion,
}

/// Where the proof of success comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The status of every receipt.
    Receipts,
    /// Block bodies and logs. anvil's receipts cost it time in proportion to the
    /// block for each one: a block of 8,000 takes seven seconds, one of 30,000
    /// minutes.
    BodiesAndLogs,
}

/// What the chain says about a load.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inclusion {
    pub(super) included: u64,
    pub(super) reverted: u64,
    pub(super) gas_used: u64,
    /// Blocks that hold at least one transaction of the load.
    pub(super) blocks: u64,
    /// When the block with the last of them was seen; `None` if nothing was included.
    pub(super) finished: Option<Instant>,
    /// Transactions per second between the first and the last but one block of
    /// the load, which leaves out the partly filled ends; needs three blocks.
    pub(super) steady_tps: Option<f64>,
}

/// The part of one block that belongs to a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    included: u64,
    reverted: u64,
    gas_used: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    transaction_hash: B256,
    status: U64,
    gas_used: U64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    transactions: Vec<B256>,
    gas_used: U64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    transaction_hash: B256,
}

impl Evidence {
    /// The cheapest full proof that the node at `rpc` can give.
    pub(super) async fn of(rpc: &RpcClient) -> Result<Self, RpcError> {
        let version: String = rpc.call("web3_clientVersion", json!([])).await?;
        let anvil = version.to_ascii_lowercase().starts_with("anvil");
        Ok(if anvil { Self::BodiesAndLogs } else { Self::Receipts })
    }
}

/// Looks for all of `sent` in `blocks`.
pub(super) async fn verify(
    rpc: &RpcClient,
    blocks: &[SeenBlock],
    sent: &Sent,
) -> eyre::Result<Inclusion> {
    let evidence = Evidence::of(rpc).await?;
    let mut inclusion = Inclusion::default();
    let mut counts = Vec::new();
    for block in blocks {
        let number = U64::from(block.number);
        let share = match evidence {
            Evidence::Receipts => by_receipts(rpc, number, sent).await,
            Evidence::BodiesAndLogs => by_logs(rpc, number, sent).await,
        };
        let share = share.wrap_err_with(|| format!("block {} cannot be checked", block.number))?;
        if share.included > 0 {
            inclusion.included += share.included;
            inclusion.reverted += share.reverted;
            inclusion.gas_used += share.gas_used;
            inclusion.blocks += 1;
            inclusion.finished = Some(block.at);
            counts.push((block.at, share.included));
        }
    }
    inclusion.steady_tps = steady(&counts);
    Ok(inclusion)
}

/// See [`Inclusion::steady_tps`].
fn steady(counts: &[(Instant, u64)]) -> Option<f64> {
    let [first, middle @ .., _last] = counts else { return None };
    let end = middle.last()?;
    let transactions: u64 = middle.iter().map(|(_, count)| count).sum();
    let span = end.0.duration_since(first.0).as_secs_f64();
    (span > 0.0).then(|| transactions as f64 / span)
}

async fn by_receipts(rpc: &RpcClient, number: U64, sent: &Sent) -> eyre::Result<Share> {
    let receipts = match rpc.call("eth_getBlockReceipts", json!([number])).await {
        Ok(found) => found_block(found, number)?,
        // A node may limit the size of one answer.
        Err(RpcError::Refused { .. }) => single_receipts(rpc, number).await?,
        Err(error) => return Err(error.into()),
    };
    Ok(share_of_receipts(&receipts, sent))
}

fn share_of_receipts(receipts: &[Receipt], sent: &Sent) -> Share {
    let mut share = Share::default();
    for receipt in receipts.iter().filter(|r| sent.contains_key(&r.transaction_hash)) {
        share.included += 1;
        share.reverted += u64::from(receipt.status != U64::ONE);
        share.gas_used += receipt.gas_used.to::<u64>();
    }
    share
}

async fn single_receipts(rpc: &RpcClient, number: U64) -> eyre::Result<Vec<Receipt>> {
    let found = rpc.call("eth_getBlockByNumber", json!([number, false])).await?;
    let body: Body = found_block(found, number)?;
    let mut receipts = Vec::with_capacity(body.transactions.len());
    for hashes in body.transactions.chunks(RECEIPT_BATCH) {
        let params: Vec<Value> = hashes.iter().map(|hash| json!([hash])).collect();
        receipts.extend(rpc.batch::<Receipt>("eth_getTransactionReceipt", &params).await?);
    }
    Ok(receipts)
}

async fn by_logs(rpc: &RpcClient, number: U64, sent: &Sent) -> eyre::Result<Share> {
    let found = rpc.call("eth_getBlockByNumber", json!([number, false])).await?;
    let body: Body = found_block(found, number)?;
    let filter = json!([{"fromBlock": number, "toBlock": number}]);
    let logs: Vec<Log> = rpc.call("eth_getLogs", filter).await?;
    Ok(share_of_body(&body, &logs, sent))
}

fn share_of_body(body: &Body, logs: &[Log], sent: &Sent) -> Share {
    let logged: HashSet<B256> = logs.iter().map(|log| log.transaction_hash).collect();
    let mut share = Share::default();
    for hash in &body.transactions {
        let Some(trace) = sent.get(hash) else { continue };
        share.included += 1;
        share.reverted += u64::from(*trace == Trace::Log && !logged.contains(hash));
    }
    // A body does not say what each transaction used. The node was started for
    // this load, so a block that holds any of it holds nothing else.
    if share.included > 0 {
        share.gas_used = body.gas_used.to();
    }
    share
}

fn found_block<T: DeserializeOwned>(found: Option<T>, number: U64) -> eyre::Result<T> {
    found.ok_or_else(|| eyre!("the node announced block {number} and does not have it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn hash(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    fn sent() -> Sent {
        HashMap::from([(hash(1), Trace::Log), (hash(2), Trace::Log), (hash(3), Trace::Inclusion)])
    }

    #[test]
    fn the_steady_rate_leaves_out_both_ends() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let counts = [(at(0), 10), (at(1), 500), (at(2), 700), (at(3), 3)];
        assert_eq!(steady(&counts), Some(600.0));
        assert_eq!(steady(&counts[..2]), None);
        assert_eq!(steady(&[]), None);
    }

    #[test]
    fn a_call_without_its_log_has_failed_and_a_transfer_needs_none() {
        let transactions = vec![hash(1), hash(2), hash(3), hash(9)];
        let body = Body { transactions, gas_used: U64::from(77) };
        let logs = [Log { transaction_hash: hash(1) }];
        let share = share_of_body(&body, &logs, &sent());
        assert_eq!(share, Share { included: 3, reverted: 1, gas_used: 77 });
    }

    #[test]
    fn receipts_of_others_do_not_count() {
        let receipt = |byte, status| Receipt {
            transaction_hash: hash(byte),
            status: U64::from(status),
            gas_used: U64::from(10),
        };
        let share = share_of_receipts(&[receipt(1, 1), receipt(2, 0), receipt(9, 1)], &sent());
        assert_eq!(share, Share { included: 2, reverted: 1, gas_used: 20 });
    }
}
