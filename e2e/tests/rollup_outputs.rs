//! Output roots on L1: a wrong one is challenged, and right ones stand after it.

use std::time::{Duration, Instant};

use alloy::providers::{DynProvider, Provider};
use alloy::sol_types::SolValue;
use alloy_primitives::{Address, B256, U256};
use cairn_e2e::devnet::DevnetOptions;
use cairn_e2e::scenario::{Chain, DisputeGameFactory, Forgery, OptimismPortal, OutputGame};
use eyre::{ContextCompat, bail, ensure};

const PATIENCE: Duration = Duration::from_secs(180);
/// `GameStatus` of the contract.
const CHALLENGER_WINS: u8 = 1;
const DEFENDER_WINS: u8 = 2;
const ALARMS: &str = "cairn_outputs_alarms_total";
/// What the portal says of a root that does not stand, once the proof is mature.
const NOT_VALIDATED: &str = "output proposal has not been validated";

type Portal = OptimismPortal::OptimismPortalInstance<DynProvider>;

async fn l1_time(provider: &impl Provider) -> eyre::Result<u64> {
    let block = provider.get_block(alloy::eips::BlockId::latest()).await?;
    Ok(block.wrap_err("no block")?.header.timestamp)
}

/// Proposes a root that no block has, with the proposer's own key. Gives the game and its index.
async fn propose_wrongly(
    chain: &mut Chain,
    block: u64,
    root: B256,
) -> eyre::Result<(Address, U256)> {
    // Its nonces would get in our way.
    chain.devnet.terminate("sequencer").await?;
    let proposer = chain.l1_with_key("proposer")?;
    let portal = OptimismPortal::new(chain.contract("OptimismPortal")?, proposer.clone());
    let game_type = portal.respectedGameType().call().await?;
    let factory = DisputeGameFactory::new(chain.contract("DisputeGameFactory")?, proposer);
    let bond = factory.initBonds(game_type).call().await?;
    let index = factory.gameCount().call().await?;
    let create = factory.create(game_type, root, U256::from(block).abi_encode().into());
    let receipt = create.value(bond).send().await?.get_receipt().await?;
    ensure!(receipt.status(), "the factory refuses");
    chain.devnet.restart("sequencer").await?;
    let created = receipt.decoded_log::<DisputeGameFactory::DisputeGameCreated>();
    Ok((created.wrap_err("no game")?.disputeProxy, index))
}

/// The portal takes the proof, and pays nothing: not while the game goes on, and not after it.
async fn not_paid(portal: &Portal, forgery: &Forgery, reason: &str) -> eyre::Result<()> {
    let submitter = forgery.withdrawal.target;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let payment =
            portal.finalizeWithdrawalTransaction(forgery.withdrawal.clone()).from(submitter);
        let Err(refused) = payment.call().await else { bail!("L1 pays what was never withdrawn") };
        let Err(said) = portal.checkWithdrawal(forgery.hash(), submitter).call().await else {
            bail!("the withdrawal passes, and its payment fails: {refused}")
        };
        if said.to_string().contains(reason) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{said}, not {reason}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
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
    let anyone = chain.l1_as(2)?;
    let thief = chain.user(2)?.address();
    let forgery = Forgery::new(thief, U256::from(1_000_000));
    let alarms = chain.metric("verifier", ALARMS).await?;
    let (wrong, index) = propose_wrongly(&mut chain, last, forgery.output_root()).await?;
    let portal = OptimismPortal::new(chain.contract("OptimismPortal")?, anyone.clone());
    let (output, proof) = (forgery.output.clone(), forgery.proof.clone());
    let prove = portal.proveWithdrawalTransaction(forgery.withdrawal.clone(), index, output, proof);
    let proven = prove.send().await?.get_receipt().await?;
    ensure!(proven.status(), "the forged withdrawal is not proven: nothing would be shown");
    // Every node says so, whether or not it may challenge.
    chain.wait_metric("verifier", ALARMS, alarms).await?;
    not_paid(&portal, &forgery, NOT_VALIDATED).await?;
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
    not_paid(&portal, &forgery, NOT_VALIDATED).await?;

    // A later one stands.
    let deadline = Instant::now() + PATIENCE;
    while !stands(&factory, games).await? {
        ensure!(Instant::now() < deadline, "no right output root stands");
        chain.wait_l1_blocks(1).await?;
    }
    chain.agree().await
}
