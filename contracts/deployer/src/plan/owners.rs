//! The last part: the anchor, and the owner in the deployer's place.

use alloy::sol_types::SolCall;
use alloy_primitives::{Address, B256, U256};

use super::{CALL_GAS, Done, Plan, Step};
use crate::interfaces::{IAnchorStateRegistry, IOwnable, OutputRoot, StartingAnchorRoot};

impl Plan {
    /// Makes L2's genesis the output root that all proposals must be later than. Games cannot be
    /// created before.
    pub(super) fn set_anchor(&self, output_root: B256) -> Step {
        let anchor = StartingAnchorRoot {
            gameType: self.settings.config.withdrawals.game_type,
            outputRoot: OutputRoot { root: output_root, l2BlockNumber: U256::ZERO },
        };
        let call = IAnchorStateRegistry::initializeCall { anchors: vec![anchor] };
        self.proxied(
            "AnchorStateRegistry",
            self.contracts.anchor_state_registry,
            self.contracts.implementations.anchor_state_registry,
            call.abi_encode(),
        )
    }

    /// The proxy admin comes last: without it the anchor cannot be set. The registry's owner must
    /// accept.
    pub(super) fn transfer_ownership(&self) -> Vec<Step> {
        let (owner, deployer) = (self.settings.roles.owner, self.settings.deployer);
        if owner == deployer {
            return Vec::new();
        }
        let registry = self.contracts.operator_registry;
        let offered = Done::Answers(
            registry,
            IOwnable::pendingOwnerCall {}.abi_encode().into(),
            owner.into_word(),
        );
        let given = |contract: Address| {
            let asked = IOwnable::ownerCall {}.abi_encode().into();
            Done::AnswersNot(contract, asked, deployer.into_word())
        };
        let transfer = |name: &str, contract: Address, done: Done| Step {
            name: format!("transfer {name}"),
            to: contract,
            data: IOwnable::transferOwnershipCall { newOwner: owner }.abi_encode().into(),
            gas: CALL_GAS,
            done,
        };
        let (factory, admin) = (self.contracts.dispute_game_factory, self.contracts.proxy_admin);
        let registry_done = Done::Either(Box::new(offered), Box::new(given(registry)));
        vec![
            transfer("OperatorRegistry", registry, registry_done),
            transfer("DisputeGameFactory", factory, given(factory)),
            transfer("ProxyAdmin", admin, given(admin)),
        ]
    }
}
