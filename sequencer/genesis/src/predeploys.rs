//! Contracts of the protocol, at `0x4200…0000` to `0x4200…07ff`.
//!
//! Every address of the range holds a proxy whose admin is the [`PROXY_ADMIN`], except [`WETH`],
//! which is no proxy, and the governance token's, which stays empty. Implementations live at
//! `0xc0d3c0d3…3xxxx` with the same last two bytes. Proxies without implementation wait for an
//! upgrade.
//!
//! | contract | code |
//! |---|---|
//! | `L1Block`, `GasPriceOracle`, `OperatorFeeVault` | ours, at Jovian level |
//! | messenger, bridges, passer, vaults, factories, `ProxyAdmin`, `WETH`, `EAS`, `SchemaRegistry` | `@eth-optimism/contracts-bedrock` 0.17.3 |
//! | `LegacyMessagePasser`, `DeployerWhitelist`, `LegacyERC20ETH`, `L1BlockNumber` | left out: deprecated before this chain began |
//! | `GovernanceToken` | left out: the token of another system's governance |
//! | `CrossL2Inbox`, `L2ToL2CrossDomainMessenger` | left out: interoperability is no part of Jovian |

use alloy_primitives::{Address, B256, U256, address, b256};

use crate::alloc::Alloc;
use crate::artifact::artifact;

mod eas;

/// Sends messages to the other chain and relays those from it.
pub const L2_CROSS_DOMAIN_MESSENGER: Address = predeploy(0x07);
/// Wrapped ether.
pub const WETH: Address = predeploy(0x06);
/// Estimates of L1 data fee and operator fee.
pub const GAS_PRICE_ORACLE: Address = predeploy(0x0f);
/// Bridge of ether and ERC-20 tokens.
pub const L2_STANDARD_BRIDGE: Address = predeploy(0x10);
/// Receives the priority fees; the fee recipient of every block.
pub const SEQUENCER_FEE_VAULT: Address = predeploy(0x11);
/// Creates ERC-20 tokens that the bridge can mint.
pub const OPTIMISM_MINTABLE_ERC20_FACTORY: Address = predeploy(0x12);
/// Bridge of ERC-721 tokens.
pub const L2_ERC721_BRIDGE: Address = predeploy(0x14);
/// What L2 knows of L1.
pub const L1_BLOCK: Address = cairn_primitives::L1_BLOCK_ADDRESS;
/// Holds the hashes of withdrawals; its storage root stands in every header.
pub const L2_TO_L1_MESSAGE_PASSER: Address = predeploy(0x16);
/// Creates ERC-721 tokens that the bridge can mint.
pub const OPTIMISM_MINTABLE_ERC721_FACTORY: Address = predeploy(0x17);
/// Admin of the proxies.
pub const PROXY_ADMIN: Address = predeploy(0x18);
/// Receives the base fees.
pub const BASE_FEE_VAULT: Address = predeploy(0x19);
/// Receives the L1 data fees.
pub const L1_FEE_VAULT: Address = predeploy(0x1a);
/// Receives the operator fees.
pub const OPERATOR_FEE_VAULT: Address = predeploy(0x1b);
/// Schemas of attestations.
pub const SCHEMA_REGISTRY: Address = predeploy(0x20);
/// Ethereum Attestation Service.
pub const EAS: Address = predeploy(0x21);

/// Where an OP chain may have its governance token. Empty here.
const GOVERNANCE_TOKEN: Address = predeploy(0x42);
const PREDEPLOY_COUNT: u16 = 2048;

/// `keccak256("eip1967.proxy.implementation") - 1`.
const IMPLEMENTATION_SLOT: B256 =
    b256!("0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
/// `keccak256("eip1967.proxy.admin") - 1`.
const ADMIN_SLOT: B256 =
    b256!("0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");
/// Sender that the messenger shows while no message is being relayed.
const DEFAULT_L2_SENDER: Address = address!("0x000000000000000000000000000000000000dEaD");

/// The predeploy with that number, below 2048.
pub const fn predeploy(number: u16) -> Address {
    with_number(address!("0x4200000000000000000000000000000000000000"), number)
}

/// Address of the implementation behind a predeploy's proxy.
pub const fn implementation(number: u16) -> Address {
    with_number(address!("0xc0D3C0d3C0d3C0D3c0d3C0d3c0D3C0d3c0d30000"), number)
}

const fn with_number(base: Address, number: u16) -> Address {
    let mut bytes = base.into_array();
    let [high, low] = number.to_be_bytes();
    bytes[18] = high;
    bytes[19] = low;
    Address::new(bytes)
}

/// What the predeploys of one chain are told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PredeployOptions {
    /// Chain id of the L2.
    pub(crate) chain_id: u64,
    /// Chain id of the L1.
    pub(crate) l1_chain_id: u64,
    /// Owner of the proxy admin.
    pub(crate) owner: Address,
    /// Receiver of the fees of the three older vaults.
    pub(crate) fee_recipient: Address,
    pub(crate) l1_messenger: Address,
    pub(crate) l1_standard_bridge: Address,
    pub(crate) l1_erc721_bridge: Address,
}

type Slots = Vec<(B256, B256)>;

fn slot(number: u64, value: impl Into<B256>) -> (B256, B256) {
    (U256::from(number).into(), value.into())
}

fn word(value: u64) -> B256 {
    U256::from(value).into()
}

/// Adds proxies and implementations.
pub(crate) fn allocate(alloc: &mut Alloc, options: &PredeployOptions) {
    let proxied = implementations(options);
    let proxy = artifact!("predeploys/Proxy").code();
    for number in 0..PREDEPLOY_COUNT {
        let address = predeploy(number);
        if address == WETH || address == GOVERNANCE_TOKEN {
            continue;
        }
        let mut storage = vec![(ADMIN_SLOT, PROXY_ADMIN.into_word())];
        if let Some(predeploy) = proxied.iter().find(|p| p.number == number) {
            storage.push((IMPLEMENTATION_SLOT, implementation(number).into_word()));
            storage.extend(predeploy.storage.iter().copied());
        }
        alloc.contract(address, proxy.clone(), storage);
    }
    for Proxied { number, code, locked, .. } in proxied {
        alloc.contract(implementation(number), code, locked);
    }
    alloc.contract(WETH, artifact!("predeploys/WETH").code(), []);
}

/// A contract behind a proxy.
struct Proxied {
    number: u16,
    code: alloy_primitives::Bytes,
    /// Storage of the proxy.
    storage: Slots,
    /// Storage of the implementation: what its constructor leaves, so that nobody initializes it.
    locked: Slots,
}

impl Proxied {
    const fn new(number: u16, code: alloy_primitives::Bytes) -> Self {
        Self { number, code, storage: Vec::new(), locked: Vec::new() }
    }

    fn with_storage(mut self, storage: impl Into<Slots>, locked: impl Into<Slots>) -> Self {
        self.storage = storage.into();
        self.locked = locked.into();
        self
    }
}

fn implementations(options: &PredeployOptions) -> Vec<Proxied> {
    let vault = |artifact: crate::artifact::Artifact| {
        // Any balance may be withdrawn, on L2 (network 1), to the recipient.
        artifact
            .with("RECIPIENT", options.fee_recipient.into_word())
            .with("MIN_WITHDRAWAL_AMOUNT", word(0))
            .with("WITHDRAWAL_NETWORK", word(1))
            .code()
    };
    let erc721_factory = artifact!("predeploys/OptimismMintableERC721Factory")
        .with("BRIDGE", L2_ERC721_BRIDGE.into_word())
        .with("REMOTE_CHAIN_ID", word(options.l1_chain_id));
    vec![
        messenger(options),
        // The flags of Ecotone, Fjord, Isthmus and Jovian, one byte each.
        Proxied::new(0x0f, artifact!("rollup/GasPriceOracle").code())
            .with_storage([slot(0, word(0x0101_0101))], []),
        standard_bridge(options),
        Proxied::new(0x11, vault(artifact!("predeploys/SequencerFeeVault"))),
        // Slot 0 holds `_initialized`, slot 1 the bridge.
        Proxied::new(0x12, artifact!("predeploys/OptimismMintableERC20Factory").code())
            .with_storage(
                [slot(0, word(1)), slot(1, L2_STANDARD_BRIDGE.into_word())],
                [slot(0, word(1))],
            ),
        erc721_bridge(options),
        Proxied::new(0x15, artifact!("rollup/L1Block").code()),
        Proxied::new(0x16, artifact!("predeploys/L2ToL1MessagePasser").code()),
        Proxied::new(0x17, erc721_factory.code()),
        Proxied::new(0x18, artifact!("predeploys/ProxyAdmin").code()).with_storage(
            [slot(0, options.owner.into_word())],
            [slot(0, options.owner.into_word())],
        ),
        Proxied::new(0x19, vault(artifact!("predeploys/BaseFeeVault"))),
        Proxied::new(0x1a, vault(artifact!("predeploys/L1FeeVault"))),
        Proxied::new(0x1b, artifact!("rollup/OperatorFeeVault").code()),
        Proxied::new(0x20, artifact!("predeploys/SchemaRegistry").code()),
        Proxied::new(0x21, eas::code(options.chain_id)),
    ]
}

/// Slot 0 holds an address of the legacy messenger below the `_initialized` byte at offset 20;
/// slot 204 the sender of the message being relayed, slot 207 the other messenger.
fn messenger(options: &PredeployOptions) -> Proxied {
    let initialized = slot(0, B256::from(U256::ONE << 160));
    let sender = slot(204, DEFAULT_L2_SENDER.into_word());
    Proxied::new(0x07, artifact!("predeploys/L2CrossDomainMessenger").code()).with_storage(
        [initialized, sender, slot(207, options.l1_messenger.into_word())],
        [initialized, sender],
    )
}

/// Slot 0 holds `_initialized`, slot 3 the messenger, slot 4 the other bridge.
fn standard_bridge(options: &PredeployOptions) -> Proxied {
    let common = [slot(0, word(1)), slot(3, L2_CROSS_DOMAIN_MESSENGER.into_word())];
    let other = slot(4, options.l1_standard_bridge.into_word());
    Proxied::new(0x10, artifact!("predeploys/L2StandardBridge").code())
        .with_storage([common[0], common[1], other], common)
}

/// Slot 0 holds `_initialized`, slot 1 the messenger, slot 2 the other bridge.
fn erc721_bridge(options: &PredeployOptions) -> Proxied {
    let common = [slot(0, word(1)), slot(1, L2_CROSS_DOMAIN_MESSENGER.into_word())];
    let other = slot(2, options.l1_erc721_bridge.into_word());
    Proxied::new(0x14, artifact!("predeploys/L2ERC721Bridge").code())
        .with_storage([common[0], common[1], other], common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_agree() {
        assert_eq!(EAS, address!("0x4200000000000000000000000000000000000021"));
        assert_eq!(predeploy(0x7ff), address!("0x42000000000000000000000000000000000007ff"));
        assert_eq!(predeploy(0x15), L1_BLOCK);
        assert_eq!(implementation(0x15), address!("0xc0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d30015"));
    }

    #[test]
    fn slots_of_proxies_are_those_of_eip_1967() {
        let slot = |name: &str| {
            B256::from(U256::from_be_bytes(alloy_primitives::keccak256(name).0) - U256::ONE)
        };
        assert_eq!(IMPLEMENTATION_SLOT, slot("eip1967.proxy.implementation"));
        assert_eq!(ADMIN_SLOT, slot("eip1967.proxy.admin"));
    }
}
