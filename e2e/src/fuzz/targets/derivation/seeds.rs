//! What honest batchers post, each in a form of its own.

use std::ops::Range;

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::Bytes;
use cairn_primitives::TxEnvelope;
use cairn_rollup::batch::BatchBlock;
use cairn_rollup::channel::{BrotliQuality, compress_brotli};
use cairn_rollup::frame::{ChannelId, Frame, encode_frames};
use cairn_rollup::l1::L1Block;
use cairn_rollup::origin::{L1View, select_origin};
use cairn_rollup::{AttributesInput, L2BlockRef, RollupAttributes, SystemConfig};

use super::chain::{Chain, execute};
use super::input::{Form, Record, put};
use super::world::World;
use crate::fuzz::targets::rollup::{LEAST_GAS, batches, plain, transaction};

/// One input for each form and for each version of batches.
pub(super) fn seeds(world: &World) -> eyre::Result<Vec<Vec<u8>>> {
    let chain = sequence(world)?;
    let blocks = batch_blocks(&chain);
    let mut seeds = Vec::new();
    for as_span in [false, true] {
        for form in [Form::Calldata, Form::Blob, Form::Certificate, Form::Batches] {
            seeds.push(post(world, &blocks, form, as_span)?);
        }
        for form in [Form::Batch, Form::FittedBatch] {
            seeds.push(post(world, &blocks[..4], form, as_span)?);
        }
    }
    // A stranger's first, then two forms together.
    let stranger = post(world, &blocks[..2], Form::Stranger, true)?;
    let spans = post(world, &blocks, Form::FittedBatch, true)?;
    seeds.push([stranger, spans].concat());
    seeds.push(invalid(world, &blocks)?);
    Ok(seeds)
}

/// Byte strings that batches, frames and records are made of.
pub(super) fn tokens(world: &World) -> Vec<Vec<u8>> {
    let mut tokens = vec![vec![0], vec![1], vec![0; 20], vec![0xc0], vec![0x80], vec![4, 6, 0, 40]];
    tokens.extend(world.blocks().iter().take(6).map(|block| block.hash.to_vec()));
    tokens.extend(world.blocks().iter().map(|block| block.timestamp.to_be_bytes()[4..].to_vec()));
    tokens.push(transaction(1, LEAST_GAS).to_vec());
    tokens
}

/// The chain of a sequencer that builds until its origins are three blocks from L1's end.
fn sequence(world: &World) -> eyre::Result<Chain<'_>> {
    let mut chain = Chain::new(world);
    let last = world.blocks().last().map_or(0, |block| block.number);
    let mut system_config = world.config.genesis.system_config;
    while chain.head().l1_origin.number + 3 < last {
        let (block, config) = next(world, &chain, last, system_config)?;
        chain.push(block);
        system_config = config;
    }
    Ok(chain)
}

fn next(
    world: &World,
    chain: &Chain<'_>,
    head: u64,
    system_config: SystemConfig,
) -> eyre::Result<(cairn_primitives::Block, SystemConfig)> {
    let parent = chain.head();
    let at = |number| world.block(number).map(L1Block::block_ref);
    let (current, next) = (at(parent.l1_origin.number), at(parent.l1_origin.number + 1));
    let choice = select_origin(&world.config, &parent, &L1View { head, current, next }, 0)?;
    let origin = world.block(choice.origin.number).ok_or_else(|| eyre::eyre!("no L1 block"))?;
    let system_config = system_config.on_origin(&parent, origin);
    let input = AttributesInput { parent: &parent, origin, system_config: &system_config };
    let mut attributes = RollupAttributes::new(&world.config, input);
    if !choice.deposits_only && parent.number % 3 != 2 {
        attributes.transactions = vec![transaction(parent.number, LEAST_GAS)];
    }
    let block = execute(&parent, &attributes).ok_or_else(|| eyre::eyre!("it does not execute"))?;
    Ok((block, system_config))
}

fn batch_blocks(chain: &Chain<'_>) -> Vec<BatchBlock> {
    let of_batch = |tx: &&TxEnvelope| !matches!(tx, TxEnvelope::Deposit(_));
    let block = |(block, body): &(L2BlockRef, cairn_primitives::Block)| {
        let transactions = body.body.transactions.iter().filter(of_batch);
        let transactions = transactions.map(|tx| Bytes::from(tx.encoded_2718())).collect();
        BatchBlock { block: *block, transactions }
    };
    chain.blocks().iter().map(block).collect()
}

/// Posts the blocks of two origins at a time, behind the second of them.
fn post(world: &World, blocks: &[BatchBlock], form: Form, as_span: bool) -> eyre::Result<Vec<u8>> {
    let mut out = Vec::new();
    for range in by_origin(blocks) {
        let part = &blocks[range];
        let Some(last) = part.last() else { continue };
        let first_l1 = world.config.genesis.l1.number;
        let l1 = u8::try_from(last.block.l1_origin.number + 1 - first_l1)?;
        let batches = batches(&world.config, part, as_span)?;
        for content in contents(form, l1, &batches) {
            put(&mut out, &Record { l1, form, content: &content })?;
        }
    }
    Ok(out)
}

/// Runs of blocks whose origins are the same two.
fn by_origin(blocks: &[BatchBlock]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        match ranges.last_mut() {
            Some(range)
                if blocks[range.start].block.l1_origin.number / 2
                    == block.block.l1_origin.number / 2 =>
            {
                range.end = index + 1;
            }
            _ => ranges.push(index..index + 1),
        }
    }
    ranges
}

/// The transactions that carry the batches in that form.
fn contents(form: Form, id: u8, batches: &[Vec<u8>]) -> Vec<Vec<u8>> {
    match form {
        Form::Batch | Form::FittedBatch => batches.to_vec(),
        Form::Batches => vec![plain(batches)],
        Form::Calldata | Form::Blob | Form::Certificate | Form::Stranger => {
            let data = compress_brotli(&plain(batches), BrotliQuality::default());
            let half = data.len().div_ceil(2);
            let frame = |(number, data): (usize, &[u8])| Frame {
                channel: ChannelId([id; 16]),
                number: number as u16,
                data: data.to_vec().into(),
                is_last: number == 1,
            };
            let frames = data.chunks(half).enumerate().map(frame);
            frames.map(|frame| encode_frames(&[frame])).collect()
        }
    }
}

/// A block that does not execute, in the middle of a span batch.
fn invalid(world: &World, blocks: &[BatchBlock]) -> eyre::Result<Vec<u8>> {
    let mut blocks = blocks[..4].to_vec();
    blocks[1].transactions.push(transaction(4, 0));
    post(world, &blocks, Form::FittedBatch, true)
}
