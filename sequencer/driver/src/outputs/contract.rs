//! The parts of factory, registry and games that are called.

#![allow(missing_docs, unreachable_pub, reason = "generated; the contracts document them")]

use alloy::sol;

sol! {
    #[sol(rpc)]
    contract DisputeGameFactory {
        struct GameSearchResult {
            uint256 index;
            bytes32 metadata;
            uint64 timestamp;
            bytes32 rootClaim;
            bytes extraData;
        }

        function gameCount() external view returns (uint256);
        function initBonds(uint32 gameType) external view returns (uint256);
        function gameImpls(uint32 gameType) external view returns (address);
        function findLatestGames(uint32 gameType, uint256 start, uint256 n)
            external
            view
            returns (GameSearchResult[] memory games);
        function create(uint32 gameType, bytes32 rootClaim, bytes calldata extraData)
            external
            payable
            returns (address proxy);
    }

    #[sol(rpc)]
    contract OutputGame {
        function ANCHOR_STATE_REGISTRY() external view returns (address);
        function gameCreator() external view returns (address);
        function status() external view returns (uint8);
        function challenger() external view returns (address);
        function proposerBond() external view returns (uint96);
        function challengeEnd() external view returns (uint256);
        function decisionEnd() external view returns (uint256);
        function paid() external view returns (bool);
        function challenge() external payable;
        function resolve() external returns (uint8);
        function claimCredit(address account) external;
    }

    #[sol(rpc)]
    contract AnchorStateRegistry {
        function anchors(uint32 gameType) external view returns (bytes32 root, uint256 l2BlockNumber);
    }
}

#[cfg(test)]
mod tests {
    use alloy::json_abi::JsonAbi;
    use alloy_primitives::Bytes;
    use alloy_sol_types::SolInterface;

    use super::{AnchorStateRegistry, DisputeGameFactory, OutputGame};

    /// `PUSH4`: how a contract compares the selector that it is called with.
    const PUSH4: u8 = 0x63;

    /// The code that compares with each selector, and the ABI where the artifact has one.
    fn check(artifact: &str, called: impl Iterator<Item = [u8; 4]>) {
        let artifact: serde_json::Value = serde_json::from_str(artifact).unwrap();
        let code: Bytes = serde_json::from_value(artifact["initCode"].clone()).unwrap();
        let abi = artifact.get("abi").cloned();
        let abi: Option<JsonAbi> = abi.map(|abi| serde_json::from_value(abi).unwrap());
        for selector in called {
            let compared = [&[PUSH4][..], &selector].concat();
            assert!(code.windows(5).any(|window| window == compared), "{selector:02x?}");
            let declared = |abi: &JsonAbi| abi.functions().any(|it| it.selector().0 == selector);
            assert!(abi.as_ref().is_none_or(declared), "{selector:02x?}");
        }
    }

    #[test]
    fn what_is_called_is_a_function_of_the_contracts() {
        check(
            include_str!("../../../../contracts/artifacts/bridge/DisputeGameFactory.json"),
            DisputeGameFactory::DisputeGameFactoryCalls::selectors(),
        );
        check(
            include_str!("../../../../contracts/artifacts/rollup/OutputGame.json"),
            OutputGame::OutputGameCalls::selectors(),
        );
        check(
            include_str!("../../../../contracts/artifacts/bridge/AnchorStateRegistry.json"),
            AnchorStateRegistry::AnchorStateRegistryCalls::selectors(),
        );
    }
}
