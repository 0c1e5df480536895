//! Our own contracts.

use alloy::sol_types::SolValue;
use alloy_primitives::U256;
use alloy_primitives::aliases::U96;

use super::Plan;
use crate::artifact::{init_code, multicall3_init_code};
use crate::interfaces::RegistryParameters;

impl Plan {
    pub(super) fn deploy_ours(&mut self) {
        self.deploy_da();
        self.deploy_games();
        let arguments = (
            self.contracts.system_config,
            self.contracts.certificate_verifier_router,
            self.contracts.operator_registry,
        )
            .abi_encode();
        self.contracts.batch_inbox =
            self.create("BatchInbox", &init_code!("da/BatchInbox"), &arguments);
        self.contracts.multicall3 = self.create("Multicall3", &multicall3_init_code(), &[]);
    }

    /// The deployer owns the registry until the inbox may report signers to it.
    fn deploy_da(&mut self) {
        let da = &self.settings.config.da;
        let parameters = RegistryParameters {
            stakeMin: U96::from(da.stake_min),
            operatorsMin: da.operators_min,
            signingRateMin: da.signing_rate_min,
            signingWindow: da.signing_window,
            certificatesMin: da.certificates_min,
            rejoinDelay: da.rejoin_delay,
        };
        let arguments = (
            self.settings.deployer,
            U256::from(da.genesis_time),
            U256::from(da.epoch_length),
            U256::from(da.certificate_lifetime),
            U256::from(da.seed_delay),
            parameters,
        )
            .abi_encode_params();
        let registry =
            self.create("OperatorRegistry", &init_code!("da/OperatorRegistry"), &arguments);
        let verifier = self.create(
            "CertificateVerifier",
            &init_code!("da/CertificateVerifier"),
            &registry.abi_encode(),
        );
        let arguments = (self.settings.roles.owner, registry, verifier).abi_encode();
        self.contracts.certificate_verifier_router = self.create(
            "CertificateVerifierRouter",
            &init_code!("da/CertificateVerifierRouter"),
            &arguments,
        );
        self.contracts.operator_registry = registry;
        self.contracts.certificate_verifier = verifier;
    }

    fn deploy_games(&mut self) {
        let roles = self.settings.roles;
        let arguments = (roles.owner, roles.proposer, roles.arbiter).abi_encode();
        let roles = self.create("OutputRoles", &init_code!("rollup/OutputRoles"), &arguments);
        let withdrawals = &self.settings.config.withdrawals;
        let arguments = (
            withdrawals.game_type,
            self.contracts.dispute_game_factory,
            self.contracts.anchor_state_registry,
            roles,
            withdrawals.challenge_window,
            withdrawals.decision_window,
        )
            .abi_encode();
        self.contracts.output_roles = roles;
        self.contracts.output_game =
            self.create("OutputGame", &init_code!("rollup/OutputGame"), &arguments);
    }
}
