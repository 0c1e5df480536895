//! What honest batchers post, each in a form of its own.

use std::ops::Range;

use cairn_rollup::batch::BatchBlock;
use cairn_rollup::frame::encode_frames;
use cairn_rollup::testing::{Chain, L1_GENESIS, LEAST_GAS, channel, frames, plain};

use super::input::{Form, Record, put};
use super::world::World;
use crate::fuzz::targets::rollup::{batches, transaction};

/// One input for each form and for each version of batches.
pub(super) fn seeds(world: &World) -> eyre::Result<Vec<Vec<u8>>> {
    let chain = sequence(world);
    let blocks = chain.batch_blocks(1..chain.blocks.len());
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
    tokens.extend(world.l1.blocks.iter().take(6).map(|block| block.hash.to_vec()));
    tokens.extend(world.l1.blocks.iter().map(|block| block.timestamp.to_be_bytes()[4..].to_vec()));
    tokens.push(transaction(1, LEAST_GAS).to_vec());
    tokens
}

/// The chain of a sequencer that builds until its origins are three blocks from L1's end.
fn sequence(world: &World) -> Chain {
    let mut chain = Chain::new(&world.config);
    while chain.head().l1_origin.number + 3 < world.l1.head() {
        let parent = chain.head().number;
        let count = u64::from(parent % 3 != 2);
        chain.sequence(&world.l1, 1, || {
            (0..count).map(|_| transaction(parent, LEAST_GAS)).collect()
        });
    }
    chain
}

/// Posts the blocks of two origins at a time, behind the second of them.
fn post(world: &World, blocks: &[BatchBlock], form: Form, as_span: bool) -> eyre::Result<Vec<u8>> {
    let mut out = Vec::new();
    for range in by_origin(blocks) {
        let part = &blocks[range];
        let Some(last) = part.last() else { continue };
        let l1 = u8::try_from(last.block.l1_origin.number + 1 - L1_GENESIS)?;
        let batches = batches(&world.config, part, as_span);
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
            let data = channel(batches);
            let frames = frames(id, &data, data.len().div_ceil(2)).into_iter();
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
