//! Sending against a real anvil: stuck, forgotten, killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use alloy::providers::Provider;
use alloy_eips::eip4844::Blob;
use alloy_primitives::{Address, U256};
use cairn_l1::send::{Journal, JournalError, SendPolicy};
use cairn_l1::{
    Confirmed, HeadFollower, L1Client, SendError, SenderConfig, TransactionContent,
    TransactionSender,
};
use serde_json::json;

use crate::anvil::{Anvil, account, client};
use crate::proxy::{Fault, Proxy};
use crate::reading::quick;

const SEND: &str = "eth_sendRawTransaction";
const PATIENCE: Duration = Duration::from_secs(60);
/// Account that sends; the first one is the test's own.
const SENDER: u32 = 1;

fn sender_config() -> SenderConfig {
    let policy = SendPolicy {
        confirmations: 2,
        raise_after: Duration::from_millis(400),
        resend_after: Duration::from_millis(200),
        ..SendPolicy::default()
    };
    SenderConfig { policy, interval: Duration::from_millis(50) }
}

struct Sending {
    sender: TransactionSender,
    _follower: HeadFollower,
}

async fn open(folder: &Path) -> (Journal, cairn_l1::send::Records) {
    // A sender that was dropped a moment ago may still hold the lock.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match Journal::open(folder) {
            Err(JournalError::Locked { .. }) if tokio::time::Instant::now() < deadline => {
                tokio::task::yield_now().await;
            }
            other => return other.unwrap(),
        }
    }
}

async fn start(client: Arc<L1Client>, folder: &Path) -> Sending {
    let follower = HeadFollower::spawn(Arc::clone(&client), quick());
    let (journal, states) = (open(folder).await, follower.states());
    let sender =
        TransactionSender::start(client, states, account(SENDER), journal, sender_config());
    Sending { sender: sender.await.unwrap(), _follower: follower }
}

fn transfer(value: u64) -> TransactionContent {
    let (to, value) = (Address::repeat_byte(0x33), U256::from(value));
    TransactionContent { to, value, ..TransactionContent::default() }
}

fn with_blob(byte: u8) -> TransactionContent {
    TransactionContent { blobs: vec![Blob::repeat_byte(byte)], ..transfer(1) }
}

/// Waits for an outcome while blocks are mined.
async fn mined(
    anvil: &Anvil,
    outcome: impl Future<Output = Result<Confirmed, SendError>>,
) -> Confirmed {
    let mut outcome = std::pin::pin!(outcome);
    let mining = async {
        loop {
            tokio::select! {
                outcome = &mut outcome => return outcome.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(100)) => anvil.mine(1).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, mining).await.expect("it is mined")
}

async fn in_pool(anvil: &Anvil, nonces: u64) {
    let wait = async {
        while anvil
            .provider
            .get_transaction_count(account(SENDER).address())
            .pending()
            .await
            .unwrap()
            < nonces
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it is in the pool");
}

async fn nonce(anvil: &Anvil) -> u64 {
    anvil.provider.get_transaction_count(account(SENDER).address()).await.unwrap()
}

async fn received(anvil: &Anvil) -> U256 {
    anvil.provider.get_balance(Address::repeat_byte(0x33)).await.unwrap()
}

#[tokio::test]
async fn transactions_of_both_kinds_are_mined_in_order() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sending = start(client(&[&anvil.url], true), folder.path()).await;
    sending.sender.settled().await.unwrap();
    let contents = [transfer(1), transfer(2), with_blob(1), with_blob(2), transfer(3)];
    let mut outcomes = Vec::new();
    for content in contents {
        outcomes.push(sending.sender.submit(content).await.unwrap());
    }
    let mut last = 0;
    for (nonce, outcome) in (0..).zip(outcomes) {
        let done = mined(&anvil, async { outcome.await.unwrap() }).await;
        assert_eq!((done.nonce, done.success), (nonce, true));
        assert!(done.block.number >= last);
        last = done.block.number;
    }
    assert_eq!(received(&anvil).await, U256::from(1 + 2 + 1 + 1 + 3));
    drop(sending);
    assert!(open(folder.path()).await.1.is_empty(), "what is done is forgotten");
}

#[tokio::test]
async fn proofs_before_osaka_are_those_of_blobs() {
    let Some(anvil) = Anvil::start(&["--hardfork", "prague"]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sending = start(client(&[&anvil.url], true), folder.path()).await;
    let done = mined(&anvil, sending.sender.send(with_blob(1))).await;
    assert!(done.success);
}

#[tokio::test]
async fn a_call_that_reverts_is_not_sent() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sending = start(anvil.client(), folder.path()).await;
    // Reverts with its calldata: CALLDATACOPY, REVERT.
    let code = "0x365f5f37365ffd";
    let reverter = Address::repeat_byte(0x44);
    anvil.rpc("anvil_setCode", json!([reverter, code])).await;
    let input = vec![0xab; 36].into();
    let content = TransactionContent { to: reverter, input, ..TransactionContent::default() };
    let error = sending.sender.send(content.clone()).await.unwrap_err();
    assert!(
        matches!(&error, SendError::Reverted { data, .. } if data[..] == [0xab; 36]),
        "{error}"
    );
    // With a gas limit it is sent, and fails.
    let content = TransactionContent { gas_limit: Some(100_000), ..content };
    let done = mined(&anvil, sending.sender.send(content)).await;
    assert_eq!((done.nonce, done.success), (0, false));
    let blobs = vec![Blob::ZERO; 7];
    let error = sending.sender.send(TransactionContent { blobs, ..transfer(1) }).await.unwrap_err();
    assert!(matches!(error, SendError::Content(_)), "{error}");
}

#[tokio::test]
async fn a_stuck_transaction_is_raised_and_mined() {
    for content in [transfer(5), with_blob(3)] {
        let Some(anvil) = Anvil::start(&[]).await else { return };
        let folder = tempfile::tempdir().unwrap();
        let sending = start(client(&[&anvil.url], true), folder.path()).await;
        let outcome = sending.sender.submit(content).await.unwrap();
        in_pool(&anvil, 1).await;
        anvil.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x1bf08eb000"])).await;
        anvil.mine(1).await;
        assert_eq!(nonce(&anvil).await, 0, "it is stuck");
        let done = mined(&anvil, async { outcome.await.unwrap() }).await;
        assert!(done.success && done.nonce == 0);
        assert_eq!(nonce(&anvil).await, 1);
    }
}

#[tokio::test]
async fn what_a_reorganisation_drops_is_mined_again() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    anvil.mine(3).await;
    let sending = start(anvil.client(), folder.path()).await;
    let outcome = sending.sender.submit(transfer(5)).await.unwrap();
    in_pool(&anvil, 1).await;
    anvil.mine(1).await;
    assert_eq!(nonce(&anvil).await, 1);
    anvil.reorg(2).await;
    anvil.rpc("anvil_dropAllTransactions", json!([])).await;
    assert_eq!(nonce(&anvil).await, 0);
    let done = mined(&anvil, async { outcome.await.unwrap() }).await;
    assert!(done.success && done.nonce == 0);
    assert_eq!(received(&anvil).await, U256::from(5));
}

#[tokio::test]
async fn a_transaction_that_every_node_refuses_is_given_up() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(&anvil.url).await;
    // Refuses the first content, whatever its fees, before anvil sees it.
    proxy.hold_with(SEND, Fault::Error(-32000, "transaction type not supported"));
    let sending = start(client(&[&proxy.url], false), folder.path()).await;
    let error = tokio::time::timeout(PATIENCE, sending.sender.send(transfer(1))).await;
    let error = error.unwrap().unwrap_err();
    assert!(matches!(&error, SendError::Rejected { reason } if reason.contains("not supported")));
    proxy.release();
    let done = mined(&anvil, sending.sender.send(transfer(2))).await;
    assert_eq!(done.nonce, 1);
    assert_eq!(received(&anvil).await, U256::from(2));
}

#[tokio::test]
async fn a_pending_transaction_of_nobody_knows_whom_is_used_up() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    // The journal was lost, and a transaction is pending.
    let from = account(SENDER).address();
    let to = Address::repeat_byte(0x55);
    let unknown = json!([{"from": from, "to": to, "gas": "0x5208", "value": "0x1"}]);
    anvil.rpc("eth_sendTransaction", unknown).await;
    in_pool(&anvil, 1).await;
    let sending = start(anvil.client(), folder.path()).await;
    let outcome = sending.sender.submit(transfer(2)).await.unwrap();
    // It stays unmined until it is replaced by a transfer to the account itself.
    let replaced = async {
        loop {
            let pool = anvil.rpc("txpool_content", json!([])).await;
            let mut accounts = pool["pending"].as_object().into_iter().flatten();
            if accounts.any(|(_, nonces)| nonces["0"]["to"] == json!(from)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, replaced).await.expect("it is replaced");
    let done = mined(&anvil, async { outcome.await.unwrap() }).await;
    assert_eq!(done.nonce, 1);
    assert_eq!(received(&anvil).await, U256::from(2));
    assert_eq!(anvil.provider.get_balance(to).await.unwrap(), U256::ZERO);
}

/// What the killed process does: sends three transfers through the proxy, and waits.
#[tokio::test]
#[ignore = "run by the tests that kill it"]
async fn killed() {
    let url = std::env::var("CAIRN_L1_TEST_URL").unwrap();
    let folder = std::env::var("CAIRN_L1_TEST_JOURNAL").unwrap();
    cairn_test_setup::install_tls();
    let sending = start(client(&[&url], false), Path::new(&folder)).await;
    let mut outcomes = Vec::new();
    for value in [1, 2, 4] {
        let content = TransactionContent { gas_limit: Some(30_000), ..transfer(value) };
        outcomes.push(sending.sender.submit(content).await.unwrap());
    }
    futures::future::join_all(outcomes).await;
}

fn child(url: &str, folder: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "sending::killed", "--ignored"]);
    command.env("CAIRN_L1_TEST_URL", url).env("CAIRN_L1_TEST_JOURNAL", folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// After the kill the journal's transactions are mined, each once, and the next nonce is behind them.
async fn recovers(anvil: &Anvil, folder: &Path) {
    let (journal, records) = open(folder).await;
    let journaled = records.len() as u64;
    assert!((1..=3).contains(&journaled));
    let expected: u64 = (0..journaled).map(|nonce| 1 << nonce).sum();
    drop(journal);
    let sending = start(anvil.client(), folder).await;
    let done = mined(anvil, sending.sender.send(transfer(8))).await;
    sending.sender.settled().await.unwrap();
    assert_eq!(done.nonce, journaled);
    assert_eq!(nonce(anvil).await, journaled + 1);
    assert_eq!(received(anvil).await, U256::from(expected + 8));
}

#[tokio::test]
async fn killed_between_journal_and_sending() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(&anvil.url).await;
    proxy.hold(SEND);
    let mut child = child(&proxy.url, folder.path());
    proxy.called(SEND).await;
    child.kill().unwrap();
    child.wait().unwrap();
    in_pool(&anvil, 0).await;
    recovers(&anvil, folder.path()).await;
}

#[tokio::test]
async fn killed_between_sending_and_confirming() {
    for (mine_before, mine_after) in [(0, 0), (0, 1), (1, 0)] {
        let Some(anvil) = Anvil::start(&[]).await else { return };
        let folder = tempfile::tempdir().unwrap();
        let proxy = Proxy::start(&anvil.url).await;
        let mut child = child(&proxy.url, folder.path());
        in_pool(&anvil, 3).await;
        anvil.mine(mine_before).await;
        child.kill().unwrap();
        child.wait().unwrap();
        anvil.mine(mine_after).await;
        recovers(&anvil, folder.path()).await;
    }
}

#[tokio::test]
async fn killed_before_the_answer_and_forgotten_by_the_node() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(&anvil.url).await;
    proxy.rule(|called, _, _| if called == SEND { Fault::Stall } else { Fault::None });
    let mut child = child(&proxy.url, folder.path());
    proxy.called(SEND).await;
    child.kill().unwrap();
    child.wait().unwrap();
    anvil.rpc("anvil_dropAllTransactions", json!([])).await;
    recovers(&anvil, folder.path()).await;
}

#[tokio::test]
async fn the_journal_of_another_account_is_refused() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let first = start(anvil.client(), folder.path()).await;
    let waiting = first.sender.submit(transfer(1)).await.unwrap();
    in_pool(&anvil, 1).await;
    drop((first, waiting));
    let client = anvil.client();
    let follower = HeadFollower::spawn(Arc::clone(&client), quick());
    let (journal, other) = (open(folder.path()).await, account(SENDER + 1));
    let expected = (account(SENDER).address(), other.address());
    let refused =
        TransactionSender::start(client, follower.states(), other, journal, sender_config()).await;
    let Err(SendError::Journal(JournalError::OtherAccount { nonce: 0, found, account })) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((found, account), expected);
}
