//! Whatever happens in whatever order: once it is quiet, L1 holds the whole chain.

use proptest::prelude::*;

use super::world::{World, settings};
use crate::batcher::{BatcherConfig, CarrierChoice, DispersalFailure, Event};

#[derive(Debug, Clone, Copy)]
enum Action {
    Build(usize),
    Mine { include: bool, revert: bool },
    Derive,
    Disperse,
    FailDispersal(DispersalFailure),
    Tick(u64),
    ReorgL1 { depth: usize, keep: bool },
    ReorgL2(usize),
    Lose,
    Find,
    Restart,
    Flush,
    Stop,
    Start,
    Choose(CarrierChoice),
}

fn any_choice() -> impl Strategy<Value = CarrierChoice> {
    use CarrierChoice::*;
    prop_oneof![3 => Just(Auto), 1 => Just(Blobs), 1 => Just(Calldata)]
}

fn any_failure() -> impl Strategy<Value = DispersalFailure> {
    prop_oneof![Just(DispersalFailure::Unavailable), Just(DispersalFailure::Failed)]
}

fn any_action() -> impl Strategy<Value = Action> {
    use Action::*;
    prop_oneof![
        8 => (1usize..8).prop_map(Build),
        8 => (any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(include, revert)| Mine { include, revert }),
        6 => Just(Derive),
        6 => Just(Disperse),
        2 => any_failure().prop_map(FailDispersal),
        8 => (1u64..40).prop_map(Tick),
        1 => (1usize..6, any::<bool>()).prop_map(|(depth, keep)| ReorgL1 { depth, keep }),
        1 => (0usize..5).prop_map(ReorgL2),
        1 => Just(Lose),
        1 => Just(Find),
        1 => Just(Restart),
        1 => Just(Flush),
        1 => Just(Stop),
        2 => Just(Start),
        1 => any_choice().prop_map(Choose),
    ]
}

fn act(world: &mut World, action: Action) {
    match action {
        Action::Build(blocks) => world.build(blocks),
        Action::Mine { include, revert } => world.mine(include, revert),
        Action::Derive => world.derive(),
        Action::Disperse => world.disperse(Ok(())),
        Action::FailDispersal(failure) => world.disperse(Err(failure)),
        Action::Tick(seconds) => world.tick(seconds),
        Action::ReorgL1 { depth, keep } => world.reorg_l1(depth, keep),
        Action::ReorgL2(keep) => world.reorg_l2(keep),
        Action::Lose => world.lose(),
        Action::Find => world.find(),
        Action::Restart => world.restart(),
        Action::Flush => world.event(Event::Flush),
        Action::Stop => world.event(Event::Stop),
        Action::Start => world.event(Event::Start),
        Action::Choose(choice) => world.event(Event::SetCarrier(choice)),
    }
}

proptest! {
    #[test]
    fn the_whole_chain_ends_up_on_l1(
        carrier in any_choice(),
        target in prop_oneof![Just(700usize), Just(9000)],
        actions in prop::collection::vec(any_action(), 0..120),
    ) {
        let mut world = World::new(BatcherConfig { carrier, ..settings(target) });
        for action in actions {
            act(&mut world, action);
        }
        world.event(Event::Start);
        prop_assert!(
            world.settle(600),
            "safe {} of {}: {:?}",
            world.derived.safe,
            world.head(),
            world.batcher,
        );
    }

    /// With nothing lost and nothing reorganised, every block is sent once, even if dispersals
    /// fail, the inbox refuses certificates and the batcher is restarted.
    #[test]
    fn nothing_is_sent_twice_without_need(
        target in prop_oneof![Just(700usize), Just(9000)],
        actions in prop::collection::vec(any_action(), 0..120),
    ) {
        let mut world = World::new(settings(target));
        for action in actions {
            match action {
                Action::ReorgL1 { .. } | Action::ReorgL2(_) | Action::Lose | Action::Find => {}
                action => act(&mut world, action),
            }
        }
        world.event(Event::Start);
        prop_assert!(world.settle(600));
        prop_assert_eq!(world.derived.repeated, 0);
    }
}
