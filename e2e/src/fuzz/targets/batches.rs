//! Singular and span batches, and back.

use alloy_eips::BlockNumHash;
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{B256, Bytes, U256};
use cairn_primitives::TxEnvelope;
use cairn_rollup::batch::{
    Batch, BatchBlock, MAX_SPAN_BATCH_ELEMENT_COUNT, SpanBatch, SpanBatchBuilder,
};
use cairn_rollup::testing::jovian;
use cairn_rollup::{L2BlockRef, RollupConfig};

use super::rollup::{batches, blocks};
use crate::fuzz::{Outcome, Target};

pub(super) fn target() -> eyre::Result<Target> {
    let config = jovian();
    let mut seeds = batches(&config, &blocks(6, config.block_time), false);
    for count in [1, 2, 4, 9, 17] {
        seeds.extend(batches(&config, &blocks(count, config.block_time), true));
    }
    let most = [0x80, 0xad, 0xe2, 0x04].to_vec();
    let tokens =
        vec![vec![0; 32], vec![0xff; 9], vec![0x80; 9], vec![1], vec![4], vec![0xc0], most];
    let execute = move |bytes: &[u8]| execute(bytes, &config);
    Ok(Target { name: "batches", seeds, tokens, max_bytes: 4096, execute: Box::new(execute) })
}

fn execute(bytes: &[u8], config: &RollupConfig) -> Outcome {
    match Batch::decode(bytes, config) {
        Ok(Batch::Singular(batch)) => {
            assert!(bytes.starts_with(&batch.encode()), "another batch has the same bytes");
            match unknown(&batch.transactions) {
                0 => Outcome::accepted("singular"),
                _ => Outcome::accepted("singular of anything"),
            }
        }
        Ok(Batch::Span(span)) => {
            again(&span, config);
            if span.blocks.iter().all(|block| block.transactions.is_empty()) {
                return Outcome::accepted("span of nothing");
            }
            match span.blocks.iter().map(|block| unknown(&block.transactions)).sum() {
                0_usize => Outcome::accepted("span"),
                _ => Outcome::accepted("span of anything"),
            }
        }
        Err(error) => Outcome::error(&error),
    }
}

/// Blocks as of which the batch must be encodes to a batch of the same meaning.
fn again(span: &SpanBatch, config: &RollupConfig) {
    let mut builder = SpanBatchBuilder::new(config);
    let mut parent = word(&span.parent_check);
    let last = span.blocks.len() - 1;
    for (index, block) in span.blocks.iter().enumerate() {
        let hash = B256::from(U256::from(index + 1).to_be_bytes());
        let origin = if index == last { word(&span.l1_origin_check) } else { B256::ZERO };
        let block_ref = L2BlockRef {
            hash,
            number: index as u64,
            parent_hash: std::mem::replace(&mut parent, hash),
            timestamp: block.timestamp,
            l1_origin: BlockNumHash::new(block.epoch, origin),
            sequence_number: 1,
        };
        let transactions = block.transactions.clone();
        builder.push(&BatchBlock { block: block_ref, transactions }).expect("it was in a batch");
    }
    assert!(builder.blocks() <= MAX_SPAN_BATCH_ELEMENT_COUNT);
    assert!(builder.transactions() <= MAX_SPAN_BATCH_ELEMENT_COUNT);
    let encoded = builder.encode().expect("it has a block");
    assert!(encoded.len() <= builder.max_encoded_len(), "longer than it may become");
    let decoded = Batch::decode(&encoded, config);
    assert!(decoded == Ok(Batch::Span(span.clone())), "another batch comes back");
}

fn word(check: &[u8; 20]) -> B256 {
    let mut word = B256::ZERO;
    word[..20].copy_from_slice(check);
    word
}

/// Transactions that are none to the execution; the others have one form alone.
fn unknown(transactions: &[Bytes]) -> usize {
    let decoded = transactions.iter().map(|bytes| (bytes, TxEnvelope::decode_2718_exact(bytes)));
    let unknown = decoded.filter(|(bytes, decoded)| match decoded {
        Ok(transaction) => {
            assert!(transaction.encoded_2718() == ***bytes, "another transaction, the same bytes");
            false
        }
        Err(_) => true,
    });
    unknown.count()
}
