//! The deterministic deployment proxy: the same contract at the same address on every chain.
//!
//! It is called with `salt (32) ‖ creation code` and creates the contract with CREATE2, so that an
//! address is known before its contract is there, and no contract can be deployed twice.
//!
//! Where a chain lacks it, anyone can put it there: the transaction that creates it is signed with
//! `r = s = 0x2222…`, for no chain in particular, by an account whose key nobody has. That account is
//! given what the transaction costs, and the transaction is sent.

use alloy::consensus::{SignableTransaction, TxLegacy};
use alloy::eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, b256, hex};

use crate::artifact::deployment_proxy_code;

/// Where the proxy is.
pub(crate) const DEPLOYMENT_PROXY: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
/// Who creates it.
pub(crate) const PROXY_SENDER: Address = address!("0x3fAB184622Dc19b6109349B94811493BF2a45362");

const GAS_PRICE: u128 = 100_000_000_000;
const GAS_LIMIT: u64 = 100_000;
/// Returns what follows it.
const PREFIX: [u8; 14] = hex!("604580600e600039806000f350fe");

/// What the creation costs, which its sender must have.
pub(crate) fn proxy_cost() -> U256 {
    U256::from(GAS_PRICE) * U256::from(GAS_LIMIT)
}

/// The signed transaction that creates the proxy.
pub(crate) fn proxy_creation() -> Bytes {
    let transaction = TxLegacy {
        chain_id: None,
        nonce: 0,
        gas_price: GAS_PRICE,
        gas_limit: GAS_LIMIT,
        to: TxKind::Create,
        value: U256::ZERO,
        input: [&PREFIX[..], &deployment_proxy_code()].concat().into(),
    };
    let half = b256!("0x2222222222222222222222222222222222222222222222222222222222222222");
    let signature = Signature::from_scalars_and_parity(half, half, false);
    transaction.into_signed(signature).encoded_2718().into()
}

/// Address of the contract that the proxy creates.
pub(crate) fn address_of(salt: B256, init_code: &[u8]) -> Address {
    DEPLOYMENT_PROXY.create2_from_code(salt, init_code)
}

/// Calldata that makes the proxy create it.
pub(crate) fn creation(salt: B256, init_code: &[u8]) -> Bytes {
    [salt.as_slice(), init_code].concat().into()
}

#[cfg(test)]
mod tests {
    use alloy::consensus::TxEnvelope;
    use alloy::consensus::transaction::SignerRecoverable;
    use alloy::eips::Decodable2718;

    use super::*;

    #[test]
    fn creation_transaction_is_the_canonical_one() {
        let bytes = proxy_creation();
        let transaction = TxEnvelope::decode_2718(&mut bytes.as_ref()).unwrap();
        assert_eq!(transaction.recover_signer().unwrap(), PROXY_SENDER);
        assert_eq!(PROXY_SENDER.create(0), DEPLOYMENT_PROXY);
    }

    /// Example 1 of EIP-1014, with the proxy as its sender in place of the zero address, must differ;
    /// with the zero address it must be the example.
    #[test]
    fn addresses_are_those_of_eip_1014() {
        let expected = address!("0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38");
        assert_eq!(Address::ZERO.create2_from_code(B256::ZERO, [0]), expected);
        assert_ne!(address_of(B256::ZERO, &[0]), expected);
    }
}
