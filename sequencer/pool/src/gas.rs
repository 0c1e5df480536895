//! Intrinsic gas and the calldata floor of a transaction.

use alloy_consensus::Transaction;
use cairn_primitives::TxEnvelope;

use crate::BlockConditions;

const TX_GAS: u64 = 21_000;
const CREATE_GAS: u64 = 32_000;
const ZERO_BYTE_GAS: u64 = 4;
const NONZERO_BYTE_GAS: u64 = 16;
const NONZERO_BYTE_GAS_FRONTIER: u64 = 68;
const INIT_CODE_WORD_GAS: u64 = 2;
const ACCESS_ADDRESS_GAS: u64 = 2_400;
const ACCESS_KEY_GAS: u64 = 1_900;
const AUTHORIZATION_GAS: u64 = 25_000;
const FLOOR_TOKEN_GAS: u64 = 10;
const TOKENS_PER_NONZERO_BYTE: u64 = 4;

/// Gas that a transaction must bring along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntrinsicGas {
    /// Charged before execution (yellow paper, EIP-2028, 2930, 3860, 7702).
    pub intrinsic: u64,
    /// Least gas a transaction pays (EIP-7623), zero before Prague.
    pub floor: u64,
}

/// Gas that a transaction must bring along under the rules of a block. Sizes are bounded by the
/// size limit of a transaction, so saturation is out of reach for what the pool admits.
pub fn intrinsic_gas(tx: &TxEnvelope, conditions: &BlockConditions) -> IntrinsicGas {
    let input: &[u8] = tx.input();
    let length = count(input.len());
    // A loop without branches: the compiler turns it into vector code.
    let zeros = count(input.iter().map(|byte| usize::from(*byte == 0)).sum::<usize>());
    let nonzeros = length.saturating_sub(zeros);
    let nonzero_gas =
        if conditions.istanbul { NONZERO_BYTE_GAS } else { NONZERO_BYTE_GAS_FRONTIER };
    let mut intrinsic = TX_GAS
        .saturating_add(zeros.saturating_mul(ZERO_BYTE_GAS))
        .saturating_add(nonzeros.saturating_mul(nonzero_gas));
    if tx.is_create() {
        if conditions.homestead {
            intrinsic = intrinsic.saturating_add(CREATE_GAS);
        }
        if conditions.shanghai {
            intrinsic =
                intrinsic.saturating_add(length.div_ceil(32).saturating_mul(INIT_CODE_WORD_GAS));
        }
    }
    if let Some(list) = tx.access_list() {
        let keys: usize = list.iter().map(|item| item.storage_keys.len()).sum();
        intrinsic = intrinsic
            .saturating_add(count(list.len()).saturating_mul(ACCESS_ADDRESS_GAS))
            .saturating_add(count(keys).saturating_mul(ACCESS_KEY_GAS));
    }
    if let Some(list) = tx.authorization_list() {
        intrinsic = intrinsic.saturating_add(count(list.len()).saturating_mul(AUTHORIZATION_GAS));
    }
    let tokens = zeros.saturating_add(nonzeros.saturating_mul(TOKENS_PER_NONZERO_BYTE));
    let floor = if conditions.prague {
        TX_GAS.saturating_add(tokens.saturating_mul(FLOOR_TOKEN_GAS))
    } else {
        0
    };
    IntrinsicGas { intrinsic, floor }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
