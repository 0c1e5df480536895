//! Settings of a node that follows L1.

use std::num::NonZeroU64;
use std::path::PathBuf;

use alloy_primitives::Address;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Builds blocks, and derives them from L1 like everybody.
    #[default]
    Sequencer,
    /// Derives blocks from L1 and the DA network, and may follow a sequencer's unsafe blocks.
    Verifier,
}

/// What a node of a rollup needs beside a store.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct RollupArgs {
    /// What the node is for [default: sequencer].
    #[arg(long, value_enum)]
    pub(crate) role: Option<Role>,
    /// The rollup's parameters, `rollup.json`. Without it the node runs alone, without L1.
    #[arg(long, conflicts_with = "dev")]
    pub(crate) rollup_config: Option<PathBuf>,
    /// L1's chain configuration in geth's form, or its genesis file: when which blob parameters hold. Known for
    /// mainnet, Sepolia and Hoodi; on another L1 the history before its active fork needs it.
    #[arg(id = "rollup.l1-chain-config", long = "rollup.l1-chain-config")]
    pub(crate) l1_chain_config: Option<PathBuf>,
    /// Password of those key files that are keystores.
    #[arg(long)]
    pub(crate) key_password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) l1: L1Args,
    #[command(flatten)]
    pub(crate) feed: FeedArgs,
    #[command(flatten)]
    pub(crate) batcher: BatcherArgs,
    #[command(flatten)]
    pub(crate) proposer: ProposerArgs,
    #[command(flatten)]
    pub(crate) challenger: ChallengerArgs,
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
    /// JSON-RPC of the sequencer, to which a verifier forwards transactions.
    #[arg(id = "rollup.sequencer-http", long = "rollup.sequencer-http")]
    pub(crate) sequencer_http: Option<String>,
}

/// How L1 is read.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct L1Args {
    /// JSON-RPC endpoints of L1 in order of preference.
    #[arg(id = "l1.rpc", long = "l1.rpc", value_delimiter = ',')]
    pub(crate) rpc: Option<Vec<String>>,
    /// WebSocket endpoint of L1, which says when there is a new head.
    #[arg(id = "l1.ws", long = "l1.ws")]
    pub(crate) ws: Option<String>,
    /// Beacon API endpoints in order of preference, for blobs.
    #[arg(id = "l1.beacon", long = "l1.beacon", value_delimiter = ',')]
    pub(crate) beacon: Option<Vec<String>>,
    /// Take transactions roots that are over blob transactions with their sidecars, too. For anvil,
    /// which makes them so.
    #[arg(id = "l1.sidecar-roots", long = "l1.sidecar-roots")]
    pub(crate) sidecar_roots: bool,
    /// L1 blocks that must follow an origin before the sequencer builds on it [default: 4].
    #[arg(id = "l1.confirmations", long = "l1.confirmations")]
    pub(crate) confirmations: Option<u64>,
    /// Milliseconds between looks at L1's head [default: 2000].
    #[arg(id = "l1.poll-ms", long = "l1.poll-ms")]
    pub(crate) poll_ms: Option<u64>,
}

/// The feed of unsafe blocks.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct FeedArgs {
    /// WebSocket of the sequencer whose unsafe blocks a verifier follows.
    #[arg(id = "feed.url", long = "feed.url")]
    pub(crate) url: Option<String>,
    /// Key of the unsafe block signer: a sequencer with it serves the feed on its JSON-RPC port.
    #[arg(id = "feed.key-file", long = "feed.key-file")]
    pub(crate) key_file: Option<PathBuf>,
    /// Who signs the feed; without it, whom the SystemConfig on L1 names.
    #[arg(id = "feed.signer", long = "feed.signer")]
    pub(crate) signer: Option<Address>,
}

/// Where batches go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CarrierChoice {
    /// The DA network, and blobs while that fails.
    #[default]
    Auto,
    /// L1 blobs.
    Blobs,
    /// L1 calldata.
    Calldata,
}

/// The batcher.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct BatcherArgs {
    /// Key of the batcher. A node with it sends the batches.
    #[arg(id = "batcher.key-file", long = "batcher.key-file")]
    pub(crate) key_file: Option<PathBuf>,
    /// Key of the payer of the DA network; without it the batcher's.
    #[arg(id = "batcher.payer-key-file", long = "batcher.payer-key-file")]
    pub(crate) payer_key_file: Option<PathBuf>,
    /// Where batches go [default: auto].
    #[arg(id = "batcher.carrier", long = "batcher.carrier", value_enum)]
    pub(crate) carrier: Option<CarrierChoice>,
    /// Seconds for which a channel gathers blocks, at most [default: 30].
    #[arg(id = "batcher.channel-seconds", long = "batcher.channel-seconds")]
    pub(crate) channel_seconds: Option<u64>,
    /// Compressed bytes at which a channel is closed [default: 1048576].
    #[arg(id = "batcher.channel-bytes", long = "batcher.channel-bytes")]
    pub(crate) channel_bytes: Option<usize>,
    /// Seconds for which a DA network that failed is left alone [default: 300].
    #[arg(id = "batcher.da-cool-down", long = "batcher.da-cool-down")]
    pub(crate) da_cool_down: Option<u64>,
    /// Blocks not yet safe beyond which the sequencer makes smaller ones [default: 600].
    #[arg(id = "batcher.max-unsafe-blocks", long = "batcher.max-unsafe-blocks")]
    pub(crate) max_unsafe_blocks: Option<NonZeroU64>,
    /// Bytes that a block may then take on L1; they halve with every further such number of blocks
    /// [default: 21000].
    #[arg(id = "batcher.throttled-block-bytes", long = "batcher.throttled-block-bytes")]
    pub(crate) throttled_block_bytes: Option<u64>,
    /// Confirmations after which a transaction on L1 is done, those of proposer and challenger too
    /// [default: 4].
    #[arg(id = "batcher.confirmations", long = "batcher.confirmations")]
    pub(crate) confirmations: Option<u64>,
}

/// The proposer.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct ProposerArgs {
    /// Key of the proposer. A node with it proposes output roots and resolves them.
    #[arg(id = "proposer.key-file", long = "proposer.key-file")]
    pub(crate) key_file: Option<PathBuf>,
    /// L2 blocks between proposals [default: 1800].
    #[arg(id = "proposer.interval", long = "proposer.interval")]
    pub(crate) interval: Option<u64>,
    /// Propose safe blocks before L1 has finalized their batches.
    #[arg(id = "proposer.allow-non-finalized", long = "proposer.allow-non-finalized")]
    pub(crate) allow_non_finalized: bool,
}

/// The challenger.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct ChallengerArgs {
    /// Key of a challenger. A node with it puts a bond against every wrong output root.
    #[arg(id = "challenger.key-file", long = "challenger.key-file")]
    pub(crate) key_file: Option<PathBuf>,
}

/// The port of the `admin` namespace, on the loopback interface alone.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct AdminArgs {
    /// Port; there is no admin port without it.
    #[arg(id = "admin.port", long = "admin.port")]
    pub(crate) port: Option<u16>,
}
