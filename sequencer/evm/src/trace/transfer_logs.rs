//! Logs of a simulated transaction, with transfers of ether among them
//! (go-ethereum `internal/ethapi/logtracer.go`).

use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256, address, b256};
use revm::Inspector;
use revm::context_interface::ContextTr;
use revm::interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome};

use super::call_kind::Enter;
use crate::Bounded;

/// The address that ERC-7528 gives to ether.
const ETHER: Address = address!("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
/// `Transfer(address,address,uint256)`.
const TRANSFER: B256 = b256!("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// A log with its position in the simulated block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedLog {
    /// The log. A transfer of ether has the address of ERC-7528.
    pub log: Log,
    /// Position among the logs of the block.
    pub index: u64,
}

/// Collects the logs of one transaction after the other. Logs of failed frames vanish, and their
/// positions are free again.
#[derive(Debug, Clone, Default)]
pub struct TransferLogs {
    /// Whether transfers of ether count as logs.
    transfers: bool,
    /// Logs of each open frame; the outermost stays when it ends.
    frames: Vec<Vec<SimulatedLog>>,
    depth: usize,
    count: u64,
}

impl TransferLogs {
    /// A collector for one block.
    pub fn new(transfers: bool) -> Self {
        Self { transfers, ..Self::default() }
    }

    /// Gives the logs of the transaction that ended and prepares for the next.
    pub fn take(&mut self) -> Vec<SimulatedLog> {
        self.depth = 0;
        std::mem::take(&mut self.frames).into_iter().next().unwrap_or_default()
    }

    fn capture(&mut self, log: Log) {
        let index = self.count;
        if let Some(frame) = self.frames.last_mut() {
            frame.push(SimulatedLog { log, index });
            self.count += 1;
        }
    }

    fn transfer(&mut self, enter: &Enter) {
        let value = enter.value.unwrap_or_default();
        if !self.transfers || value.is_zero() || !enter.kind.moves_value() {
            return;
        }
        let topics = vec![TRANSFER, enter.from.into_word(), enter.to.into_word()];
        let data = Bytes::from(value.to_be_bytes::<32>());
        self.capture(Log { address: ETHER, data: LogData::new_unchecked(topics, data) });
    }

    fn enter(&mut self, enter: &Enter) {
        self.depth += 1;
        self.frames.push(Vec::new());
        self.transfer(enter);
    }

    fn exit(&mut self, ok: bool) {
        self.depth = self.depth.saturating_sub(1);
        let Some(logs) = self.frames.pop() else { return };
        if !ok {
            self.count = self.count.saturating_sub(logs.len() as u64);
        }
        let kept = if ok { logs } else { Vec::new() };
        match self.frames.last_mut() {
            Some(parent) if self.depth > 0 => parent.extend(kept),
            _ => self.frames.push(kept),
        }
    }
}

impl Bounded for TransferLogs {}

impl<CTX: ContextTr> Inspector<CTX> for TransferLogs {
    fn log(&mut self, _: &mut CTX, log: Log) {
        self.capture(log);
    }

    fn call(&mut self, _: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.enter(&Enter::call(inputs));
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        self.exit(outcome.result.is_ok());
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.enter(&Enter::create(context, inputs));
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.exit(outcome.result.is_ok());
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        self.transfer(&Enter::selfdestruct(contract, target, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(value: u64) -> Enter {
        Enter::selfdestruct(Address::repeat_byte(1), Address::repeat_byte(2), U256::from(value))
    }

    #[test]
    fn a_failed_frame_gives_its_positions_back() {
        let mut logs = TransferLogs::new(true);
        logs.enter(&call(1));
        logs.enter(&call(2));
        logs.exit(false);
        logs.enter(&call(3));
        logs.exit(true);
        logs.exit(true);
        let kept = logs.take();
        let indices: Vec<u64> = kept.iter().map(|log| log.index).collect();
        assert_eq!(indices, [0, 1]);
        assert_eq!(kept[1].log.data.data[31], 3);
        logs.enter(&call(4));
        logs.exit(true);
        assert_eq!(logs.take()[0].index, 2, "positions go on through the block");
    }

    #[test]
    fn a_failed_transaction_has_no_logs() {
        let mut logs = TransferLogs::new(true);
        logs.enter(&call(1));
        logs.exit(false);
        assert!(logs.take().is_empty());
    }
}
