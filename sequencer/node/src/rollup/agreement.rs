//! Genesis and rollup configuration must be of one chain: a node with two halves of different
//! chains would derive blocks that nobody else has.

use alloy_genesis::Genesis;
use cairn_chain::Chain;
use cairn_rollup::RollupConfig;

/// Names of the forks in `rollup.json` and in the genesis file.
const FORKS: [(&str, &str); 10] = [
    ("regolith_time", "regolithTime"),
    ("canyon_time", "canyonTime"),
    ("delta_time", "deltaTime"),
    ("ecotone_time", "ecotoneTime"),
    ("fjord_time", "fjordTime"),
    ("granite_time", "graniteTime"),
    ("holocene_time", "holoceneTime"),
    ("isthmus_time", "isthmusTime"),
    ("jovian_time", "jovianTime"),
    ("karst_time", "karstTime"),
];

/// Compares what both say.
pub(super) fn check(config: &RollupConfig, chain: &Chain, genesis: &Genesis) -> eyre::Result<()> {
    let chain_id = chain.spec().chain_id();
    eyre::ensure!(
        chain_id == config.l2_chain_id,
        "the genesis file is of chain {chain_id}, the rollup configuration of {}",
        config.l2_chain_id
    );
    let ours = chain.genesis();
    eyre::ensure!(
        ours == config.genesis.l2,
        "the genesis block is {} ({}), that of the rollup configuration {} ({})",
        ours.hash,
        ours.number,
        config.genesis.l2.hash,
        config.genesis.l2.number
    );
    forks(config, genesis)
}

fn forks(config: &RollupConfig, genesis: &Genesis) -> eyre::Result<()> {
    let rollup = serde_json::to_value(config.forks)?;
    for (ours, theirs) in FORKS {
        let time = rollup.get(ours).and_then(serde_json::Value::as_u64);
        let other = genesis.config.extra_fields.get(theirs).and_then(serde_json::Value::as_u64);
        // Delta changes derivation alone: execution need not know it.
        let unknown_to_execution = ours == "delta_time" && other.is_none();
        eyre::ensure!(
            time == other || unknown_to_execution,
            "{ours} is {time:?} in the rollup configuration and {other:?} in the genesis file"
        );
    }
    let cairn = genesis.config.extra_fields.get("cairnTime").and_then(serde_json::Value::as_u64);
    eyre::ensure!(
        cairn == config.cairn.cairn_time,
        "cairn_time is {:?} in the rollup configuration and {cairn:?} in the genesis file",
        config.cairn.cairn_time
    );
    Ok(())
}
