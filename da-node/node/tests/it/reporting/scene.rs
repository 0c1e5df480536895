//! A quorum, an inbox with batches, and time.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use alloy::network::{EthereumWallet, TransactionBuilder};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::TransactionRequest;
use alloy::sol;
use alloy_primitives::{Address, TxHash, U256, keccak256};
use cairn_da_client::registry::OperatorRegistry;
use cairn_da_node::keys::write_plain;
use cairn_da_node::l1::{Reporter, ReporterConfig};
use cairn_primitives::da::bls::Signature;
use cairn_primitives::da::{
    Certificate, CertificateStatus, Epoch, Header, PayloadLength, QuorumId, Reservation, Shape,
    Signers, Snapshot, Timestamp, check_certificate,
};

use crate::following::{LONG, PATIENCE, follower, keeper, register_operators, secret, until};
use crate::l1::{CHAIN_ID, L1, account};
use crate::processes::binary;

/// States of the registry.
pub(super) const ACTIVE: u8 = 1;
pub(super) const EJECTED: u8 = 3;
/// The account that batches come from.
const BATCHER: u32 = 17;
const CONFIRMATIONS: u64 = 1;
/// Blocks without anything to do after which nothing is expected any more.
const QUIET_BLOCKS: usize = 3;
const TRANSACTION_GAS: u64 = 400_000;

sol! {
    #[sol(rpc)]
    contract Inbox {
        function nextToReport() external view returns (uint256);
    }
}

/// A provider that asks L1 for each nonce, as the node's does: L1 goes back here.
pub(super) fn sender(url: &str, number: u32) -> DynProvider {
    cairn_test_setup::install_tls();
    ProviderBuilder::default()
        .with_gas_estimation()
        .with_simple_nonce_management()
        .fetch_chain_id()
        .wallet(EthereumWallet::from(account(number)))
        .connect_http(url.parse().unwrap())
        .erased()
}

/// Killed on drop.
pub(super) struct NodeProcess {
    child: Child,
    _dir: tempfile::TempDir,
}

impl NodeProcess {
    pub(super) fn try_wait(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An L1 with a quorum of which some sign.
pub(super) struct Scene {
    pub(super) l1: L1,
    operators: u32,
    inbox: Address,
    /// Whom batches are sent to, and what is before their calldata.
    entrance: (Address, Vec<u8>),
    reservation: u64,
}

impl Scene {
    /// Operator `i` has a stake of `i + 1` ether; epochs are of a day.
    pub(super) async fn start(operators: u32) -> Option<Self> {
        let l1 = L1::start(LONG).await?;
        let inbox = l1.deploy_inbox(account(BATCHER).address()).await;
        Some(Self::with_quorum(l1, operators, inbox, (inbox, Vec::new())).await)
    }

    /// The batcher is a contract that sends on what it is sent.
    pub(super) async fn start_behind_forwarder(operators: u32) -> Option<Self> {
        let l1 = L1::start(LONG).await?;
        let forwarder = l1.deploy_forwarder().await;
        let inbox = l1.deploy_inbox(forwarder).await;
        Some(Self::with_quorum(l1, operators, inbox, (forwarder, inbox.to_vec())).await)
    }

    async fn with_quorum(
        l1: L1,
        operators: u32,
        inbox: Address,
        entrance: (Address, Vec<u8>),
    ) -> Self {
        register_operators(&l1, operators).await;
        let scene = Self { l1, operators, inbox, entrance, reservation: 0 };
        scene.take_snapshots().await;
        scene
    }

    /// Takes the snapshots of this and the next epoch; gives this one's.
    async fn take_snapshots(&self) -> Snapshot {
        let (mut keeper, mut follower) = (keeper(&self.l1), follower(&self.l1, 0).await);
        let quorums = until(&mut keeper, &mut follower, |quorums| {
            let next = Epoch(quorums.current.0 + 1);
            quorums.snapshots.contains_key(&quorums.current)
                && quorums.snapshots.contains_key(&next)
        });
        let quorums = quorums.await;
        (*quorums.snapshots[&quorums.current]).clone()
    }

    pub(super) fn config(&self, number: u32) -> ReporterConfig {
        ReporterConfig {
            registry: self.l1.registry,
            inbox: self.inbox,
            operator: account(number).address(),
            first_block: 0,
            confirmations: CONFIRMATIONS,
        }
    }

    /// An operator's reporter, which sends from the operator's account.
    pub(super) fn reporter(&self, number: u32) -> Reporter {
        Reporter::new(sender(&self.l1.url, number), self.config(number))
    }

    /// An operator's node as a process, for a registry.
    pub(super) fn node(&self, number: u32, registry: Address) -> NodeProcess {
        let dir = tempfile::tempdir().unwrap();
        let (key, l1_key) = (dir.path().join("key"), dir.path().join("l1-key"));
        write_plain(&key, &secret(number)).unwrap();
        let account = account(number);
        let text = alloy_primitives::hex::encode_prefixed(account.to_bytes());
        cairn_node_setup::write_private(&l1_key, &text).unwrap();
        let mut command = binary();
        command.arg("run").arg("--datadir").arg(dir.path().join("data"));
        command.arg("--key").arg(key).arg("--l1.key").arg(l1_key);
        command.args(["--operator", &account.address().to_string()]);
        command.args(["--l1.rpc", &self.l1.url, "--l1.chain-id", &CHAIN_ID.to_string()]);
        command.args(["--l1.registry", &registry.to_string()]);
        command.args(["--l1.inbox", &self.inbox.to_string()]);
        command.args(["--l1.confirmations", "1", "--l1.poll-ms", "300"]);
        command.args(["--http.port", "0", "--metrics.port", "0", "--disk-reserve", "0"]);
        NodeProcess { child: command.spawn().unwrap(), _dir: dir }
    }

    pub(super) async fn stop_mining(&self) {
        self.request::<serde_json::Value>("evm_setIntervalMining", [0]).await;
    }

    /// Mines when two transactions wait for it.
    pub(super) async fn mine_both(&self) {
        let start = Instant::now();
        loop {
            let pool: serde_json::Value = self.request("txpool_status", ()).await;
            if pool["pending"] == "0x2" {
                return self.mine().await;
            }
            assert!(start.elapsed() < PATIENCE, "{pool}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) async fn succeeded(&self, transaction: TxHash) -> bool {
        let receipt = self.l1.provider(None).get_transaction_receipt(transaction).await;
        receipt.unwrap().unwrap().status()
    }

    pub(super) async fn gas_used(&self, transaction: TxHash) -> u64 {
        let receipt = self.l1.provider(None).get_transaction_receipt(transaction).await;
        receipt.unwrap().unwrap().gas_used
    }

    /// Batches with certificates that all but `silent` signed.
    pub(super) async fn send_certificates(&mut self, count: u64, silent: &[u32]) {
        let snapshot = self.take_snapshots().await;
        let now = Timestamp(self.l1.time().await);
        let batches = (0..count).map(|_| {
            self.reservation += 1;
            let certificate = self.certificate(&snapshot, silent, now).encode();
            let domain = self.l1.domain();
            let status = check_certificate(&certificate, &domain, Some(&snapshot), now);
            assert_eq!(status, CertificateStatus::Valid);
            [&[1, 1][..], &certificate].concat()
        });
        let batches = batches.collect();
        self.send(batches).await;
    }

    fn certificate(&self, snapshot: &Snapshot, silent: &[u32], now: Timestamp) -> Certificate {
        let header = Header {
            shape: Shape::new(4, 10).unwrap(),
            payload_length: PayloadLength(300),
            hashes_root: keccak256(self.reservation.to_be_bytes()),
            payer: account(BATCHER).address(),
            reservation: Reservation(self.reservation),
            epoch: snapshot.epoch(),
            quorum: QuorumId(0),
            expiry: Timestamp(now.0 + 5 * LONG.epoch_length),
        };
        let signing = (0..self.operators).filter(|number| !silent.contains(number));
        let digest = self.l1.domain().attestation(&header, snapshot.seed());
        let signatures: Vec<_> =
            signing.clone().map(|number| secret(number).sign(digest)).collect();
        let index = |number| snapshot.index_of(account(number).address()).unwrap();
        Certificate {
            header,
            signature: Signature::sum(&signatures).unwrap(),
            signers: Signers::new(self.operators as usize, signing.map(index)),
        }
    }

    /// Batches of frames in calldata.
    pub(super) async fn send_calldata(&self, count: usize) {
        self.send(vec![vec![0, 7]; count]).await;
    }

    async fn send(&self, batches: Vec<Vec<u8>>) {
        let provider = self.l1.provider(Some(account(BATCHER)));
        let (to, before) = &self.entrance;
        let mut sent = Vec::new();
        for batch in batches {
            let data = [&before[..], &batch].concat();
            // Without estimates, which would ask for the state that earlier ones leave.
            let request = TransactionRequest::default().with_to(*to).with_input(data);
            let request = request.with_gas_limit(TRANSACTION_GAS);
            sent.push(provider.send_transaction(request).await.unwrap());
        }
        for transaction in sent {
            assert!(transaction.get_receipt().await.unwrap().status());
        }
    }

    pub(super) async fn next_to_report(&self) -> u64 {
        let inbox = Inbox::new(self.inbox, self.l1.provider(None));
        inbox.nextToReport().call().await.unwrap().to()
    }

    /// Certificates of completed epochs and how many of them an operator signed.
    pub(super) async fn rate(&self, operator: Address) -> (u64, u64) {
        let registry = OperatorRegistry::new(self.l1.registry, self.l1.provider(None));
        let rate = registry.signingRate(operator).call().await.unwrap();
        (rate.certificates.to(), rate.signed.to())
    }

    pub(super) async fn state(&self, operator: Address) -> u8 {
        let registry = OperatorRegistry::new(self.l1.registry, self.l1.provider(None));
        registry.operatorOf(operator).call().await.unwrap().state
    }

    /// Lets an epoch end, and the turns of all operators pass.
    pub(super) async fn end_epoch(&self) {
        self.pass(LONG.epoch_length + 200).await;
        self.take_snapshots().await;
    }

    /// Time passes, until it is as deep as the confirmations.
    pub(super) async fn pass(&self, seconds: u64) {
        self.request::<serde_json::Value>("evm_increaseTime", [seconds]).await;
        self.mine().await;
    }

    /// Some blocks.
    pub(super) async fn mine(&self) {
        for _ in 0..=CONFIRMATIONS {
            self.request::<serde_json::Value>("evm_mine", ()).await;
        }
    }

    /// So many blocks that the logs below are not read again for a reorganisation.
    pub(super) async fn bury(&self) {
        for _ in 0..40 {
            self.mine().await;
        }
    }

    pub(super) async fn snapshot(&self) -> U256 {
        self.request("evm_snapshot", ()).await
    }

    pub(super) async fn revert(&self, snapshot: U256) {
        assert!(self.request::<bool>("evm_revert", [snapshot]).await);
    }

    async fn request<
        T: serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + Unpin + 'static,
    >(
        &self,
        method: &'static str,
        parameters: impl serde::Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin,
    ) -> T {
        self.l1.provider(None).raw_request(method.into(), parameters).await.unwrap()
    }

    /// Polls until the reporter has sent something.
    pub(super) async fn until_sent(&self, reporter: &mut Reporter) -> Vec<TxHash> {
        let start = Instant::now();
        loop {
            let sent = reporter.poll().await.unwrap();
            if !sent.is_empty() {
                return sent;
            }
            assert!(start.elapsed() < PATIENCE, "nothing is sent");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Polls until nothing was left to do for some blocks.
    pub(super) async fn settle(&self, reporter: &mut Reporter) {
        let (start, mut quiet) = (Instant::now(), 0);
        while quiet < QUIET_BLOCKS {
            quiet = if reporter.poll().await.unwrap().is_empty() { quiet + 1 } else { 0 };
            self.mine().await;
            assert!(start.elapsed() < PATIENCE, "there is always something to do");
        }
    }
}
