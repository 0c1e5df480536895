//! The blocks that are applied: attributes, raw transactions, and what they must come to.

use std::path::Path;
use std::sync::Arc;

use alloy_genesis::Genesis;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use cairn_chain::{
    AttributesSource, BlockRef, Chain, ChainOptions, DerivedPayload, DevAttributes, open_store,
};
use cairn_evm::EvmConfig;
use cairn_genesis::{DEV_SYSTEM, DevOptions, dev_genesis};
use cairn_primitives::{ChainSpec, Header};
use cairn_state::Options;
use eyre::eyre;

use super::DeriveArgs;
use crate::bench::accounts::{Account, mnemonic_accounts};
use crate::bench::calls;
use crate::bench::signing::{Terms, sign, sign_load};
use crate::bench::workload::{Action, Plan};

const GAS_LIMIT: u64 = 5_000_000_000;
const GWEI: u128 = 1_000_000_000;
/// Holders that one transaction mints for, as EIP-7825 bounds its gas.
const MINT_HOLDERS: usize = 300;

/// A chain's blocks, to be applied to its genesis.
#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) genesis: Genesis,
    /// Those that deploy and mint; applied before the clock starts.
    pub(super) setup: Vec<Made>,
    pub(super) measured: Vec<Made>,
}

/// One block.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) payload: DerivedPayload,
    pub(super) parent: Header,
    pub(super) hash: B256,
    pub(super) gas_used: u64,
}

impl Blocks {
    /// Transactions of the measured blocks, deposits counted.
    pub(super) fn txs(&self) -> u64 {
        let all = self.measured.iter().map(|block| &block.payload);
        all.map(|p| (p.transactions.len() + p.attributes.deposits.len()) as u64).sum()
    }

    /// Gas that the measured blocks use.
    pub(super) fn gas_used(&self) -> u64 {
        self.measured.iter().map(|block| block.gas_used).sum()
    }
}

/// Opens a chain of that genesis in a new directory.
pub(super) fn open(directory: &Path, genesis: &Genesis) -> eyre::Result<Chain> {
    let spec = Arc::new(ChainSpec::from_genesis(genesis)?);
    let store = open_store(directory, Options::default(), &spec, genesis)?;
    Ok(Chain::open(store, EvmConfig::new(spec), ChainOptions::default())?)
}

/// Makes the blocks on a chain of their own.
pub(super) fn make(args: &DeriveArgs) -> eyre::Result<Blocks> {
    let accounts = args.senders.saturating_add(1);
    let options = DevOptions { accounts, gas_limit: GAS_LIMIT, ..DevOptions::default() };
    let genesis = dev_genesis(&options)?;
    let terms =
        Terms { chain_id: options.chain_id, max_fee: 10 * GWEI, priority_fee: GWEI / 1_000 };
    let funder = mnemonic_accounts(0, 1)?.pop().ok_or_else(|| eyre!("no account 0"))?;
    let senders = mnemonic_accounts(1, args.senders)?;
    let (plan, setup) = set_up(args, funder, &senders, terms)?;
    let per_block = u64::from(args.txs_per_block);
    let load = sign_load(&plan, &senders, per_block * u64::from(args.blocks), terms)?;

    let folder = tempfile::Builder::new().prefix("cairn-bench-derive-").tempdir()?;
    let chain = open(folder.path(), &genesis)?;
    let (_, first) =
        chain.header(BlockRef::Earliest)?.ok_or_else(|| eyre!("the store has no genesis"))?;
    let mut source = DevAttributes::new(chain.spec().clone(), &first, DEV_SYSTEM);
    let mut next = |txs: Vec<Bytes>| add(&chain, &mut source, txs);
    let setup = vec![next(setup)?];
    let measured = load
        .chunks(usize::try_from(per_block)?)
        .map(|part| next(part.iter().map(|signed| signed.raw.clone()).collect()))
        .collect::<eyre::Result<_>>()?;
    chain.close()?;
    Ok(Blocks { genesis, setup, measured })
}

fn add(chain: &Chain, source: &mut DevAttributes, transactions: Vec<Bytes>) -> eyre::Result<Made> {
    let (hash, parent) =
        chain.header(BlockRef::Latest)?.ok_or_else(|| eyre!("the chain has no head"))?;
    let attributes = source.next(&parent, parent.timestamp + 1).map_err(eyre::Report::msg)?;
    let payload = DerivedPayload { attributes, transactions };
    let derived = chain.derive(hash, payload.clone().recover()?)?;
    let (hash, header) =
        chain.header(derived.block.hash.into())?.ok_or_else(|| eyre!("the block is gone"))?;
    Ok(Made { payload, parent, hash, gas_used: header.gas_used })
}

/// The transactions that deploy the contracts and hand the tokens out.
fn set_up(
    args: &DeriveArgs,
    mut funder: Account,
    senders: &[Account],
    terms: Terms,
) -> eyre::Result<(Plan, Vec<Bytes>)> {
    let shape = args.shape();
    let mut plan = Plan {
        workload: shape.workload,
        recipients: shape.recipients,
        token: Address::ZERO,
        work: Address::ZERO,
    };
    let mut raws = Vec::new();
    let mut send = |to: TxKind, input: Bytes, gas: u64| -> eyre::Result<Address> {
        let created = funder.address().create(funder.nonce);
        let address = to.to().copied().unwrap_or_default();
        let action = Action { to: address, value: U256::ZERO, input, gas };
        raws.push(sign(&funder, funder.nonce, to, action, terms)?.raw);
        funder.nonce += 1;
        Ok(created)
    };
    if shape.workload.needs_token() {
        plan.token = send(TxKind::Create, calls::token_code()?, calls::DEPLOY_GAS)?;
        for part in senders.chunks(MINT_HOLDERS) {
            let holders: Vec<Address> = part.iter().map(Account::address).collect();
            let gas = calls::MINT_GAS + calls::MINT_GAS_PER_HOLDER * holders.len() as u64;
            send(TxKind::Call(plan.token), calls::mint(&holders), gas)?;
        }
    }
    if shape.workload.needs_work() {
        plan.work = send(TxKind::Create, calls::work_code()?, calls::DEPLOY_GAS)?;
    }
    Ok((plan, raws))
}
