//! The part of `BatchInbox` that a reporter calls.

#![allow(missing_docs, unreachable_pub, reason = "generated; the contract documents them")]

use alloy::sol;

sol! {
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    contract BatchInbox {
        struct Signers {
            uint64 epoch;
            bytes bitmap;
            bytes32 hashesRoot;
            uint256 depth;
        }

        event CertificateBatchAppended(
            uint256 indexed batch, bytes32 indexed headerHash, bytes32 signersHash
        );

        function SIGNING_RECORDS() external view returns (address);
        function batchCount() external view returns (uint256);
        function nextToReport() external view returns (uint256);
        function reportSigners(Signers[] calldata signers) external;
        function passOver(uint256 limit) external;
    }
}

#[cfg(test)]
mod tests {
    use alloy::json_abi::JsonAbi;
    use alloy::sol_types::{SolEvent, SolInterface};

    use super::BatchInbox::{BatchInboxCalls, CertificateBatchAppended};

    #[test]
    fn what_is_called_is_in_the_abi_of_the_contract() {
        let artifact = include_str!("../../../../../contracts/artifacts/da/BatchInbox.json");
        let artifact: serde_json::Value = serde_json::from_str(artifact).unwrap();
        let abi: JsonAbi = serde_json::from_value(artifact["abi"].clone()).unwrap();
        let selectors: Vec<[u8; 4]> = abi.functions().map(|it| it.selector().0).collect();
        for called in BatchInboxCalls::selectors() {
            assert!(selectors.contains(&called), "{called:02x?}");
        }
        let event = CertificateBatchAppended::SIGNATURE_HASH;
        assert!(abi.events().any(|it| it.selector() == event));
    }
}
