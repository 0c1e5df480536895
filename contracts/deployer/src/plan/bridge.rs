//! Contracts of the bridge, from the artifacts of the npm package.

use alloy::sol_types::SolValue;
use alloy_primitives::{Bytes, U256};

use super::Plan;
use crate::artifact::init_code;

impl Plan {
    /// The proxies are the same code with the same argument; only their salts differ.
    pub(super) fn deploy_bridge(&mut self) {
        let deployer = self.settings.deployer.abi_encode();
        self.contracts.proxy_admin =
            self.create("ProxyAdmin", &init_code!("bridge/ProxyAdmin"), &deployer);
        self.create_proxies();
        self.create_implementations();
    }

    fn create_proxies(&mut self) {
        let proxy = init_code!("bridge/Proxy");
        let admin = self.contracts.proxy_admin.abi_encode();
        let mut create = |name: &str| self.create(name, &proxy, &admin);
        let superchain_config = create("SuperchainConfig");
        let protocol_versions = create("ProtocolVersions");
        let system_config = create("SystemConfig");
        let optimism_portal = create("OptimismPortal");
        let l1_cross_domain_messenger = create("L1CrossDomainMessenger");
        let l1_standard_bridge = create("L1StandardBridge");
        let l1_erc721_bridge = create("L1ERC721Bridge");
        let optimism_mintable_erc20_factory = create("OptimismMintableERC20Factory");
        let dispute_game_factory = create("DisputeGameFactory");
        let anchor_state_registry = create("AnchorStateRegistry");
        self.contracts = crate::Contracts {
            superchain_config,
            protocol_versions,
            system_config,
            optimism_portal,
            l1_cross_domain_messenger,
            l1_standard_bridge,
            l1_erc721_bridge,
            optimism_mintable_erc20_factory,
            dispute_game_factory,
            anchor_state_registry,
            ..self.contracts
        };
    }

    fn create_implementations(&mut self) {
        let withdrawals = &self.settings.config.withdrawals;
        let delays = (
            U256::from(withdrawals.proof_maturity_delay),
            U256::from(withdrawals.game_finality_delay),
        )
            .abi_encode();
        let factory = self.contracts.dispute_game_factory.abi_encode();
        let mut create = |name: &str, init_code: &Bytes, arguments: &[u8]| {
            self.create(&format!("{name}Impl"), init_code, arguments)
        };
        let implementations = crate::Implementations {
            superchain_config: create(
                "SuperchainConfig",
                &init_code!("bridge/SuperchainConfig"),
                &[],
            ),
            protocol_versions: create(
                "ProtocolVersions",
                &init_code!("bridge/ProtocolVersions"),
                &[],
            ),
            system_config: create("SystemConfig", &init_code!("bridge/SystemConfig"), &[]),
            optimism_portal: create(
                "OptimismPortal",
                &init_code!("bridge/OptimismPortal2"),
                &delays,
            ),
            l1_cross_domain_messenger: create(
                "L1CrossDomainMessenger",
                &init_code!("bridge/L1CrossDomainMessenger"),
                &[],
            ),
            l1_standard_bridge: create(
                "L1StandardBridge",
                &init_code!("bridge/L1StandardBridge"),
                &[],
            ),
            l1_erc721_bridge: create("L1ERC721Bridge", &init_code!("bridge/L1ERC721Bridge"), &[]),
            optimism_mintable_erc20_factory: create(
                "OptimismMintableERC20Factory",
                &init_code!("bridge/OptimismMintableERC20Factory"),
                &[],
            ),
            dispute_game_factory: create(
                "DisputeGameFactory",
                &init_code!("bridge/DisputeGameFactory"),
                &[],
            ),
            anchor_state_registry: create(
                "AnchorStateRegistry",
                &init_code!("bridge/AnchorStateRegistry"),
                &factory,
            ),
        };
        self.contracts.implementations = implementations;
    }
}
