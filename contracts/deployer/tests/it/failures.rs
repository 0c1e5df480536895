//! Every way in which a run can fail.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use alloy::providers::Provider;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{B256, U256, address, keccak256};
use cairn_deploy::{DeployConfig, DeployError, RunOptions, deploy};

use crate::anvil::{L1, account, key};

const DEPLOYMENT_PROXY: alloy_primitives::Address =
    address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");

fn parse(line: &str) -> Result<DeployConfig, DeployError> {
    DeployConfig::parse("", &[line.to_owned()])
}

fn impatient() -> RunOptions {
    RunOptions { patience: Duration::from_millis(300), ..RunOptions::default() }
}

async fn deploy_to(url: &str, key: PrivateKeySigner) -> DeployError {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (url, config) = (url.parse().unwrap(), DeployConfig::default());
    deploy(url, key, config, impatient(), &mut |_| ()).await.unwrap_err()
}

#[test]
fn configuration_names_what_is_wrong_with_it() {
    for line in ["l2.chain = 5", "nonsense", "l2.block_time = \"soon\"", "roles.owner = \"0x12\""] {
        let error = parse(line).unwrap_err();
        assert!(matches!(error, DeployError::Config { field: "configuration", .. }), "{error}");
        assert!(!error.is_retryable());
    }
    let outside = [
        ("l2.chain_id = 31337", "l2.chain_id"),
        ("l2.chain_id = 0", "l2.chain_id"),
        ("l2.block_time = 0", "l2.block_time"),
        ("l2.gas_limit = 20999999", "l2.gas_limit"),
        ("l2.gas_limit = 200000001", "l2.gas_limit"),
        ("l2.seq_window_size = 0", "l2.seq_window_size"),
        ("l2.eip1559_elasticity = 0", "l2.eip1559_elasticity"),
        ("l2.eip1559_denominator = 0", "l2.eip1559_denominator"),
        ("withdrawals.game_type = 1", "withdrawals.game_type"),
        ("withdrawals.game_type = 255", "withdrawals.game_type"),
        ("withdrawals.challenge_window = 0", "withdrawals.challenge_window"),
        ("withdrawals.decision_window = 0", "withdrawals.decision_window"),
        ("withdrawals.proof_maturity_delay = 31536001", "withdrawals.proof_maturity_delay"),
        ("withdrawals.game_finality_delay = 31536001", "withdrawals.game_finality_delay"),
        ("withdrawals.proposal_bond = \"18446744073709551616\"", "withdrawals.proposal_bond"),
        ("da.genesis_time = 4294967296", "da.genesis_time"),
        ("da.epoch_length = 9", "da.epoch_length"),
        ("da.certificate_lifetime = 119", "da.certificate_lifetime"),
        ("da.seed_delay = 0", "da.seed_delay"),
        ("da.stake_min = \"999999999\"", "da.stake_min"),
        ("da.operators_min = 0", "da.operators_min"),
        ("da.signing_rate_min = 6001", "da.signing_rate_min"),
        ("da.signing_window = 17", "da.signing_window"),
        ("da.certificates_min = 9", "da.certificates_min"),
        ("da.rejoin_delay = 7776001", "da.rejoin_delay"),
    ];
    for (line, expected) in outside {
        match parse(line).unwrap().resolve(account(0), 31_337) {
            Err(DeployError::Config { field, .. }) => assert_eq!(field, expected),
            other => panic!("{line}: {other:?}"),
        }
    }
}

/// The keys of the usual mnemonic are public: they are nobody's default outside of development.
#[test]
fn roles_have_defaults_on_development_chains_alone() {
    let settings = DeployConfig::default().resolve(account(0), 31_337).unwrap();
    assert_eq!(settings.roles.owner, account(0));
    assert_eq!(settings.roles.batcher, account(1));
    assert_eq!(settings.roles.unsafe_block_signer, account(4));
    assert_eq!(settings.accounts, 10);
    let own = "0x00000000000000000000000000000000000000a1";
    let mut toml = "[roles]\n".to_owned();
    for role in ["owner", "batcher", "proposer", "arbiter", "unsafe_block_signer"] {
        let error = DeployConfig::parse(&toml, &[]).unwrap().resolve(account(0), 1).unwrap_err();
        match error {
            DeployError::MissingRole { field, l1_chain_id: 1 } => {
                assert_eq!(field, format!("roles.{role}"));
            }
            other => panic!("{other}"),
        }
        toml.push_str(&format!("{role} = \"{own}\"\n"));
    }
    let settings = DeployConfig::parse(&toml, &[]).unwrap().resolve(account(0), 1).unwrap();
    assert_eq!(settings.accounts, 0);
    assert_eq!(settings.roles.guardian, settings.roles.owner);
}

#[tokio::test]
async fn contracts_of_the_genesis_cannot_be_prefunded() {
    let Some(l1) = L1::start(&[]).await else { return };
    let bridge = "0x4200000000000000000000000000000000000010";
    let config = format!("[[l2.prefunded]]\naddress = \"{bridge}\"\nbalance = \"1\"\n");
    let error = l1.deploy(DeployConfig::parse(&config, &[]).unwrap()).await.unwrap_err();
    assert!(matches!(error, DeployError::Config { field: "l2.prefunded", .. }), "{error}");
}

#[tokio::test]
async fn another_chain_is_refused() {
    let Some(l1) = L1::start(&[]).await else { return };
    let error = l1.deploy(parse("l1.chain_id = 5").unwrap()).await.unwrap_err();
    assert!(matches!(error, DeployError::WrongChain { expected: 5, found: 31_337 }), "{error}");
    assert_eq!(l1.nonce().await, 0);
}

#[tokio::test]
async fn an_l1_that_is_not_there_can_be_tried_again() {
    let error = deploy_to("http://127.0.0.1:1", key(0)).await;
    assert!(matches!(error, DeployError::Rpc { action: "eth_chainId", .. }), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error_of_the_rpc() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).unwrap();
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let error = deploy_to(&url, key(0)).await;
    assert!(matches!(error, DeployError::Rpc { action: "eth_chainId", .. }), "{error}");
    server.join().unwrap();
}

#[tokio::test]
async fn who_cannot_pay_sends_nothing() {
    let Some(l1) = L1::start(&[]).await else { return };
    let poor = PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).unwrap();
    let address = poor.address();
    match deploy_to(&l1.url, poor).await {
        DeployError::InsufficientBalance { account, balance, needed } => {
            assert_eq!((account, balance), (address, U256::ZERO));
            assert!(needed > U256::ZERO);
        }
        other => panic!("{other}"),
    }
    assert_eq!(l1.provider.get_block_number().await.unwrap(), 0);
}

#[tokio::test]
async fn transactions_that_are_not_mined_end_the_run_and_not_the_deployment() {
    let Some(l1) = L1::start(&["--no-mining"]).await else { return };
    for _ in 0..2 {
        let error = l1.deploy_with(DeployConfig::default(), impatient()).await.unwrap_err();
        assert!(matches!(error, DeployError::NotMined { pending: 1.., .. }), "{error}");
        assert!(error.is_retryable());
    }
    let _: serde_json::Value =
        l1.provider.raw_request("evm_setAutomine".into(), (true,)).await.unwrap();
    let _: serde_json::Value =
        l1.provider.raw_request("anvil_mine".into(), ("0x5",)).await.unwrap();
    let deployment = l1.deploy(DeployConfig::default()).await.unwrap();
    assert!(l1.codes(&deployment.contracts).await.iter().all(|(_, _, code)| !code.is_empty()));
}

#[tokio::test]
async fn failed_transaction_is_named() {
    let Some(l1) = L1::start(&["--code-size-limit", "4000"]).await else { return };
    match l1.deploy(DeployConfig::default()).await.unwrap_err() {
        DeployError::Reverted { step, transaction } => {
            assert_eq!(step, "create ProxyAdmin");
            let receipt = l1.provider.get_transaction_receipt(transaction).await.unwrap().unwrap();
            assert!(!receipt.status());
        }
        other => panic!("{other}"),
    }
}

/// A proxy that takes everything and does nothing: no transaction fails, and nothing comes to be.
#[tokio::test]
async fn what_never_comes_to_be_is_not_sent_for_ever() {
    let Some(l1) = L1::start(&[]).await else { return };
    let _: serde_json::Value =
        l1.provider.raw_request("anvil_setCode".into(), (DEPLOYMENT_PROXY, "0x00")).await.unwrap();
    let error = l1.deploy(DeployConfig::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::Unsettled { missing: 1.., rounds: 5 }), "{error}");
    assert!(error.is_retryable());
}

/// Its creation is signed for 100 gwei.
#[tokio::test]
async fn an_l1_that_refuses_the_deployment_proxy_is_named() {
    let dear = ["--disable-default-create2-deployer", "--block-base-fee-per-gas", "200000000000"];
    let Some(l1) = L1::start(&dear).await else { return };
    let error = l1.deploy(DeployConfig::default()).await.unwrap_err();
    match &error {
        DeployError::NoDeploymentProxy { proxy, .. } => assert_eq!(*proxy, DEPLOYMENT_PROXY),
        other => panic!("{other}"),
    }
    assert!(!error.is_retryable());
}

/// As after a reorganisation of L1 that gave the origin another hash.
#[tokio::test]
async fn an_anchor_of_another_genesis_is_noticed() {
    let Some(l1) = L1::start(&[]).await else { return };
    let deployment = l1.deploy(DeployConfig::default()).await.unwrap();
    let slot = keccak256([U256::from(0x43).to_be_bytes::<32>(), U256::ONE.to_be_bytes()].concat());
    let registry = deployment.contracts.anchor_state_registry;
    let wrong = B256::repeat_byte(3);
    let _: serde_json::Value = l1
        .provider
        .raw_request("anvil_setStorageAt".into(), (registry, slot, wrong))
        .await
        .unwrap();
    match l1.deploy(DeployConfig::default()).await.unwrap_err() {
        DeployError::WrongAnchor { found, expected } => {
            assert_eq!(found, wrong);
            assert_ne!(expected, wrong);
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn files_of_another_deployment_stay() {
    let Some(l1) = L1::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let first = l1.deploy(DeployConfig::default()).await.unwrap();
    first.write(folder.path()).unwrap();
    let read = || {
        ["genesis.json", "addresses.json", "rollup.json"]
            .map(|name| std::fs::read(folder.path().join(name)).unwrap())
    };
    let before = read();
    let second = l1.deploy(parse("salt = \"second\"").unwrap()).await.unwrap();
    match second.write(folder.path()).unwrap_err() {
        DeployError::OtherDeployment { path } => {
            assert_eq!(path, folder.path().join("genesis.json"))
        }
        other => panic!("{other}"),
    }
    assert_eq!(read(), before);
    std::fs::remove_file(folder.path().join("rollup.json")).unwrap();
    first.write(folder.path()).unwrap();
    assert_eq!(read(), before);
    let below_a_file = folder.path().join("rollup.json").join("deeper");
    assert!(matches!(first.write(&below_a_file), Err(DeployError::File { .. })));
}
