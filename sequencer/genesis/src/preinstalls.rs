//! Contracts of third parties that tools expect at known addresses.
//!
//! Code: the constants of `Preinstalls` in `@eth-optimism/contracts-bedrock` 0.17.3,
//! `@account-abstraction/contracts` 0.7.0 for the newer entry point, and the EIPs for the system
//! contracts. CreateX is left out: no package of the registries in use here holds its code.

use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_eips::eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE};
use alloy_primitives::{Address, Bytes, U256, address, keccak256};

use crate::alloc::Alloc;
use crate::artifact::artifact;

/// Deterministic deployment proxy; forge's CREATE2 deployer.
pub const CREATE2_DEPLOYER: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
/// Wrapper around CREATE2; Canyon installs it on every OP chain.
pub const CREATE2_DEPLOYER_WRAPPER: Address =
    address!("0x13b0D85CcB8bf860b6b79AF3029fCA081AE9beF2");
/// Many calls in one.
pub const MULTICALL3: Address = address!("0xcA11bde05977b3631167028862bE2a173976CA11");
/// Token approvals by signature.
pub const PERMIT2: Address = address!("0x000000000022D473030F116dDEE9F6B43aC78BA3");
/// Safe's own deterministic deployer.
pub const SAFE_SINGLETON_FACTORY: Address = address!("0x914d7Fec6aaC8cd542e72Bca78B30650d45643d7");
/// Safe 1.3.0.
pub const SAFE: Address = address!("0x69f4D1788e39c87893C980c06EdF4b7f686e2938");
/// Safe 1.3.0 with events.
pub const SAFE_L2: Address = address!("0xfb1bffC9d739B8D520DaF37dF666da4C687191EA");
/// Batches of a Safe, delegate calls included.
pub const MULTI_SEND: Address = address!("0x998739BFdAAdde7C933B942a68053933098f9EDa");
/// Batches of a Safe, calls only.
pub const MULTI_SEND_CALL_ONLY: Address = address!("0xA1dabEF33b3B82c7814B6D82A79e50F4AC44102B");
/// ERC-4337 entry point 0.6.
pub const ENTRY_POINT_V06: Address = address!("0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789");
/// Creates accounts for [`ENTRY_POINT_V06`].
pub const SENDER_CREATOR_V06: Address = address!("0x7fc98430eaedbb6070b35b39d798725049088348");
/// ERC-4337 entry point 0.7.
pub const ENTRY_POINT_V07: Address = address!("0x0000000071727De22E5E9d8BAf0edAc6f37da032");
/// Creates accounts for [`ENTRY_POINT_V07`].
pub const SENDER_CREATOR_V07: Address = address!("0xEFC2c1444eBCC4Db75e7613d20C6a62fF67A167C");

/// Who deploys the beacon roots contract where it is not preinstalled (EIP-4788).
const BEACON_ROOTS_SENDER: Address = address!("0x0B799C86a49DEeb90402691F1041aa3AF2d3C875");
/// Who deploys the history contract where it is not preinstalled (EIP-2935).
const HISTORY_STORAGE_SENDER: Address = address!("0x3462413Af4609098e1E27A490f554f260213D685");

/// Adds them all.
pub(crate) fn allocate(alloc: &mut Alloc, chain_id: u64) {
    let third_party = [
        (CREATE2_DEPLOYER, artifact!("preinstalls/DeterministicDeploymentProxy")),
        (CREATE2_DEPLOYER_WRAPPER, artifact!("preinstalls/Create2Deployer")),
        (MULTICALL3, artifact!("preinstalls/Multicall3")),
        (SAFE_SINGLETON_FACTORY, artifact!("preinstalls/SafeSingletonFactory")),
        (SAFE, artifact!("preinstalls/Safe")),
        (SAFE_L2, artifact!("preinstalls/SafeL2")),
        (MULTI_SEND, artifact!("preinstalls/MultiSend")),
        (MULTI_SEND_CALL_ONLY, artifact!("preinstalls/MultiSendCallOnly")),
        (ENTRY_POINT_V06, artifact!("preinstalls/EntryPointV06")),
        (SENDER_CREATOR_V06, artifact!("preinstalls/SenderCreatorV06")),
        (
            ENTRY_POINT_V07,
            artifact!("preinstalls/EntryPointV07")
                .with("_senderCreator", SENDER_CREATOR_V07.into_word()),
        ),
        (SENDER_CREATOR_V07, artifact!("preinstalls/SenderCreatorV07")),
    ];
    for (address, artifact) in third_party {
        alloc.contract(address, artifact.code(), []);
    }
    alloc.contract(PERMIT2, permit2(chain_id), []);
    alloc.contract(BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE.clone(), []);
    alloc.contract(HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE.clone(), []);
    // Their deployment transactions, which anyone can send, must not find a fresh account.
    alloc.sender(BEACON_ROOTS_SENDER, 1);
    alloc.sender(HISTORY_STORAGE_SENDER, 1);
}

/// Permit2 keeps the chain id and the EIP-712 domain separator of its chain in its code.
fn permit2(chain_id: u64) -> Bytes {
    let domain_type =
        keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)");
    let chain_id = U256::from(chain_id);
    let separator = keccak256(
        [domain_type, keccak256("Permit2"), chain_id.into(), PERMIT2.into_word()]
            .map(|word| word.0)
            .concat(),
    );
    artifact!("preinstalls/Permit2")
        .with("_CACHED_CHAIN_ID", chain_id)
        .with("_CACHED_DOMAIN_SEPARATOR", separator)
        .code()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, b256};

    use super::*;

    fn code_hash(artifact: crate::artifact::Artifact) -> B256 {
        keccak256(artifact.code())
    }

    #[test]
    fn codes_are_the_canonical_ones() {
        let create2 = b256!("0x2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989");
        assert_eq!(code_hash(artifact!("preinstalls/DeterministicDeploymentProxy")), create2);
        assert_eq!(code_hash(artifact!("preinstalls/SafeSingletonFactory")), create2);
        assert_eq!(
            code_hash(artifact!("preinstalls/Multicall3")),
            b256!("0xd5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891")
        );
        // OP specification, Isthmus: EIP-2935 contract deployment.
        assert_eq!(
            keccak256(&HISTORY_STORAGE_CODE),
            b256!("0x6e49e66782037c0555897870e29fa5e552daf4719552131a0abce779daec0a5d")
        );
    }

    /// On Ethereum itself the template holds the values of chain 1.
    #[test]
    fn permit2_of_chain_1_is_that_of_ethereum() {
        assert_eq!(
            keccak256(permit2(1)),
            b256!("0xc67d1657868aa5146eaf24fb879fb1fdec3d2d493b3683a61c9c2f4fb2851131")
        );
    }

    #[test]
    fn system_contracts_lie_where_their_senders_deploy_them() {
        assert_eq!(BEACON_ROOTS_SENDER.create(0), BEACON_ROOTS_ADDRESS);
        assert_eq!(HISTORY_STORAGE_SENDER.create(0), HISTORY_STORAGE_ADDRESS);
        assert_eq!(ENTRY_POINT_V06.create(1), SENDER_CREATOR_V06);
        assert_eq!(ENTRY_POINT_V07.create(1), SENDER_CREATOR_V07);
    }
}
