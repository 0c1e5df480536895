//! One blockchain test, from genesis to its last block.

use std::sync::Arc;

use alloy_rlp::Decodable;
use cairn_chain::{BlockRef, Chain, ChainOptions, ImportError, open_store};
use cairn_evm::EvmConfig;
use cairn_primitives::{Block, ChainSpec};
use cairn_state::Options;

use super::file::{BlockSection, BlockchainTest};
use super::post_state;
use crate::Network;
use crate::failure::{CaseError, same};

const MIB: usize = 1 << 20;

/// Imports a test's blocks into a chain of its own and compares where it ends.
pub(super) fn run_case(network: Network, test: &BlockchainTest) -> Result<(), CaseError> {
    let genesis = test.genesis(network.config(test.config.chain_id()?))?;
    let spec = Arc::new(ChainSpec::from_genesis(&genesis)?);
    let directory = tempfile::tempdir()?;
    let store = open_store(directory.path(), store_options(), &spec, &genesis)?;
    let start = store.tip()?;
    same("genesis hash", &start.hash, &test.genesis_block_header.hash)?;

    let chain = Chain::open(store, EvmConfig::new(spec), ChainOptions::default())?;
    let result = import_all(&chain, test).and_then(|()| check_end(&chain, test));
    chain.close()?;
    result
}

/// Small caches, since there is one store for each test.
fn store_options() -> Options {
    Options {
        block_cache_bytes: 8 * MIB,
        write_buffer_bytes: 16 * MIB,
        read_cache_bytes: 2 * MIB,
        node_cache_bytes: 2 * MIB,
        max_open_files: 128,
        ..Options::default()
    }
}

fn import_all(chain: &Chain, test: &BlockchainTest) -> Result<(), CaseError> {
    for (index, block) in test.blocks.iter().enumerate() {
        match block.exception() {
            None => import_valid(chain, index, block)?,
            Some(expected) => import_invalid(chain, index, block, expected)?,
        }
    }
    Ok(())
}

fn decode(section: &BlockSection) -> Result<Block, alloy_rlp::Error> {
    let mut bytes: &[u8] = &section.rlp.0;
    let block = Block::decode(&mut bytes)?;
    if bytes.is_empty() { Ok(block) } else { Err(alloy_rlp::Error::UnexpectedLength) }
}

fn import_valid(chain: &Chain, index: usize, section: &BlockSection) -> Result<(), CaseError> {
    let block = decode(section).map_err(CaseError::Rlp)?;
    if let Some(header) = &section.header {
        same("block hash", &block.header.hash_slow(), &header.hash)?;
    }
    let imported = chain.import(block);
    imported.map_err(|source| CaseError::Import { index, source: Box::new(source) })?;
    Ok(())
}

/// Imports a block that must be refused and leave no trace.
fn import_invalid(
    chain: &Chain,
    index: usize,
    section: &BlockSection,
    expected: String,
) -> Result<(), CaseError> {
    let Ok(block) = decode(section) else { return Ok(()) };
    let before = chain.heads();
    match chain.import(block) {
        Ok(_) => return Err(CaseError::Accepted { expected }),
        Err(source @ ImportError::Chain(_)) => {
            return Err(CaseError::Import { index, source: Box::new(source) });
        }
        Err(_) => {}
    }
    same("heads after an invalid block", &chain.heads(), &before)
}

fn check_end(chain: &Chain, test: &BlockchainTest) -> Result<(), CaseError> {
    let head = chain.heads().unsafe_head;
    same("last block hash", &head.hash, &test.last_block_hash)?;
    let header = chain.header(BlockRef::Hash(head.hash))?;
    let (_, header) = header.ok_or_else(|| CaseError::Shape("no header of the head".into()))?;
    if let Some(root) = test.post_state_hash {
        same("state root", &header.state_root, &root)?;
    }
    if let Some(accounts) = &test.post_state {
        post_state::compare(&chain.latest_state()?, header.state_root, accounts)?;
    }
    chain.flush()?;
    let report = chain.store().verify(|_| ())?;
    if let Some(difference) = report.difference {
        return Err(CaseError::Unsound(difference));
    }
    same("root rebuilt from the store", &report.state_root, &header.state_root)
}
