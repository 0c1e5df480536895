//! RLP items as they stand: checked, and handed on without being parsed into numbers and back.

use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_rlp::{Decodable, EMPTY_LIST_CODE, EMPTY_STRING_CODE, Error, Header};

/// Items of a list that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Items<'a>(pub(super) &'a [u8]);

impl<'a> Items<'a> {
    /// The items of the list at the front of `bytes`, which is moved behind it.
    pub(super) fn of_list(bytes: &mut &'a [u8]) -> Result<Self, Error> {
        Header::decode_bytes(bytes, true).map(Self)
    }

    /// The next item with its header, and its content.
    fn item(&mut self) -> Result<(&'a [u8], &'a [u8], bool), Error> {
        let start = self.0;
        let mut rest = start;
        let Header { list, payload_length } = Header::decode(&mut rest)?;
        let content = rest.get(..payload_length).ok_or(Error::InputTooShort)?;
        let size = start.len() - rest.len() + payload_length;
        let item = start.get(..size).ok_or(Error::InputTooShort)?;
        self.0 = start.get(size..).ok_or(Error::InputTooShort)?;
        Ok((item, content, list))
    }

    /// A byte string.
    pub(super) fn string(&mut self) -> Result<&'a [u8], Error> {
        match self.item()? {
            (item, _, false) => Ok(item),
            (_, _, true) => Err(Error::UnexpectedList),
        }
    }

    /// An integer of up to 256 bits.
    pub(super) fn integer(&mut self) -> Result<&'a [u8], Error> {
        match self.item()? {
            (_, _, true) => Err(Error::UnexpectedList),
            (_, [0, ..], false) => Err(Error::LeadingZero),
            (_, content, false) if content.len() > 32 => Err(Error::Overflow),
            (item, _, false) => Ok(item),
        }
    }

    /// An integer of up to 64 bits, read.
    pub(super) fn number(&mut self) -> Result<u64, Error> {
        u64::decode(&mut self.0)
    }

    /// An EIP-2930 access list.
    pub(super) fn access_list(&mut self) -> Result<&'a [u8], Error> {
        self.checked_list(|list| AccessList::decode(list).map(drop))
    }

    /// An EIP-7702 authorization list.
    pub(super) fn authorization_list(&mut self) -> Result<&'a [u8], Error> {
        self.checked_list(|list| Vec::<SignedAuthorization>::decode(list).map(drop))
    }

    /// A list whose items are checked by reading them. Most are empty.
    fn checked_list(
        &mut self,
        check: impl FnOnce(&mut &'a [u8]) -> Result<(), Error>,
    ) -> Result<&'a [u8], Error> {
        let (item, _, list) = self.item()?;
        if !list {
            return Err(Error::UnexpectedString);
        }
        if item != [EMPTY_LIST_CODE] {
            check(&mut &*item)?;
        }
        Ok(item)
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::UnexpectedLength) }
    }
}

/// The content of an item that [`Items`] gave.
pub(super) fn content(item: &[u8]) -> &[u8] {
    let mut rest = item;
    match Header::decode(&mut rest) {
        Ok(_) => rest,
        Err(_) => &[],
    }
}

/// Appends a 256-bit big-endian integer without its leading zeros.
pub(super) fn put_integer(word: &[u8; 32], out: &mut Vec<u8>) {
    let zeros = word.iter().take_while(|byte| **byte == 0).count();
    let significant = &word[zeros..];
    match significant {
        [byte] if *byte < EMPTY_STRING_CODE => out.push(*byte),
        _ => {
            out.push(EMPTY_STRING_CODE + significant.len() as u8);
            out.extend_from_slice(significant);
        }
    }
}
