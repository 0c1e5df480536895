//! Output roots on L1: a wrong one is challenged, and right ones stand after it.

use std::time::{Duration, Instant};

use alloy::providers::{DynProvider, Provider};
use alloy::sol_types::SolValue;
use alloy_primitives::{Address, B256, U256};
use cairn_e2e::devnet::DevnetOptions;
use cairn_e2e::scenario::{Chain, DisputeGameFactory, OptimismPortal, OutputGame};
use eyre::{ContextCompat, ensure};

const PATIENCE: Duration = Duration::from_secs(180);
/// `GameStatus` of the contract.
const CHALLENGER_WINS: u8 = 1;
const DEFENDER_WINS: u8 = 2;

async fn l1_time(provider: &impl Provider) -> eyre::Result<u64> {
    let block = provider.get_block(alloy::eips::BlockId::latest()).await?;
    Ok(block.wrap_err("no block")?.header.timestamp)
}

/// Proposes a root that no block has, with the proposer's own key.
async fn propose_wrongly(chain: &mut Chain, block: u64) -> eyre::Result<Address> {
    // Its nonces would get in our way.
    chain.devnet.terminate("sequencer").await?;
    let proposer = chain.l1_with_key("proposer")?;
    let portal = OptimismPortal::new(chain.contract("OptimismPortal")?, proposer.clone());
    let game_type = portal.respectedGameType().call().await?;
    let factory = DisputeGameFactory::new(chain.contract("DisputeGameFactory")?, proposer);
    let bond = factory.initBonds(game_type).call().await?;
    let root = B256::repeat_byte(7);
    let create = factory.create(game_type, root, U256::from(block).abi_encode().into());
    let receipt = create.value(bond).send().await?.get_receipt().await?;
    ensure!(receipt.status(), "the factory refuses");
    chain.devnet.restart("sequencer").await?;
    let created = receipt.decoded_log::<DisputeGameFactory::DisputeGameCreated>();
    Ok(created.wrap_err("no game")?.disputeProxy)
}

/// Whether the first proposal from `index` on has ended for its proposer.
async fn stands(
    factory: &DisputeGameFactory::DisputeGameFactoryInstance<DynProvider>,
    index: U256,
) -> eyre::Result<bool> {
    if factory.gameCount().call().await? <= index {
        return Ok(false);
    }
    let game = factory.gameAtIndex(index).call().await?.proxy;
    let game = OutputGame::new(game, factory.provider().clone());
    Ok(game.status().call().await? == DEFENDER_WINS)
}

#[tokio::test]
async fn a_wrong_output_root_is_challenged_and_right_ones_stand() -> eyre::Result<()> {
    let mut chain = Chain::start(DevnetOptions::default()).await?;
    let last = chain.transfers(3).await?;
    chain.wait_safe(last).await?;
    let wrong = propose_wrongly(&mut chain, last).await?;
    let anyone = chain.l1_as(2)?;
    let game = OutputGame::new(wrong, anyone.clone());
    let factory = DisputeGameFactory::new(chain.contract("DisputeGameFactory")?, anyone.clone());
    let games = factory.gameCount().call().await?;
    // The verifier challenges. The arbiter is silent, and that ends for the challenger.
    let end: u64 = game.decisionEnd().call().await?.try_into()?;
    let deadline = Instant::now() + PATIENCE;
    while l1_time(&anyone).await? <= end {
        ensure!(Instant::now() < deadline, "L1 does not come to {end}");
        chain.wait_l1_blocks(1).await?;
    }
    // Whoever is first: the challenger does so too.
    if let Ok(sent) = game.resolve().send().await {
        sent.get_receipt().await?;
    }
    ensure!(game.status().call().await? == CHALLENGER_WINS, "the wrong root is not refused");

    // A later one stands.
    let deadline = Instant::now() + PATIENCE;
    while !stands(&factory, games).await? {
        ensure!(Instant::now() < deadline, "no right output root stands");
        chain.wait_l1_blocks(1).await?;
    }
    chain.agree().await
}
