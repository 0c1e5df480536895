use proptest::prelude::*;

use super::*;

const ME: Address = Address::repeat_byte(1);
const OTHER: Address = Address::repeat_byte(2);

fn root(block: u64) -> B256 {
    B256::with_last_byte(block as u8)
}

fn output(head: u64) -> impl Fn(u64) -> Option<B256> {
    move |block| (block <= head).then(|| root(block))
}

fn game(block: u64) -> Game {
    Game {
        address: Address::with_last_byte(block as u8),
        creator: ME,
        block,
        root: root(block),
        proposer_bond: 7,
        challenge_end: 100,
        decision_end: 200,
        ..Game::default()
    }
}

fn decided(duties: Duties, games: &[Game], head: u64, now: u64) -> Vec<Action> {
    decide(&duties, &Outlook { anchor: 0, games, head, now }, output(head))
}

fn proposer() -> Duties {
    Duties { propose: true, challenge: false, account: ME, interval: 10 }
}

fn watcher() -> Duties {
    Duties { challenge: true, account: ME, ..Duties::default() }
}

#[test]
fn a_proposal_comes_an_interval_after_the_last_one_that_is_right() {
    assert_eq!(decided(proposer(), &[], 9, 0), []);
    assert_eq!(decided(proposer(), &[], 12, 0), [Action::Propose { block: 12 }]);
    assert_eq!(decided(proposer(), &[game(12)], 21, 0), []);
    assert_eq!(decided(proposer(), &[game(12)], 22, 0), [Action::Propose { block: 22 }]);
}

#[test]
fn rejected_wrong_and_foreign_proposals_do_not_count() {
    let rejected = Game { status: GameStatus::ChallengerWins, challenger: OTHER, ..game(12) };
    let wrong = Game { root: root(99), ..game(12) };
    let foreign = Game { creator: OTHER, ..game(12) };
    for game in [rejected, wrong, foreign] {
        assert_eq!(decided(proposer(), &[game], 15, 0), [Action::Propose { block: 15 }]);
    }
}

#[test]
fn a_wrong_root_is_challenged_in_its_window_and_once() {
    let wrong = Game { root: root(99), ..game(12) };
    let challenge = Action::Challenge { game: wrong.address, bond: 7 };
    assert_eq!(decided(watcher(), &[game(11), wrong], 20, 99), [challenge]);
    assert_eq!(decided(watcher(), &[wrong], 20, 100), [], "the window is over");
    let challenged = Game { challenger: OTHER, ..wrong };
    assert_eq!(decided(watcher(), &[challenged], 20, 99), []);
    assert_eq!(decided(watcher(), &[wrong], 11, 99), [], "the block is not derived yet");
    assert_eq!(decided(Duties { challenge: false, ..watcher() }, &[wrong], 20, 99), []);
    assert_eq!(wrong_output(&wrong, Some(root(12))).map(|wrong| wrong.claimed), Some(root(99)));
    assert_eq!(wrong_output(&game(12), Some(root(12))), None);
}

#[test]
fn games_are_ended_when_their_time_is_over_and_a_wrong_one_is_not_helped() {
    let resolve = |game: Game| Action::Resolve { game: game.address };
    assert_eq!(decided(watcher(), &[game(12)], 20, 99), []);
    assert_eq!(decided(watcher(), &[game(12)], 20, 100), [resolve(game(12))]);
    let challenged = Game { challenger: OTHER, ..game(12) };
    assert_eq!(decided(watcher(), &[challenged], 20, 199), []);
    assert_eq!(decided(watcher(), &[challenged], 20, 200), [resolve(challenged)]);
    let wrong = Game { root: root(99), ..game(12) };
    assert_eq!(decided(watcher(), &[wrong], 20, 300), []);
    let foreign = Game { creator: OTHER, ..game(12) };
    assert_eq!(decided(watcher(), &[foreign], 20, 300), [], "its proposer ends it");
    let ours = Game { creator: OTHER, challenger: ME, ..game(12) };
    assert_eq!(decided(watcher(), &[ours], 20, 300), [resolve(ours)]);
}

#[test]
fn bonds_are_fetched_by_their_winner_once() {
    let won = Game { status: GameStatus::DefenderWins, ..game(12) };
    let claim = [Action::Claim { game: won.address }];
    assert_eq!(decided(watcher(), &[won], 20, 300), claim);
    assert_eq!(decided(watcher(), &[Game { paid: true, ..won }], 20, 300), []);
    let lost = Game { status: GameStatus::ChallengerWins, challenger: OTHER, ..won };
    assert_eq!(decided(watcher(), &[lost], 20, 300), []);
    assert_eq!(decided(watcher(), &[Game { challenger: ME, ..lost }], 20, 300), claim);
}

fn any_game() -> impl Strategy<Value = Game> {
    (1_u64..60, 0_u64..3, 0_u8..3, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(block, status, wrong, challenged, mine, paid)| Game {
            root: if wrong == 0 { root(200) } else { root(block) },
            creator: if mine { ME } else { OTHER },
            challenger: if challenged { OTHER } else { Address::ZERO },
            status: match status {
                0 => GameStatus::InProgress,
                1 => GameStatus::ChallengerWins,
                _ => GameStatus::DefenderWins,
            },
            paid,
            ..game(block)
        },
    )
}

proptest! {
    /// Whatever L1 shows, no action is one that the contract would refuse or that helps a wrong root.
    #[test]
    fn every_action_is_possible_and_none_helps_a_wrong_root(
        games in prop::collection::vec(any_game(), 0..12), head in 0_u64..80, now in 0_u64..300,
    ) {
        let duties = Duties { challenge: true, ..proposer() };
        for action in decided(duties, &games, head, now) {
            let find = |address| games.iter().filter(move |game| game.address == address);
            match action {
                Action::Propose { block } => prop_assert_eq!(block, head),
                Action::Challenge { game, .. } => {
                    prop_assert!(find(game).any(|game| game.can_be_challenged(now)
                        && game.root != root(game.block) && game.block <= head));
                }
                Action::Resolve { game } => {
                    prop_assert!(find(game).any(|game| game.can_be_resolved(now)
                        && (game.root == root(game.block) || game.is_challenged())));
                }
                Action::Claim { game } => {
                    prop_assert!(find(game).any(|game| game.winner() == Some(ME) && !game.paid));
                }
            }
        }
    }
}
