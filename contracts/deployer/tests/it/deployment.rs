//! What a complete deployment is.

use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::sol;
use alloy::sol_types::{SolCall, SolEvent};
use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy_trie::root::{state_root_ref_unhashed, storage_root_unhashed};
use cairn_deploy::{Contracts, DeployConfig, Deployment};
use cairn_genesis::predeploys::{
    L2_CROSS_DOMAIN_MESSENGER, L2_ERC721_BRIDGE, L2_STANDARD_BRIDGE, L2_TO_L1_MESSAGE_PASSER,
    SEQUENCER_FEE_VAULT, implementation,
};
use cairn_primitives::{ChainSpec, genesis_header};

use crate::anvil::{L1, L1_CHAIN_ID, account};

const GAME_TYPE: u32 = 0x43;
const OWNER: Address = address!("0x00000000000000000000000000000000000000a1");
const GUARDIAN: Address = address!("0x00000000000000000000000000000000000000a2");
const FEE_RECIPIENT: Address = address!("0x00000000000000000000000000000000000000a3");

sol! {
    event TransactionDeposited(
        address indexed from,
        address indexed to,
        uint256 indexed version,
        bytes opaqueData
    );

    interface IPortal {
        function depositTransaction(
            address to, uint256 value, uint64 gasLimit, bool isCreation, bytes data
        ) external payable;
    }

    interface IFactory {
        function create(uint32 gameType, bytes32 rootClaim, bytes extraData)
            external payable returns (address);
        function gameAtIndex(uint256 index)
            external view returns (uint32 gameType, uint64 timestamp, address proxy);
    }
}

fn word(value: u64) -> U256 {
    U256::from(value)
}

fn of(address: Address) -> U256 {
    address.into_word().into()
}

fn config() -> DeployConfig {
    let toml = format!(
        "[l2]\nchain_id = 902\nblock_time = 2\nseq_window_size = 77\n\
         prefunded = [{{ address = \"{OWNER}\", balance = \"5\" }}]\n\
         [roles]\nowner = \"{OWNER}\"\nguardian = \"{GUARDIAN}\"\n\
         fee_recipient = \"{FEE_RECIPIENT}\"\n\
         [withdrawals]\nchallenge_window = 60\nproposal_bond = \"123\"\n"
    );
    DeployConfig::parse(&toml, &["da.epoch_length = 50".to_owned()]).unwrap()
}

/// The anchor, by another way than the deployer's.
fn output_root(deployment: &Deployment) -> B256 {
    let spec = ChainSpec::from_genesis(&deployment.genesis).unwrap();
    let state_root = state_root_ref_unhashed(&deployment.genesis.alloc);
    let passer = deployment.genesis.alloc[&L2_TO_L1_MESSAGE_PASSER].storage.clone().unwrap();
    let passer = storage_root_unhashed(passer.into_iter().map(|(slot, v)| (slot, v.into())));
    let header = genesis_header(&spec, &deployment.genesis, state_root, passer);
    assert_eq!(header.hash_slow(), deployment.rollup.genesis.l2.hash);
    let parts = [B256::ZERO, state_root, passer, header.hash_slow()];
    keccak256(parts.map(|part| part.0).concat())
}

/// Contract, function, arguments, and what it must answer.
type Expected = (Address, &'static str, Vec<B256>, U256);

fn expected(c: &Contracts, root: B256) -> Vec<Expected> {
    [bridge(c), ours(c, root)].concat()
}

fn bridge(c: &Contracts) -> Vec<Expected> {
    let game_type = vec![B256::from(word(GAME_TYPE.into()))];
    vec![
        (c.proxy_admin, "owner()", vec![], of(OWNER)),
        (c.superchain_config, "guardian()", vec![], of(GUARDIAN)),
        (c.superchain_config, "paused()", vec![], word(0)),
        (c.protocol_versions, "owner()", vec![], of(OWNER)),
        (c.system_config, "owner()", vec![], of(OWNER)),
        (c.system_config, "batcherHash()", vec![], of(account(1))),
        (c.system_config, "unsafeBlockSigner()", vec![], of(account(4))),
        (c.system_config, "gasLimit()", vec![], word(200_000_000)),
        (c.system_config, "basefeeScalar()", vec![], word(1_368)),
        (c.system_config, "blobbasefeeScalar()", vec![], word(810_949)),
        (c.system_config, "batchInbox()", vec![], of(c.batch_inbox)),
        (c.system_config, "optimismPortal()", vec![], of(c.optimism_portal)),
        (c.system_config, "disputeGameFactory()", vec![], of(c.dispute_game_factory)),
        (c.system_config, "l1CrossDomainMessenger()", vec![], of(c.l1_cross_domain_messenger)),
        (c.system_config, "l1StandardBridge()", vec![], of(c.l1_standard_bridge)),
        (c.system_config, "l1ERC721Bridge()", vec![], of(c.l1_erc721_bridge)),
        (
            c.system_config,
            "optimismMintableERC20Factory()",
            vec![],
            of(c.optimism_mintable_erc20_factory),
        ),
        (c.system_config, "isCustomGasToken()", vec![], word(0)),
        (c.optimism_portal, "disputeGameFactory()", vec![], of(c.dispute_game_factory)),
        (c.optimism_portal, "systemConfig()", vec![], of(c.system_config)),
        (c.optimism_portal, "superchainConfig()", vec![], of(c.superchain_config)),
        (c.optimism_portal, "respectedGameType()", vec![], word(GAME_TYPE.into())),
        (c.optimism_portal, "guardian()", vec![], of(GUARDIAN)),
        (c.optimism_portal, "proofMaturityDelaySeconds()", vec![], word(4)),
        (c.optimism_portal, "disputeGameFinalityDelaySeconds()", vec![], word(2)),
        (c.l1_cross_domain_messenger, "portal()", vec![], of(c.optimism_portal)),
        (c.l1_cross_domain_messenger, "otherMessenger()", vec![], of(L2_CROSS_DOMAIN_MESSENGER)),
        (c.l1_standard_bridge, "messenger()", vec![], of(c.l1_cross_domain_messenger)),
        (c.l1_standard_bridge, "otherBridge()", vec![], of(L2_STANDARD_BRIDGE)),
        (c.l1_erc721_bridge, "messenger()", vec![], of(c.l1_cross_domain_messenger)),
        (c.l1_erc721_bridge, "otherBridge()", vec![], of(L2_ERC721_BRIDGE)),
        (c.optimism_mintable_erc20_factory, "bridge()", vec![], of(c.l1_standard_bridge)),
        (c.dispute_game_factory, "owner()", vec![], of(OWNER)),
        (c.dispute_game_factory, "gameImpls(uint32)", game_type.clone(), of(c.output_game)),
        (c.dispute_game_factory, "initBonds(uint32)", game_type, word(123)),
        (c.anchor_state_registry, "disputeGameFactory()", vec![], of(c.dispute_game_factory)),
    ]
}

fn ours(c: &Contracts, root: B256) -> Vec<Expected> {
    let game_type = vec![B256::from(word(GAME_TYPE.into()))];
    vec![
        (c.output_game, "gameType()", vec![], word(GAME_TYPE.into())),
        (c.output_game, "FACTORY()", vec![], of(c.dispute_game_factory)),
        (c.output_game, "ANCHOR_STATE_REGISTRY()", vec![], of(c.anchor_state_registry)),
        (c.output_game, "ROLES()", vec![], of(c.output_roles)),
        (c.output_game, "CHALLENGE_WINDOW()", vec![], word(60)),
        (c.output_game, "DECISION_WINDOW()", vec![], word(10)),
        (c.output_roles, "owner()", vec![], of(OWNER)),
        (c.output_roles, "proposer()", vec![], of(account(2))),
        (c.output_roles, "arbiter()", vec![], of(account(3))),
        (c.batch_inbox, "BATCHER_SOURCE()", vec![], of(c.system_config)),
        (c.batch_inbox, "VERIFIER()", vec![], of(c.certificate_verifier_router)),
        (c.batch_inbox, "SIGNING_RECORDS()", vec![], of(c.operator_registry)),
        (c.certificate_verifier_router, "owner()", vec![], of(OWNER)),
        (c.certificate_verifier_router, "CLOCK()", vec![], of(c.operator_registry)),
        (
            c.certificate_verifier_router,
            "verifierOf(uint64)",
            vec![B256::ZERO],
            of(c.certificate_verifier),
        ),
        (c.certificate_verifier, "REGISTRY()", vec![], of(c.operator_registry)),
        (c.operator_registry, "EPOCH_LENGTH()", vec![], word(50)),
        (c.operator_registry, "GENESIS_TIME()", vec![], word(0)),
        (c.operator_registry, "owner()", vec![], of(account(0))),
        (c.operator_registry, "pendingOwner()", vec![], of(OWNER)),
        (c.operator_registry, "isRecorder(address)", vec![c.batch_inbox.into_word()], word(1)),
        (c.multicall3, "getChainId()", vec![], word(L1_CHAIN_ID)),
        (c.anchor_state_registry, "anchorRoot()", game_type, root.into()),
    ]
}

#[tokio::test]
async fn every_contract_says_what_it_was_told() {
    let Some(l1) = L1::start(&[]).await else { return };
    let deployment = l1.deploy(config()).await.unwrap();
    let c = deployment.contracts;
    let codes = l1.codes(&c).await;
    assert_eq!(codes.len(), 28);
    for (name, address, code) in codes {
        assert!(!code.is_empty(), "{name} at {address} has no code");
    }
    let root = output_root(&deployment);
    for (contract, function, arguments, answer) in expected(&c, root) {
        if function == "anchorRoot()" {
            let anchor = l1.call(contract, "anchors(uint32)", &arguments).await;
            assert_eq!(anchor, [answer.to_be_bytes::<32>(), [0; 32]].concat(), "anchor");
            continue;
        }
        let found = l1.word(contract, function, &arguments).await;
        assert_eq!(found, answer, "{function} of {contract}");
    }
}

/// An interrupted initialization would otherwise leave contracts that anyone can make theirs.
#[tokio::test]
async fn nothing_can_be_initialized_again() {
    let Some(l1) = L1::start(&[]).await else { return };
    let c = l1.deploy(config()).await.unwrap().contracts;
    let calls = [
        (c.superchain_config, "initialize(address,bool)", 2),
        (c.implementations.superchain_config, "initialize(address,bool)", 2),
        (c.optimism_portal, "initialize(address,address,address,uint32)", 4),
        (c.implementations.optimism_portal, "initialize(address,address,address,uint32)", 4),
        (c.dispute_game_factory, "initialize(address)", 1),
        (c.implementations.dispute_game_factory, "initialize(address)", 1),
        (c.l1_standard_bridge, "initialize(address,address,address)", 3),
        (c.l1_cross_domain_messenger, "initialize(address,address,address)", 3),
        (c.l1_erc721_bridge, "initialize(address,address)", 2),
        (c.optimism_mintable_erc20_factory, "initialize(address)", 1),
        (c.protocol_versions, "initialize(address,uint256,uint256)", 3),
    ];
    for (contract, function, arguments) in calls {
        let mut data = keccak256(function)[..4].to_vec();
        data.extend(vec![0; 32 * arguments]);
        let request = TransactionRequest::default().with_to(contract).with_input(data);
        let error = l1.provider.call(request).await.unwrap_err();
        let said = error.as_error_resp().map(|e| e.message.to_string()).unwrap_or_default();
        assert!(said.contains("already initialized"), "{function} of {contract}: {said}");
    }
}

#[tokio::test]
async fn rollup_json_and_genesis_describe_the_same_chain() {
    let Some(l1) = L1::start(&[]).await else { return };
    let deployment = l1.deploy(config()).await.unwrap();
    let (c, rollup) = (deployment.contracts, deployment.rollup.clone());
    rollup.check().unwrap();
    output_root(&deployment);
    let start = l1.word(c.system_config, "startBlock()", &[]).await.to::<u64>();
    let origin = l1.provider.get_block_by_number((start - 1).into()).await.unwrap().unwrap();
    assert_eq!(rollup.genesis.l1.number, start - 1);
    assert_eq!(rollup.genesis.l1.hash, origin.header.hash);
    assert_eq!(rollup.genesis.l2.number, 0);
    assert_eq!(rollup.genesis.l2_time, origin.header.timestamp);
    assert_eq!(deployment.genesis.timestamp, origin.header.timestamp);
    assert_eq!(deployment.genesis.config.chain_id, 902);
    assert_eq!(deployment.genesis.gas_limit, rollup.genesis.system_config.gas_limit);
    assert_eq!(deployment.genesis.alloc[&OWNER].balance, word(5));

    let json = serde_json::to_value(&rollup).unwrap();
    assert_eq!(json["block_time"], 2);
    assert_eq!(json["seq_window_size"], 77);
    assert_eq!(json["max_sequencer_drift"], 1800);
    assert_eq!(json["channel_timeout"], 50);
    assert_eq!(json["l1_chain_id"], L1_CHAIN_ID);
    assert_eq!(json["l2_chain_id"], 902);
    assert_eq!(json["jovian_time"], 0);
    assert_eq!(json.get("karst_time"), None);
    assert_eq!(json["genesis"]["system_config"]["batcherAddr"], address_json(account(1)));
    let scalar = U256::from_be_bytes(rollup.genesis.system_config.scalar.0);
    assert_eq!(scalar, l1.word(c.system_config, "scalar()", &[]).await);
    assert_eq!(json["batch_inbox_address"], address_json(c.batch_inbox));
    assert_eq!(json["deposit_contract_address"], address_json(c.optimism_portal));
    assert_eq!(json["l1_system_config_address"], address_json(c.system_config));
    assert_eq!(json["cairn"]["da_registry"], address_json(c.operator_registry));
    assert_eq!(json["cairn"]["output_game_type"], GAME_TYPE);
}

fn address_json(address: Address) -> serde_json::Value {
    serde_json::to_value(address).unwrap()
}

#[tokio::test]
async fn predeploys_know_their_counterparts_on_l1() {
    let Some(l1) = L1::start(&[]).await else { return };
    let deployment = l1.deploy(config()).await.unwrap();
    let c = deployment.contracts;
    let stored = |address: Address, slot: u64| {
        let storage = deployment.genesis.alloc[&address].storage.as_ref().unwrap();
        Address::from_word(storage[&B256::from(word(slot))])
    };
    assert_eq!(stored(L2_CROSS_DOMAIN_MESSENGER, 207), c.l1_cross_domain_messenger);
    assert_eq!(stored(L2_STANDARD_BRIDGE, 4), c.l1_standard_bridge);
    assert_eq!(stored(L2_ERC721_BRIDGE, 2), c.l1_erc721_bridge);
    assert_eq!(deployment.genesis.coinbase, SEQUENCER_FEE_VAULT);
    for vault in [0x11, 0x19, 0x1a] {
        let code = deployment.genesis.alloc[&implementation(vault)].code.as_ref().unwrap();
        let names = |address: Address| code.windows(20).any(|part| part == address.as_slice());
        assert!(names(FEE_RECIPIENT) && !names(OWNER), "vault {vault:#x}");
    }
}

#[tokio::test]
async fn portal_takes_deposits() {
    let Some(l1) = L1::start(&[]).await else { return };
    let c = l1.deploy(DeployConfig::default()).await.unwrap().contracts;
    let (from, to) = (account(5), Address::repeat_byte(0x77));
    let call = IPortal::depositTransactionCall {
        to,
        value: word(3),
        gasLimit: 100_000,
        isCreation: false,
        data: Bytes::from_static(b"hi"),
    };
    let request = TransactionRequest::default()
        .with_from(from)
        .with_to(c.optimism_portal)
        .with_value(word(7))
        .with_input(call.abi_encode());
    let receipt = l1.send(request).await;
    assert!(receipt.status());
    let log = &receipt.inner.logs()[0];
    assert_eq!(log.address(), c.optimism_portal);
    let event = TransactionDeposited::decode_log(&log.inner).unwrap().data;
    assert_eq!((event.from, event.to, event.version), (from, to, word(0)));
    let packed =
        [&[0u8; 31][..], &[7], &[0; 31], &[3], &100_000u64.to_be_bytes(), &[0], b"hi"].concat();
    assert_eq!(event.opaqueData, Bytes::from(packed));
}

#[tokio::test]
async fn proposer_proposes_and_an_unchallenged_proposal_becomes_the_anchor() {
    let Some(l1) = L1::start(&[]).await else { return };
    let deployment = l1.deploy(config()).await.unwrap();
    let c = deployment.contracts;
    let root = B256::repeat_byte(9);
    let propose = |from: Address| {
        let call = IFactory::createCall {
            gameType: GAME_TYPE,
            rootClaim: root,
            extraData: word(12).to_be_bytes_vec().into(),
        };
        TransactionRequest::default()
            .with_from(from)
            .with_to(c.dispute_game_factory)
            .with_value(word(123))
            .with_input(call.abi_encode())
    };
    l1.provider.call(propose(account(3))).await.unwrap_err();
    assert!(l1.send(propose(account(2))).await.status());
    let answer = l1.call(c.dispute_game_factory, "gameAtIndex(uint256)", &[B256::ZERO]).await;
    let game = IFactory::gameAtIndexCall::abi_decode_returns(&answer).unwrap().proxy;
    let _: serde_json::Value =
        l1.provider.raw_request("evm_increaseTime".into(), (61,)).await.unwrap();
    let resolve = TransactionRequest::default()
        .with_from(account(6))
        .with_to(game)
        .with_input(keccak256("resolve()")[..4].to_vec());
    assert!(l1.send(resolve).await.status());
    let game_type = [B256::from(word(GAME_TYPE.into()))];
    let anchor = l1.call(c.anchor_state_registry, "anchors(uint32)", &game_type).await;
    assert_eq!(anchor, [root.0, word(12).to_be_bytes()].concat());
    // A deployment whose chain has gone on is complete too.
    let again = l1.deploy(config()).await.unwrap();
    assert_eq!(again.rollup, deployment.rollup);
}
