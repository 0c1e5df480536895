//! `cairn-bench batch`: bytes on L1 per transaction, and what it costs to write and read them.
//!
//! Signed transactions are laid out in blocks and encoded as one span batch in one channel, as the batcher
//! does it; beside that stand the transactions as they are, and zlib over singular batches, which was the
//! form before span batches.

use std::time::Duration;

use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::Encodable;
use cairn_rollup::{
    L2BlockRef, RollupConfig,
    batch::{Batch, BatchBlock, SingularBatch},
    channel::{
        BatchReader, BrotliQuality, ChannelOut, ChannelOutConfig, ClosedChannel, CompressionRatio,
        compress_zlib,
    },
    frame::ChannelId,
    testing::{CHAIN_ID, GENESIS_TIME, config},
};
use clap::Args;
use eyre::{OptionExt, bail, ensure};
use serde::Serialize;

use super::accounts::mnemonic_accounts;
use super::latency::median;
use super::signing::{Terms, sign_load};
use super::usage::own_cpu;
use super::workload::{Plan, Workload};

/// Options of `cairn-bench batch`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = AFTER_BATCH)]
pub struct BatchArgs {
    /// Transactions in the span batch.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub txs: u64,
    /// Accounts that send.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub senders: u32,
    /// Accounts that receive.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub recipients: u32,
    /// Blocks over which they are spread.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub blocks: u64,
    /// Brotli quality; may be given several times. [default: the batcher's, 9 and 10]
    #[arg(long = "quality", value_parser = clap::value_parser!(u8).range(0..=11))]
    pub qualities: Vec<u8>,
    /// Rounds; the median of the times counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rounds: u32,
    /// Prints one JSON object on the last line of standard output instead of a table.
    #[arg(long)]
    pub json: bool,
}

const AFTER_BATCH: &str = "\
Raw is the EIP-2718 form of the transactions alone. zlib compresses singular batches of the same blocks (level 6, OP's
form before Delta). Times are processor time of one thread: adding the blocks and compressing them, and
decompressing and decoding to EIP-2718 bytes, which are compared with what went in.";

/// Figures of one quality.
#[derive(Clone, Debug, Serialize)]
pub struct QualityFigures {
    /// Brotli's quality.
    pub quality: u8,
    /// Bytes of the channel per transaction.
    pub bytes_per_tx: f64,
    /// Microseconds per transaction from blocks to channel.
    pub encode_us_per_tx: f64,
    /// Microseconds per transaction from channel to transactions.
    pub decode_us_per_tx: f64,
}

/// Figures of one workload.
#[derive(Clone, Debug, Serialize)]
pub struct BatchFigures {
    /// What the transactions do.
    pub workload: Workload,
    /// Bytes of a transaction as it is.
    pub raw_bytes_per_tx: f64,
    /// With singular batches and zlib.
    pub zlib_bytes_per_tx: f64,
    /// In the span batch before compression.
    pub span_bytes_per_tx: f64,
    /// Per brotli quality.
    pub qualities: Vec<QualityFigures>,
}

/// Everything `cairn-bench batch` has to say.
#[derive(Clone, Debug, Serialize)]
pub struct BatchReport {
    /// Always `batch`.
    pub bench: &'static str,
    /// Transactions.
    pub txs: u64,
    /// Senders.
    pub senders: u32,
    /// Blocks.
    pub blocks: u64,
    /// Transfers and ERC-20 transfers.
    pub workloads: Vec<BatchFigures>,
}

/// Runs the measurement and prints its result.
pub(super) fn run(args: &BatchArgs) -> eyre::Result<()> {
    let report = measure(args)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", table(&report));
    }
    Ok(())
}

fn measure(args: &BatchArgs) -> eyre::Result<BatchReport> {
    let workloads = [Workload::Transfer, Workload::Erc20]
        .into_iter()
        .map(|workload| figures(args, workload))
        .collect::<eyre::Result<_>>()?;
    let BatchArgs { txs, senders, blocks, .. } = *args;
    Ok(BatchReport { bench: "batch", txs, senders, blocks, workloads })
}

fn figures(args: &BatchArgs, workload: Workload) -> eyre::Result<BatchFigures> {
    let rollup = config();
    let blocks = blocks(args, workload)?;
    let per_tx = |bytes: usize| bytes as f64 / args.txs as f64;
    let raw = blocks.iter().flat_map(|block| &block.transactions).map(|raw| raw.len()).sum();
    let mut singular = Vec::new();
    for block in &blocks {
        SingularBatch::from(block).encode().as_slice().encode(&mut singular);
    }
    let span = channel(&rollup, &blocks, BrotliQuality::default())?.rlp_len();

    let default = [BrotliQuality::default().get(), 9, 10];
    let qualities = if args.qualities.is_empty() { &default[..] } else { &args.qualities };
    let qualities = qualities
        .iter()
        .map(|quality| quality_figures(args, &rollup, &blocks, *quality))
        .collect::<eyre::Result<_>>()?;
    Ok(BatchFigures {
        workload,
        raw_bytes_per_tx: per_tx(raw),
        zlib_bytes_per_tx: per_tx(compress_zlib(&singular, 6).len()),
        span_bytes_per_tx: per_tx(span),
        qualities,
    })
}

fn quality_figures(
    args: &BatchArgs,
    rollup: &RollupConfig,
    blocks: &[BatchBlock],
    quality: u8,
) -> eyre::Result<QualityFigures> {
    let level = BrotliQuality::new(quality).ok_or_eyre("a quality beyond 11")?;
    let (mut encode, mut decode, mut size) = (Vec::new(), Vec::new(), 0);
    for _ in 0..args.rounds {
        let (closed, spent) = timed(|| closed(rollup, blocks, level))?;
        encode.push(spent.as_secs_f64());
        let data = closed.data.to_vec();
        size = data.len();
        let (read, spent) = timed(|| read(rollup, data))?;
        decode.push(spent.as_secs_f64());
        let written = blocks.iter().map(|block| &block.transactions);
        ensure!(read.iter().eq(written), "the channel holds other transactions");
    }
    let us_per_tx = |rounds: &[f64]| match median(rounds) {
        Some(seconds) => Ok(seconds * 1e6 / args.txs as f64),
        None => bail!("no round was run"),
    };
    Ok(QualityFigures {
        quality,
        bytes_per_tx: size as f64 / args.txs as f64,
        encode_us_per_tx: us_per_tx(&encode)?,
        decode_us_per_tx: us_per_tx(&decode)?,
    })
}

fn timed<T>(work: impl FnOnce() -> eyre::Result<T>) -> eyre::Result<(T, Duration)> {
    let started = own_cpu()?;
    let done = work()?;
    Ok((done, own_cpu()?.saturating_sub(started)))
}

fn channel(
    rollup: &RollupConfig,
    blocks: &[BatchBlock],
    quality: BrotliQuality,
) -> eyre::Result<ChannelOut> {
    let config = ChannelOutConfig { quality, ..ChannelOutConfig::default() };
    let mut out = ChannelOut::new(ChannelId([1; 16]), config, CompressionRatio::default(), rollup);
    for block in blocks {
        out.push(block)?;
    }
    Ok(out)
}

fn closed(
    rollup: &RollupConfig,
    blocks: &[BatchBlock],
    quality: BrotliQuality,
) -> eyre::Result<ClosedChannel> {
    channel(rollup, blocks, quality)?.close().ok_or_eyre("a channel without a block")
}

/// The transactions of each block of the channel.
fn read(rollup: &RollupConfig, channel: Vec<u8>) -> eyre::Result<Vec<Vec<Bytes>>> {
    let mut blocks = Vec::new();
    for batch in BatchReader::new(channel)?.batches(rollup) {
        match batch? {
            Batch::Span(span) => blocks.extend(span.blocks.into_iter().map(|b| b.transactions)),
            Batch::Singular(batch) => blocks.push(batch.transactions),
        }
    }
    Ok(blocks)
}

/// Blocks of the signed load, two seconds apart, six to an L1 origin.
fn blocks(args: &BatchArgs, workload: Workload) -> eyre::Result<Vec<BatchBlock>> {
    let senders = mnemonic_accounts(0, args.senders)?;
    let (token, work) = (Address::repeat_byte(0x70), Address::repeat_byte(0x71));
    let plan = Plan { workload, recipients: args.recipients, token, work };
    let terms = Terms { chain_id: CHAIN_ID, max_fee: 2_000_000_000, priority_fee: 1_000_000 };
    let signed = sign_load(&plan, &senders, args.txs, terms)?;
    let size = usize::try_from(args.txs.div_ceil(args.blocks))?;
    let chunks = signed.chunks(size.max(1)).zip(1u64..);
    Ok(chunks
        .map(|(chunk, number)| BatchBlock {
            block: block(number),
            transactions: chunk.iter().map(|signed| signed.raw.clone()).collect(),
        })
        .collect())
}

fn block(number: u64) -> L2BlockRef {
    let hash = |number: u64| alloy_primitives::keccak256(U256::from(number).to_be_bytes::<32>());
    let origin = 1000 + number / 6;
    L2BlockRef {
        hash: hash(number),
        number,
        parent_hash: hash(number - 1),
        timestamp: GENESIS_TIME + 2 * number,
        l1_origin: BlockNumHash::new(origin, B256::repeat_byte(origin as u8)),
        sequence_number: number % 6,
    }
}

fn table(report: &BatchReport) -> String {
    use std::fmt::Write;
    let BatchReport { txs, senders, blocks, .. } = report;
    let mut text = format!("{txs} transactions of {senders} senders in {blocks} blocks\n");
    text.push_str("workload  form               bytes per tx  encode, us/tx  decode, us/tx\n");
    for figures in &report.workloads {
        let workload = format!("{:?}", figures.workload);
        let sizes = [
            ("raw", figures.raw_bytes_per_tx),
            ("singular, zlib", figures.zlib_bytes_per_tx),
            ("span, plain", figures.span_bytes_per_tx),
        ];
        for (form, size) in sizes {
            let _ = writeln!(text, "{workload:<9} {form:<17} {size:>13.1}");
        }
        for quality in &figures.qualities {
            let form = format!("span, brotli {}", quality.quality);
            let _ = writeln!(
                text,
                "{workload:<9} {form:<17} {:>13.1} {:>14.2} {:>14.2}",
                quality.bytes_per_tx, quality.encode_us_per_tx, quality.decode_us_per_tx
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_batch_is_smaller_than_singular_ones_and_reads_back() -> eyre::Result<()> {
        let args = BatchArgs {
            txs: 200,
            senders: 4,
            recipients: 100,
            blocks: 3,
            qualities: vec![5],
            rounds: 1,
            json: false,
        };
        let report = measure(&args)?;
        for figures in &report.workloads {
            let span = figures.qualities[0].bytes_per_tx;
            assert!(span > 64.0, "signatures do not compress: {span}");
            assert!(span < figures.zlib_bytes_per_tx, "{figures:?}");
            assert!(figures.zlib_bytes_per_tx < figures.raw_bytes_per_tx, "{figures:?}");
        }
        assert!(table(&report).contains("span, brotli 5"));
        Ok(())
    }
}
