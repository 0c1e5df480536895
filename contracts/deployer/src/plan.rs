//! What is sent to L1, in which order, and by what one sees on L1 that it is done.
//!
//! Addresses come from CREATE2 with a salt that commits to all settings, so they are known at once and
//! one run after the other looks for the same contracts. Nothing is remembered anywhere but on L1:
//! a contract is there when its address has code, and a proxy is initialized when it has an
//! implementation, because both are set by one call.
//!
//! ```text
//! first: implementations ─► proxies ─► our contracts ─► initialization ─► SystemConfig
//!                                                                            │ its block: L2's genesis
//! last:                       anchor = output root of the genesis ◄──────────┘ ─► owners
//! ```
//!
//! SystemConfig comes at the end of the first part because the portal takes no deposit before. L2's
//! L1 origin is the block before the one in which it was initialized, so no deposit can be lost.

use alloy_primitives::{Address, B256, Bytes, U256, b256, keccak256};

use crate::config::Settings;
use crate::contracts::Contracts;
use crate::create2;

mod bridge;
mod initialize;
mod ours;
mod owners;

/// `keccak256("eip1967.proxy.implementation") - 1`.
pub(crate) const IMPLEMENTATION_SLOT: B256 =
    b256!("0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");

/// Gas that a constructor may use beside what its code costs.
const CONSTRUCTOR_GAS: u64 = 350_000;
const CREATION_GAS: u64 = 21_000 + 32_000;
/// For each byte of deployed code.
const CODE_GAS: u64 = 200;
/// For each byte of calldata, at most. EIP-7623's floor of 40 is far below what a creation takes.
const CALLDATA_GAS: u64 = 16;
/// What initializing a proxy takes at most.
const INITIALIZATION_GAS: u64 = 700_000;
/// What any other call takes at most.
const CALL_GAS: u64 = 200_000;

/// A transaction, and how to see that it has done its work.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) to: Address,
    pub(crate) data: Bytes,
    pub(crate) gas: u64,
    pub(crate) done: Done,
}

/// What is the case once a step is done.
#[derive(Debug, Clone)]
pub(crate) enum Done {
    /// The address has code.
    Code(Address),
    /// The proxy has an implementation.
    Proxied(Address),
    /// A call answers this word.
    Answers(Address, Bytes, B256),
    /// A call answers another word than this.
    AnswersNot(Address, Bytes, B256),
    /// One of these.
    Either(Box<Self>, Box<Self>),
}

/// The whole deployment.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) contracts: Contracts,
    /// All up to the initialization of the SystemConfig.
    pub(crate) first: Vec<Step>,
    fingerprint: B256,
}

impl Plan {
    pub(crate) fn new(settings: Settings) -> Self {
        let fingerprint = settings.fingerprint();
        let contracts = Contracts::default();
        let mut plan = Self { settings, contracts, first: Vec::new(), fingerprint };
        plan.deploy_bridge();
        plan.deploy_ours();
        plan.initialize();
        plan
    }

    /// What follows the genesis: its output root as the anchor, and the change of owners.
    pub(crate) fn last(&self, output_root: B256) -> Vec<Step> {
        let mut steps = vec![self.set_anchor(output_root)];
        steps.extend(self.transfer_ownership());
        steps
    }

    /// Adds the creation of a contract; arguments are the encoded ones of its constructor.
    fn create(&mut self, name: &str, init_code: &Bytes, arguments: &[u8]) -> Address {
        let init_code = [init_code, arguments].concat();
        let salt = keccak256([self.fingerprint.as_slice(), name.as_bytes()].concat());
        let address = create2::address_of(salt, &init_code);
        let length = init_code.len() as u64;
        // A creation passes on 63 of 64 parts.
        let gas = CREATION_GAS + (CALLDATA_GAS + CODE_GAS) * length + CONSTRUCTOR_GAS;
        self.first.push(Step {
            name: format!("create {name}"),
            to: create2::DEPLOYMENT_PROXY,
            data: create2::creation(salt, &init_code),
            gas: gas + gas / 63,
            done: Done::Code(address),
        });
        address
    }

    fn call(&mut self, name: &str, to: Address, data: Vec<u8>, done: Done) {
        let name = name.to_owned();
        self.first.push(Step { name, to, data: data.into(), gas: CALL_GAS, done });
    }
}

fn word(value: impl Into<U256>) -> B256 {
    value.into().into()
}
