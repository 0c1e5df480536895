//! Nodes in this process, with real stores, servers and keys; only L1 is told instead of read.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, keccak256};
use cairn_da_client::registry::Quorum;
use cairn_da_codec::{Committer, EncodedMatrix};
use cairn_da_node::admission::{Disk, Event, L1Head, Limits, Operator, Quorums};
use cairn_da_node::http::{Injection, inject, router};
use cairn_da_node::store::StoreOptions;
use cairn_da_node::{Clock, Node, NodeConfig};
use cairn_node_setup::{Server, ServerLimits};
use cairn_primitives::da::bls::SecretKey;
use cairn_primitives::da::{
    Domain, Epoch, Header, OperatorIndex, PayerSignature, PayloadLength, QuorumId, Reservation,
    RowIndex, Shape, Snapshot, Stake, Submission, Timestamp,
};

pub(crate) const EPOCH: Epoch = Epoch(5);

pub(crate) fn domain() -> Domain {
    Domain { chain_id: 31337, registry: Address::repeat_byte(7) }
}

fn secret(number: usize) -> SecretKey {
    SecretKey::derive(keccak256((number as u64).to_be_bytes()).as_slice()).unwrap()
}

fn address(number: usize) -> Address {
    Address::with_last_byte(number as u8 + 1)
}

pub(crate) fn payer() -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(3)).unwrap()
}

/// Operators of equal stake.
pub(crate) fn snapshot(operators: usize, seed: u8) -> Snapshot {
    let operator = |i| cairn_primitives::da::Operator {
        address: address(i),
        stake: Stake(1),
        key: secret(i).public_key(),
    };
    let operators = (0..operators).map(operator).collect();
    let end = Timestamp(u64::MAX);
    Snapshot::new(EPOCH, QuorumId(0), B256::repeat_byte(seed), end, operators).unwrap()
}

/// One node with its server.
pub(crate) struct Running {
    pub(crate) node: Node,
    pub(crate) clock: Clock,
    server: Server,
}

/// Some of the nodes of a network. Those that are stopped leave a hole.
pub(crate) struct Rig {
    pub(crate) nodes: Vec<Option<Running>>,
    pub(crate) snapshot: Snapshot,
    pub(crate) endpoints: Vec<String>,
    limits: Limits,
    server_limits: ServerLimits,
    injection: Injection,
    dir: tempfile::TempDir,
}

impl Rig {
    pub(crate) async fn start(operators: usize) -> Self {
        Self::start_with(operators, Limits::default(), ServerLimits::default()).await
    }

    /// A network with faults on purpose.
    pub(crate) async fn start_faulty(operators: usize, injection: Injection) -> Self {
        let (limits, server_limits) = (Limits::default(), ServerLimits::default());
        Self::start_all(operators, limits, server_limits, injection).await
    }

    pub(crate) async fn start_with(
        operators: usize,
        limits: Limits,
        server_limits: ServerLimits,
    ) -> Self {
        Self::start_all(operators, limits, server_limits, Injection::default()).await
    }

    async fn start_all(
        operators: usize,
        limits: Limits,
        server_limits: ServerLimits,
        injection: Injection,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let snapshot = snapshot(operators, 1);
        let mut rig = Self {
            nodes: Vec::new(),
            snapshot,
            endpoints: Vec::new(),
            limits,
            server_limits,
            injection,
            dir,
        };
        for number in 0..operators {
            let running = rig.run(number).await;
            rig.endpoints.push(format!("http://{}", running.server.local_addr()));
            rig.nodes.push(Some(running));
        }
        rig
    }

    async fn run(&self, number: usize) -> Running {
        let (clock, dir) = (Clock::default(), self.dir.path().join(number.to_string()));
        let key = secret(number);
        let operator =
            Operator { domain: domain(), address: address(number), key: key.public_key() };
        let store = StoreOptions { write_buffer_bytes: 4 << 20, ..StoreOptions::default() };
        let node = Node::open(NodeConfig {
            store_dir: dir,
            store,
            operator,
            key,
            limits: self.limits.clone(),
            disk_reserve: 0,
            clock: clock.clone(),
        })
        .unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let router = inject(router(node.clone(), self.server_limits), self.injection);
        let server = Server::start(listen, router, self.server_limits).await.unwrap();
        let running = Running { node, clock, server };
        running.tell(&self.snapshot);
        running
    }

    /// Stops a node and closes its store.
    pub(crate) async fn stop(&mut self, number: usize) {
        if let Some(running) = self.nodes[number].take() {
            running.server.stop().await;
            drop(running.node);
        }
    }

    /// Stops a node and starts it again on what it left, at another port.
    pub(crate) async fn restart(&mut self, number: usize) {
        self.stop(number).await;
        let running = self.run(number).await;
        self.endpoints[number] = format!("http://{}", running.server.local_addr());
        self.nodes[number] = Some(running);
    }

    pub(crate) fn node(&self, number: usize) -> &Running {
        self.nodes[number].as_ref().unwrap()
    }

    pub(crate) fn quorum(&self) -> Quorum {
        Quorum { snapshot: self.snapshot.clone(), endpoints: self.endpoints.clone() }
    }

    pub(crate) fn expiry(&self) -> Timestamp {
        Timestamp(Clock::default().now().as_secs() + 3600)
    }

    /// A payload as the payer hands it over.
    pub(crate) fn parcel(&self, length: usize, reservation: u64) -> Parcel {
        Parcel::new(&self.snapshot, length, reservation, self.expiry())
    }
}

impl Running {
    /// Tells the node what L1 says.
    pub(crate) fn tell(&self, snapshot: &Snapshot) {
        let time = Timestamp(self.clock.now().as_secs());
        let head = L1Head { number: 1, hash: B256::ZERO, time };
        let snapshots = BTreeMap::from([(snapshot.epoch(), Arc::new(snapshot.clone()))]);
        self.node.step(Event::Quorums(Quorums { head, current: snapshot.epoch(), snapshots }));
    }

    pub(crate) fn set_disk(&self, disk: Disk) {
        self.node.step(Event::Disk(disk));
    }
}

/// An encoded payload with its signed header.
pub(crate) struct Parcel {
    pub(crate) header: Header,
    pub(crate) signature: PayerSignature,
    pub(crate) matrix: EncodedMatrix,
    snapshot: Snapshot,
}

pub(crate) fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + i / 251) as u8).collect()
}

impl Parcel {
    pub(crate) fn new(
        snapshot: &Snapshot,
        length: usize,
        reservation: u64,
        expiry: Timestamp,
    ) -> Self {
        let committer = Committer::shared().unwrap();
        let operators = snapshot.operators().len();
        let matrix = EncodedMatrix::encode(committer, &payload(length), operators).unwrap();
        let (rows, columns) = (matrix.shape().rows() as u16, matrix.shape().columns() as u16);
        let header = Header {
            shape: Shape::new(rows, columns).unwrap(),
            payload_length: PayloadLength(length as u32),
            hashes_root: matrix.hashes_root(),
            payer: payer().address(),
            reservation: Reservation(reservation),
            epoch: snapshot.epoch(),
            quorum: QuorumId(0),
            expiry,
        };
        let mut parcel =
            Self { header, signature: PayerSignature([0; 65]), matrix, snapshot: snapshot.clone() };
        parcel.sign();
        parcel
    }

    /// Signs the header as it is.
    pub(crate) fn sign(&mut self) {
        let hash = self.header.hash();
        self.signature = payer().sign_message_sync(hash.as_slice()).unwrap().into();
    }

    pub(crate) fn rows_of(&self, number: usize) -> Vec<RowIndex> {
        self.snapshot.rows_of(OperatorIndex(number as u16), &self.header)
    }

    pub(crate) fn commitments(&self) -> Vec<u8> {
        self.matrix.commitments().iter().flat_map(|commitment| commitment.0).collect()
    }

    /// A row as it is sent.
    pub(crate) fn sent_row(&self, row: RowIndex) -> Vec<u8> {
        self.header.shape.pack_row(row, &self.row(row)).into_owned()
    }

    pub(crate) fn row(&self, row: RowIndex) -> Vec<u8> {
        self.matrix.row(cairn_da_codec::RowIndex(row.0)).unwrap().to_vec()
    }

    pub(crate) fn rows(&self, number: usize) -> Vec<Vec<u8>> {
        self.rows_of(number).into_iter().map(|row| self.row(row)).collect()
    }

    /// The body for an operator, with these commitments and rows.
    pub(crate) fn body_of(&self, number: usize, commitments: &[u8], rows: &[Vec<u8>]) -> Vec<u8> {
        self.body_with(commitments, self.rows_of(number).into_iter().zip(rows))
    }

    /// A body of these rows.
    pub(crate) fn body_with<'a>(
        &self,
        commitments: &[u8],
        rows: impl IntoIterator<Item = (RowIndex, &'a Vec<u8>)>,
    ) -> Vec<u8> {
        let rows = rows.into_iter().map(|(index, row)| (index, &row[..]));
        Submission::encode(&self.header, &self.signature, commitments, rows)
    }

    /// The body for an operator.
    pub(crate) fn body(&self, number: usize) -> Vec<u8> {
        self.body_of(number, &self.commitments(), &self.rows(number))
    }
}
