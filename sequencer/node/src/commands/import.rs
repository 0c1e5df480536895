//! `import`: blocks from a file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Instant;

use alloy_rlp::Decodable;
use cairn_chain::{Chain, ChainOptions, Head, Imported, recover_senders};
use cairn_primitives::{Block, ChainSpec};
use cairn_state::Options;
use eyre::{WrapErr, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::ImportArgs;
use crate::node::{open_chain, read_genesis};

/// Largest encoded block that is read: far above any gas limit's worth of calldata.
const BLOCK_BYTES_MAX: usize = 256 << 20;

/// Imports every block of the file; blocks that the chain has already are passed over.
pub(crate) fn run(args: &ImportArgs) -> eyre::Result<()> {
    let genesis = read_genesis(&args.chain.genesis)?;
    let spec = ChainSpec::from_genesis(&genesis)?;
    ensure!(
        !(args.ethereum && spec.is_optimism()),
        "--ethereum was given and the genesis file has an `optimism` section"
    );
    let chain =
        open_chain(&args.chain.datadir, &genesis, Options::default(), ChainOptions::default())?;
    let started = Instant::now();
    let (blocks, gas) = import_file(&chain, &args.blocks)?;
    chain.flush()?;
    let head = chain.heads().unsafe_head;
    if args.finalize {
        chain.set_head(Head::Safe, head.hash)?;
        chain.set_head(Head::Finalized, head.hash)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "imported {blocks} blocks in {seconds:.2} s ({:.1} Mgas/s)",
        gas as f64 / seconds / 1e6
    );
    println!("head {} {}", head.number, head.hash);
    chain.close()?;
    Ok(())
}

fn import_file(chain: &Chain, path: &Path) -> eyre::Result<(u64, u64)> {
    let file = File::open(path).wrap_err_with(|| format!("chain file {}", path.display()))?;
    let progress = ProgressBar::new(file.metadata()?.len())
        .with_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}")?);
    let mut reader = BlockReader { reader: BufReader::new(file), position: 0 };
    let (mut count, mut gas) = (0, 0u64);
    while let Some(block) = reader.next_block()? {
        let number = block.header.number;
        gas = gas.saturating_add(block.header.gas_used);
        let block = recover_senders(block).wrap_err_with(|| format!("block {number}"))?;
        let imported = chain.import_recovered(block).wrap_err_with(|| format!("block {number}"))?;
        if imported != Imported::Known {
            count += 1;
        }
        progress.set_position(reader.position);
        progress.set_message(format!("block {number}"));
    }
    progress.finish_and_clear();
    Ok((count, gas))
}

/// Reads RLP blocks one after the other, each bounded.
struct BlockReader<R> {
    reader: R,
    position: u64,
}

impl<R: Read> BlockReader<R> {
    fn next_block(&mut self) -> eyre::Result<Option<Block>> {
        let mut first = [0];
        if self.reader.read(&mut first)? == 0 {
            return Ok(None);
        }
        // A list longer than 55 bytes: 0xf7 plus the length of the length that follows.
        let [prefix] = first;
        ensure!(prefix >= 0xc0, "byte {} starts no RLP list", self.position);
        let mut bytes = vec![prefix];
        if prefix > 0xf7 {
            let mut length = vec![0; usize::from(prefix - 0xf7)];
            self.reader.read_exact(&mut length)?;
            bytes.extend_from_slice(&length);
        }
        let payload = list_length(&bytes)?;
        ensure!(payload <= BLOCK_BYTES_MAX, "block of {payload} bytes at byte {}", self.position);
        let start = bytes.len();
        bytes.resize(start + payload, 0);
        self.reader.read_exact(&mut bytes[start..])?;
        self.position += bytes.len() as u64;
        let mut buffer = bytes.as_slice();
        let block = Block::decode(&mut buffer)
            .wrap_err_with(|| format!("block that ends at byte {}", self.position))?;
        Ok(Some(block))
    }
}

fn list_length(header: &[u8]) -> eyre::Result<usize> {
    let [prefix, length @ ..] = header else { eyre::bail!("no header") };
    if *prefix <= 0xf7 {
        return Ok(usize::from(prefix - 0xc0));
    }
    let mut bytes = [0; 8];
    bytes[8 - length.len()..].copy_from_slice(length);
    Ok(usize::try_from(u64::from_be_bytes(bytes))?)
}
