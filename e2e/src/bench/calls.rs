//! The contracts of the loads. Sources and the script that compiles them are in
//! `contracts/` beside this file.

use alloy::hex;
use alloy::sol;
use alloy::sol_types::SolCall;
use alloy_primitives::{Address, Bytes, U256};
use eyre::WrapErr;

sol! {
    function mintMany(address[] holders, uint256 amount);
    function transfer(address to, uint256 amount) returns (bool);
    function work(uint256 seed, uint256 hashes, uint256 writes);
}

const TOKEN_CODE: &str = include_str!("contracts/BenchToken.hex");
const WORK_CODE: &str = include_str!("contracts/WorkLoop.hex");

/// One call of the work contract.
const HASHES: u64 = 50;
const WRITES: u64 = 2;

/// Gas a transaction of each kind may use at most, with some to spare: first
/// touch of the recipient's balance word, first write to a cell.
pub(super) const TRANSFER_GAS: u64 = 21_000;
pub(super) const TOKEN_TRANSFER_GAS: u64 = 60_000;
pub(super) const WORK_GAS: u64 = 120_000;
pub(super) const DEPLOY_GAS: u64 = 2_000_000;
/// Per holder of a [`mint`], and once per transaction.
pub(super) const MINT_GAS_PER_HOLDER: u64 = 30_000;
pub(super) const MINT_GAS: u64 = 100_000;

/// Creation code of the ERC-20 token.
pub(super) fn token_code() -> eyre::Result<Bytes> {
    Ok(hex::decode(TOKEN_CODE.trim()).wrap_err("BenchToken.hex is damaged")?.into())
}

/// Creation code of the contract that hashes and stores.
pub(super) fn work_code() -> eyre::Result<Bytes> {
    Ok(hex::decode(WORK_CODE.trim()).wrap_err("WorkLoop.hex is damaged")?.into())
}

/// Calldata that gives every holder more than any run spends.
pub(super) fn mint(holders: &[Address]) -> Bytes {
    let amount = U256::from(10).pow(U256::from(24));
    mintManyCall { holders: holders.to_vec(), amount }.abi_encode().into()
}

/// Calldata of a token transfer of the smallest amount.
pub(super) fn token_transfer(to: Address) -> Bytes {
    transferCall { to, amount: U256::ONE }.abi_encode().into()
}

/// Calldata of one call of the work contract; `seed` chooses the words it writes.
pub(super) fn work(seed: u64) -> Bytes {
    let (hashes, writes) = (U256::from(HASHES), U256::from(WRITES));
    workCall { seed: U256::from(seed), hashes, writes }.abi_encode().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_code_is_creation_code() {
        for code in [token_code().expect("hex"), work_code().expect("hex")] {
            assert_eq!(&code[..3], &[0x60, 0x80, 0x60]);
        }
    }

    #[test]
    fn a_token_transfer_has_the_selector_of_the_standard() {
        assert_eq!(&token_transfer(Address::ZERO)[..4], &[0xa9, 0x05, 0x9c, 0xbb]);
    }
}
