//! State roots between the transactions of a block. Receipts held them before Byzantium put a
//! status in their place (EIP-658).

use alloy_consensus::Eip658Value;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::B256;
use cairn_evm::AccountDelta;
use cairn_primitives::{ChainSpec, ReadError, Receipt, StateReader};
use cairn_state::{StateChangesBuilder, StateView};

/// Roots so far. Each takes the changes of all transactions before it again, which suits blocks of
/// that time: they hold few, and only conformance suites have any.
#[derive(Debug)]
pub(super) struct PostStates<'a> {
    parent: &'a StateView,
    deltas: Vec<AccountDelta>,
    roots: Vec<B256>,
}

impl<'a> PostStates<'a> {
    /// `None` from Byzantium on.
    pub(super) fn new(spec: &ChainSpec, number: u64, parent: &'a StateView) -> Option<Self> {
        let byzantium = spec.is_byzantium_active_at_block(number);
        (!byzantium).then(|| Self { parent, deltas: Vec::new(), roots: Vec::new() })
    }

    /// Roots the state after the next transaction.
    pub(super) fn add(&mut self, deltas: Vec<AccountDelta>) -> Result<(), ReadError> {
        self.deltas.extend(deltas);
        let mut changes = StateChangesBuilder::new();
        for delta in &self.deltas {
            changes.account(delta.address, self.parent.account(delta.address)?, delta.account);
            if delta.wiped {
                changes.wipe_storage(delta.address);
            }
            for (slot, value) in &delta.storage {
                let before = self.parent.storage(delta.address, *slot)?;
                changes.storage(delta.address, *slot, before, *value);
            }
        }
        let update = self.parent.state_update(&changes.build())?;
        self.roots.push(update.root());
        Ok(())
    }

    /// Puts the roots where later receipts have their status.
    pub(super) fn write(self, receipts: &mut [Receipt]) {
        for (receipt, root) in receipts.iter_mut().zip(self.roots) {
            receipt.inner.status = Eip658Value::PostState(root);
        }
    }
}
