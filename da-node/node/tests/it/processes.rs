//! The whole network as real processes: anvil, sixteen nodes, kills, lies, pruning.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use cairn_da_client::collect::CollectPolicy;
use cairn_da_client::registry::{Quorum, Registry};
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_da_client::{Disperser, Nodes, Retriever};
use cairn_node_setup::{Server, ServerLimits};
use cairn_primitives::da::{
    CertificateStatus, Epoch, Header, Reservation, RowIndex, Shape, Timestamp,
};
use cairn_test_setup::free_port;

use crate::gateway::{Gateway, remembers, serves_users};
use crate::l1::{CHAIN_ID, Clockwork, ETHER, L1, account};
use crate::rig::payload;
use crate::submit::http;

const OPERATORS: u32 = 16;
const PATIENCE: Duration = Duration::from_secs(120);

/// One node as a process. Killed on drop.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) number: u32,
    pub(crate) port: u16,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Network {
    pub(crate) l1: L1,
    dir: tempfile::TempDir,
    nodes: Vec<Option<Process>>,
    ports: Vec<u16>,
    metrics_port: u16,
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn-da-node"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Network {
    async fn start(l1: L1) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ports = (0..OPERATORS).map(|_| free_port().unwrap()).collect();
        let metrics_port = free_port().unwrap();
        let mut network = Self { l1, dir, nodes: Vec::new(), ports, metrics_port };
        for number in 0..OPERATORS {
            network.register(number);
        }
        for number in 0..OPERATORS {
            let process = network.spawn(number);
            network.nodes.push(Some(process));
        }
        for number in 0..OPERATORS {
            network.wait_ready(number).await;
        }
        network
    }

    fn file(&self, number: u32, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}{number}"))
    }

    pub(crate) fn l1_flags(&self, command: &mut Command) {
        command.args(["--l1.rpc", &self.l1.url, "--l1.chain-id", &CHAIN_ID.to_string()]);
        command.args(["--l1.registry", &self.l1.registry.to_string()]);
    }

    /// The file of an account that pays.
    pub(crate) fn payer_key(&self) -> PathBuf {
        let path = self.dir.path().join("payer-key");
        let secret = alloy_primitives::hex::encode_prefixed(account(16).to_bytes());
        if !path.exists() {
            cairn_node_setup::write_private(&path, &secret).unwrap();
        }
        path
    }

    /// Where gateways remember.
    pub(crate) fn gateway_dir(&self) -> PathBuf {
        self.dir.path().join("gateway")
    }

    /// Makes a key and registers it, with the commands that operators use.
    fn register(&self, number: u32) {
        let (key, l1_key) = (self.file(number, "key"), self.file(number, "l1-key"));
        let made = binary().args(["key", "new", "--out"]).arg(&key).status().unwrap();
        assert!(made.success());
        let secret = alloy_primitives::hex::encode_prefixed(account(number).to_bytes());
        cairn_node_setup::write_private(&l1_key, &secret).unwrap();
        let mut command = binary();
        command.args(["register", "--key"]).arg(key).arg("--l1.key").arg(l1_key);
        command.args(["--stake-wei", &ETHER.to_string()]);
        let endpoint = format!("http://127.0.0.1:{}", self.ports[number as usize]);
        command.args(["--endpoint", &endpoint]);
        self.l1_flags(&mut command);
        assert!(command.status().unwrap().success(), "operator {number} is not registered");
    }

    fn spawn(&self, number: u32) -> Process {
        let port = self.ports[number as usize];
        let mut command = binary();
        command.arg("run").arg("--datadir").arg(self.file(number, "data"));
        command.arg("--key").arg(self.file(number, "key"));
        command.args(["--operator", &account(number).address().to_string()]);
        let metrics_port = if number == 8 { self.metrics_port } else { 0 };
        command.args(["--http.port", &port.to_string()]);
        command.args(["--metrics.port", &metrics_port.to_string()]);
        command.args(["--l1.confirmations", "0", "--l1.poll-ms", "300"]);
        command.args(["--prune-grace", "0", "--prune-period", "1", "--disk-reserve", "0"]);
        self.l1_flags(&mut command);
        // One of them keeps the epochs.
        if number == 0 {
            command.arg("--l1.key").arg(self.file(number, "l1-key"));
        }
        Process { child: command.spawn().unwrap(), number, port }
    }

    /// Waits until a node signs.
    async fn wait_ready(&self, number: u32) {
        let process = self.nodes[number as usize].as_ref().unwrap();
        let url = format!("http://127.0.0.1:{}/health", process.port);
        let start = Instant::now();
        loop {
            let answer = http().get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "node {} is not ready", process.number);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// `kill -9`.
    fn kill(&mut self, number: u32) {
        self.nodes[number as usize] = None;
    }

    async fn restart(&mut self, number: u32) {
        self.kill(number);
        self.nodes[number as usize] = Some(self.spawn(number));
        self.wait_ready(number).await;
    }

    async fn quorum(&self) -> Quorum {
        let registry = Registry::new(self.l1.provider(None), self.l1.domain()).await.unwrap();
        registry.latest_quorum(Epoch(0)).await.unwrap().unwrap()
    }

    fn disperser(&self) -> Disperser {
        let policy = CollectPolicy { deadline: PATIENCE, ..CollectPolicy::default() };
        Disperser::new(Nodes::new().unwrap(), self.l1.domain(), account(17), policy)
    }

    async fn disperse(&self, quorum: &Quorum, length: usize, lifetime: u64) -> Vec<u8> {
        let expiry = Timestamp(self.l1.time().await + lifetime);
        let reservation = Reservation(length as u64);
        let bytes = payload(length).into();
        let done = self.disperser().disperse(quorum, bytes, reservation, expiry).await.unwrap();
        println!(
            "{length} bytes: encoded in {:?}, certified in {:?} by {} operators",
            done.encoding,
            done.collecting,
            done.certificate.signers.iter().count()
        );
        done.certificate.encode()
    }

    async fn retrieve(&self, quorum: &Quorum, certificate: &[u8]) -> Vec<u8> {
        let retriever = Retriever::new(Nodes::new().unwrap(), RetrievalPolicy::default());
        let (domain, now) = (self.l1.domain(), Timestamp(self.l1.time().await));
        retriever.retrieve_certified(&domain, quorum, certificate, now).await.unwrap()
    }
}

/// Sits where a killed node was, and answers every request for a row with other bytes.
async fn lie(port: u16, shape: Shape) -> Server {
    let row = move |Path((_, row)): Path<(String, u16)>| async move {
        vec![row as u8 % 100; shape.sent_row_bytes(RowIndex(row))]
    };
    let router = Router::new().route("/v1/rows/{hash}/{row}", get(row));
    let listen = format!("127.0.0.1:{port}").parse().unwrap();
    Server::start(listen, router, ServerLimits::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_of_sixteen_processes_certifies_and_gives_back() {
    let clockwork = Clockwork { epoch_length: 86_400, seed_delay: 1 };
    let Some(l1) = L1::start(clockwork).await else { return };
    let mut network = Network::start(l1).await;
    let verifier = network.l1.deploy_verifier().await;
    let quorum = network.quorum().await;

    let lengths = [1024, 128 << 10, 1 << 20];
    let mut certificates = Vec::new();
    for length in lengths {
        let certificate = network.disperse(&quorum, length, 3600).await;
        assert_eq!(network.l1.check(verifier, &certificate).await, CertificateStatus::Valid as u8);
        assert_eq!(network.retrieve(&quorum, &certificate).await, payload(length));
        certificates.push(certificate);
    }
    statuses_agree(&network, verifier, &quorum, &certificates[0]).await;
    let gateway = Gateway::start(&network).await;
    serves_users(&gateway, &network, verifier).await;
    let gateway = remembers(gateway, &network).await;

    // Six of sixteen are killed, and liars take the places of three.
    let mut liars = Vec::new();
    let shape = Header::decode(&certificates[2][..90]).unwrap().shape;
    for number in 0..6 {
        network.kill(number);
        if number < 3 {
            liars.push(lie(network.ports[number as usize], shape).await);
        }
    }
    for (certificate, length) in certificates.iter().zip(lengths) {
        assert_eq!(network.retrieve(&quorum, certificate).await, payload(length), "{length}");
    }
    gateway.tells_to_fail_over().await;
    for liar in liars {
        liar.stop().await;
    }

    // One comes back after its kill: eleven certify.
    network.restart(5).await;
    let certificate = network.disperse(&quorum, 50_000, 3600).await;
    assert_eq!(network.l1.check(verifier, &certificate).await, CertificateStatus::Valid as u8);
    assert_eq!(network.retrieve(&quorum, &certificate).await, payload(50_000));

    // What expires is pruned and says so.
    let short = network.disperse(&quorum, 60_000, 15).await;
    let hash = Header::decode(&short[..90]).unwrap().hash();
    let url = format!("http://127.0.0.1:{}/v1/headers/{hash}", network.ports[8]);
    assert_eq!(http().get(&url).send().await.unwrap().status(), 200);
    let start = Instant::now();
    while http().get(&url).send().await.unwrap().status() != 410 {
        assert!(start.elapsed() < PATIENCE, "not pruned");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(network.l1.check(verifier, &short).await, CertificateStatus::Expired as u8);
    counts(&network).await;
    graceful_stop(&mut network).await;
}

/// What node 8 did stands in its metrics.
async fn counts(network: &Network) {
    let url = format!("http://127.0.0.1:{}/metrics", network.metrics_port);
    let text = http().get(url).send().await.unwrap().text().await.unwrap();
    for line in [
        "da_submissions_total{outcome=\"signed\"}",
        "da_rows_stored_total",
        "da_headers_pruned_total",
        "da_verify_seconds_count",
        "da_l1_block",
        "da_disk_free_bytes",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
}

/// The contract and our code judge alike, whatever byte is changed.
async fn statuses_agree(
    network: &Network,
    verifier: alloy_primitives::Address,
    quorum: &Quorum,
    good: &[u8],
) {
    let (domain, now) = (network.l1.domain(), Timestamp(network.l1.time().await));
    let ours = |bytes: &[u8]| {
        let status = cairn_primitives::da::check_certificate;
        status(bytes, &domain, Some(&quorum.snapshot), now) as u8
    };
    for at in 0..good.len() {
        // The epoch names another snapshot, which ours was not given.
        if (73..81).contains(&at) {
            continue;
        }
        let mut changed = good.to_vec();
        changed[at] ^= 1;
        let theirs = network.l1.check(verifier, &changed).await;
        assert_eq!(theirs, ours(&changed), "byte {at}");
        assert_ne!(theirs, 0, "byte {at}");
    }
    for bytes in [&good[..good.len() - 1], &[good, &[0]].concat(), &good[..185], &[]] {
        assert_eq!(network.l1.check(verifier, bytes).await, ours(bytes), "{} bytes", bytes.len());
    }
    let infinity = [&good[..90], &[0; 96], &good[186..]].concat();
    assert_eq!(network.l1.check(verifier, &infinity).await, ours(&infinity));
}

/// SIGTERM ends a node within its time, with status zero.
async fn graceful_stop(network: &mut Network) {
    let process = network.nodes[8].as_mut().unwrap();
    let killed = Command::new("kill").args(["-TERM", &process.child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let start = Instant::now();
    let status = loop {
        if let Some(status) = process.child.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "SIGTERM does not end the node");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(status.success(), "{status}");
}
