//! How long a payload takes to its certificate, on a network of nodes in this process.
//!
//! The nodes listen on loopback addresses, check, store and sign as any node does, and share the cores of this
//! machine with one another and with the encoder. Each request and each answer is held back by the delay; what
//! a link's bandwidth would add is not simulated.

use std::time::Duration;

use cairn_da_client::collect::CollectPolicy;
use cairn_da_client::registry::Quorum;
use cairn_da_client::{Disperser, Nodes};
use cairn_da_codec::Committer;
use cairn_da_node::http::{Injection, inject, router};
use cairn_da_node::{Clock, Node};
use cairn_node_setup::{Server, ServerLimits};
use cairn_primitives::da::{
    Certificate, CertificateStatus, Epoch, Header, OperatorIndex, Reservation, Snapshot,
    Submission, Timestamp, check_certificate,
};
use eyre::{OptionExt, ensure};
use serde::Serialize;

use super::DaArgs;
use crate::bench::latency::Percentiles;
use crate::da::{domain, open_node, payer, payload, snapshot, tell};
use crate::progress::Bar;

/// Payloads that nobody measures go first: connections are made, tables built.
const WARM_UP: u64 = 3;

/// Certified payloads of one size.
#[derive(Clone, Debug, Serialize)]
pub struct DispersalFigures {
    /// Bytes of a payload.
    pub bytes: usize,
    /// Payloads.
    pub dispersals: u32,
    /// From the payload to its certificate.
    pub certified: Percentiles,
    /// The part of it in which the payload is encoded.
    pub encoding: Percentiles,
    /// Bytes of the bodies of all submissions divided by those of the payload.
    pub carried_ratio: f64,
}

/// Payloads through a network.
#[derive(Clone, Debug, Serialize)]
pub struct DispersalReport {
    /// Nodes, with a slot table of equal stakes.
    pub nodes: u32,
    /// Time by which each request and each answer is held back, in milliseconds.
    pub one_way_delay_ms: u64,
    /// Every size.
    pub sizes: Vec<DispersalFigures>,
}

/// Nodes that listen.
struct Network {
    nodes: Vec<Node>,
    servers: Vec<Server>,
    quorum: Quorum,
    _folder: tempfile::TempDir,
}

/// Measures every size; `None` without nodes.
pub(super) fn measure(args: &DaArgs) -> eyre::Result<Option<DispersalReport>> {
    if args.nodes == 0 {
        return Ok(None);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        Committer::shared()?;
        let network = Network::start(args).await?;
        let mut sizes = Vec::new();
        for size in args.sizes() {
            sizes.push(network.measure(args, size).await?);
        }
        network.stop().await;
        Ok(Some(DispersalReport { nodes: args.nodes, one_way_delay_ms: args.delay_ms, sizes }))
    })
}

impl Network {
    async fn start(args: &DaArgs) -> eyre::Result<Self> {
        let folder = tempfile::tempdir()?;
        let snapshot = snapshot(Epoch(1), &vec![1; args.nodes as usize])?;
        let delay = Duration::from_millis(args.delay_ms);
        let (mut nodes, mut servers, mut endpoints) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..args.nodes as usize {
            let node = open_node(folder.path(), number, &snapshot)?;
            let limits = ServerLimits::default();
            let injection = Injection { delay, failures_percent: 0 };
            let router = inject(router(node.clone(), limits), injection);
            let server = Server::start(([127, 0, 0, 1], 0).into(), router, limits).await?;
            endpoints.push(format!("http://{}", server.local_addr()));
            servers.push(server);
            nodes.push(node);
        }
        Ok(Self { nodes, servers, quorum: Quorum { snapshot, endpoints }, _folder: folder })
    }

    async fn measure(&self, args: &DaArgs, bytes: usize) -> eyre::Result<DispersalFigures> {
        let policy = CollectPolicy {
            attempt_time: Duration::from_secs(60),
            deadline: Duration::from_secs(180),
            ..CollectPolicy::default()
        };
        let disperser = Disperser::new(Nodes::new()?, domain(), payer()?, policy);
        let payload = bytes::Bytes::from(payload(bytes));
        let now = Clock::default().now();
        let expiry = Timestamp(now.as_secs() + 86_400);
        // Numbers that no size before had.
        let first = now.as_micros() as u64;
        let (mut certified, mut encoding) = (Vec::new(), Vec::new());
        let mut carried_ratio = 0.0;
        let name = format!("da: dispersing {bytes} bytes");
        let bar = Bar::begin(&name, u64::from(args.dispersals));
        for number in 0..u64::from(args.dispersals) + WARM_UP {
            self.nodes.iter().for_each(|node| tell(node, &self.quorum.snapshot));
            let reservation = Reservation(first + number);
            let done =
                disperser.disperse(&self.quorum, payload.clone(), reservation, expiry).await?;
            self.check(&done.certificate)?;
            if number < WARM_UP {
                carried_ratio = carried(&self.quorum.snapshot, &done.certificate.header);
                continue;
            }
            certified.push(done.encoding + done.collecting);
            encoding.push(done.encoding);
            bar.advance(1);
        }
        let none = "nothing was dispersed";
        Ok(DispersalFigures {
            bytes,
            dispersals: args.dispersals,
            certified: Percentiles::of(&mut certified).ok_or_eyre(none)?,
            encoding: Percentiles::of(&mut encoding).ok_or_eyre(none)?,
            carried_ratio,
        })
    }

    /// A certificate that L1 would refuse is none.
    fn check(&self, certificate: &Certificate) -> eyre::Result<()> {
        let (bytes, now) = (certificate.encode(), Timestamp(Clock::default().now().as_secs()));
        let status = check_certificate(&bytes, &domain(), Some(&self.quorum.snapshot), now);
        ensure!(status == CertificateStatus::Valid, "a certificate is not valid: {status:?}");
        Ok(())
    }

    async fn stop(self) {
        for server in self.servers {
            server.stop().await;
        }
    }
}

/// What all operators are sent of a payload, for each of its bytes.
fn carried(snapshot: &Snapshot, header: &Header) -> f64 {
    let table = snapshot.slot_table(header);
    let operators = (0..snapshot.operators().len()).map(|at| OperatorIndex(at as u16));
    let sent = operators.map(|operator| Submission::length(header, &table.rows_of(operator)));
    sent.sum::<usize>() as f64 / f64::from(header.payload_length.0)
}
