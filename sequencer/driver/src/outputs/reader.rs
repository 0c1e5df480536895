//! Games as L1 shows them.

use alloy::eips::BlockId;
use alloy::providers::{DynProvider, Provider};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolValue;
use cairn_rollup::RollupConfig;
use cairn_rollup::proposer::{Game, GameStatus};

use super::OutputError;
use super::contract::DisputeGameFactory::GameSearchResult;
use super::contract::{AnchorStateRegistry, DisputeGameFactory, OutputGame};

/// Games of our type that are looked at, the newest. A proposer that makes one an hour and resolves
/// within a week has 168 open.
const GAMES: u64 = 512;

/// All that is needed of L1 for a decision, as of one block.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) anchor: u64,
    pub(super) games: Vec<Game>,
    /// Bond of a proposal in wei.
    pub(super) bond: U256,
    /// Timestamp of the block.
    pub(super) now: u64,
}

/// Reads the games of one factory.
#[derive(Debug, Clone)]
pub(super) struct GameReader {
    provider: DynProvider,
    factory: Address,
    game_type: u32,
}

impl GameReader {
    pub(super) fn new(provider: DynProvider, rollup: &RollupConfig) -> Self {
        let cairn = &rollup.cairn;
        Self { provider, factory: cairn.dispute_game_factory, game_type: cairn.output_game_type }
    }

    /// Reads everything as of L1's newest block. `ended` are games that need not be read again.
    pub(super) async fn read(&self, ended: &[Game]) -> Result<Seen, OutputError> {
        let block =
            self.provider.get_block(BlockId::latest()).await?.ok_or(OutputError::NoBlock)?;
        let (at, now) = (BlockId::hash(block.header.hash), block.header.timestamp);
        let factory = DisputeGameFactory::new(self.factory, &self.provider);
        let count = factory.gameCount().block(at).call().await?;
        let bond = factory.initBonds(self.game_type).block(at).call().await?;
        let found = if count.is_zero() {
            Vec::new()
        } else {
            let newest = count - U256::from(1);
            let most = U256::from(GAMES);
            factory.findLatestGames(self.game_type, newest, most).block(at).call().await?
        };
        let mut games = Vec::with_capacity(found.len());
        for game in found.iter().rev() {
            let address = proxy_of(game);
            match ended.iter().find(|ended| ended.address == address) {
                Some(ended) => games.push(*ended),
                None => games.push(self.game(game, at).await?),
            }
        }
        Ok(Seen { anchor: self.anchor(at).await?, games, bond, now })
    }

    async fn anchor(&self, at: BlockId) -> Result<u64, OutputError> {
        let factory = DisputeGameFactory::new(self.factory, &self.provider);
        let game = factory.gameImpls(self.game_type).block(at).call().await?;
        let game = OutputGame::new(game, &self.provider);
        let registry = game.ANCHOR_STATE_REGISTRY().block(at).call().await?;
        let registry = AnchorStateRegistry::new(registry, &self.provider);
        let anchor = registry.anchors(self.game_type).block(at).call().await?;
        narrow(anchor.l2BlockNumber, "block of the anchor")
    }

    async fn game(&self, found: &GameSearchResult, at: BlockId) -> Result<Game, OutputError> {
        let address = proxy_of(found);
        let game = OutputGame::new(address, &self.provider);
        let status = match game.status().block(at).call().await? {
            0 => GameStatus::InProgress,
            1 => GameStatus::ChallengerWins,
            2 => GameStatus::DefenderWins,
            _ => return Err(OutputError::Range { what: "status" }),
        };
        Ok(Game {
            address,
            creator: game.gameCreator().block(at).call().await?,
            block: block_of(&found.extraData)?,
            root: found.rootClaim,
            status,
            challenger: game.challenger().block(at).call().await?,
            proposer_bond: game.proposerBond().block(at).call().await?.to::<u128>(),
            challenge_end: narrow(game.challengeEnd().block(at).call().await?, "challenge end")?,
            decision_end: narrow(game.decisionEnd().block(at).call().await?, "decision end")?,
            paid: game.paid().block(at).call().await?,
        })
    }
}

/// The last 20 bytes of the metadata: type (4) ‖ timestamp (8) ‖ proxy (20).
fn proxy_of(game: &GameSearchResult) -> Address {
    Address::from_word(game.metadata)
}

/// Our games have nothing but the number of the L2 block as extra data; others cannot be made. The
/// contract takes numbers that no block has: the largest stands for those, since an error would
/// blind the watch for all games.
fn block_of(extra_data: &Bytes) -> Result<u64, OutputError> {
    let number =
        U256::abi_decode(extra_data).map_err(|_| OutputError::Range { what: "extra data" })?;
    Ok(number.saturating_to())
}

fn narrow(number: U256, what: &'static str) -> Result<u64, OutputError> {
    u64::try_from(number).map_err(|_| OutputError::Range { what })
}
