//! Output roots on L1: proposing, watching, challenging, resolving.
//!
//! `cairn_rollup::proposer` decides from what L1 shows; this reads and sends. Nothing is remembered but
//! what is under way, and nothing across restarts. Looking goes on while transactions wait for L1, and
//! an action that fails keeps none of the others from being tried.
//! A root that differs from the one derived here is an alarm: an error in the log, once for each game,
//! and the gauge `cairn_outputs_wrong`, whether or not this node has a challenger's key. So is a root of
//! a block that cannot be there yet, which would stand if everybody waited for its block.

mod contract;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use alloy::providers::DynProvider;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{SolCall, SolValue};
use cairn_chain::{BlockRef, Chain};
use cairn_l1::send::{Confirmed, SendError, TransactionContent, TransactionSender};
use cairn_rollup::proposer::{
    Action, Duties, Game, Outcome, Outlook, WrongOutput, decide, wrong_output,
};
use cairn_rollup::{RollupConfig, output_root};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use self::contract::{DisputeGameFactory, OutputGame};
use self::reader::{GameReader, Seen};
use crate::DriverError;
use crate::worker::Task;

/// Actions under way beyond which only challenges are added.
const UNDER_WAY: usize = 32;

/// An action, and where its outcome comes.
type Pending = (Action, oneshot::Receiver<Result<Confirmed, SendError>>);

/// What watching output roots needs.
#[derive(Debug)]
pub struct OutputsConfig {
    /// The chain that was derived here.
    pub chain: Chain,
    /// Parameters of the rollup.
    pub rollup: Arc<RollupConfig>,
    /// L1, for the contracts.
    pub provider: DynProvider,
    /// What this node does. `account` is taken from the sender.
    pub duties: Duties,
    /// Whether safe blocks are proposed before L1 has finalized their batches.
    pub allow_non_finalized: bool,
    /// Sends from the proposer's or challenger's account; without it the node only watches.
    pub sender: Option<TransactionSender>,
    /// Time between looks.
    pub interval: Duration,
}

/// An error of the outputs' task. Every one is tried again at the next look, but that the sender has
/// ended.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// L1 has no newest block.
    #[error("L1 has no newest block")]
    NoBlock,
    /// L1 was not read.
    #[error("L1: {0}")]
    Rpc(String),
    /// A contract says what this version does not know.
    #[error("{what} is out of range")]
    Range {
        /// Which value.
        what: &'static str,
    },
    /// The chain was not read.
    #[error(transparent)]
    Chain(#[from] DriverError),
    /// A transaction was not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A transaction failed on L1.
    #[error("transaction {0} failed")]
    Failed(B256),
}

impl OutputError {
    /// Whether the sender has ended, and with it all that this task could do.
    const fn is_end(&self) -> bool {
        matches!(self, Self::Send(SendError::Stopped | SendError::Journal(_)))
    }
}

impl From<alloy::contract::Error> for OutputError {
    fn from(error: alloy::contract::Error) -> Self {
        Self::Rpc(error.to_string())
    }
}

impl From<alloy::transports::TransportError> for OutputError {
    fn from(error: alloy::transports::TransportError) -> Self {
        Self::Rpc(error.to_string())
    }
}

/// The running task. Dropping it ends it.
#[derive(Debug)]
pub struct OutputsTask(Task);

impl OutputsTask {
    /// Starts watching. Must be called within a tokio runtime.
    pub fn spawn(mut config: OutputsConfig) -> Self {
        if let Some(sender) = &config.sender {
            config.duties.account = sender.account();
        }
        let reader = GameReader::new(config.provider.clone(), &config.rollup);
        let watch = Watch {
            config,
            reader,
            ended: Vec::new(),
            alarmed: HashSet::new(),
            pending: Vec::new(),
        };
        Self(Task::spawn("outputs", watch.run()))
    }

    /// Why nobody watches any more, if so: a bug.
    pub fn ended(&self) -> Option<String> {
        self.0.ended().reason()
    }
}

struct Watch {
    config: OutputsConfig,
    reader: GameReader,
    /// Games that cannot change any more.
    ended: Vec<Game>,
    /// Games that were reported as wrong.
    alarmed: HashSet<Address>,
    /// What was handed to the sender and has no outcome yet.
    pending: Vec<Pending>,
}

impl Watch {
    async fn run(mut self) -> Result<(), String> {
        let mut look = tokio::time::interval(self.config.interval);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            match self.look().await {
                Ok(()) => {}
                Err(error) if error.is_end() => return Err(error.to_string()),
                Err(error) => failed(&error),
            }
        }
    }

    async fn look(&mut self) -> Result<(), OutputError> {
        self.settle()?;
        let seen = self.reader.read(&self.ended).await?;
        self.ended = seen.games.iter().filter(|game| is_over(game)).copied().collect();
        let heads = self.config.chain.heads();
        let head = match self.config.allow_non_finalized {
            true => heads.safe.number,
            false => heads.finalized.number,
        };
        // Safe blocks are compared, whatever may be proposed.
        let known = heads.safe.number;
        let mut outputs = HashMap::new();
        for game in &seen.games {
            if game.block <= known {
                outputs.insert(game.block, self.output(game.block)?);
            } else if !self.can_be(game.block, seen.now) {
                // No block, and so no root: every claim is another one.
                outputs.insert(game.block, B256::ZERO);
            }
        }
        let output = |block: u64| outputs.get(&block).copied();
        self.alarm(&seen.games, output);
        let outlook = Outlook { anchor: seen.anchor, games: &seen.games, head, now: seen.now };
        for action in decide(&self.config.duties, &outlook, output) {
            self.carry_out(&seen, action).await?;
        }
        Ok(())
    }

    /// Whether there can be a safe block of that number by that time of L1: the sequencer may be ahead
    /// of an origin by its drift.
    fn can_be(&self, block: u64, now: u64) -> bool {
        let rollup = &self.config.rollup;
        let (genesis, drift) = (rollup.genesis, rollup.sequencer_drift_max());
        let blocks = block.saturating_sub(genesis.l2.number);
        let time = genesis.l2_time.saturating_add(blocks.saturating_mul(rollup.block_time));
        time <= now.saturating_add(drift)
    }

    /// Hands an action to the sender, unless it is under way.
    async fn carry_out(&mut self, seen: &Seen, action: Action) -> Result<(), OutputError> {
        let Some(sender) = &self.config.sender else { return Ok(()) };
        let challenge = matches!(action, Action::Challenge { .. });
        let full = self.pending.len() >= UNDER_WAY && !challenge;
        if full || self.pending.iter().any(|(other, _)| is_same(other, &action)) {
            return Ok(());
        }
        let submitted = match self.content(seen, action) {
            Ok(content) => sender.submit(content).await.map_err(OutputError::from),
            Err(error) => Err(error),
        };
        match submitted {
            Ok(outcome) => self.pending.push((action, outcome)),
            Err(error) if error.is_end() => return Err(error),
            Err(error) => {
                tracing::warn!(target: "driver::outputs", ?action, "not sent");
                failed(&error);
            }
        }
        Ok(())
    }

    /// Takes the outcomes that there are.
    fn settle(&mut self) -> Result<(), OutputError> {
        for (action, mut outcome) in std::mem::take(&mut self.pending) {
            let outcome = match outcome.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.pending.push((action, outcome));
                    continue;
                }
                Err(TryRecvError::Closed) => return Err(SendError::Stopped.into()),
                Ok(outcome) => outcome.map_err(OutputError::from),
            };
            if let Err(error) = outcome.and_then(|confirmed| report(action, confirmed)) {
                failed(&error);
            }
        }
        Ok(())
    }

    /// Reports every game whose root is not the derived one.
    fn alarm(&mut self, games: &[Game], output: impl Fn(u64) -> Option<B256>) {
        let wrong = |game: &Game| wrong_output(game, output(game.block));
        let found: Vec<WrongOutput> = games
            .iter()
            .filter(|game| game.outcome() != Outcome::Rejected)
            .filter_map(wrong)
            .collect();
        metrics::gauge!("cairn_outputs_wrong").set(found.len() as f64);
        for wrong in found {
            if self.alarmed.insert(wrong.game) {
                metrics::counter!("cairn_outputs_alarms_total").increment(1);
                tracing::error!(target: "driver::outputs", %wrong, "ALARM: a wrong output root on L1");
            }
        }
    }

    /// The output root of a canonical block.
    fn output(&self, number: u64) -> Result<B256, OutputError> {
        let chain = &self.config.chain;
        let header = chain.header(BlockRef::Number(number)).map_err(DriverError::from)?;
        let unknown = || DriverError::from(cairn_chain::ChainError::UnknownNumber(number));
        let (hash, header) = header.ok_or_else(unknown)?;
        let passer =
            header.withdrawals_root.ok_or(OutputError::Range { what: "withdrawals root" })?;
        Ok(output_root(header.state_root, passer, hash))
    }

    fn content(&self, seen: &Seen, action: Action) -> Result<TransactionContent, OutputError> {
        let cairn = &self.config.rollup.cairn;
        let (to, value, input) = match action {
            Action::Propose { block } => {
                let create = DisputeGameFactory::createCall {
                    gameType: cairn.output_game_type,
                    rootClaim: self.output(block)?,
                    extraData: U256::from(block).abi_encode().into(),
                };
                (cairn.dispute_game_factory, seen.bond, create.abi_encode())
            }
            Action::Challenge { game, bond } => {
                (game, U256::from(bond), OutputGame::challengeCall {}.abi_encode())
            }
            Action::Resolve { game } => (game, U256::ZERO, OutputGame::resolveCall {}.abi_encode()),
            Action::Claim { game } => {
                let account = self.config.duties.account;
                (game, U256::ZERO, OutputGame::claimCreditCall { account }.abi_encode())
            }
        };
        Ok(TransactionContent { to, value, input: input.into(), ..TransactionContent::default() })
    }
}

fn failed(error: &OutputError) {
    metrics::counter!("cairn_outputs_failures_total").increment(1);
    tracing::warn!(target: "driver::outputs", %error, "output roots");
}

/// Whether two actions do the same. The head moves, and one proposal at a time is enough.
fn is_same(one: &Action, other: &Action) -> bool {
    match (one, other) {
        (Action::Propose { .. }, Action::Propose { .. }) => true,
        _ => one == other,
    }
}

/// Whether nothing about a game can change: ended and paid out.
const fn is_over(game: &Game) -> bool {
    !matches!(game.outcome(), Outcome::Open) && game.paid
}

fn report(action: Action, confirmed: Confirmed) -> Result<(), OutputError> {
    let (hash, l1_block) = (confirmed.hash, confirmed.block.number);
    if !confirmed.success {
        return Err(OutputError::Failed(hash));
    }
    metrics::counter!("cairn_outputs_actions_total").increment(1);
    tracing::info!(target: "driver::outputs", ?action, %hash, l1_block, "done on L1");
    Ok(())
}
