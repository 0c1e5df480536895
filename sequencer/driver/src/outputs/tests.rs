use std::sync::Mutex;

use alloy::providers::{Provider, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Bytes, address};
use alloy_sol_types::SolInterface;
use cairn_l1::HeadState;
use cairn_l1::send::{Journal, SenderConfig};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::contract::DisputeGameFactory::{DisputeGameFactoryCalls, GameSearchResult};
use super::contract::OutputGame::OutputGameCalls;
use super::contract::{AnchorStateRegistry, DisputeGameFactory, OutputGame};
use super::*;
use crate::testing::{EmptyL1, L1Server, Reply, TestChain, rollup};

const FACTORY: Address = address!("0x0000000000000000000000000000000000000007");
const NOW: u64 = 4_000_000_000;

/// A game as the contracts have it.
#[derive(Debug, Clone)]
struct OnL1 {
    address: Address,
    creator: Address,
    block: U256,
    root: B256,
    status: u8,
    paid: bool,
}

impl OnL1 {
    fn new(place: u8, block: u64, root: B256) -> Self {
        let (address, creator) = (Address::repeat_byte(place), Address::repeat_byte(0xcc));
        Self { address, creator, block: U256::from(block), root, status: 0, paid: false }
    }

    fn found(&self) -> GameSearchResult {
        GameSearchResult {
            index: U256::ZERO,
            metadata: self.address.into_word(),
            timestamp: 0,
            rootClaim: self.root,
            extraData: self.block.abi_encode().into(),
        }
    }

    fn answer(&self, call: OutputGameCalls) -> Bytes {
        match call {
            OutputGameCalls::gameCreator(_) => self.creator.abi_encode(),
            OutputGameCalls::status(_) => U256::from(self.status).abi_encode(),
            OutputGameCalls::challenger(_) => Address::ZERO.abi_encode(),
            OutputGameCalls::proposerBond(_) => U256::from(5).abi_encode(),
            OutputGameCalls::challengeEnd(_) => U256::from(NOW + 600).abi_encode(),
            OutputGameCalls::decisionEnd(_) => U256::from(NOW + 900).abi_encode(),
            OutputGameCalls::paid(_) => self.paid.abi_encode(),
            OutputGameCalls::ANCHOR_STATE_REGISTRY(_) => Address::repeat_byte(0xaa).abi_encode(),
            other => panic!("{:?} is no view", other.selector()),
        }
        .into()
    }
}

/// What the contracts answer. `games` may change between looks.
fn contracts(games: &Arc<Mutex<Vec<OnL1>>>) -> impl FnMut(&str, &Value) -> Reply + Send + 'static {
    let (games, l1) = (games.clone(), EmptyL1::new(1, NOW, 0));
    move |method, params| {
        if method != "eth_call" {
            return l1.answer(method, params);
        }
        let games = games.lock().unwrap();
        let to: Address = serde_json::from_value(params[0]["to"].clone()).unwrap();
        let input: Bytes = serde_json::from_value(params[0]["input"].clone()).unwrap();
        let answer: Bytes = if to == FACTORY {
            factory(&games, DisputeGameFactoryCalls::abi_decode(&input).unwrap())
        } else if let Ok(AnchorStateRegistry::AnchorStateRegistryCalls::anchors(_)) =
            AnchorStateRegistry::AnchorStateRegistryCalls::abi_decode(&input)
        {
            (B256::repeat_byte(1), U256::ZERO).abi_encode().into()
        } else {
            let implementation = OnL1::new(0xee, 0, B256::ZERO);
            let game = games.iter().find(|game| game.address == to).unwrap_or(&implementation);
            game.answer(OutputGameCalls::abi_decode(&input).unwrap())
        };
        Reply::Result(json!(answer))
    }
}

fn factory(games: &[OnL1], call: DisputeGameFactoryCalls) -> Bytes {
    match call {
        DisputeGameFactoryCalls::gameCount(_) => U256::from(games.len()).abi_encode().into(),
        DisputeGameFactoryCalls::initBonds(_) => U256::from(5).abi_encode().into(),
        DisputeGameFactoryCalls::gameImpls(_) => Address::repeat_byte(0xee).abi_encode().into(),
        DisputeGameFactoryCalls::findLatestGames(_) => {
            let found: Vec<_> = games.iter().rev().map(OnL1::found).collect();
            DisputeGameFactory::findLatestGamesCall::abi_encode_returns(&found).into()
        }
        DisputeGameFactoryCalls::create(_) => panic!("it is no view"),
    }
}

struct Scene {
    games: Arc<Mutex<Vec<OnL1>>>,
    chain: TestChain,
    l1: L1Server,
    watch: Watch,
    _heads: watch::Sender<HeadState>,
    _journal: tempfile::TempDir,
}

/// A chain with two safe blocks, and games about it.
async fn scene(duties: Duties, sends: bool) -> Scene {
    let chain = TestChain::new();
    chain.extend(1);
    let safe = chain.extend(2);
    chain.make_safe(safe.hash, None);
    let games = Arc::default();
    let l1 = L1Server::start(contracts(&games)).await;
    let (heads, states) = watch::channel(HeadState::default());
    let journal = tempfile::tempdir().unwrap();
    let sender = match sends {
        true => {
            let (client, signer) = (l1.client(), PrivateKeySigner::random());
            let opened = Journal::open(journal.path()).unwrap();
            let config = SenderConfig::default();
            let started = TransactionSender::start(client, states, signer, opened, config).await;
            Some(started.unwrap())
        }
        false => None,
    };
    let rollup = rollup(&chain.chain, Default::default());
    let provider = ProviderBuilder::new().connect_http(l1.url.parse().unwrap()).erased();
    let reader = GameReader::new(provider.clone(), &rollup);
    let account = sender.as_ref().map_or(Address::ZERO, TransactionSender::account);
    let config = OutputsConfig {
        chain: chain.chain.clone(),
        rollup,
        provider,
        duties: Duties { account, ..duties },
        allow_non_finalized: true,
        sender,
        interval: Duration::from_secs(1),
    };
    let watch =
        Watch { config, reader, ended: Vec::new(), alarmed: HashSet::new(), pending: Vec::new() };
    Scene { games, chain, l1, watch, _heads: heads, _journal: journal }
}

impl Scene {
    fn put(&self, games: Vec<OnL1>) {
        *self.games.lock().unwrap() = games;
    }

    fn alarmed(&self) -> Vec<u8> {
        let mut places: Vec<u8> = self.watch.alarmed.iter().map(|game| game[0]).collect();
        places.sort_unstable();
        places
    }

    /// Calls whose gas was estimated: whom, and the selector.
    fn estimated(&self) -> Vec<(Address, [u8; 4])> {
        let call = |params: Value| {
            let to = serde_json::from_value(params[0]["to"].clone()).unwrap();
            let input: Bytes = serde_json::from_value(params[0]["input"].clone()).unwrap();
            (to, input[..4].try_into().unwrap())
        };
        self.l1.calls("eth_estimateGas").into_iter().map(call).collect()
    }
}

#[tokio::test]
async fn a_block_that_cannot_be_there_is_an_alarm_and_blinds_nobody() {
    let mut scene = scene(Duties::default(), false).await;
    let right = scene.watch.output(2).unwrap();
    let genesis = scene.chain.header(0).1.timestamp;
    let drift = scene.watch.config.rollup.sequencer_drift_max();
    let last_possible = NOW - genesis + drift;
    scene.put(vec![
        OnL1 { block: U256::MAX, ..OnL1::new(1, 0, right) },
        OnL1::new(2, last_possible + 1, right),
        OnL1::new(3, last_possible, right),
        OnL1::new(4, 2, right),
        OnL1::new(5, 1, right),
    ]);
    scene.watch.look().await.unwrap();
    assert_eq!(scene.alarmed(), [1, 2, 5]);
}

#[tokio::test]
async fn a_wrong_root_is_an_alarm_as_soon_as_its_block_is_safe() {
    let mut scene = scene(Duties::default(), false).await;
    scene.put(vec![OnL1::new(1, 3, B256::repeat_byte(9))]);
    scene.watch.look().await.unwrap();
    assert_eq!(scene.alarmed(), [0; 0]);
    let block = scene.chain.extend(3);
    scene.watch.look().await.unwrap();
    assert_eq!(scene.alarmed(), [0; 0], "an unsafe block proves nothing");
    scene.chain.make_safe(block.hash, None);
    scene.watch.look().await.unwrap();
    assert_eq!(scene.alarmed(), [1]);
}

#[tokio::test]
async fn what_l1_does_not_say_or_says_wrong_is_an_error_and_tried_again() {
    let mut scene = scene(Duties::default(), false).await;
    let games = scene.games.clone();
    scene.put(vec![OnL1::new(1, 1, B256::repeat_byte(9))]);
    scene.l1.answer(|_, _| Reply::Status(503));
    let error = scene.watch.look().await.unwrap_err();
    assert!(matches!(error, OutputError::Rpc(_)), "{error}");
    scene.l1.answer(|_, _| Reply::Error(-32000, "no state"));
    let error = scene.watch.look().await.unwrap_err();
    assert!(matches!(error, OutputError::Rpc(_)), "{error}");
    scene.l1.answer(|_, _| Reply::Result(Value::Null));
    let error = scene.watch.look().await.unwrap_err();
    assert!(matches!(error, OutputError::NoBlock), "{error}");
    let mut honest = contracts(&games);
    scene.l1.answer(move |method, params| match method {
        "eth_call" => Reply::Result(json!("0x12")),
        _ => honest(method, params),
    });
    let error = scene.watch.look().await.unwrap_err();
    assert!(matches!(error, OutputError::Rpc(_)), "{error}");
    scene.l1.answer(contracts(&games));
    games.lock().unwrap()[0].status = 3;
    let error = scene.watch.look().await.unwrap_err();
    assert!(matches!(error, OutputError::Range { what: "status" }), "{error}");
    assert!(!error.is_end());
    assert_eq!(scene.alarmed(), [0; 0]);
    games.lock().unwrap()[0].status = 0;
    scene.watch.look().await.unwrap();
    assert_eq!(scene.alarmed(), [1]);
}

#[tokio::test]
async fn a_game_that_is_over_is_not_read_again() {
    let mut scene = scene(Duties::default(), false).await;
    let right = scene.watch.output(1).unwrap();
    scene.put(vec![OnL1 { status: 2, paid: true, ..OnL1::new(1, 1, right) }]);
    scene.watch.look().await.unwrap();
    let first = scene.l1.calls("eth_call").len();
    scene.watch.look().await.unwrap();
    let second = scene.l1.calls("eth_call").len() - first;
    assert_eq!(first - second, 7, "what a game is asked");
    // Paid alone is not over: the bonds of a game that goes on are not to be fetched.
    scene.put(vec![OnL1 { status: 2, ..OnL1::new(2, 1, right) }]);
    scene.watch.look().await.unwrap();
    assert!(scene.watch.ended.is_empty());
}

#[tokio::test]
async fn an_action_that_fails_keeps_no_other_from_being_tried() {
    let duties = Duties { propose: true, challenge: true, interval: 1, ..Duties::default() };
    let mut scene = scene(duties, true).await;
    let (games, right) = (scene.games.clone(), scene.watch.output(1).unwrap());
    let account = scene.watch.config.duties.account;
    scene.put(vec![
        OnL1 { status: 2, creator: account, ..OnL1::new(1, 1, right) },
        OnL1::new(2, 1, B256::repeat_byte(9)),
    ]);
    let mut honest = contracts(&games);
    scene.l1.answer(move |method, params| match (method, params[0]["to"].as_str()) {
        ("eth_estimateGas", Some(to)) if !to.ends_with('7') => {
            Reply::Error(3, "execution reverted")
        }
        _ => honest(method, params),
    });
    scene.watch.look().await.unwrap();
    let challenge = (Address::repeat_byte(2), OutputGame::challengeCall::SELECTOR);
    let claim = (Address::repeat_byte(1), OutputGame::claimCreditCall::SELECTOR);
    let propose = (FACTORY, DisputeGameFactory::createCall::SELECTOR);
    assert_eq!(scene.estimated(), [challenge, claim, propose], "the most urgent first");
    assert_eq!(scene.watch.pending.len(), 1);
    // Nothing is mined, and looking goes on: the proposal is under way, the others are tried again.
    let head = scene.chain.extend(3);
    scene.chain.make_safe(head.hash, None);
    games.lock().unwrap().push(OnL1::new(3, 3, B256::repeat_byte(9)));
    scene.watch.look().await.unwrap();
    assert_eq!(scene.alarmed(), [2, 3]);
    assert_eq!(scene.watch.pending.len(), 1);
    let proposals = scene.estimated().into_iter().filter(|call| *call == propose).count();
    assert_eq!(proposals, 1, "one proposal at a time");
}

#[tokio::test]
async fn the_task_ends_with_its_sender() {
    let duties = Duties { propose: true, interval: 1, ..Duties::default() };
    let scene = scene(duties, true).await;
    let Scene { watch, _heads: heads, .. } = scene;
    // A sender that nobody tells of L1 ends.
    drop(heads);
    let ended = tokio::time::timeout(Duration::from_secs(60), watch.run()).await.unwrap();
    assert_eq!(ended.unwrap_err(), SendError::Stopped.to_string());
}
