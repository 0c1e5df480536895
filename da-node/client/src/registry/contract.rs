//! The part of `OperatorRegistry` that nodes and clients call.

#![allow(missing_docs, unreachable_pub, reason = "generated; the contract documents them")]

use alloy::sol;

sol! {
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    contract OperatorRegistry {
        struct Member {
            address operator;
            uint256 stake;
            bytes key;
            string endpoint;
        }

        struct Operator {
            uint96 stake;
            uint8 state;
            uint32 generation;
            uint40 sinceEpoch;
            uint40 releaseTime;
            uint40 rejoinTime;
        }

        struct Parameters {
            uint96 stakeMin;
            uint16 operatorsMin;
            uint16 signingRateMin;
            uint8 signingWindow;
            uint32 certificatesMin;
            uint32 rejoinDelay;
        }

        error TooMuchEjected(uint64 epoch, uint256 stake, uint256 max);

        event OperatorRegistered(
            address indexed operator, bytes32 indexed keyHash, bytes key, uint256 stake, string endpoint
        );

        function GENESIS_TIME() external view returns (uint256);
        function EPOCH_LENGTH() external view returns (uint256);
        function currentEpoch() external view returns (uint64);
        function certificatesEnd(uint64 epoch) external view returns (uint256);
        function quorum(uint64 epoch) external view returns (address first, bytes32 seed, uint256 end);
        function members(uint64 epoch) external view returns (Member[] memory result);
        function seedBlockOf(uint64 epoch) external view returns (uint256);
        function activeOperators() external view returns (uint256);
        function operatorOf(address operator) external view returns (Operator memory);
        function parameters() external view returns (Parameters memory);
        function signingRate(address account)
            external
            view
            returns (uint256 certificates, uint256 signed);

        function register(bytes calldata key, bytes calldata possession, string calldata endpoint)
            external
            payable;
        function snapshot(uint64 epoch, address[] calldata operators, bytes calldata keys) external;
        function drawSeed(uint64 epoch, bytes calldata header) external;
        function resetSeedBlock(uint64 epoch) external;
        function eject(address account) external;
    }
}

#[cfg(test)]
mod tests {
    use alloy::json_abi::JsonAbi;
    use alloy::sol_types::{SolError, SolEvent, SolInterface};

    use super::OperatorRegistry::{OperatorRegistered, OperatorRegistryCalls, TooMuchEjected};

    #[test]
    fn what_is_called_is_in_the_abi_of_the_contract() {
        let artifact = include_str!("../../../../contracts/artifacts/da/OperatorRegistry.json");
        let artifact: serde_json::Value = serde_json::from_str(artifact).unwrap();
        let abi: JsonAbi = serde_json::from_value(artifact["abi"].clone()).unwrap();
        let selectors: Vec<[u8; 4]> = abi.functions().map(|it| it.selector().0).collect();
        for called in OperatorRegistryCalls::selectors() {
            assert!(selectors.contains(&called), "{called:02x?}");
        }
        let event = OperatorRegistered::SIGNATURE_HASH;
        assert!(abi.events().any(|it| it.selector() == event));
        assert!(abi.errors().any(|it| it.selector().0 == TooMuchEjected::SELECTOR));
    }
}
