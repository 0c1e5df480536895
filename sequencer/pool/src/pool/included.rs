//! Transactions that were executed but may still come back: of the open block and of sealed
//! blocks that are not persisted yet.

use std::collections::VecDeque;

use crate::sender::Entry;

#[derive(Debug, Default)]
pub(super) struct Included {
    open: Vec<Entry>,
    sealed: VecDeque<(u64, Vec<Entry>)>,
}

impl Included {
    pub(super) fn push(&mut self, entry: Entry) {
        self.open.push(entry);
    }

    /// The open block became block `number`.
    pub(super) fn seal(&mut self, number: u64) {
        let open = std::mem::take(&mut self.open);
        self.sealed.push_back((number, open));
    }

    /// Takes out the transactions of sealed blocks up to `number`.
    pub(super) fn persisted(&mut self, number: u64) -> Vec<Entry> {
        let mut entries = Vec::new();
        while self.sealed.front().is_some_and(|(sealed, _)| *sealed <= number) {
            entries.extend(self.sealed.pop_front().map(|(_, block)| block).unwrap_or_default());
        }
        entries
    }

    /// The transactions that [`Self::abandon`] would take out.
    pub(super) fn since(&self, number: u64) -> impl Iterator<Item = &Entry> {
        let sealed = self.sealed.iter().filter(move |(sealed, _)| *sealed >= number);
        sealed.flat_map(|(_, block)| block).chain(&self.open)
    }

    /// Takes out the transactions of sealed blocks from `number` on and of the open block, in the
    /// order of execution.
    pub(super) fn abandon(&mut self, number: u64) -> Vec<Entry> {
        let kept = self.sealed.iter().take_while(|(sealed, _)| *sealed < number).count();
        let abandoned = self.sealed.split_off(kept);
        let mut entries: Vec<Entry> = abandoned.into_iter().flat_map(|(_, block)| block).collect();
        entries.append(&mut self.open);
        entries
    }

    pub(super) fn len(&self) -> usize {
        self.open.len() + self.sealed.iter().map(|(_, block)| block.len()).sum::<usize>()
    }
}
