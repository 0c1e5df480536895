//! The parts of contracts on L1 that scenarios call.

use alloy::sol;

sol! {
    /// Deposits and withdrawals.
    #[sol(rpc)]
    #[derive(Debug)]
    contract OptimismPortal {
        function depositTransaction(address to, uint256 value, uint64 gasLimit, bool isCreation, bytes data) external payable;
        function respectedGameType() external view returns (uint32);
        function proveWithdrawalTransaction(WithdrawalTransaction tx, uint256 gameIndex, OutputRootProof outputRootProof, bytes[] withdrawalProof) external;
        function finalizeWithdrawalTransaction(WithdrawalTransaction tx) external;
        function checkWithdrawal(bytes32 withdrawalHash, address proofSubmitter) external view;
    }

    /// A withdrawal (OP specification: withdrawals).
    #[derive(Debug)]
    struct WithdrawalTransaction {
        uint256 nonce;
        address sender;
        address target;
        uint256 value;
        uint256 gasLimit;
        bytes data;
    }

    /// What an output root is the hash of.
    #[derive(Debug)]
    struct OutputRootProof {
        bytes32 version;
        bytes32 stateRoot;
        bytes32 messagePasserStorageRoot;
        bytes32 latestBlockhash;
    }

    /// Where batches go.
    #[sol(rpc)]
    #[derive(Debug)]
    contract BatchInbox {
        function batchCount() external view returns (uint256);
        function carrierOf(uint256 batch) external view returns (uint8);
        function readBatcher() external;
    }

    /// What the owner of the rollup may change while it runs.
    #[sol(rpc)]
    #[derive(Debug)]
    contract SystemConfig {
        function gasLimit() external view returns (uint64);
        function setGasLimit(uint64 gasLimit) external;
        function setGasConfigEcotone(uint32 basefeeScalar, uint32 blobbasefeeScalar) external;
        function setBatcherHash(bytes32 batcherHash) external;
        function setUnsafeBlockSigner(address unsafeBlockSigner) external;
    }

    /// What L2 knows of the fees on L1.
    #[sol(rpc)]
    #[derive(Debug)]
    contract GasPriceOracle {
        function baseFeeScalar() external view returns (uint32);
        function blobBaseFeeScalar() external view returns (uint32);
    }

    /// Where output roots are proposed.
    #[sol(rpc)]
    #[derive(Debug)]
    contract DisputeGameFactory {
        event DisputeGameCreated(address indexed disputeProxy, uint32 indexed gameType, bytes32 indexed rootClaim);
        function gameCount() external view returns (uint256);
        function gameAtIndex(uint256 index) external view returns (uint32 gameType, uint64 timestamp, address proxy);
        function initBonds(uint32 gameType) external view returns (uint256);
        function create(uint32 gameType, bytes32 rootClaim, bytes extraData) external payable returns (address proxy);
    }

    /// A proposed output root.
    #[sol(rpc)]
    #[derive(Debug)]
    contract OutputGame {
        function status() external view returns (uint8);
        function rootClaim() external view returns (bytes32);
        function l2BlockNumber() external view returns (uint256);
        function challenge() external payable;
        function challengeEnd() external view returns (uint256);
        function decisionEnd() external view returns (uint256);
        function resolve() external returns (uint8);
    }
}
