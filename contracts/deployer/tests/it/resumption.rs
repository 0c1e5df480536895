//! Runs that end early, and the runs after them.

use std::time::Duration;

use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{address, keccak256};
use cairn_deploy::{DeployConfig, DeployError, Deployment, Progress, RunOptions, deploy};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::anvil::{L1, account, key};

fn limited(transactions: u64) -> RunOptions {
    RunOptions { transactions_max: Some(transactions), ..RunOptions::default() }
}

/// With another owner than the deployer, so that the last part has all its steps.
fn config() -> DeployConfig {
    let owner = r#"roles.owner = "0x00000000000000000000000000000000000000a1""#;
    DeployConfig::parse("", &[owner.to_owned()]).unwrap()
}

/// Deploys in runs of so many transactions each; gives the number of runs too.
async fn in_runs_of(l1: &L1, transactions: u64) -> (Deployment, u64) {
    for runs in 1..200 {
        match l1.deploy_with(config(), limited(transactions)).await {
            Ok(deployment) => return (deployment, runs),
            Err(DeployError::Stopped { sent }) => assert_eq!(sent, transactions),
            Err(other) => panic!("run {runs}: {other}"),
        }
    }
    panic!("two hundred runs are not enough");
}

/// An end behind every single transaction: none is sent twice and the contracts are the same.
#[tokio::test]
async fn resumes_behind_every_transaction() {
    let (Some(whole), Some(parts)) = (L1::start(&[]).await, L1::start(&[]).await) else { return };
    let expected = whole.deploy(config()).await.unwrap();
    let (deployment, runs) = in_runs_of(&parts, 1).await;
    assert_eq!(deployment.contracts, expected.contracts);
    assert_eq!(parts.nonce().await, whole.nonce().await);
    // The last run sends the last transaction and ends complete.
    assert_eq!(runs, parts.nonce().await);
    for ((name, _, code), (_, _, other)) in
        whole.codes(&expected.contracts).await.iter().zip(parts.codes(&expected.contracts).await)
    {
        assert_eq!(*code, other, "{name}");
    }
}

/// The end leaves transactions that are not mined yet. Blocks come every second.
#[tokio::test]
async fn resumes_while_transactions_are_waiting() {
    let (Some(whole), Some(parts)) =
        (L1::start(&["--block-time", "1"]).await, L1::start(&["--block-time", "1"]).await)
    else {
        return;
    };
    let (expected, (deployment, runs)) =
        tokio::join!(whole.deploy(config()), in_runs_of(&parts, 17));
    assert_eq!(deployment.contracts, expected.unwrap().contracts);
    assert_eq!(parts.nonce().await, whole.nonce().await);
    assert_eq!(runs, parts.nonce().await / 17 + 1);
}

#[tokio::test]
async fn complete_deployment_takes_no_transaction() {
    let Some(l1) = L1::start(&[]).await else { return };
    let first = l1.deploy(config()).await.unwrap();
    let (nonce, block) = (l1.nonce().await, l1.provider.get_block_number().await.unwrap());
    let again = l1.deploy_with(config(), limited(0)).await.unwrap();
    assert_eq!(again.contracts, first.contracts);
    assert_eq!(again.genesis, first.genesis);
    assert_eq!(again.rollup, first.rollup);
    assert_eq!(l1.nonce().await, nonce);
    assert_eq!(l1.provider.get_block_number().await.unwrap(), block);
}

#[tokio::test]
async fn other_settings_make_another_deployment() {
    let Some(l1) = L1::start(&[]).await else { return };
    let first = l1.deploy(config()).await.unwrap();
    let salted = DeployConfig { salt: "second".to_owned(), ..config() };
    let second = l1.deploy(salted).await.unwrap();
    assert_ne!(first.contracts.optimism_portal, second.contracts.optimism_portal);
    assert_ne!(
        first.contracts.implementations.system_config,
        second.contracts.implementations.system_config
    );
}

/// An L1 without the deterministic deployment proxy gets it, also in runs of one transaction.
#[tokio::test]
async fn brings_the_deployment_proxy_along() {
    let Some(l1) = L1::start(&["--disable-default-create2-deployer"]).await else { return };
    let proxy = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
    assert!(l1.provider.get_code_at(proxy).await.unwrap().is_empty());
    let fund = l1.deploy_with(config(), limited(1)).await;
    assert!(matches!(fund, Err(DeployError::Stopped { sent: 1 })));
    let create = l1.deploy_with(config(), limited(1)).await;
    assert!(matches!(create, Err(DeployError::Stopped { sent: 1 })));
    assert_eq!(l1.nonce().await, 1);
    let (deployment, _) = in_runs_of(&l1, 30).await;
    assert!(!l1.provider.get_code_at(proxy).await.unwrap().is_empty());
    assert!(l1.codes(&deployment.contracts).await.iter().all(|(_, _, code)| !code.is_empty()));
}

#[tokio::test]
async fn waits_for_confirmations() {
    let Some(l1) = L1::start(&[]).await else { return };
    let confirmed = |blocks: u64| {
        let mut config = config();
        config.l1.confirmations = blocks;
        config
    };
    let options = RunOptions { patience: Duration::from_millis(300), ..RunOptions::default() };
    let error = l1.deploy_with(confirmed(3), options.clone()).await.unwrap_err();
    assert!(matches!(error, DeployError::NotMined { pending: 0, .. }), "{error}");
    assert!(error.is_retryable());
    let _: Value = l1.provider.raw_request("anvil_mine".into(), ("0x3",)).await.unwrap();
    let deployment = l1.deploy_with(confirmed(3), options).await.unwrap();
    assert_ne!(deployment.contracts.proxy_admin, account(0));
}

/// A node whose pool is full forgets what it has accepted.
#[tokio::test]
async fn sends_again_what_l1_has_lost() {
    let Some(l1) = L1::start(&["--no-mining"]).await else { return };
    let (events, mut seen) = mpsc::unbounded_channel();
    let url = l1.url.parse().unwrap();
    let run = tokio::spawn(async move {
        let mut report = move |event| drop(events.send(event));
        deploy(url, key(0), config(), RunOptions::default(), &mut report).await
    });
    let method = |name: &'static str| l1.provider.raw_request::<_, Value>(name.into(), ());
    let mut sent = 0;
    let mined = loop {
        match seen.recv().await.expect("the run goes on") {
            Progress::Sent { .. } => {
                sent += 1;
                if sent == 3 {
                    method("anvil_dropAllTransactions").await.unwrap();
                }
            }
            Progress::Mined { transactions } => break transactions,
            _ => {}
        }
    };
    assert_eq!(mined, 0);
    let _: Value = l1.provider.raw_request("evm_setAutomine".into(), (true,)).await.unwrap();
    let _: Value = l1.provider.raw_request("evm_setIntervalMining".into(), (1,)).await.unwrap();
    let deployment = run.await.unwrap().unwrap();
    assert!(l1.codes(&deployment.contracts).await.iter().all(|(_, _, code)| !code.is_empty()));
    let Some(whole) = L1::start(&[]).await else { return };
    assert_eq!(whole.deploy(config()).await.unwrap().contracts, deployment.contracts);
    assert_eq!(l1.nonce().await, whole.nonce().await);
}

/// L2's origin is the last block in which a deposit was impossible.
#[tokio::test]
async fn portal_takes_no_deposit_before_the_origin() {
    let Some(l1) = L1::start(&[]).await else { return };
    let all_but_the_system_config = limited(39);
    let stopped = l1.deploy_with(config(), all_but_the_system_config).await.unwrap_err();
    assert!(matches!(stopped, DeployError::Stopped { sent: 39 }), "{stopped}");
    // The end came behind what was sent, not behind what was mined.
    while l1.nonce().await < 39 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let before = l1.provider.get_block_number().await.unwrap();
    let deposit = |portal| {
        let selector = &keccak256("depositTransaction(address,uint256,uint64,bool,bytes)")[..4];
        let words = [[0; 32], [0; 32], word(100_000), [0; 32], word(160), [0; 32]].concat();
        TransactionRequest::default()
            .with_from(account(5))
            .with_to(portal)
            .with_input([selector, &words].concat())
    };
    let complete = l1.deploy(config()).await.unwrap();
    assert_eq!(complete.rollup.genesis.l1.number, before);
    let portal = complete.contracts.optimism_portal;
    let as_of = |block: u64| l1.provider.call(deposit(portal)).block(block.into());
    assert!(!l1.provider.get_code_at(portal).number(before).await.unwrap().is_empty());
    as_of(before).await.unwrap_err();
    as_of(before + 1).await.unwrap();
}

fn word(value: u64) -> [u8; 32] {
    alloy_primitives::U256::from(value).to_be_bytes()
}
