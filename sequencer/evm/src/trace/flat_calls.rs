//! `flatCallTracer`: calls as a list in the form of parity
//! (go-ethereum `tracers/native/call_flat.go`).

use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Serialize;

use super::call_frames::Frame;
use super::{FlatCallConfig, TraceContext};
use crate::REVERTED;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlatCall<'a> {
    action: Action<'a>,
    block_hash: Option<B256>,
    block_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<CallResult>,
    subtraces: usize,
    trace_address: Vec<usize>,
    transaction_hash: Option<B256>,
    transaction_position: u64,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Action<'a> {
    #[serde(rename_all = "camelCase")]
    Call {
        from: Address,
        to: Option<Address>,
        gas: U64,
        value: U256,
        call_type: String,
        input: &'a Bytes,
    },
    Create {
        from: Address,
        gas: U64,
        value: U256,
        init: &'a Bytes,
    },
    #[serde(rename_all = "camelCase")]
    SelfDestruct {
        address: Address,
        balance: U256,
        refund_address: Option<Address>,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum CallResult {
    #[serde(rename_all = "camelCase")]
    Call { gas_used: U64, output: Bytes },
    #[serde(rename_all = "camelCase")]
    Create {
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<Address>,
        code: Bytes,
        gas_used: U64,
    },
}

/// Errors in parity's words.
const EXACT: [(&str, &str); 9] = [
    ("contract creation code storage out of gas", "Out of gas"),
    ("out of gas", "Out of gas"),
    ("gas uint64 overflow", "Out of gas"),
    ("max code size exceeded", "Out of gas"),
    ("invalid jump destination", "Bad jump destination"),
    (REVERTED, "Reverted"),
    ("return data out of bounds", "Out of bounds"),
    ("stack limit reached 1024 (1023)", "Out of stack"),
    ("precompile failed", "Built-in failed"),
];
const PREFIXES: [(&str, &str); 2] =
    [("invalid opcode:", "Bad instruction"), ("stack underflow", "Stack underflow")];

/// The answer for one transaction.
pub(super) fn flat_calls(
    root: &Frame,
    config: FlatCallConfig,
    precompiles: &AddressSet,
    at: TraceContext,
) -> serde_json::Result<String> {
    let mut calls = Vec::new();
    let writer = Writer { config, precompiles, at };
    writer.push(root, Vec::new(), &mut calls);
    serde_json::to_string(&calls)
}

struct Writer<'a> {
    config: FlatCallConfig,
    precompiles: &'a AddressSet,
    at: TraceContext,
}

impl Writer<'_> {
    fn push<'a>(&self, frame: &'a Frame, address: Vec<usize>, out: &mut Vec<FlatCall<'a>>) {
        let shown = |call: &&Frame| self.config.include_precompiles || !self.is_precompile(call);
        let inner: Vec<&Frame> = frame.calls.iter().filter(shown).collect();
        let error = frame.error.as_deref();
        // A revert has a result, for its reason; other failures have none.
        let has_result = error.is_none_or(|error| error == REVERTED);
        let (kind, action, result) = parts(frame);
        out.push(FlatCall {
            action,
            block_hash: self.at.block_hash,
            block_number: self.at.block_number.unwrap_or(0),
            error: error.map(|error| {
                if self.config.convert_parity_errors { parity_error(error) } else { error }
            }),
            result: result.filter(|_| has_result),
            subtraces: inner.len(),
            trace_address: address.clone(),
            transaction_hash: self.at.tx_hash,
            transaction_position: self.at.index.unwrap_or(0),
            kind,
        });
        for (index, call) in inner.into_iter().enumerate() {
            let address = address.iter().copied().chain([index]).collect();
            self.push(call, address, out);
        }
    }

    fn is_precompile(&self, frame: &Frame) -> bool {
        matches!(frame.kind, "CALL" | "STATICCALL")
            && frame.to.is_some_and(|to| self.precompiles.contains(&to))
    }
}

fn parts(frame: &Frame) -> (&'static str, Action<'_>, Option<CallResult>) {
    let value = frame.value.unwrap_or_default();
    let output = frame.output.clone().unwrap_or_default();
    let Frame { from, to, gas, gas_used, ref input, .. } = *frame;
    match frame.kind {
        "CREATE" | "CREATE2" => (
            "create",
            Action::Create { from, gas, value, init: input },
            Some(CallResult::Create { address: to, code: output, gas_used }),
        ),
        "SELFDESTRUCT" => (
            "suicide",
            Action::SelfDestruct { address: from, balance: value, refund_address: to },
            None,
        ),
        kind => {
            let call_type = kind.to_ascii_lowercase();
            let action = Action::Call { from, to, gas, value, call_type, input };
            ("call", action, Some(CallResult::Call { gas_used, output }))
        }
    }
}

fn parity_error(error: &str) -> &str {
    let exact = EXACT.iter().find(|(geth, _)| *geth == error);
    let prefix = || PREFIXES.iter().find(|(geth, _)| error.starts_with(geth));
    exact.or_else(prefix).map_or(error, |(_, parity)| parity)
}
