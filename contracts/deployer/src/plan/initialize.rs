//! Initialization of the proxies, in the order of OP's own deployment script; SystemConfig last.

use alloy::sol_types::SolCall;
use alloy_primitives::{Address, Bytes, U256, address};
use cairn_primitives::SystemAttributes;

use super::{Done, INITIALIZATION_GAS, Plan, Step, word};
use crate::interfaces::{
    IDisputeGameFactory, IL1CrossDomainMessenger, IL1ERC721Bridge, IL1StandardBridge,
    IOperatorRegistry, IOptimismMintableERC20Factory, IOptimismPortal, IProtocolVersions,
    IProxyAdmin, ISuperchainConfig, ISystemConfig, ResourceConfig, SystemAddresses,
};

/// Stands for ether where a token's address is asked for.
const ETHER: Address = address!("0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE");

/// How the portal prices the L2 gas of deposits: the values of every OP chain.
const DEPOSIT_MARKET: ResourceConfig = ResourceConfig {
    maxResourceLimit: 20_000_000,
    elasticityMultiplier: 10,
    baseFeeMaxChangeDenominator: 8,
    minimumBaseFee: 1_000_000_000,
    systemTxMaxGas: 1_000_000,
    maximumBaseFee: u128::MAX,
};

impl Plan {
    pub(super) fn initialize(&mut self) {
        self.initialize_superchain();
        self.initialize_games();
        self.initialize_bridge();
        self.allow_reports();
        self.initialize_system_config();
    }

    /// Sets a proxy's implementation and calls its initializer, in one transaction.
    pub(super) fn proxied(
        &self,
        name: &str,
        proxy: Address,
        implementation: Address,
        initializer: Vec<u8>,
    ) -> Step {
        let data = Bytes::from(initializer);
        let call = IProxyAdmin::upgradeAndCallCall { proxy, implementation, data };
        Step {
            name: format!("initialize {name}"),
            to: self.contracts.proxy_admin,
            data: call.abi_encode().into(),
            gas: INITIALIZATION_GAS,
            done: Done::Proxied(proxy),
        }
    }

    fn initialize_superchain(&mut self) {
        let (contracts, roles) = (self.contracts, self.settings.roles);
        let call = ISuperchainConfig::initializeCall { guardian: roles.guardian, paused: false };
        self.first.push(self.proxied(
            "SuperchainConfig",
            contracts.superchain_config,
            contracts.implementations.superchain_config,
            call.abi_encode(),
        ));
        let call = IProtocolVersions::initializeCall {
            owner: roles.owner,
            required: U256::ZERO,
            recommended: U256::ZERO,
        };
        self.first.push(self.proxied(
            "ProtocolVersions",
            contracts.protocol_versions,
            contracts.implementations.protocol_versions,
            call.abi_encode(),
        ));
    }

    fn initialize_games(&mut self) {
        let contracts = self.contracts;
        let factory = contracts.dispute_game_factory;
        let call = IDisputeGameFactory::initializeCall { owner: self.settings.deployer };
        self.first.push(self.proxied(
            "DisputeGameFactory",
            factory,
            contracts.implementations.dispute_game_factory,
            call.abi_encode(),
        ));
        let withdrawals = &self.settings.config.withdrawals;
        let (game_type, bond) = (withdrawals.game_type, withdrawals.proposal_bond);
        let call = IDisputeGameFactory::setInitBondCall { gameType: game_type, bond };
        let asked = IDisputeGameFactory::initBondsCall { gameType: game_type };
        // A bond of zero is there from the start.
        let done = Done::Answers(factory, asked.abi_encode().into(), word(bond));
        self.call("set bond of OutputGame", factory, call.abi_encode(), done);
        let implementation = contracts.output_game;
        let call =
            IDisputeGameFactory::setImplementationCall { gameType: game_type, implementation };
        let asked = IDisputeGameFactory::gameImplsCall { gameType: game_type };
        let done = Done::Answers(factory, asked.abi_encode().into(), implementation.into_word());
        self.call("register OutputGame", factory, call.abi_encode(), done);
    }

    fn initialize_bridge(&mut self) {
        let contracts = self.contracts;
        let code = contracts.implementations;
        let (messenger, superchain, system) = (
            contracts.l1_cross_domain_messenger,
            contracts.superchain_config,
            contracts.system_config,
        );
        let portal = IOptimismPortal::initializeCall {
            disputeGameFactory: contracts.dispute_game_factory,
            systemConfig: system,
            superchainConfig: superchain,
            respectedGameType: self.settings.config.withdrawals.game_type,
        };
        let messages = IL1CrossDomainMessenger::initializeCall {
            superchainConfig: superchain,
            portal: contracts.optimism_portal,
            systemConfig: system,
        };
        let standard = IL1StandardBridge::initializeCall {
            messenger,
            superchainConfig: superchain,
            systemConfig: system,
        };
        let erc721 = IL1ERC721Bridge::initializeCall { messenger, superchainConfig: superchain };
        let factory =
            IOptimismMintableERC20Factory::initializeCall { bridge: contracts.l1_standard_bridge };
        let steps = [
            self.proxied(
                "OptimismPortal",
                contracts.optimism_portal,
                code.optimism_portal,
                portal.abi_encode(),
            ),
            self.proxied(
                "L1CrossDomainMessenger",
                messenger,
                code.l1_cross_domain_messenger,
                messages.abi_encode(),
            ),
            self.proxied(
                "L1StandardBridge",
                contracts.l1_standard_bridge,
                code.l1_standard_bridge,
                standard.abi_encode(),
            ),
            self.proxied(
                "L1ERC721Bridge",
                contracts.l1_erc721_bridge,
                code.l1_erc721_bridge,
                erc721.abi_encode(),
            ),
            self.proxied(
                "OptimismMintableERC20Factory",
                contracts.optimism_mintable_erc20_factory,
                code.optimism_mintable_erc20_factory,
                factory.abi_encode(),
            ),
        ];
        self.first.extend(steps);
    }

    fn allow_reports(&mut self) {
        let (registry, inbox) = (self.contracts.operator_registry, self.contracts.batch_inbox);
        let call = IOperatorRegistry::setRecorderCall { account: inbox, allowed: true };
        let asked = IOperatorRegistry::isRecorderCall { account: inbox };
        let done = Done::Answers(registry, asked.abi_encode().into(), word(U256::ONE));
        self.call("allow BatchInbox to report signers", registry, call.abi_encode(), done);
    }

    fn initialize_system_config(&mut self) {
        let (contracts, roles, l2) =
            (self.contracts, self.settings.roles, &self.settings.config.l2);
        let call = ISystemConfig::initializeCall {
            owner: roles.owner,
            basefeeScalar: l2.base_fee_scalar,
            blobbasefeeScalar: l2.blob_base_fee_scalar,
            batcherHash: SystemAttributes::batcher_hash_of(roles.batcher),
            gasLimit: l2.gas_limit,
            unsafeBlockSigner: roles.unsafe_block_signer,
            config: DEPOSIT_MARKET,
            batchInbox: contracts.batch_inbox,
            addresses: SystemAddresses {
                l1CrossDomainMessenger: contracts.l1_cross_domain_messenger,
                l1ERC721Bridge: contracts.l1_erc721_bridge,
                l1StandardBridge: contracts.l1_standard_bridge,
                disputeGameFactory: contracts.dispute_game_factory,
                optimismPortal: contracts.optimism_portal,
                optimismMintableERC20Factory: contracts.optimism_mintable_erc20_factory,
                gasPayingToken: ETHER,
            },
        };
        self.first.push(self.proxied(
            "SystemConfig",
            contracts.system_config,
            contracts.implementations.system_config,
            call.abi_encode(),
        ));
    }
}
