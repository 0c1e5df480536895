//! Frames in the words of geth.

use alloy_primitives::{Address, Bytes, U256};
use revm::context_interface::{ContextTr, CreateScheme, JournalTr};
use revm::interpreter::{CallInputs, CallScheme, CreateInputs};

/// How a frame came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallKind {
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
    Create,
    Create2,
    SelfDestruct,
}

/// A frame as it starts.
#[derive(Debug)]
pub(super) struct Enter {
    pub(super) kind: CallKind,
    pub(super) from: Address,
    pub(super) to: Address,
    /// `None` for a static call.
    pub(super) value: Option<U256>,
    pub(super) gas: u64,
}

impl CallKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Call => "CALL",
            Self::CallCode => "CALLCODE",
            Self::DelegateCall => "DELEGATECALL",
            Self::StaticCall => "STATICCALL",
            Self::Create => "CREATE",
            Self::Create2 => "CREATE2",
            Self::SelfDestruct => "SELFDESTRUCT",
        }
    }

    /// Whether a frame of this kind moves its value from `from` to `to`.
    pub(super) const fn moves_value(self) -> bool {
        !matches!(self, Self::DelegateCall | Self::CallCode | Self::StaticCall)
    }
}

impl Enter {
    pub(super) fn call(inputs: &CallInputs) -> Self {
        let (kind, from, to) = match inputs.scheme {
            CallScheme::Call => (CallKind::Call, inputs.caller, inputs.target_address),
            CallScheme::CallCode => (CallKind::CallCode, inputs.caller, inputs.bytecode_address),
            CallScheme::DelegateCall => {
                (CallKind::DelegateCall, inputs.target_address, inputs.bytecode_address)
            }
            CallScheme::StaticCall => (CallKind::StaticCall, inputs.caller, inputs.target_address),
        };
        let value = (kind != CallKind::StaticCall).then(|| inputs.call_value());
        Self { kind, from, to, value, gas: inputs.gas_limit }
    }

    pub(super) fn create(context: &mut impl ContextTr, inputs: &CreateInputs) -> Self {
        let caller = inputs.caller();
        // A caller that cannot be read fails the creation right after; its nonce does not matter.
        let nonce = context.journal_mut().load_account(caller).map_or(0, |a| a.data.info.nonce);
        let kind = match inputs.scheme() {
            CreateScheme::Create2 { .. } => CallKind::Create2,
            CreateScheme::Create | CreateScheme::Custom { .. } => CallKind::Create,
        };
        let to = inputs.created_address(nonce);
        Self { kind, from: caller, to, value: Some(inputs.value()), gas: inputs.gas_limit() }
    }

    pub(super) const fn selfdestruct(from: Address, to: Address, value: U256) -> Self {
        Self { kind: CallKind::SelfDestruct, from, to, value: Some(value), gas: 0 }
    }
}

/// Call data of a call, copied.
pub(super) fn input_of(context: &impl ContextTr, inputs: &CallInputs) -> Bytes {
    inputs.input.bytes(context)
}
