//! Functions of the contracts that a deployment calls.

use alloy::sol;

sol! {
    interface IProxyAdmin {
        function upgradeAndCall(address proxy, address implementation, bytes data) external payable;
    }

    interface IOwnable {
        function owner() external view returns (address);
        function pendingOwner() external view returns (address);
        function transferOwnership(address newOwner) external;
    }

    interface ISuperchainConfig {
        function initialize(address guardian, bool paused) external;
    }

    interface IProtocolVersions {
        function initialize(address owner, uint256 required, uint256 recommended) external;
    }

    struct ResourceConfig {
        uint32 maxResourceLimit;
        uint8 elasticityMultiplier;
        uint8 baseFeeMaxChangeDenominator;
        uint32 minimumBaseFee;
        uint32 systemTxMaxGas;
        uint128 maximumBaseFee;
    }

    struct SystemAddresses {
        address l1CrossDomainMessenger;
        address l1ERC721Bridge;
        address l1StandardBridge;
        address disputeGameFactory;
        address optimismPortal;
        address optimismMintableERC20Factory;
        address gasPayingToken;
    }

    interface ISystemConfig {
        function initialize(
            address owner,
            uint32 basefeeScalar,
            uint32 blobbasefeeScalar,
            bytes32 batcherHash,
            uint64 gasLimit,
            address unsafeBlockSigner,
            ResourceConfig config,
            address batchInbox,
            SystemAddresses addresses
        ) external;
        function startBlock() external view returns (uint256);
    }

    interface IOptimismPortal {
        function initialize(
            address disputeGameFactory,
            address systemConfig,
            address superchainConfig,
            uint32 respectedGameType
        ) external;
    }

    interface IL1CrossDomainMessenger {
        function initialize(address superchainConfig, address portal, address systemConfig) external;
    }

    interface IL1StandardBridge {
        function initialize(address messenger, address superchainConfig, address systemConfig) external;
    }

    interface IL1ERC721Bridge {
        function initialize(address messenger, address superchainConfig) external;
    }

    interface IOptimismMintableERC20Factory {
        function initialize(address bridge) external;
    }

    interface IDisputeGameFactory {
        function initialize(address owner) external;
        function setImplementation(uint32 gameType, address implementation) external;
        function setInitBond(uint32 gameType, uint256 bond) external;
        function gameImpls(uint32 gameType) external view returns (address);
        function initBonds(uint32 gameType) external view returns (uint256);
    }

    struct OutputRoot {
        bytes32 root;
        uint256 l2BlockNumber;
    }

    struct StartingAnchorRoot {
        uint32 gameType;
        OutputRoot outputRoot;
    }

    interface IAnchorStateRegistry {
        function initialize(StartingAnchorRoot[] anchors) external;
        function anchors(uint32 gameType) external view returns (bytes32 root, uint256 l2BlockNumber);
    }

    struct RegistryParameters {
        uint96 stakeMin;
        uint16 operatorsMin;
        uint16 signingRateMin;
        uint8 signingWindow;
        uint32 certificatesMin;
        uint32 rejoinDelay;
    }

    interface IOperatorRegistry {
        function setRecorder(address account, bool allowed) external;
        function isRecorder(address account) external view returns (bool);
    }
}
