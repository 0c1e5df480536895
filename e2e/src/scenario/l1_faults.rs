//! What an endpoint of L1 does wrong: rules for a [`Proxy`](super::Proxy) in front of it.

use std::time::{SystemTime, UNIX_EPOCH};

use cairn_test_setup::{Act, Answer, Passing};
use serde_json::{Value, json};

const RECEIPTS: &str = "eth_getBlockReceipts";
const BLOCKS: [&str; 2] = ["eth_getBlockByNumber", "eth_getBlockByHash"];

/// A fault of L1's endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L1Fault {
    /// HTTP status 500.
    Error,
    /// HTTP status 429, and when to come again.
    RateLimit,
    /// The JSON-RPC error of a rate limit.
    LimitExceeded,
    /// No answer at all.
    Stall,
    /// Logs have other data.
    LogData,
    /// The last receipt of a block is left out.
    MissingReceipt,
    /// Receipts are those of another block.
    OtherReceipts,
    /// Transactions have other calldata.
    Calldata,
    /// The last transaction and its receipt are left out.
    MissingTransaction,
    /// A header has another time, under the right hash.
    Header,
    /// A header has other roots, as if blobs had made them, and receipts to go with them.
    BlobHeader,
}

impl L1Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Error,
        Self::RateLimit,
        Self::LimitExceeded,
        Self::Stall,
        Self::LogData,
        Self::MissingReceipt,
        Self::OtherReceipts,
        Self::Calldata,
        Self::MissingTransaction,
        Self::Header,
        Self::BlobHeader,
    ];

    /// What a proxy does with a request.
    #[must_use]
    pub fn rule(self) -> fn(&Passing) -> Act {
        match self {
            Self::Error => |_| Act::Answer(Answer::status(500)),
            Self::RateLimit => rate_limit,
            Self::LimitExceeded => limit_exceeded,
            Self::Stall => |_| Act::Stall,
            Self::LogData => |passing| lie(passing, log_data),
            Self::MissingReceipt => |passing| lie(passing, missing_receipt),
            Self::OtherReceipts => |passing| lie(passing, other_receipts),
            Self::Calldata => |passing| lie(passing, calldata),
            Self::MissingTransaction => |passing| lie(passing, missing_transaction),
            Self::Header => |passing| lie(passing, header),
            Self::BlobHeader => |passing| lie(passing, blob_header),
        }
    }

    /// Whether the endpoint says what cannot be, and not only nothing.
    #[must_use]
    pub const fn is_lie(self) -> bool {
        !matches!(self, Self::Error | Self::RateLimit | Self::LimitExceeded | Self::Stall)
    }
}

fn rate_limit(_: &Passing) -> Act {
    Act::Answer(Answer { retry_after: Some("1".to_owned()), ..Answer::status(429) })
}

fn limit_exceeded(passing: &Passing) -> Act {
    let call = passing.call();
    call.map_or(Act::Pass, |call| Act::Answer(Answer::error(&call, -32005, "limit exceeded")))
}

fn lie(passing: &Passing, alter: fn(&Passing, &[u8]) -> Option<Vec<u8>>) -> Act {
    if passing.call().is_some() { Act::alter(alter) } else { Act::Pass }
}

/// Changes the result of a method's call. `change` says whether there was something to change.
fn changed(
    passing: &Passing,
    answer: &[u8],
    methods: &[&str],
    change: impl FnOnce(&mut Value, &Value) -> bool,
) -> Option<Vec<u8>> {
    let call = passing.call()?;
    if !methods.contains(&call["method"].as_str()?) {
        return None;
    }
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    let result = answer.get_mut("result").filter(|result| !result.is_null())?;
    change(result, &call["params"]).then(|| answer.to_string().into_bytes())
}

fn log_data(passing: &Passing, answer: &[u8]) -> Option<Vec<u8>> {
    changed(passing, answer, &[RECEIPTS], |receipts, _| {
        let logs = receipts.as_array_mut().into_iter().flatten();
        let logs = logs.filter_map(|receipt| receipt["logs"].as_array_mut()).flatten();
        logs.map(|log| log["data"] = json!("0x0123")).count() > 0
    })
}

fn missing_receipt(passing: &Passing, answer: &[u8]) -> Option<Vec<u8>> {
    changed(passing, answer, &[RECEIPTS], |receipts, _| {
        receipts.as_array_mut().and_then(Vec::pop).is_some()
    })
}

/// Receipts of another block: one transaction that is like many, so that often not even their
/// number is wrong.
fn other_receipts(passing: &Passing, answer: &[u8]) -> Option<Vec<u8>> {
    changed(passing, answer, &[RECEIPTS], |receipts, _| {
        let other =
            json!({"type": "0x2", "status": "0x1", "cumulativeGasUsed": "0x5208", "logs": []});
        let receipts = receipts.as_array_mut().into_iter().flatten();
        receipts.map(|receipt| *receipt = other.clone()).count() > 0
    })
}

fn calldata(passing: &Passing, answer: &[u8]) -> Option<Vec<u8>> {
    changed(passing, answer, &BLOCKS, |block, _| {
        let transactions = block["transactions"].as_array_mut().into_iter().flatten();
        let objects = transactions.filter(|transaction| transaction.is_object());
        objects.map(|transaction| transaction["input"] = json!("0x00ff")).count() > 0
    })
}

fn missing_transaction(passing: &Passing, answer: &[u8]) -> Option<Vec<u8>> {
    let block = changed(passing, answer, &BLOCKS, |block, _| {
        block["transactions"].as_array_mut().and_then(Vec::pop).is_some()
    });
    block.or_else(|| missing_receipt(passing, answer))
}

/// A later time: that of now, a day ahead.
fn header(passing: &Passing, answer: &[u8]) -> Option<Vec<u8>> {
    changed(passing, answer, &BLOCKS, |block, _| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        block["timestamp"] = json!(format!("{:#x}", now.saturating_add(86_400)));
        true
    })
}

/// A block that says it has blobs and no transactions: consistent but for its hash.
fn blob_header(passing: &Passing, answer: &[u8]) -> Option<Vec<u8>> {
    const EMPTY_ROOT: &str = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
    let block = changed(passing, answer, &BLOCKS, |block, _| {
        block["blobGasUsed"] = json!("0x20000");
        block["receiptsRoot"] = json!(EMPTY_ROOT);
        block["transactionsRoot"] = json!(EMPTY_ROOT);
        block["transactions"] = json!([]);
        true
    });
    block.or_else(|| {
        changed(passing, answer, &[RECEIPTS], |receipts, _| {
            *receipts = json!([]);
            true
        })
    })
}
