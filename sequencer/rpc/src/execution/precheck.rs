//! The checks before a message runs, in geth's order and words (go-ethereum
//! `core/state_transition.go`, `core/error.go`).
//!
//! The EVM's own checks are switched off for calls: it has no way to check funds without checking
//! nonces, and other texts.

use alloy_primitives::{Address, U256};
use cairn_evm::TxError;
use cairn_evm::revm_types::{AccountInfo, BlockEnv, InvalidTransaction, SpecId};

use super::message::Message;

/// Gas of one blob (EIP-4844).
pub(super) const GAS_PER_BLOB: u64 = 1 << 17;
/// First byte of a versioned hash (EIP-4844).
const KZG_VERSION: u8 = 1;
/// Most blobs of a transaction since Osaka (EIP-7594).
const BLOBS_MAX: usize = 6;

/// Why a message cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("nonce too high: address {address}, tx: {tx} state: {state}")]
    NonceTooHigh { address: Address, tx: u64, state: u64 },
    #[error("nonce too low: address {address}, tx: {tx} state: {state}")]
    NonceTooLow { address: Address, tx: u64, state: u64 },
    #[error("nonce has max value: address {address}, nonce: {nonce}")]
    NonceMax { address: Address, nonce: u64 },
    #[error(
        "max priority fee per gas higher than max fee per gas: address {address}, \
         maxPriorityFeePerGas: {tip_cap}, maxFeePerGas: {fee_cap}"
    )]
    TipAboveFeeCap { address: Address, tip_cap: U256, fee_cap: U256 },
    #[error(
        "max fee per gas less than block base fee: address {address}, \
         maxFeePerGas: {fee_cap}, baseFee: {base_fee}"
    )]
    FeeCapTooLow { address: Address, fee_cap: U256, base_fee: u64 },
    #[error("blob transaction of type create")]
    BlobCreate,
    #[error("blob transaction missing blob hashes")]
    NoBlobs,
    #[error("blob transaction has too many blobs")]
    TooManyBlobs,
    #[error("blob {0} has invalid hash version")]
    BlobVersion(usize),
    #[error(
        "max fee per blob gas less than block blob gas fee: address {address} \
         blobGasFeeCap: {fee_cap}, blobBaseFee: {base_fee}"
    )]
    BlobFeeCapTooLow { address: Address, fee_cap: U256, base_fee: U256 },
    #[error("EIP-7702 transaction cannot be used to create contract (sender {0})")]
    SetCodeCreate(Address),
    #[error("EIP-7702 transaction with empty auth list (sender {0})")]
    NoAuthorizations(Address),
    #[error(
        "insufficient funds for gas * price + value: address {0} \
         required balance exceeds 256 bits"
    )]
    FundsOverflow(Address),
    #[error(
        "insufficient funds for gas * price + value: address {address} have {have} want {want}"
    )]
    InsufficientFunds { address: Address, have: U256, want: U256 },
    #[error("gas limit reached")]
    GasPool,
    #[error("intrinsic gas too low: have {have}, want {want}")]
    IntrinsicGas { have: u64, want: u64 },
    #[error("insufficient gas for floor data gas cost: have {have}, want {want}")]
    FloorDataGas { have: u64, want: u64 },
    #[error("max initcode size exceeded: code size {size} limit {limit}")]
    InitCodeSize { size: usize, limit: usize },
    #[error("{0}")]
    Other(String),
}

/// Which checks a message can do without.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strictness {
    /// Check the nonce.
    pub(super) nonce: bool,
    /// Check fee caps of zero against base fees.
    pub(super) base_fee: bool,
}

impl Strictness {
    /// Calls: neither.
    pub(super) const CALL: Self = Self { nonce: false, base_fee: false };
}

/// Most initialisation code since Shanghai (EIP-3860).
const INIT_CODE_MAX: usize = 2 * 24_576;

impl Refusal {
    /// A refusal that the EVM itself found.
    pub(super) fn from_evm(message: &Message, invalid: InvalidTransaction) -> Self {
        match invalid {
            InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
                Self::IntrinsicGas { have: gas_limit, want: initial_gas }
            }
            InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
                Self::FloorDataGas { have: gas_limit, want: gas_floor }
            }
            InvalidTransaction::CreateInitCodeSizeLimit => {
                Self::InitCodeSize { size: message.data.len(), limit: INIT_CODE_MAX }
            }
            other => Self::Other(other.to_string()),
        }
    }

    /// The refusal in an execution error, or the error back.
    pub(super) fn from_tx_error(message: &Message, error: TxError) -> Result<Self, TxError> {
        match error {
            TxError::Invalid(invalid) => Ok(Self::from_evm(message, invalid)),
            TxError::InvalidOptimism(error) => Ok(Self::Other(error.to_string())),
            other => Err(other),
        }
    }

    /// Whether another gas limit might help.
    pub(super) const fn depends_on_gas(&self) -> bool {
        matches!(self, Self::IntrinsicGas { .. })
    }
}

/// Checks a message against the block and its sender's account, everything but intrinsic gas.
pub(super) fn check(
    message: &Message,
    block: &BlockEnv,
    spec: SpecId,
    sender: &AccountInfo,
    strict: Strictness,
) -> Result<(), Refusal> {
    if strict.nonce {
        check_nonce(message, sender.nonce)?;
    }
    if spec.is_enabled_in(SpecId::LONDON) {
        check_fees(message, block.basefee, strict)?;
    }
    if let Some(hashes) = &message.blob_hashes {
        if message.to.is_none() {
            return Err(Refusal::BlobCreate);
        }
        if hashes.is_empty() {
            return Err(Refusal::NoBlobs);
        }
        if spec.is_enabled_in(SpecId::OSAKA) && hashes.len() > BLOBS_MAX {
            return Err(Refusal::TooManyBlobs);
        }
        if let Some(at) = hashes.iter().position(|hash| hash[0] != KZG_VERSION) {
            return Err(Refusal::BlobVersion(at));
        }
    }
    if spec.is_enabled_in(SpecId::CANCUN) && message.blobs() > 0 {
        check_blob_fee(message, block, strict)?;
    }
    if let Some(list) = &message.authorizations {
        if message.to.is_none() {
            return Err(Refusal::SetCodeCreate(message.from));
        }
        if list.is_empty() {
            return Err(Refusal::NoAuthorizations(message.from));
        }
    }
    check_funds(message, spec, sender.balance)
}

const fn check_nonce(message: &Message, state: u64) -> Result<(), Refusal> {
    let (address, tx) = (message.from, message.nonce);
    if tx > state {
        Err(Refusal::NonceTooHigh { address, tx, state })
    } else if tx < state {
        Err(Refusal::NonceTooLow { address, tx, state })
    } else if state == u64::MAX {
        Err(Refusal::NonceMax { address, nonce: state })
    } else {
        Ok(())
    }
}

fn check_fees(message: &Message, base_fee: u64, strict: Strictness) -> Result<(), Refusal> {
    let Message { from: address, fee_cap, tip_cap, .. } = *message;
    if !strict.base_fee && fee_cap.is_zero() && tip_cap.is_zero() {
        return Ok(());
    }
    if fee_cap < tip_cap {
        return Err(Refusal::TipAboveFeeCap { address, tip_cap, fee_cap });
    }
    if fee_cap < U256::from(base_fee) {
        return Err(Refusal::FeeCapTooLow { address, fee_cap, base_fee });
    }
    Ok(())
}

fn check_blob_fee(message: &Message, block: &BlockEnv, strict: Strictness) -> Result<(), Refusal> {
    let price = block.blob_excess_gas_and_price.map_or(0, |blob| blob.blob_gasprice);
    let (base_fee, fee_cap) = (U256::from(price), message.blob_fee_cap);
    if (strict.base_fee || !fee_cap.is_zero()) && fee_cap < base_fee {
        let address = message.from;
        return Err(Refusal::BlobFeeCapTooLow { address, fee_cap, base_fee });
    }
    Ok(())
}

fn check_funds(message: &Message, spec: SpecId, have: U256) -> Result<(), Refusal> {
    let address = message.from;
    let blob_gas = if spec.is_enabled_in(SpecId::CANCUN) {
        U256::from(message.blobs()).saturating_mul(U256::from(GAS_PER_BLOB))
    } else {
        U256::ZERO
    };
    let gas = U256::from(message.gas).checked_mul(message.fee_cap);
    let blobs = blob_gas.checked_mul(message.blob_fee_cap);
    let want = gas
        .and_then(|gas| gas.checked_add(message.value))
        .and_then(|want| want.checked_add(blobs?))
        .ok_or(Refusal::FundsOverflow(address))?;
    if have < want {
        return Err(Refusal::InsufficientFunds { address, have, want });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::address;
    use serde_json::{Value, json};

    use super::*;

    fn refused(json: Value, balance: u64, nonce: u64, strict: Strictness) -> Option<String> {
        let mut args = json;
        args["from"] = json!("0xc000000000000000000000000000000000000000");
        let args = serde_json::from_value(args).unwrap();
        let message = Message::new(&args, 50_000_000, Some(10), 1).unwrap();
        let block = BlockEnv { basefee: 10, ..BlockEnv::default() };
        let sender = AccountInfo { balance: U256::from(balance), nonce, ..Default::default() };
        let result = check(&message, &block, SpecId::PRAGUE, &sender, strict);
        result.err().map(|refusal| refusal.to_string())
    }

    const STRICT: Strictness = Strictness { nonce: true, base_fee: true };

    #[test]
    fn refusals_have_the_texts_of_geth() {
        for (args, balance, nonce, text) in [
            (
                json!({"value": "0x3e8"}),
                0,
                0,
                "max fee per gas less than block base fee: address \
                 0xC000000000000000000000000000000000000000, maxFeePerGas: 0, baseFee: 10",
            ),
            (
                json!({"nonce": "0x64"}),
                0,
                0,
                "nonce too high: address 0xC000000000000000000000000000000000000000, \
                 tx: 100 state: 0",
            ),
            (
                json!({}),
                0,
                5,
                "nonce too low: address 0xC000000000000000000000000000000000000000, tx: 0 state: 5",
            ),
            (
                json!({"maxFeePerGas": "0xa", "gas": "0x64"}),
                999,
                0,
                "insufficient funds for gas * price + value: address \
                 0xC000000000000000000000000000000000000000 have 999 want 1000",
            ),
            (
                json!({"maxFeePerGas": "0x64", "maxPriorityFeePerGas": "0x65"}),
                0,
                0,
                "max priority fee per gas higher than max fee per gas: address \
                 0xC000000000000000000000000000000000000000, maxPriorityFeePerGas: 101, \
                 maxFeePerGas: 100",
            ),
        ] {
            assert_eq!(refused(args, balance, nonce, STRICT).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_free_call_needs_neither_nonce_nor_base_fee_but_its_value() {
        assert_eq!(refused(json!({"nonce": "0x64"}), 0, 3, Strictness::CALL), None);
        let poor = refused(json!({"value": "0x1"}), 0, 0, Strictness::CALL).unwrap();
        assert!(poor.ends_with("have 0 want 1"), "{poor}");
    }

    #[test]
    fn costs_beyond_256_bits_are_refused() {
        let huge = format!("0x{}", "f".repeat(64));
        let text = refused(json!({"value": huge, "gasPrice": "0xa"}), 0, 0, Strictness::CALL);
        assert!(text.unwrap().ends_with("required balance exceeds 256 bits"));
    }

    #[test]
    fn blobs_and_authorizations_need_a_recipient_and_entries() {
        let blob = format!("0x01{}", "0".repeat(62));
        let create = refused(json!({"blobVersionedHashes": [blob]}), 0, 0, Strictness::CALL);
        assert_eq!(create, Some(Refusal::BlobCreate.to_string()));
        let to = "0xc100000000000000000000000000000000000000";
        let none = json!({"to": to, "authorizationList": []});
        let from = address!("0xC000000000000000000000000000000000000000");
        let text = refused(none, 0, 0, Strictness::CALL);
        assert_eq!(text, Some(Refusal::NoAuthorizations(from).to_string()));
    }
}
