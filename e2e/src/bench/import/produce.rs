//! Makes the chain that is imported.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::{B256, Bytes, U64};
use cairn_genesis::{DevOptions, dev_genesis};
use eyre::{WrapErr, bail};
use serde::Deserialize;
use serde_json::json;

use super::ImportArgs;
use crate::bench::lanes::{Cut, Transport, cut};
use crate::bench::signing::sign_load;
use crate::bench::verify::{Sent, verify};
use crate::bench::{inclusion, load, setup};
use crate::process::{Sequencer, SequencerOptions};
use crate::progress::{Bar, Stage};
use crate::rpc::RpcClient;

const BLOCK_TIME: Duration = Duration::from_secs(1);
const GAS_LIMIT: u64 = 5_000_000_000;
const BATCH: usize = 100;
const CONNECTIONS: usize = 8;
const STALL: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// A chain in a file, with what is in it.
#[derive(Debug)]
pub(super) struct Produced {
    pub(super) genesis: PathBuf,
    pub(super) file: PathBuf,
    pub(super) head: B256,
    pub(super) blocks: u64,
    pub(super) txs: u64,
    pub(super) gas_used: u64,
    pub(super) file_bytes: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    hash: B256,
    gas_used: U64,
    transactions: Vec<B256>,
}

/// Runs a node under load and writes its chain below `folder`.
pub(super) async fn produce(args: &ImportArgs, folder: &Path) -> eyre::Result<Produced> {
    let genesis = folder.join("genesis.json");
    let accounts = args.senders.saturating_add(1);
    let options = DevOptions { accounts, gas_limit: GAS_LIMIT, ..DevOptions::default() };
    std::fs::write(&genesis, serde_json::to_vec(&dev_genesis(&options)?)?)
        .wrap_err("the genesis file cannot be written")?;
    let mut node = Sequencer::start(SequencerOptions {
        genesis: Some(genesis.clone()),
        block_time: Some(BLOCK_TIME),
        ..SequencerOptions::default()
    })
    .await?;
    let made = async {
        fill(node.rpc(), args).await?;
        export(node.rpc(), genesis, folder.join("chain.rlp")).await
    };
    match made.await {
        Ok(produced) => {
            node.terminate(STOP_LIMIT).await?;
            Ok(produced)
        }
        Err(error) => Err(error.wrap_err(node.child().log_tail())),
    }
}

/// Sends a block's worth of transactions in each block time.
async fn fill(rpc: &RpcClient, args: &ImportArgs) -> eyre::Result<()> {
    let txs = u64::from(args.blocks) * u64::from(args.txs_per_block);
    let _stage = Stage::begin(format!("making {} blocks of {}", args.blocks, args.txs_per_block));
    let prepared = setup::prepare(rpc, args.shape(), txs).await?;
    let signed = sign_load(&prepared.plan, &prepared.senders, txs, prepared.terms)?;
    let sent: Sent = signed.iter().map(|signed| (signed.hash, signed.trace)).collect();
    let senders = prepared.senders.len();
    let how = Cut {
        transport: Transport::Http,
        senders,
        connections: CONNECTIONS.min(senders),
        batch: BATCH,
        method: "eth_sendRawTransaction",
    };
    let lanes = cut(&signed, rpc.endpoint(), how);
    let connections = load::connect(rpc.endpoint(), lanes.len()).await?;
    let after = inclusion::next_block(rpc).await?;
    let target = AtomicU64::new(txs);
    let rate = f64::from(args.txs_per_block) / BLOCK_TIME.as_secs_f64();
    let submitting = async {
        let submission = load::submit(connections, lanes, Some(rate)).await?;
        target.fetch_sub(submission.refusals.total(), Ordering::Relaxed);
        Ok(submission)
    };
    let watching = inclusion::watch(rpc, after, prepared.system, &target, STALL);
    let (submission, blocks) = tokio::try_join!(submitting, watching)?;
    let inclusion = verify(rpc, &blocks, &sent).await?;
    if inclusion.included - inclusion.reverted != txs {
        bail!("only {inclusion:?} of {txs}, refused {:?}", submission.refusals.by_reason());
    }
    Ok(())
}

/// Writes all blocks behind genesis, oldest first.
async fn export(rpc: &RpcClient, genesis: PathBuf, file: PathBuf) -> eyre::Result<Produced> {
    let head = rpc.block_number().await?;
    let bar = Bar::begin("writing the chain", head);
    let mut writer = BufWriter::new(File::create(&file).wrap_err("the chain file")?);
    let mut produced = Produced {
        genesis,
        file,
        head: B256::ZERO,
        blocks: head,
        txs: 0,
        gas_used: 0,
        file_bytes: 0,
    };
    for number in 1..=head {
        let number = U64::from(number);
        let raw: Bytes = rpc.call("debug_getRawBlock", json!([number])).await?;
        writer.write_all(&raw)?;
        let block: Block = rpc.call("eth_getBlockByNumber", json!([number, false])).await?;
        produced.head = block.hash;
        produced.txs += block.transactions.len() as u64;
        produced.gas_used += block.gas_used.to::<u64>();
        produced.file_bytes += raw.len() as u64;
        bar.advance(1);
    }
    writer.flush()?;
    Ok(produced)
}
