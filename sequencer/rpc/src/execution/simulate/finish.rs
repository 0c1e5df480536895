//! The end of a simulated block: requests, withdrawals, roots.

use alloy_consensus::EMPTY_ROOT_HASH;
use alloy_consensus::constants::GWEI_TO_WEI;
use alloy_eips::eip4895::Withdrawal;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{Address, Bloom, U256, address};
use cairn_chain::ordered_root;
use cairn_evm::Env;
use cairn_primitives::{Header, Receipt};

use super::block::is_proof_of_work;
use super::response::SimulatedBlock;
use super::root::{Roots, roots};
use super::simulator::{Open, Simulator};
use crate::RpcError;

/// The L2-to-L1 message passer, whose storage root stands in headers since Isthmus.
const MESSAGE_PASSER: Address = address!("0x4200000000000000000000000000000000000016");

impl Simulator {
    pub(super) fn close(
        &mut self,
        mut open: Open,
        withdrawals: Vec<Withdrawal>,
    ) -> Result<SimulatedBlock, RpcError> {
        self.deadline.check()?;
        let emitted = open.receipts.iter().flat_map(Receipt::logs);
        let mut vm = self.evm.vm(&mut self.db, open.env.clone());
        let requests = vm.end_block(&self.spec, emitted).map_err(RpcError::internal)?;
        let mut header = open.header;
        header.requests_hash = requests.map(|requests| requests.requests_hash());
        let withdrawals = self.pay(&mut header, &open.env, withdrawals)?;
        header.gas_used = open.gas_used;
        if self.spec.is_cancun_active_at_timestamp(header.timestamp) {
            header.blob_gas_used = Some(open.blob_gas_used);
        }
        let isthmus = self.spec.is_optimism() && header.requests_hash.is_some();
        let passer = isthmus.then_some(MESSAGE_PASSER);
        let clears = self.spec.is_spurious_dragon_active_at_block(header.number);
        let stays = |address: &Address| !clears || self.empty.contains(address);
        let Roots { state, storage } = roots(&self.base, &self.db, stays, passer)?;
        header.state_root = state;
        if isthmus {
            header.withdrawals_root = Some(storage.unwrap_or(EMPTY_ROOT_HASH));
        }
        header.transactions_root =
            ordered_root(&open.transactions, |tx, out| out.extend_from_slice(&tx.encoded));
        let mut bloom = Bloom::ZERO;
        header.receipts_root = ordered_root(&open.receipts, |receipt, out| {
            let of_one = receipt.bloom();
            bloom |= of_one;
            receipt.encode_2718_with_bloom(&of_one, out);
        });
        header.logs_bloom = bloom;
        Ok(SimulatedBlock {
            hash: header.hash_slow(),
            header,
            transactions: std::mem::take(&mut open.transactions),
            withdrawals,
            calls: std::mem::take(&mut open.calls),
        })
    }

    /// Pays withdrawals, or the reward before the merge. Gives the withdrawals that the block
    /// shows: after the merge an empty list even before Shanghai, as geth does.
    fn pay(
        &mut self,
        header: &mut Header,
        env: &Env,
        withdrawals: Vec<Withdrawal>,
    ) -> Result<Option<Vec<Withdrawal>>, RpcError> {
        let pow = is_proof_of_work(header);
        let shanghai = self.spec.is_shanghai_active_at_timestamp(header.timestamp);
        if (pow || !shanghai) && !withdrawals.is_empty() {
            return Err(RpcError::server("withdrawals set before Shanghai activation"));
        }
        if pow {
            for (address, amount) in self.evm.block_rewards(env) {
                self.credit(address, U256::from(amount))?;
            }
            header.withdrawals_root = None;
            return Ok(None);
        }
        for withdrawal in &withdrawals {
            let amount = U256::from(withdrawal.amount) * U256::from(GWEI_TO_WEI);
            self.credit(withdrawal.address, amount)?;
        }
        header.withdrawals_root = Some(ordered_root(&withdrawals, |withdrawal, out| {
            alloy_rlp::Encodable::encode(withdrawal, out);
        }));
        Ok(Some(withdrawals))
    }

    fn credit(&mut self, address: Address, amount: U256) -> Result<(), RpcError> {
        let account = self.db.load_account(address).map_err(|error| RpcError::from(error.0))?;
        let mut info = account.info.clone();
        info.balance = info.balance.saturating_add(amount);
        self.empty.remove(&address);
        self.db.insert_account_info(address, info);
        Ok(())
    }
}
