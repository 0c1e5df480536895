//! Who is in the network.

use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, keccak256};
use cairn_primitives::da::bls::SecretKey;
use cairn_primitives::da::{Domain, Epoch, Operator, QuorumId, Snapshot, Stake, Timestamp};

/// Far ahead, and yet an end.
const CERTIFICATES_END: Timestamp = Timestamp(1 << 33);

pub(crate) fn domain() -> Domain {
    Domain { chain_id: 31_337, registry: Address::repeat_byte(7) }
}

pub(crate) fn payer() -> eyre::Result<PrivateKeySigner> {
    Ok(PrivateKeySigner::from_bytes(&B256::repeat_byte(3))?)
}

pub(crate) fn secret(number: usize) -> eyre::Result<SecretKey> {
    Ok(SecretKey::derive(keccak256((number as u64).to_be_bytes()).as_slice())?)
}

pub(crate) fn address(number: usize) -> Address {
    Address::left_padding_from(&(number as u64 + 1).to_be_bytes())
}

/// The quorum of these stakes.
pub(crate) fn snapshot(epoch: Epoch, stakes: &[u128]) -> eyre::Result<Snapshot> {
    let operator = |(number, stake): (usize, &u128)| {
        let key = secret(number)?.public_key();
        eyre::Ok(Operator { address: address(number), stake: Stake(*stake), key })
    };
    let operators = stakes.iter().enumerate().map(operator).collect::<Result<_, _>>()?;
    let seed = B256::left_padding_from(&epoch.0.to_be_bytes());
    Ok(Snapshot::new(epoch, QuorumId(0), seed, CERTIFICATES_END, operators)?)
}
