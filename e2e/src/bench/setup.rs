//! Makes a chain ready for a load: balances, contracts, tokens, nonces.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256};
use eyre::{WrapErr, bail};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::accounts::{Account, funder, mnemonic_accounts};
use super::calls;
use super::inclusion::wait_success;
use super::signing::{Signed, Terms, sign};
use super::workload::{Action, Plan, Shape};
use crate::rpc::RpcClient;

/// Holders that one transaction mints for; keeps it below the 2^24 gas that
/// EIP-7825 allows a transaction.
const MINT_HOLDERS: usize = 300;
const INCLUSION_LIMIT: Duration = Duration::from_secs(60);
const GWEI: u128 = 1_000_000_000;
const DEPOSIT_TYPE: u64 = 0x7e;

/// A chain with everything a load needs.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) plan: Plan,
    pub(super) senders: Vec<Account>,
    pub(super) terms: Terms,
    /// Transactions that every block has without anyone sending them.
    pub(super) system: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    base_fee_per_gas: U256,
    transactions: Vec<HeadTransaction>,
}

#[derive(Deserialize)]
struct HeadTransaction {
    #[serde(rename = "type")]
    kind: U64,
}

/// Prepares for `txs` transactions.
pub(super) async fn prepare(rpc: &RpcClient, shape: Shape, txs: u64) -> eyre::Result<Prepared> {
    let head: Head = rpc.call("eth_getBlockByNumber", json!(["latest", true])).await?;
    let base_fee = u128::try_from(head.base_fee_per_gas).wrap_err("base fee out of range")?;
    // Full blocks may raise the base fee many times over before the load is in.
    let max_fee = base_fee.saturating_mul(20).saturating_add(2 * GWEI);
    let terms = Terms { chain_id: rpc.chain_id().await?, max_fee, priority_fee: GWEI };
    let deposits = head.transactions.iter().filter(|tx| tx.kind.to::<u64>() == DEPOSIT_TYPE);
    let system = deposits.count() as u64;

    let mut senders = mnemonic_accounts(1, shape.senders)?;
    let mut payer = Payer::new(rpc, terms).await?;
    payer.fund(&senders, shape, txs).await?;
    let mut plan = Plan {
        workload: shape.workload,
        recipients: shape.recipients,
        token: Address::ZERO,
        work: Address::ZERO,
    };
    if shape.workload.needs_token() {
        plan.token = payer.deploy(calls::token_code()?).await?;
        payer.mint(plan.token, &senders).await?;
    }
    if shape.workload.needs_work() {
        plan.work = payer.deploy(calls::work_code()?).await?;
    }
    wait_success(rpc, &payer.sent, INCLUSION_LIMIT).await?;

    let addresses: Vec<Address> = senders.iter().map(Account::address).collect();
    let nonces = rpc.pending_nonces(&addresses).await?;
    senders.par_iter_mut().zip(nonces).for_each(|(sender, nonce)| sender.nonce = nonce);
    Ok(Prepared { plan, senders, terms, system })
}

/// The account that pays for the preparation.
struct Payer<'a> {
    rpc: &'a RpcClient,
    terms: Terms,
    account: Account,
    sent: Vec<B256>,
}

impl<'a> Payer<'a> {
    async fn new(rpc: &'a RpcClient, terms: Terms) -> eyre::Result<Self> {
        let mut account = funder()?;
        let nonces = rpc.pending_nonces(&[account.address()]).await?;
        account.nonce = nonces.first().copied().unwrap_or_default();
        Ok(Self { rpc, terms, account, sent: Vec::new() })
    }

    async fn send(&mut self, to: TxKind, action: Action) -> eyre::Result<()> {
        let Signed { hash, raw, .. } =
            sign(&self.account, self.account.nonce, to, action, self.terms)?;
        self.rpc.send_raw(&raw).await.wrap_err("a set-up transaction was refused")?;
        self.account.nonce += 1;
        self.sent.push(hash);
        Ok(())
    }

    /// Gives each sender that could not pay for its part what it needs.
    async fn fund(&mut self, senders: &[Account], shape: Shape, txs: u64) -> eyre::Result<()> {
        let turns = txs.div_ceil(u64::from(shape.senders));
        let per_transaction =
            U256::from(shape.workload.most_gas()) * U256::from(self.terms.max_fee) + U256::ONE;
        // An OP chain adds its L1 data fee to the gas.
        let need = per_transaction * U256::from(turns) * U256::from(2);
        let addresses: Vec<Address> = senders.iter().map(Account::address).collect();
        for chunk in addresses.chunks(100) {
            for (to, balance) in chunk.iter().zip(self.rpc.balances(chunk).await?) {
                if balance < need {
                    let value = need - balance;
                    let gas = calls::TRANSFER_GAS;
                    let action = Action { to: *to, value, input: Bytes::new(), gas };
                    self.send(TxKind::Call(*to), action).await?;
                }
            }
        }
        Ok(())
    }

    async fn deploy(&mut self, input: Bytes) -> eyre::Result<Address> {
        let address = self.account.address().create(self.account.nonce);
        let action = Action { to: Address::ZERO, value: U256::ZERO, input, gas: calls::DEPLOY_GAS };
        self.send(TxKind::Create, action).await?;
        wait_success(self.rpc, &self.sent, INCLUSION_LIMIT).await?;
        self.sent.clear();
        let code: Bytes = self.rpc.call("eth_getCode", json!([address, "latest"])).await?;
        if code.is_empty() {
            bail!("no code at {address} after its deployment");
        }
        Ok(address)
    }

    async fn mint(&mut self, token: Address, senders: &[Account]) -> eyre::Result<()> {
        for holders in senders.chunks(MINT_HOLDERS) {
            let holders: Vec<Address> = holders.iter().map(Account::address).collect();
            let gas = calls::MINT_GAS + calls::MINT_GAS_PER_HOLDER * holders.len() as u64;
            let input = calls::mint(&holders);
            let action = Action { to: token, value: U256::ZERO, input, gas };
            self.send(TxKind::Call(token), action).await?;
        }
        Ok(())
    }
}
