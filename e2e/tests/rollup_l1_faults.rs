//! L1's endpoint fails, stalls and lies.

use std::num::NonZeroU64;
use std::time::Duration;

use cairn_e2e::devnet::DevnetOptions;
use cairn_e2e::scenario::{Chain, L1Fault, Proxy, address_of};
use eyre::{WrapErr, ensure};

const NODES: [&str; 2] = ["sequencer", "verifier"];
const POLL: Duration = Duration::from_millis(50);
const DEPOSIT: u64 = 1_000_000;
/// L1 blocks of a second each for which an endpoint stalls: longer than a node waits for an answer.
const STALL_BLOCKS: u64 = 12;

/// Both nodes meet a fault, with something in L1's blocks to lie about. L2 goes on meanwhile.
async fn meet(chain: &Chain, proxies: &[Proxy], number: u64, fault: L1Fault) -> eyre::Result<()> {
    let counter = if fault.is_lie() { "cairn_l1_lies_total" } else { "cairn_l1_failures_total" };
    let mut before = Vec::new();
    for node in NODES {
        before.push(chain.metric(node, counter).await?);
    }
    for proxy in proxies {
        proxy.set(fault.rule());
    }
    chain.deposit(address_of("deposit", number), DEPOSIT).await?;
    for proxy in proxies {
        proxy.wait_faults(1).await;
    }
    if fault == L1Fault::Stall {
        chain.wait_l1_blocks(STALL_BLOCKS).await?;
    }
    for (node, before) in NODES.iter().zip(before) {
        chain.wait_metric(node, counter, before).await?;
    }
    chain.transfers(1).await?;
    for proxy in proxies {
        proxy.pass();
    }
    // The next one finds both nodes at work again.
    chain.wait_derived(chain.l1()?.block_number().await?).await
}

/// A node that starts while L1 is away serves its chain, and sends batches once L1 is back.
async fn start_without_l1(chain: &mut Chain, l1: &Proxy) -> eyre::Result<()> {
    let head = chain.sequencer()?.block_number().await?;
    chain.devnet.kill9("sequencer")?;
    l1.set(L1Fault::Stall.rule());
    let sequencer = chain.sequencer()?;
    let served = async {
        // It is not healthy without L1, and answers nevertheless.
        let number = loop {
            match sequencer.block_number().await {
                Ok(number) => break number,
                Err(_) => tokio::time::sleep(POLL).await,
            }
        };
        l1.wait_faults(1).await;
        l1.pass();
        number
    };
    let (restarted, number) = tokio::join!(chain.devnet.restart("sequencer"), served);
    restarted?;
    ensure!(number >= head, "acknowledged blocks are gone: {number}, {head}");
    let last = chain.transfers(2).await?;
    chain.wait_safe(last).await
}

#[tokio::test]
async fn nodes_go_on_through_errors_stalls_and_lies_of_l1() -> eyre::Result<()> {
    let options = DevnetOptions { l1_block_time: NonZeroU64::new(1), ..DevnetOptions::default() };
    let mut chain = Chain::start(options).await?;
    let mut proxies = Vec::new();
    for node in NODES {
        proxies.push(chain.interpose_l1(node).await?);
    }
    for (number, fault) in (0..).zip(L1Fault::ALL) {
        let met = meet(&chain, &proxies, number, fault).await;
        met.wrap_err_with(|| format!("{fault:?}"))?;
    }
    for number in 0..L1Fault::ALL.len() as u64 {
        chain.wait_balance(address_of("deposit", number), DEPOSIT).await?;
    }
    start_without_l1(&mut chain, &proxies[0]).await?;
    chain.agree().await
}
