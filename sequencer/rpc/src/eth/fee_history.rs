//! `eth_feeHistory`, with the ranges and limits of geth (`eth/gasprice/feehistory.go`).

use alloy_consensus::Transaction;
use alloy_eips::BlockNumberOrTag;
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{U64, U128};
use cairn_chain::{BlockRef, PendingBlock};
use cairn_primitives::{ChainSpec, Header, Receipt, TxEnvelope};
use serde::{Serialize, Serializer};

use super::gas_price::executed;
use crate::params::LenientCount;
use crate::scan::Scan;
use crate::view::quantity;
use crate::{Args, Backend, BlockNumberParam, Methods, RpcError, block_ref};

/// Most percentiles of one call.
const MAX_PERCENTILES: usize = 100;

pub(super) fn register(methods: &mut Methods) {
    methods.scanning("eth_feeHistory", 3, fee_history);
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct FeeHistory {
    oldest_block: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reward: Option<Vec<Vec<U128>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    base_fee_per_gas: Vec<U128>,
    /// Null where no block could be looked at.
    gas_used_ratio: Option<Vec<Ratio>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    base_fee_per_blob_gas: Vec<U128>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blob_gas_used_ratio: Vec<Ratio>,
}

/// A ratio, written without a fraction where it has none.
#[derive(Debug, Clone, Copy)]
struct Ratio(f64);

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 0.0 {
            serializer.serialize_u8(0)
        } else if self.0 == 1.0 {
            serializer.serialize_u8(1)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl Ratio {
    fn new(part: u64, whole: u64) -> Self {
        if whole == 0 { Self(0.0) } else { Self(part as f64 / whole as f64) }
    }
}

fn fee_history(backend: &Backend, args: &Args, scan: &Scan) -> Result<FeeHistory, RpcError> {
    let wanted = args.required::<LenientCount>(0)?.0;
    let newest = args.required::<BlockNumberParam>(1)?.0;
    let percentiles: Vec<f64> = args.or_default(2)?;
    if wanted == 0 {
        return Ok(FeeHistory::default());
    }
    check_percentiles(&percentiles)?;
    let wanted = wanted.min(backend.config.methods.fee_history_blocks);
    let Some(range) = Range::resolve(backend, newest, wanted)? else {
        return Ok(FeeHistory::default());
    };
    range.collect(backend, &percentiles, scan)
}

fn check_percentiles(percentiles: &[f64]) -> Result<(), RpcError> {
    if percentiles.len() > MAX_PERCENTILES {
        let text = format!("invalid reward percentile: over the query limit {MAX_PERCENTILES}");
        return Err(RpcError::server(text));
    }
    for (i, percentile) in percentiles.iter().enumerate() {
        if !(0.0..=100.0).contains(percentile) {
            return Err(RpcError::server(format!("invalid reward percentile: {percentile:.6}")));
        }
        if i > 0 && *percentile <= percentiles[i - 1] {
            return Err(RpcError::server(format!(
                "invalid reward percentile: #{}:{:.6} >= #{i}:{percentile:.6}",
                i - 1,
                percentiles[i - 1]
            )));
        }
    }
    Ok(())
}

/// Blocks to look at, ascending, the last of them perhaps open.
struct Range {
    first: u64,
    last: u64,
    open: Option<PendingBlock>,
}

impl Range {
    fn resolve(
        backend: &Backend,
        newest: BlockNumberOrTag,
        mut wanted: u64,
    ) -> Result<Option<Self>, RpcError> {
        let head = backend.chain.heads().unsafe_head.number;
        let open = newest.is_pending().then(|| backend.chain.pending()).flatten();
        let last = match (&open, newest) {
            (Some(open), _) => open.header.number,
            (None, BlockNumberOrTag::Pending) => {
                // No block is open: it counts as one that cannot be looked at.
                wanted -= 1;
                head
            }
            (None, BlockNumberOrTag::Number(number)) if number > head => {
                let text = format!("request beyond head block: requested {number}, head {head}");
                return Err(RpcError::server(text));
            }
            (None, tag) => {
                let at = backend.chain.resolve(block_ref(tag.into()))?;
                at.ok_or_else(RpcError::header_not_found)?.number
            }
        };
        let wanted = wanted.min(last.saturating_add(1));
        let first = (last + 1).checked_sub(wanted).filter(|_| wanted > 0);
        Ok(first.map(|first| Self { first, last, open }))
    }

    fn collect(
        self,
        backend: &Backend,
        percentiles: &[f64],
        scan: &Scan,
    ) -> Result<FeeHistory, RpcError> {
        let mut history = FeeHistory {
            oldest_block: quantity(self.first),
            reward: (!percentiles.is_empty()).then(Vec::new),
            gas_used_ratio: Some(Vec::new()),
            ..FeeHistory::default()
        };
        let mut next = (0, 0);
        for number in self.first..=self.last {
            scan.check()?;
            let open = self.open.as_ref().filter(|open| open.header.number == number);
            let found = match open {
                Some(open) => Some((open.header.clone(), open_rewards(open, percentiles))),
                None => sealed(backend, number, percentiles)?,
            };
            // A reorganisation may have shortened the chain meanwhile.
            let Some((header, rewards)) = found else { break };
            next = history.add(backend.spec(), &header, rewards)?;
        }
        history.base_fee_per_gas.push(U128::from(next.0));
        history.base_fee_per_blob_gas.push(U128::from(next.1));
        Ok(history)
    }
}

impl FeeHistory {
    /// Adds a block; gives the base fees of the block after it.
    fn add(
        &mut self,
        spec: &ChainSpec,
        header: &Header,
        rewards: Vec<u128>,
    ) -> Result<(u64, u128), RpcError> {
        let base_fee = header.base_fee_per_gas.unwrap_or(0);
        self.base_fee_per_gas.push(U128::from(base_fee));
        let ratio = Ratio::new(header.gas_used, header.gas_limit);
        self.gas_used_ratio.get_or_insert_default().push(ratio);
        if let Some(all) = &mut self.reward {
            all.push(rewards.into_iter().map(U128::from).collect());
        }
        let next_time = header.timestamp.saturating_add(1);
        let next = spec.next_base_fee(header, next_time).map_err(RpcError::internal)?;
        let next_blob = self.add_blob_fees(spec, header);
        Ok((next.unwrap_or(0), next_blob))
    }

    fn add_blob_fees(&mut self, spec: &ChainSpec, header: &Header) -> u128 {
        let params =
            spec.blob_params(header.timestamp).filter(|_| header.excess_blob_gas.is_some());
        let Some(params) = params else {
            let minimum = u128::from(spec.is_optimism() && header.excess_blob_gas.is_some());
            self.base_fee_per_blob_gas.push(U128::from(minimum));
            self.blob_gas_used_ratio.push(Ratio(0.0));
            return minimum;
        };
        let fee = header.blob_fee(params).unwrap_or(0);
        self.base_fee_per_blob_gas.push(U128::from(fee));
        let most = params.max_blob_count.saturating_mul(DATA_GAS_PER_BLOB);
        self.blob_gas_used_ratio.push(Ratio::new(header.blob_gas_used.unwrap_or(0), most));
        let cancun = spec.is_cancun_active_at_timestamp(header.timestamp);
        let next = header.next_block_blob_fee(params).filter(|_| cancun);
        next.unwrap_or(0)
    }
}

fn sealed(
    backend: &Backend,
    number: u64,
    percentiles: &[f64],
) -> Result<Option<(Header, Vec<u128>)>, RpcError> {
    let at = BlockRef::Number(number);
    if percentiles.is_empty() {
        return Ok(backend.chain.header(at)?.map(|(_, header)| (header, Vec::new())));
    }
    let Some((block, receipts)) = executed(backend, at)? else { return Ok(None) };
    let header = block.header();
    let txs = block.transactions().iter().zip(used_gas(&receipts));
    Ok(Some((header.clone(), rewards(header, txs, percentiles))))
}

fn open_rewards(open: &PendingBlock, percentiles: &[f64]) -> Vec<u128> {
    let txs = open.transactions.iter().map(|tx| (&tx.tx, tx.gas_used));
    rewards(&open.header, txs, percentiles)
}

fn used_gas(receipts: &[Receipt]) -> impl Iterator<Item = u64> {
    receipts.iter().scan(0, |before, receipt| {
        let used = receipt.cumulative_gas_used().saturating_sub(*before);
        *before = receipt.cumulative_gas_used();
        Some(used)
    })
}

/// Tips at the percentiles of gas used, transactions ordered by tip.
fn rewards<'a>(
    header: &Header,
    txs: impl Iterator<Item = (&'a TxEnvelope, u64)>,
    percentiles: &[f64],
) -> Vec<u128> {
    let base_fee = header.base_fee_per_gas.unwrap_or(0);
    let mut tips: Vec<(u128, u64)> =
        txs.map(|(tx, gas)| (tx.effective_tip_per_gas(base_fee).unwrap_or(0), gas)).collect();
    if tips.is_empty() {
        return vec![0; percentiles.len()];
    }
    tips.sort_by_key(|(tip, _)| *tip);
    let (mut at, mut gas) = (0, tips[0].1);
    let reward = |percentile: &f64| {
        let threshold = (header.gas_used as f64 * percentile / 100.0) as u64;
        while gas < threshold && at + 1 < tips.len() {
            at += 1;
            gas = gas.saturating_add(tips[at].1);
        }
        tips[at].0
    };
    percentiles.iter().map(reward).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_out_of_range_or_order_are_refused_like_geth() {
        let text = |percentiles: &[f64]| check_percentiles(percentiles).unwrap_err().to_string();
        assert_eq!(text(&[101.0]), "invalid reward percentile: 101.000000");
        assert_eq!(text(&[50.0, 20.0]), "invalid reward percentile: #0:50.000000 >= #1:20.000000");
        assert!(check_percentiles(&[0.0, 50.0, 100.0]).is_ok());
        assert!(check_percentiles(&[1.0; 101]).is_err());
        assert!(check_percentiles(&[f64::NAN]).is_err());
    }

    #[test]
    fn whole_ratios_are_written_as_integers() {
        let json = serde_json::to_string(&[Ratio(0.0), Ratio(0.5), Ratio(1.0)]).unwrap();
        assert_eq!(json, "[0,0.5,1]");
    }
}
