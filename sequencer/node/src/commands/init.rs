//! `init`: genesis into a new store.

use cairn_chain::ChainOptions;
use cairn_state::Options;

use crate::cli::InitArgs;
use crate::node::{open_chain, read_genesis};

/// Writes the genesis block and prints its hash. A store that has it already is left alone.
pub(crate) fn run(args: &InitArgs) -> eyre::Result<()> {
    let genesis = read_genesis(&args.chain.genesis)?;
    let chain =
        open_chain(&args.chain.datadir, &genesis, Options::default(), ChainOptions::default())?;
    println!("genesis {}", chain.genesis().hash);
    chain.close()?;
    Ok(())
}
