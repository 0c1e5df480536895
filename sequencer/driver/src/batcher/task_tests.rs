use cairn_rollup::batcher::{BatcherCommand, BatcherCommandError, ResetReason};

use super::*;
use crate::batcher::tests::scene;
use crate::testing::Reply;

fn shell(setup: BatcherSetup) -> Shell {
    let machine = Batcher::new(setup.config, (*setup.rollup).clone()).unwrap();
    Shell::new(setup, machine)
}

#[tokio::test]
async fn while_l1_is_silent_one_question_for_nonces_waits() {
    let scene = scene().await;
    scene.l1.answer(|_, _| Reply::Silence);
    let mut shell = shell(scene.setup);
    for _ in 0..50 {
        shell.carry_out(Effect::QueryNonces);
    }
    assert_eq!((shell.nonces.len(), shell.carried.len()), (1, 0));
}

#[tokio::test]
async fn nonces_from_before_a_reset_are_not_told() {
    let scene = scene().await;
    let mut shell = shell(scene.setup);
    shell.carry_out(Effect::QueryNonces);
    shell.carry_out(Effect::Reset { reason: ResetReason::L1Reorg });
    assert!(shell.nonces.is_empty());
    shell.carry_out(Effect::QueryNonces);
    let answered = shell.nonces.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(answered, Event::Nonces { latest: 0, pending: 0, at: 2 });
}

#[tokio::test]
async fn a_task_that_panics_ends_the_batcher_and_one_that_fails_says_why() {
    let mut shell = shell(scene().await.setup);
    shell.carried.spawn(async { panic!("no answer will come") });
    let done = shell.carried.join_next().await.unwrap();
    let error = shell.done(done).unwrap_err();
    assert_eq!(error.next_step(), NextStep::Stop);
    assert_eq!(error.to_string(), "a task has ended with a panic: no answer will come");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_a_batcher_until_it_ends() {
    let setup = scene().await.setup;
    let handle = setup.handle.clone();
    let task = BatcherTask::spawn(setup).unwrap();
    let told = async {
        // The thread takes commands when it has begun.
        while handle.command_batcher(BatcherCommand::Flush) != Ok(()) {
            tokio::task::yield_now().await;
        }
        // More than may wait: they are taken.
        for _ in 0..100 {
            while handle.command_batcher(BatcherCommand::Flush) == Err(BatcherCommandError::Busy) {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();
    drop(task);
    let ended = handle.command_batcher(BatcherCommand::Flush);
    assert_eq!(ended, Err(BatcherCommandError::Ended));
}
