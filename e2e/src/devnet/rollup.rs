//! Sequencer and verifiers.

use cairn_test_setup::free_port;
use eyre::WrapErr;

use super::accounts::Role;
use super::data_dir::DataDir;
use super::ports::{Ports, http};
use super::service::{Probe, Service, args};
use super::settings::Settings;
use crate::process::sequencer_binary;

/// Name of the part.
pub(super) const SEQUENCER: &str = "sequencer";
/// Name of the verifier that a devnet has by default.
pub(super) const VERIFIER: &str = "verifier";

/// Blocks that must follow an L1 block before it counts: nobody reorganises anvil but tests.
const L1_CONFIRMATIONS: u64 = 1;
/// Milliseconds between looks at L1.
const L1_POLL_MS: u64 = 250;
/// Seconds for which a channel gathers blocks. Batches come often, so that one does not wait for them.
const CHANNEL_SECONDS: u64 = 4;
/// Seconds for which the batcher uses blobs before it tries the DA network again.
const DA_COOL_DOWN: u64 = 20;
/// L2 blocks between proposals.
const PROPOSAL_INTERVAL: u64 = 10;

/// Ports of one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodePorts {
    pub(super) http: u16,
    pub(super) metrics: u16,
    pub(super) admin: u16,
}

impl NodePorts {
    pub(super) const fn verifier(ports: &Ports) -> Self {
        Self { http: ports.verifier, metrics: ports.verifier_metrics, admin: ports.verifier_admin }
    }

    /// Those of a node beyond the settings.
    pub(super) fn free() -> eyre::Result<Self> {
        Ok(Self { http: free_port()?, metrics: free_port()?, admin: free_port()? })
    }
}

fn node(
    dir: &DataDir,
    settings: &Settings,
    name: &str,
    role: &str,
    ports: NodePorts,
) -> eyre::Result<Service> {
    let l1 = http(settings.ports.l1);
    let contracts = dir.contracts();
    let args = args([
        &"run",
        &"--role",
        &role,
        &"--datadir",
        &dir.of(name),
        &"--genesis",
        &contracts.join("genesis.json"),
        &"--rollup-config",
        &contracts.join("rollup.json"),
        &"--l1.rpc",
        &l1,
        &"--l1.beacon",
        &l1,
        // anvil makes the transactions root of blocks with blobs so.
        &"--l1.sidecar-roots",
        &"--l1.confirmations",
        &L1_CONFIRMATIONS,
        &"--l1.poll-ms",
        &L1_POLL_MS,
        &"--http.port",
        &ports.http,
        &"--http.cors",
        &"*",
        &"--metrics.port",
        &ports.metrics,
        &"--admin.port",
        &ports.admin,
    ]);
    let probes = vec![
        Probe::Health { url: format!("{}/health", http(ports.metrics)) },
        Probe::Block { url: http(ports.http), at_least: 0 },
    ];
    let program = sequencer_binary().wrap_err("no node of the rollup")?;
    Ok(Service { name: name.to_owned(), program, args, probes })
}

/// The sequencer, with batcher and proposer in its process.
pub(super) fn sequencer(dir: &DataDir, settings: &Settings) -> eyre::Result<Service> {
    let ports = NodePorts {
        http: settings.ports.l2,
        metrics: settings.ports.sequencer_metrics,
        admin: settings.ports.sequencer_admin,
    };
    let mut service = node(dir, settings, SEQUENCER, "sequencer", ports)?;
    service.args.extend(args([
        &"--batcher.key-file",
        &dir.key(Role::Batcher.key_name()),
        &"--proposer.key-file",
        &dir.key(Role::Proposer.key_name()),
        &"--feed.key-file",
        &dir.key(Role::UnsafeBlockSigner.key_name()),
        &"--batcher.channel-seconds",
        &CHANNEL_SECONDS,
        &"--batcher.da-cool-down",
        &DA_COOL_DOWN,
        &"--proposer.interval",
        &PROPOSAL_INTERVAL,
        // Nobody waits for L1's finality to see a withdrawal.
        &"--proposer.allow-non-finalized",
    ]));
    // Blocks come, and not only the first.
    service.probes.push(Probe::Block { url: http(ports.http), at_least: 1 });
    Ok(service)
}

/// A verifier. With `follows` it also hears of unsafe blocks from the sequencer, hands transactions
/// on to it, and challenges wrong output roots; without, all it knows is derived and it only looks.
pub(super) fn verifier(
    dir: &DataDir,
    settings: &Settings,
    name: &str,
    ports: NodePorts,
    follows: bool,
) -> eyre::Result<Service> {
    let mut service = node(dir, settings, name, "verifier", ports)?;
    if follows {
        service.args.extend(args([
            &"--feed.url",
            &format!("ws://127.0.0.1:{}", settings.ports.l2),
            &"--rollup.sequencer-http",
            &http(settings.ports.l2),
            &"--challenger.key-file",
            &dir.key(Role::Challenger.key_name()),
        ]));
    }
    Ok(service)
}
