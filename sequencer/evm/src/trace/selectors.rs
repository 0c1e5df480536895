//! `4byteTracer`: which functions were called (go-ethereum `tracers/native/4byte.go`).

use std::collections::BTreeMap;

use alloy_primitives::hex;
use revm::Inspector;
use revm::context_interface::{ContextTr, JournalTr};
use revm::interpreter::{CallInputs, CallOutcome};

use super::call_kind::input_of;

/// Counts calls by selector and size of the arguments, as `0xabcdef12-64`. Calls to precompiles
/// have no selector.
#[derive(Debug, Clone, Default)]
pub struct Selectors(BTreeMap<String, u64>);

impl Selectors {
    /// The answer for one transaction.
    pub fn finish(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.0)
    }
}

impl<CTX: ContextTr> Inspector<CTX> for Selectors {
    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        const SELECTOR: usize = 4;
        let precompiles = context.journal_mut().precompile_addresses();
        if inputs.input.len() < SELECTOR || precompiles.contains(&inputs.bytecode_address) {
            return None;
        }
        let input = input_of(context, inputs);
        if let Some((selector, arguments)) = input.split_first_chunk::<SELECTOR>() {
            let key = format!("{}-{}", hex::encode_prefixed(selector), arguments.len());
            *self.0.entry(key).or_default() += 1;
        }
        None
    }
}
