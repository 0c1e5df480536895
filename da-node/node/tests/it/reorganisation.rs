//! L1 is reorganised across the border of an epoch, after nodes have signed for it.

use alloy::providers::Provider;
use alloy::sol;
use alloy_primitives::U256;
use cairn_da_client::collect::CollectPolicy;
use cairn_da_client::registry::{Quorum, Registry};
use cairn_da_client::{ClientError, Disperser, Nodes};
use cairn_da_node::admission::{Event, Limits, Operator, Quorums};
use cairn_da_node::http::router;
use cairn_da_node::l1::{Follower, Registration, register};
use cairn_da_node::store::StoreOptions;
use cairn_da_node::{Clock, Node, NodeConfig};
use cairn_node_setup::{Server, ServerLimits};
use cairn_primitives::da::{
    CertificateStatus, Epoch, Refusal, RefusalCode, Reservation, Timestamp, check_certificate,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::following::{follower, keeper, secret, until, until_polled};
use crate::l1::{Clockwork, ETHER, L1, account};
use crate::rig::{Parcel, payer, payload};
use crate::slow::{answer, head};
use crate::submit::post_rows;

const OPERATORS: u32 = 4;
const EPOCH: u64 = 120;
const LENGTH: usize = 300_000;

sol! {
    #[sol(rpc)]
    contract Stakes {
        function increaseStake() external payable;
    }
}

/// A node that is told what a follower reads.
struct Signer {
    node: Node,
    server: Server,
    _dir: tempfile::TempDir,
}

impl Signer {
    async fn start(l1: &L1, number: u32) -> Self {
        let (dir, key) = (tempfile::tempdir().unwrap(), secret(number));
        let (domain, address) = (l1.domain(), account(number).address());
        let node = Node::open(NodeConfig {
            store_dir: dir.path().join("rows"),
            store: StoreOptions { write_buffer_bytes: 4 << 20, ..StoreOptions::default() },
            operator: Operator { domain, address, key: key.public_key() },
            key,
            limits: Limits::default(),
            disk_reserve: 0,
            clock: Clock::default(),
        });
        let node = node.unwrap();
        let limits = ServerLimits::default();
        let listen = "127.0.0.1:0".parse().unwrap();
        let server = Server::start(listen, router(node.clone(), limits), limits).await.unwrap();
        Self { node, server, _dir: dir }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.server.local_addr())
    }
}

/// Four registered nodes and what follows L1 for them.
struct Network {
    l1: L1,
    signers: Vec<Signer>,
    follower: Follower,
    registry: Registry,
}

impl Network {
    async fn start() -> Option<Self> {
        let l1 = L1::start(Clockwork { epoch_length: EPOCH, seed_delay: 1 }).await?;
        let mut signers = Vec::new();
        for number in 0..OPERATORS {
            let signer = Signer::start(&l1, number).await;
            let account = account(number);
            let registration = Registration {
                domain: l1.domain(),
                operator: account.address(),
                key: &secret(number),
                endpoint: signer.endpoint(),
                stake: U256::from(ETHER * u128::from(number + 1)),
            };
            register(l1.provider(Some(account)), &registration).await.unwrap();
            signers.push(signer);
        }
        let follower = follower(&l1, 0).await;
        let registry = Registry::new(l1.provider(None), l1.domain()).await.unwrap();
        Some(Self { l1, signers, follower, registry })
    }

    fn tell(&self, quorums: &Quorums) {
        for signer in &self.signers {
            signer.node.step(Event::Quorums(quorums.clone()));
        }
    }

    /// An operator adds to its stake, the snapshots are taken and the seeds drawn, and epoch 1 begins.
    async fn cross_the_border(&mut self, raised: u32, ether: u128) -> Quorum {
        let l1 = self.l1.provider(Some(account(raised)));
        let stakes = Stakes::new(self.l1.registry, l1.clone());
        let call = stakes.increaseStake().value(U256::from(ETHER * ether));
        assert!(call.send().await.unwrap().get_receipt().await.unwrap().status());
        let mut keeper = keeper(&self.l1);
        let both = until(&mut keeper, &mut self.follower, |it| it.snapshots.len() == 2).await;
        assert_eq!(both.current, Epoch(0), "the border was crossed too early");
        let _: serde_json::Value =
            l1.raw_request("evm_increaseTime".into(), [EPOCH]).await.unwrap();
        let _: serde_json::Value = l1.raw_request("evm_mine".into(), ()).await.unwrap();
        let crossed = until(&mut keeper, &mut self.follower, |it| it.current == Epoch(1)).await;
        self.tell(&crossed);
        let quorum = self.registry.latest_quorum(Epoch(1)).await.unwrap().unwrap();
        assert_eq!(quorum.snapshot, *crossed.snapshots[&Epoch(1)]);
        let index = quorum.snapshot.index_of(account(raised).address()).unwrap();
        let stake = quorum.snapshot.operator(index).unwrap().stake.0;
        assert_eq!(stake, ETHER * (u128::from(raised) + 1 + ether));
        quorum
    }

    async fn disperse(
        &self,
        quorum: &Quorum,
        number: u64,
        expiry: Timestamp,
    ) -> Result<Vec<u8>, ClientError> {
        // All sign: under other stakes two thirds might be too few, and no signature is looked at.
        let default = CollectPolicy::default();
        let policy = CollectPolicy { attempts: 1, straggler_time: default.deadline, ..default };
        let disperser = Disperser::new(Nodes::new().unwrap(), self.l1.domain(), payer(), policy);
        let bytes = payload(LENGTH).into();
        let done = disperser.disperse(quorum, bytes, Reservation(number), expiry).await?;
        Ok(done.certificate.encode())
    }

    /// A submission to the first operator, of which the last byte is still missing.
    async fn begin(&self, quorum: &Quorum, number: u64, expiry: Timestamp) -> (TcpStream, u8) {
        let body = self.body(quorum, number, expiry);
        let mut stream = TcpStream::connect(self.signers[0].server.local_addr()).await.unwrap();
        let head = head(&format!("content-length: {}\r\nconnection: close", body.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        let (last, most) = body.split_last().unwrap();
        stream.write_all(most).await.unwrap();
        (stream, *last)
    }

    fn body(&self, quorum: &Quorum, number: u64, expiry: Timestamp) -> Vec<u8> {
        let parcel = Parcel::new(&quorum.snapshot, LENGTH, number, expiry);
        let index = quorum.snapshot.index_of(account(0).address()).unwrap();
        parcel.body(index.as_usize())
    }

    /// Waits until the first operator reads so many bodies.
    async fn until_in_flight(&self, count: usize) {
        let node = &self.signers[0].node;
        let waiting = async {
            while node.with_admission(|admission| admission.in_flight().0) != count {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let patience = std::time::Duration::from_secs(30);
        tokio::time::timeout(patience, waiting).await.expect("the submissions did not begin");
    }
}

/// The answer to a submission whose last byte comes now.
async fn end((mut stream, last): (TcpStream, u8)) -> Refusal {
    stream.write_all(&[last]).await.unwrap();
    let text = answer(stream).await;
    assert!(!text.starts_with("HTTP/1.1 200"), "signed: {text}");
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_that_l1_takes_back_is_not_signed_for_any_more() {
    let Some(mut network) = Network::start().await else { return };
    let verifier = network.l1.deploy_verifier().await;
    let l1 = network.l1.provider(None);
    let before: U256 = l1.raw_request("evm_snapshot".into(), ()).await.unwrap();
    let expiry = Timestamp(Clock::default().now().as_secs() + 3600);
    let domain = network.l1.domain();
    let (valid, wrong) = (CertificateStatus::Valid, CertificateStatus::WrongSignature);
    let status = |certificate: &[u8], quorum: &Quorum| {
        let now = Timestamp(expiry.0 - 1);
        check_certificate(certificate, &domain, Some(&quorum.snapshot), now)
    };

    let gone = network.cross_the_border(0, 5).await;
    let old = network.disperse(&gone, 1, expiry).await.unwrap();
    assert_eq!(network.l1.check(verifier, &old).await, valid as u8);
    let (first, second) =
        (network.begin(&gone, 10, expiry).await, network.begin(&gone, 11, expiry).await);
    network.until_in_flight(2).await;

    // L1 goes back behind the border, to before the snapshot of epoch 1.
    let reverted: bool = l1.raw_request("evm_revert".into(), [before]).await.unwrap();
    assert!(reverted);
    let back = until_polled(&mut network.follower).await;
    assert_eq!((back.current, back.snapshots.len()), (Epoch(0), 0));
    network.tell(&back);
    assert_eq!(end(first).await.code, RefusalCode::UnknownEpoch);
    let body = network.body(&gone, 12, expiry);
    let refusal = post_rows(&network.signers[0].endpoint(), body).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::UnknownEpoch);

    // Other blocks, with another stake: epoch 1 is there again, and is another one.
    let new = network.cross_the_border(1, 9).await;
    assert_ne!(new.snapshot.seed(), gone.snapshot.seed());
    let refusal = end(second).await;
    assert_eq!(refusal.code, RefusalCode::UnknownEpoch);
    assert!(refusal.message.contains("replaced the quorum of epoch 1"), "{refusal}");
    // What was certified is not any more, here and on L1.
    assert_eq!(status(&old, &gone), valid);
    assert_eq!(status(&old, &new), wrong);
    assert_eq!(network.l1.check(verifier, &old).await, wrong as u8);
    // Whoever still has the gone quorum gets no certificate.
    let result = network.disperse(&gone, 2, expiry).await;
    assert!(matches!(result, Err(ClientError::NotCertified(_))), "{result:?}");
    // The same header is certified again, for the rows of the new seed; another one under its
    // reservation is not.
    let certificate = network.disperse(&new, 1, expiry).await.unwrap();
    assert_eq!(certificate[..90], old[..90]);
    assert_eq!(status(&certificate, &new), valid);
    assert_eq!(status(&certificate, &gone), wrong);
    assert_eq!(network.l1.check(verifier, &certificate).await, valid as u8);
    let result = network.disperse(&new, 1, Timestamp(expiry.0 - 1)).await;
    match result {
        Err(ClientError::NotCertified(shortfall)) => {
            let used = |(_, failure): &(_, String)| failure.contains("is used by header");
            assert!(shortfall.failures.iter().any(used), "{shortfall}");
        }
        other => panic!("{other:?}"),
    }
}
