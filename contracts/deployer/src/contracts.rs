//! Where everything is.

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

/// Addresses on L1: `addresses.json` is its JSON, an object from names to addresses. A contract behind
/// a proxy has its own name for the proxy's address, which is the one to use, and that of
/// [`Implementations`] for its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Contracts {
    /// Admin of the proxies.
    pub proxy_admin: Address,
    /// Pause switch and its guardian.
    pub superchain_config: Address,
    /// Versions that nodes should have; nobody here reads it.
    pub protocol_versions: Address,
    /// Parameters that derivation follows.
    pub system_config: Address,
    /// Deposits and withdrawals: an `OptimismPortal2`.
    pub optimism_portal: Address,
    /// Messages to L2 and from it.
    pub l1_cross_domain_messenger: Address,
    /// Bridge of ether and ERC-20 tokens.
    pub l1_standard_bridge: Address,
    /// Bridge of ERC-721 tokens.
    #[serde(rename = "L1ERC721Bridge")]
    pub l1_erc721_bridge: Address,
    /// Creates L1 tokens for tokens of L2.
    #[serde(rename = "OptimismMintableERC20Factory")]
    pub optimism_mintable_erc20_factory: Address,
    /// Where output roots are proposed.
    pub dispute_game_factory: Address,
    /// The latest output root that stands.
    pub anchor_state_registry: Address,
    /// What the factory makes clones of.
    pub output_game: Address,
    /// Who proposes and who decides.
    pub output_roles: Address,
    /// Where batches are sent.
    pub batch_inbox: Address,
    /// Operators of the DA network.
    pub operator_registry: Address,
    /// Verifier of certificates from epoch 0 on.
    pub certificate_verifier: Address,
    /// Chooses the verifier of an epoch; the address to ask.
    pub certificate_verifier_router: Address,
    /// Many calls in one, for clients.
    pub multicall3: Address,
    /// Code behind the proxies.
    #[serde(flatten)]
    pub implementations: Implementations,
}

/// Code behind the proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Implementations {
    /// Of the `SuperchainConfig`.
    #[serde(rename = "SuperchainConfigImpl")]
    pub superchain_config: Address,
    /// Of the `ProtocolVersions`.
    #[serde(rename = "ProtocolVersionsImpl")]
    pub protocol_versions: Address,
    /// Of the `SystemConfig`.
    #[serde(rename = "SystemConfigImpl")]
    pub system_config: Address,
    /// Of the `OptimismPortal2`.
    #[serde(rename = "OptimismPortalImpl")]
    pub optimism_portal: Address,
    /// Of the `L1CrossDomainMessenger`.
    #[serde(rename = "L1CrossDomainMessengerImpl")]
    pub l1_cross_domain_messenger: Address,
    /// Of the `L1StandardBridge`.
    #[serde(rename = "L1StandardBridgeImpl")]
    pub l1_standard_bridge: Address,
    /// Of the `L1ERC721Bridge`.
    #[serde(rename = "L1ERC721BridgeImpl")]
    pub l1_erc721_bridge: Address,
    /// Of the `OptimismMintableERC20Factory`.
    #[serde(rename = "OptimismMintableERC20FactoryImpl")]
    pub optimism_mintable_erc20_factory: Address,
    /// Of the `DisputeGameFactory`.
    #[serde(rename = "DisputeGameFactoryImpl")]
    pub dispute_game_factory: Address,
    /// Of the `AnchorStateRegistry`.
    #[serde(rename = "AnchorStateRegistryImpl")]
    pub anchor_state_registry: Address,
}
