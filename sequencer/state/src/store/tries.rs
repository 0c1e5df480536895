//! The tries of any block that a view can be of.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::{B256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;

use super::history::Reversal;
use super::intervals::interval_after;
use super::{Difference, Store, read};
use crate::StateView;
use crate::error::{Result, StateError};
use crate::root::{Base, StateUpdate, Tries};
use crate::schema::{Column, Reader, keys, meta};
use crate::trie::prove;

/// States that were turned back lately. Whoever asks for one proof of a block asks for more.
#[derive(Debug, Default)]
pub(super) struct TurnedBack(VecDeque<(Turn, Arc<StateUpdate>)>);

/// How many of them are remembered, each of the size of an interval's changes.
const REMEMBERED: usize = 4;

/// The way back from the state before `from` to that after `to`, of one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    from: u64,
    to: u64,
    /// Hash of `to`.
    hash: B256,
    /// The block before `from`: it, and with it the way, may be replaced.
    tip: B256,
}

impl StateView {
    /// Calls `with` with this view's tries, without pending deltas, in a snapshot: also below the
    /// store's tip and while the store moves on.
    ///
    /// Below the tip the later blocks of the same interval are turned back in memory, one caller at
    /// a time. That is bounded: see [`super::intervals`].
    pub(super) fn in_tries<T>(&self, with: impl FnOnce(&Tries<'_>) -> Result<T>) -> Result<T> {
        let snapshot = self.store.db().snapshot();
        self.check_epoch()?;
        let reader = Reader::at(self.store.db(), &snapshot);
        let block = self.block.number;
        let tip = read::tip(reader)?.number;
        if tip <= block {
            let layers = self.layers.iter().map(|layer| layer.update()).collect();
            return with(&Tries { base: Base::tip(reader, None), layers });
        }
        self.store.check_state_floor(block)?;
        let (base, from) = match interval_after(reader, block)? {
            Some(first) => (Base::before(reader, first), first),
            None => (Base::tip(reader, None), tip + 1),
        };
        if from == block + 1 {
            let tries = Tries { base, layers: Vec::new() };
            StateError::check_root(block, state_root(reader, block)?, tries.root()?)?;
            return with(&tries);
        }
        let update = self.store.turned_back(base, from, block)?;
        with(&Tries { base, layers: vec![&update] })
    }
}

impl Store {
    /// What leads from the state before block `from`, which `base` is, to that after block `to`.
    fn turned_back(&self, base: Base<'_>, from: u64, to: u64) -> Result<Arc<StateUpdate>> {
        let hash = hash_of(base.reader, to)?;
        let turn = Turn { from, to, hash, tip: hash_of(base.reader, from - 1)? };
        let mut remembered = self.0.turned_back.lock();
        if let Some((_, update)) = remembered.0.iter().find(|(known, _)| *known == turn) {
            return Ok(update.clone());
        }
        let mut reversal = Reversal::default();
        for number in (to + 1..from).rev() {
            reversal.add(base.reader, number)?;
        }
        let update = reversal.apply(base, to, state_root(base.reader, to)?)?;
        let update = Arc::new(update);
        remembered.0.truncate(REMEMBERED - 1);
        remembered.0.push_front((turn, update.clone()));
        Ok(update)
    }
}

/// Holds the root before each interval against its header. Gives the first difference.
pub(super) fn check_old_roots(reader: Reader<'_>) -> Result<Option<Difference>> {
    let floor = reader.get(Column::Meta, meta::STATE_FLOOR)?;
    let floor = floor.map_or(Ok(0), |floor| meta::decode_number(&floor))?;
    let mut next = interval_after(reader, floor)?;
    while let Some(first) = next {
        let tries = Tries { base: Base::before(reader, first), layers: Vec::new() };
        let (block, computed) = (first - 1, tries.root()?);
        let expected = state_root(reader, block)?;
        if computed != expected {
            return Ok(Some(Difference::OldRoot { block, expected, computed }));
        }
        next = interval_after(reader, first)?;
    }
    Ok(None)
}

impl Tries<'_> {
    /// The root of the account trie as it is stored.
    fn root(&self) -> Result<B256> {
        let (path, _) = prove(&mut self.accounts(), &keys::unpack(&B256::ZERO))?;
        Ok(path.first().map_or(EMPTY_ROOT_HASH, keccak256))
    }
}

fn hash_of(reader: Reader<'_>, number: u64) -> Result<B256> {
    let hash = read::canonical_hash(reader, number)?;
    hash.ok_or_else(|| StateError::corrupt(format!("no hash of block {number}")))
}

fn state_root(reader: Reader<'_>, number: u64) -> Result<B256> {
    let header = read::header(reader, number)?;
    let header = header.ok_or_else(|| StateError::corrupt(format!("no header {number}")))?;
    Ok(header.state_root)
}
