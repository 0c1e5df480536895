//! Predeploys and preinstalls in execution.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolEvent, SolValue, sol};
use cairn_genesis::preinstalls::{
    CREATE2_DEPLOYER, ENTRY_POINT_V06, ENTRY_POINT_V07, MULTICALL3, PERMIT2, SENDER_CREATOR_V07,
};
use cairn_genesis::{DevOptions, dev_accounts, predeploys};
use cairn_primitives::{L1Attributes, TxEnvelope};
use predeploys::{
    BASE_FEE_VAULT, EAS, L1_BLOCK, L1_FEE_VAULT, L2_CROSS_DOMAIN_MESSENGER, L2_ERC721_BRIDGE,
    L2_STANDARD_BRIDGE, L2_TO_L1_MESSAGE_PASSER, OPERATOR_FEE_VAULT,
    OPTIMISM_MINTABLE_ERC20_FACTORY, OPTIMISM_MINTABLE_ERC721_FACTORY, PROXY_ADMIN,
    SCHEMA_REGISTRY, SEQUENCER_FEE_VAULT, WETH, implementation, predeploy,
};

use crate::chain::Chain;

sol! {
    function initialize(address other) external;
    function otherMessenger() external view returns (address);
    function otherBridge() external view returns (address);
    function messenger() external view returns (address);
    function bridge() external view returns (address);
    function BRIDGE() external view returns (address);
    function REMOTE_CHAIN_ID() external view returns (uint256);
    function RECIPIENT() external view returns (address);
    function MIN_WITHDRAWAL_AMOUNT() external view returns (uint256);
    function WITHDRAWAL_NETWORK() external view returns (uint8);
    function withdraw() external;
    function owner() external view returns (address);
    function getProxyImplementation(address proxy) external view returns (address);
    function getProxyAdmin(address proxy) external view returns (address);
    function upgrade(address proxy, address implementation) external;
    function name() external view returns (string);
    function symbol() external view returns (string);
    function deposit() external payable;
    function balanceOf(address account) external view returns (uint256);
    function getDomainSeparator() external view returns (bytes32);
    function getName() external view returns (string);
    function getSchemaRegistry() external view returns (address);
    function DOMAIN_SEPARATOR() external view returns (bytes32);
    function getChainId() external view returns (uint256);
    function getNonce(address sender, uint192 key) external view returns (uint256);
    function createOptimismMintableERC20(address remote, string name, string symbol) external returns (address);
    function initiateWithdrawal(address target, uint256 gasLimit, bytes data) external payable;
    function sentMessages(bytes32 hash) external view returns (bool);
    event MessagePassed(uint256 indexed nonce, address indexed sender, address indexed target, uint256 value, uint256 gasLimit, bytes data, bytes32 withdrawalHash);
}

const L1_MESSENGER: Address = Address::repeat_byte(0xa1);
const L1_BRIDGE: Address = Address::repeat_byte(0xa2);
const L1_ERC721_BRIDGE: Address = Address::repeat_byte(0xa3);

fn chain() -> Chain {
    Chain::new(&DevOptions {
        l1_messenger: L1_MESSENGER,
        l1_standard_bridge: L1_BRIDGE,
        l1_erc721_bridge: L1_ERC721_BRIDGE,
        ..DevOptions::default()
    })
}

fn first_address() -> Address {
    dev_accounts(1).unwrap()[0].address
}

/// Executes one transaction of the first account in a block of its own and returns its logs.
fn send(chain: &mut Chain, to: Address, value: u64, data: Vec<u8>) -> Vec<alloy_primitives::Log> {
    let account = dev_accounts(1).unwrap()[0];
    let tx: (TxEnvelope, Address) = chain.sign(&account, to, U256::from(value), data.into());
    let outcome = chain.block(&L1Attributes::default(), &[tx]);
    let receipt = &outcome.receipts[1].inner;
    assert!(receipt.status.coerce_status(), "transaction to {to} reverted");
    receipt.logs.clone()
}

#[test]
fn bridges_and_messenger_know_their_counterparts() {
    let chain = chain();
    assert_eq!(chain.call(L2_CROSS_DOMAIN_MESSENGER, &otherMessengerCall {}), L1_MESSENGER);
    assert_eq!(chain.call(L2_STANDARD_BRIDGE, &otherBridgeCall {}), L1_BRIDGE);
    assert_eq!(chain.call(L2_ERC721_BRIDGE, &otherBridgeCall {}), L1_ERC721_BRIDGE);
    for bridge in [L2_STANDARD_BRIDGE, L2_ERC721_BRIDGE] {
        assert_eq!(chain.call(bridge, &messengerCall {}), L2_CROSS_DOMAIN_MESSENGER);
    }
    assert_eq!(chain.call(OPTIMISM_MINTABLE_ERC20_FACTORY, &bridgeCall {}), L2_STANDARD_BRIDGE);
    let erc721 = OPTIMISM_MINTABLE_ERC721_FACTORY;
    assert_eq!(chain.call(erc721, &BRIDGECall {}), L2_ERC721_BRIDGE);
    assert_eq!(chain.call(erc721, &REMOTE_CHAIN_IDCall {}), U256::from(31_337));
}

#[test]
fn nobody_can_initialize_a_proxy_or_its_implementation_again() {
    let chain = chain();
    let call: Bytes = initializeCall { other: Address::repeat_byte(0xee) }.abi_encode().into();
    for number in [0x07, 0x10, 0x12, 0x14] {
        for address in [predeploy(number), implementation(number)] {
            let error = chain.call_raw(Address::ZERO, address, call.clone()).unwrap_err();
            let text = String::from_utf8_lossy(&error).into_owned();
            assert!(text.contains("contract is already initialized"), "{address}: {text}");
        }
    }
}

#[test]
fn owner_of_the_proxy_admin_upgrades_and_nobody_else() {
    let mut chain = chain();
    assert_eq!(chain.call(PROXY_ADMIN, &ownerCall {}), first_address());
    let proxy = L1_BLOCK;
    assert_eq!(
        chain.call(PROXY_ADMIN, &getProxyImplementationCall { proxy }),
        implementation(0x15)
    );
    assert_eq!(chain.call(PROXY_ADMIN, &getProxyAdminCall { proxy }), PROXY_ADMIN);
    let upgrade = upgradeCall { proxy: predeploy(0x7ff), implementation: WETH }.abi_encode();
    let stranger = Address::repeat_byte(0xbd);
    assert!(chain.call_raw(stranger, PROXY_ADMIN, upgrade.clone().into()).is_err());
    send(&mut chain, PROXY_ADMIN, 0, upgrade);
    let upgraded = getProxyImplementationCall { proxy: predeploy(0x7ff) };
    assert_eq!(chain.call(PROXY_ADMIN, &upgraded), WETH);
}

#[test]
fn vaults_pay_out_on_l2() {
    let mut chain = chain();
    for vault in [SEQUENCER_FEE_VAULT, BASE_FEE_VAULT, L1_FEE_VAULT] {
        assert_eq!(chain.call(vault, &RECIPIENTCall {}), first_address());
        assert_eq!(chain.call(vault, &MIN_WITHDRAWAL_AMOUNTCall {}), U256::ZERO);
        assert_eq!(chain.call(vault, &WITHDRAWAL_NETWORKCall {}), 1);
    }
    assert_eq!(chain.call(OPERATOR_FEE_VAULT, &RECIPIENTCall {}), BASE_FEE_VAULT);
    assert!(chain.state.balance(SEQUENCER_FEE_VAULT).is_zero());
    send(&mut chain, first_address(), 0, Vec::new());
    let collected = chain.state.balance(SEQUENCER_FEE_VAULT);
    assert!(!collected.is_zero());
    let logs = send(&mut chain, SEQUENCER_FEE_VAULT, 0, withdrawCall {}.abi_encode());
    assert_eq!(logs.len(), 2);
    // Withdrawal(value, to, from)
    let withdrawn = <(U256, Address, Address)>::abi_decode(&logs[0].data.data).unwrap();
    assert_eq!(withdrawn, (collected, first_address(), first_address()));
}

#[test]
fn wrapped_ether_wraps() {
    let mut chain = chain();
    assert_eq!(chain.call(WETH, &nameCall {}), "Wrapped Ether");
    assert_eq!(chain.call(WETH, &symbolCall {}), "WETH");
    send(&mut chain, WETH, 1_234, depositCall {}.abi_encode());
    let account = first_address();
    assert_eq!(chain.call(WETH, &balanceOfCall { account }), U256::from(1_234));
    assert_eq!(chain.state.balance(WETH), U256::from(1_234));
}

#[test]
fn withdrawal_is_recorded_where_l1_looks_for_it() {
    let mut chain = chain();
    let root = chain.state.storage_root(L2_TO_L1_MESSAGE_PASSER);
    let call = initiateWithdrawalCall {
        target: Address::repeat_byte(5),
        gasLimit: U256::from(100_000),
        data: Bytes::from_static(b"hello"),
    };
    let logs = send(&mut chain, L2_TO_L1_MESSAGE_PASSER, 9, call.abi_encode());
    let event = MessagePassed::decode_log(&logs[0]).unwrap();
    assert_eq!((event.sender, event.value), (first_address(), U256::from(9)));
    let hash = event.withdrawalHash;
    assert!(chain.call(L2_TO_L1_MESSAGE_PASSER, &sentMessagesCall { hash }));
    // Slot of sentMessages[hash], a mapping at slot 0: what a proof on L1 opens.
    let slot = keccak256((hash, B256::ZERO).abi_encode());
    let value =
        cairn_primitives::StateReader::storage(&chain.state, L2_TO_L1_MESSAGE_PASSER, slot.into());
    assert_eq!(value.unwrap(), U256::ONE);
    assert_ne!(chain.state.storage_root(L2_TO_L1_MESSAGE_PASSER), root);
}

#[test]
fn factory_creates_tokens() {
    let mut chain = chain();
    let call = createOptimismMintableERC20Call {
        remote: Address::repeat_byte(0xcc),
        name: "Bridged".into(),
        symbol: "BRG".into(),
    };
    let created = chain.call(OPTIMISM_MINTABLE_ERC20_FACTORY, &call);
    send(&mut chain, OPTIMISM_MINTABLE_ERC20_FACTORY, 0, call.abi_encode());
    assert_eq!(chain.call(created, &symbolCall {}), "BRG");
}

#[test]
fn attestation_service_signs_for_its_own_address_and_chain() {
    let chain = chain();
    assert_eq!(chain.call(EAS, &getNameCall {}), "EAS");
    assert_eq!(chain.call(EAS, &getSchemaRegistryCall {}), SCHEMA_REGISTRY);
    let domain = (
        keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
        ),
        keccak256("EAS"),
        keccak256("1.3.0"),
        U256::from(901),
        EAS,
    );
    assert_eq!(chain.call(EAS, &getDomainSeparatorCall {}), keccak256(domain.abi_encode()));
}

#[test]
fn permit2_signs_for_its_own_address_and_chain() {
    let chain = chain();
    let domain = (
        keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
        keccak256("Permit2"),
        U256::from(901),
        PERMIT2,
    );
    assert_eq!(chain.call(PERMIT2, &DOMAIN_SEPARATORCall {}), keccak256(domain.abi_encode()));
}

#[test]
fn preinstalls_answer() {
    let chain = chain();
    assert_eq!(chain.call(MULTICALL3, &getChainIdCall {}), U256::from(901));
    for entry_point in [ENTRY_POINT_V06, ENTRY_POINT_V07] {
        let call = getNonceCall { sender: Address::ZERO, key: Default::default() };
        assert_eq!(chain.call(entry_point, &call), U256::ZERO);
    }
    assert!(!chain.state.code_of(SENDER_CREATOR_V07).is_empty());
}

#[test]
fn create2_deployer_deploys_to_the_address_that_tools_compute() {
    let mut chain = chain();
    // Init code that deploys one STOP: PUSH1 1, PUSH0, RETURN over zeroed memory.
    let init_code = [0x60, 0x01, 0x5f, 0xf3];
    let salt = B256::repeat_byte(0x5a);
    let data = [salt.as_slice(), &init_code].concat();
    send(&mut chain, CREATE2_DEPLOYER, 0, data);
    let created = CREATE2_DEPLOYER.create2(salt, keccak256(init_code));
    assert_eq!(chain.state.code_of(created)[..], [0]);
}
