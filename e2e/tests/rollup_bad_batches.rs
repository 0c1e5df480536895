//! What a batcher gone wrong sends to the inbox: it costs nobody anything but its own batches.

use std::num::NonZeroU64;

use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, Bytes, U256};
use cairn_e2e::devnet::{DevnetOptions, block};
use cairn_e2e::rpc::RpcClient;
use cairn_e2e::scenario::batches::{
    channel, encoded, frames, singular_batch, span_batch, string, transfer,
};
use cairn_e2e::scenario::{Chain, Posting, address_of};
use cairn_rollup::channel::{BrotliQuality, MAX_RLP_BYTES_PER_CHANNEL, compress_brotli};
use cairn_rollup::frame::{Frame, MAX_FRAME_LEN, encode_frames};
use cairn_rollup::{L2BlockRef, RollupConfig};
use eyre::WrapErr as _;
use eyre::{ContextCompat, ensure};
use serde_json::json;

const DROPPED: &str = "cairn_derivation_dropped_total";
const INVALID: &str = "cairn_derivation_invalid_blocks_total";
/// Where a frame's length stands in calldata: behind version, channel and number.
const LENGTH: std::ops::Range<usize> = 19..23;
/// A user whose nonces nobody else uses.
const USER: usize = 5;

/// What derivation makes of what was posted.
#[derive(Clone, Copy, Default)]
struct Outcome {
    /// Drops that are counted.
    dropped: u32,
    /// Batches that do not execute.
    invalid: u32,
    /// New safe blocks.
    blocks: u64,
}

const fn drops(dropped: u32) -> Outcome {
    Outcome { dropped, invalid: 0, blocks: 0 }
}

const fn blocks(blocks: u64) -> Outcome {
    Outcome { dropped: 0, invalid: 0, blocks }
}

/// A chain whose batcher is played by the test.
struct Table {
    chain: Chain,
    posting: Posting,
    verifier: RpcClient,
    config: RollupConfig,
    safe: L2BlockRef,
    user: PrivateKeySigner,
    nonce: u64,
    /// Channels so far.
    channels: u8,
}

fn recipient() -> Address {
    address_of("paid in batches", 0)
}

impl Table {
    async fn set() -> eyre::Result<Self> {
        let options =
            DevnetOptions { l1_block_time: NonZeroU64::new(1), ..DevnetOptions::default() };
        let mut chain = Chain::start(options).await?;
        let last = chain.transfers(5).await?;
        chain.wait_safe(last).await?;
        // Unsafe blocks that no batch holds yet: those of the test are there first.
        chain.transfers(2).await?;
        chain.devnet.terminate("sequencer").await?;
        let posting = chain.posting().await?;
        let verifier = chain.verifier()?;
        let head = chain.l1()?.block_number().await?;
        let safe = chain.wait_derived_by(&verifier, head).await?.safe_l2;
        let config = verifier.call("optimism_rollupConfig", json!([])).await?;
        let user = chain.user(USER)?;
        Ok(Self { chain, posting, verifier, config, safe, user, nonce: 0, channels: 0 })
    }

    /// A transfer of the user with its next nonce.
    fn transfer(&mut self) -> eyre::Result<Bytes> {
        let paid = transfer(self.config.l2_chain_id, &self.user, self.nonce, recipient())?;
        self.nonce += 1;
        Ok(encoded(&paid))
    }

    /// A batch of the next block with these transactions.
    fn batch(&self, transactions: &[Bytes]) -> Vec<u8> {
        singular_batch(&self.config, &self.safe, transactions)
    }

    /// Frames of a channel that nobody has used yet.
    fn frames(&mut self, channel: &[u8], count: usize) -> eyre::Result<Vec<Frame>> {
        self.channels += 1;
        frames(self.channels, channel, count)
    }

    /// Frames of a channel with a batch of the next block, which pays the recipient.
    fn good(&mut self, count: usize) -> eyre::Result<Vec<Frame>> {
        let paid = self.transfer()?;
        let channel = channel(&[self.batch(&[paid])]);
        self.frames(&channel, count)
    }

    /// One transaction with a whole channel of these byte strings.
    fn whole(&mut self, strings: &[Vec<u8>]) -> eyre::Result<Vec<u8>> {
        Ok(encode_frames(&self.frames(&channel(strings), 1)?))
    }

    /// The same, as small as it gets: a hundred megabytes of zeros in some hundred bytes.
    fn bomb(&mut self, strings: &[u8]) -> eyre::Result<Vec<u8>> {
        let channel = compress_brotli(strings, BrotliQuality::default());
        let calldata = encode_frames(&self.frames(&channel, 1)?);
        ensure!(calldata.len() < 60_000, "the bomb has {} bytes", calldata.len());
        Ok(calldata)
    }

    /// Posts calldata that the inbox takes; the verifier makes of it what is expected.
    async fn post(
        &mut self,
        what: &str,
        calldata: Vec<Vec<u8>>,
        expected: Outcome,
    ) -> eyre::Result<()> {
        let before = (self.count(DROPPED).await?, self.count(INVALID).await?);
        let posted = self.posting.post(calldata).await.wrap_err_with(|| what.to_owned())?;
        ensure!(posted.accepted.iter().all(|accepted| *accepted), "{what}: {posted:?}");
        let status = self.chain.wait_derived_by(&self.verifier, posted.block).await?;
        let after = (self.count(DROPPED).await?, self.count(INVALID).await?);
        let found = (after.0 - before.0, after.1 - before.1, status.safe_l2.number);
        let blocks = self.safe.number + expected.blocks;
        let expected = (f64::from(expected.dropped), f64::from(expected.invalid), blocks);
        ensure!(found == expected, "{what}: dropped, invalid, safe: {found:?}, not {expected:?}");
        self.safe = status.safe_l2;
        Ok(())
    }

    async fn count(&self, name: &str) -> eyre::Result<f64> {
        self.chain.metric("verifier", name).await
    }

    /// The inbox itself refuses.
    async fn refused(&self) -> eyre::Result<()> {
        let garbage = [&[1, 1][..], &[7; 300]].concat();
        let calldata = [vec![2; 100], vec![0x78; 64], vec![0xff], vec![1, 0, 9], garbage, vec![]];
        let posted = self.posting.post(calldata).await?;
        ensure!(posted.accepted == [false; 6], "unknown versions: {posted:?}");
        let status = self.chain.wait_derived_by(&self.verifier, posted.block).await?;
        ensure!(status.safe_l2 == self.safe, "what was refused counts");
        Ok(())
    }
}

/// A good batch from somebody who is no batcher.
async fn stranger(table: &mut Table) -> eyre::Result<()> {
    let calldata = encode_frames(&table.good(1)?);
    let (stranger, inbox) = (table.chain.l1_as(3)?, table.chain.contract("BatchInbox")?);
    let request = TransactionRequest::default().with_to(inbox).with_gas_limit(1_000_000);
    let sent = stranger.send_transaction(request.with_input(calldata.clone())).await?;
    let receipt = sent.get_receipt().await?;
    ensure!(!receipt.status(), "the inbox takes a batch of a stranger");
    let block = receipt.block_number.wrap_err("a receipt without a block")?;
    let status = table.chain.wait_derived_by(&table.verifier, block).await?;
    ensure!(status.safe_l2 == table.safe, "a stranger's batch counts");
    // It was a good one: the batcher's counts.
    table.post("the same from the batcher", vec![calldata], blocks(1)).await
}

/// Bytes that hold no frames.
async fn no_frames(table: &mut Table) -> eyre::Result<()> {
    let good = encode_frames(&table.good(1)?);
    table.nonce -= 1;
    let mut random = vec![0];
    random.extend((1..10u64).flat_map(|number| address_of("random", number)));
    table.post("random bytes", vec![random], drops(1)).await?;
    table.post("a version alone", vec![vec![0]], drops(1)).await?;
    for end in [good.len() - 1, good.len() / 2, 10] {
        table.post("a truncated frame", vec![good[..end].to_vec()], drops(1)).await?;
    }
    let length = u32::from_be_bytes(good[LENGTH].try_into()?);
    for wrong in [length + 1, 0, u32::try_from(MAX_FRAME_LEN)? + 1, u32::MAX] {
        let mut frame = good.clone();
        frame[LENGTH].copy_from_slice(&wrong.to_be_bytes());
        table.post("a wrong length", vec![frame], drops(1)).await?;
    }
    Ok(())
}

/// Frames twice and out of order.
async fn disordered_frames(table: &mut Table) -> eyre::Result<()> {
    let three = table.good(3)?;
    let one = |frame: usize| encode_frames(&three[frame..=frame]);
    let disorder = [1, 0, 2, 1, 1, 2].map(one).to_vec();
    // The first, the third and the fifth are not the next ones.
    let outcome = Outcome { dropped: 3, invalid: 0, blocks: 1 };
    table.post("frames out of order", disorder, outcome).await?;
    let two = table.good(2)?;
    let double: Vec<_> = two.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
    table.post("frames twice", vec![encode_frames(&double)], blocks(1)).await?;
    table.post("a channel again", vec![encode_frames(&two)], drops(1)).await?;
    let open = table.good(2)?;
    // The first of the two never comes to its end.
    table.nonce -= 1;
    let whole = encode_frames(&table.good(1)?);
    let replaced = vec![encode_frames(&open[..1]), whole, encode_frames(&open[1..])];
    let outcome = Outcome { dropped: 2, invalid: 0, blocks: 1 };
    table.post("a channel in another", replaced, outcome).await
}

/// Batches that contradict one another and the safe chain.
async fn contradicting_batches(table: &mut Table) -> eyre::Result<()> {
    let paid = table.transfer()?;
    let two = [table.batch(&[paid]), table.batch(&[])];
    let calldata = table.whole(&two)?;
    let outcome = Outcome { dropped: 1, invalid: 0, blocks: 1 };
    table.post("two batches of one block", vec![calldata], outcome).await?;
    let safe = table.safe;
    let low = below(table, 3).await?;
    let paid = table.transfer()?;
    let new = safe.number + 1;
    let of = |number| if number == new { vec![paid.clone()] } else { Vec::new() };
    // What it says of safe blocks does not matter: they had transactions.
    let span = span_batch(&table.config, (&low, &safe), of)?;
    let calldata = table.whole(&[span])?;
    table.post("a span over safe blocks", vec![calldata], blocks(1)).await?;
    let stranger = L2BlockRef { hash: address_of("no block", 0).into_word(), ..low };
    let safe = table.safe;
    let span = span_batch(&table.config, (&stranger, &safe), |_| Vec::new())?;
    let calldata = table.whole(&[span])?;
    table.post("a span on no safe block", vec![calldata], drops(1)).await?;
    let gap = L2BlockRef { timestamp: safe.timestamp + 5, ..safe };
    let future = singular_batch(&table.config, &gap, &[]);
    let calldata = table.whole(&[future])?;
    table.post("a batch behind a gap", vec![calldata], drops(1)).await
}

/// The safe block so many below the safe head; it has the same origin, as all of the test's have.
async fn below(table: &Table, depth: u64) -> eyre::Result<L2BlockRef> {
    let number = table.safe.number - depth;
    let low = block(&table.verifier, &format!("{number:#x}")).await?;
    let timestamp = table.safe.timestamp - depth * table.config.block_time;
    Ok(L2BlockRef { hash: low.hash, number, timestamp, ..table.safe })
}

/// Transactions that do not execute, and such as no batch may hold.
async fn invalid_transactions(table: &mut Table) -> eyre::Result<()> {
    let chain_id = table.config.l2_chain_id;
    let future = encoded(&transfer(chain_id, &table.user, table.nonce + 9, recipient())?);
    let past = encoded(&transfer(chain_id, &table.user, 0, recipient())?);
    let mut unsigned = table.transfer()?.to_vec();
    table.nonce -= 1;
    // The end of `s`: it is the signature of nobody who has ether.
    if let Some(last) = unsigned.last_mut() {
        *last ^= 1;
    }
    let cut = Bytes::from(unsigned[..unsigned.len() - 1].to_vec());
    for (what, wrong) in [
        ("a nonce of the future", future),
        ("a nonce of the past", past),
        ("a bad signature", unsigned.into()),
        ("half a transaction", cut),
    ] {
        let good = table.transfer()?;
        table.nonce -= 1;
        let calldata = table.whole(&[table.batch(&[good, wrong])])?;
        // The block keeps its deposits alone.
        let outcome = Outcome { dropped: 1, invalid: 1, blocks: 1 };
        table.post(what, vec![calldata], outcome).await?;
    }
    for first in [0x7e, 0x03, 0x05] {
        let calldata = table.whole(&[table.batch(&[vec![first; 40].into()])])?;
        table.post("a type of no user", vec![calldata], drops(1)).await?;
    }
    Ok(())
}

/// Channels that do not decompress, or to too much.
async fn broken_channels(table: &mut Table) -> eyre::Result<()> {
    let most = string(&vec![0; MAX_RLP_BYTES_PER_CHANNEL - 100]);
    let calldata = table.bomb(&most)?;
    table.post("a bomb of one batch", vec![calldata], drops(1)).await?;
    let paid = table.transfer()?;
    let beyond = string(&vec![0; MAX_RLP_BYTES_PER_CHANNEL]);
    let calldata = table.bomb(&[table.batch(&[paid]), beyond].concat())?;
    let outcome = Outcome { dropped: 1, invalid: 0, blocks: 1 };
    table.post("a bomb behind a batch", vec![calldata], outcome).await?;
    let paid = table.transfer()?;
    table.nonce -= 1;
    let good = channel(&[table.batch(&[paid])]);
    let mut version = good.clone();
    version[0] = 2;
    let cut = good[..good.len() / 2].to_vec();
    for (what, broken) in [("an unknown compression", version), ("a cut-off stream", cut)] {
        let calldata = encode_frames(&table.frames(&broken, 1)?);
        table.post(what, vec![calldata], drops(1)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn bad_frames_and_batches_cost_nothing_but_themselves() -> eyre::Result<()> {
    let mut table = Table::set().await?;
    let first = table.safe;
    let resets = table.count("cairn_derivation_resets_total").await?;
    stranger(&mut table).await?;
    no_frames(&mut table).await?;
    table.refused().await?;
    disordered_frames(&mut table).await?;
    contradicting_batches(&mut table).await?;
    invalid_transactions(&mut table).await?;
    broken_channels(&mut table).await?;
    ensure!(table.count("cairn_derivation_resets_total").await? == resets, "a reset");
    let paid = table.verifier.balances(&[recipient()]).await?;
    ensure!(paid == [U256::from(table.nonce)], "{paid:?} was paid in {} batches", table.nonce);
    // The sequencer finds other blocks than its own to be safe, and goes on behind them.
    table.chain.devnet.restart("sequencer").await?;
    table.chain.wait_safe(table.safe.number + 1).await?;
    let (sequencer, number) = (table.chain.sequencer()?, format!("{:#x}", table.safe.number));
    ensure!(block(&sequencer, &number).await?.hash == table.safe.hash, "a safe block is gone");
    ensure!(table.safe.number > first.number);
    table.chain.agree().await
}
