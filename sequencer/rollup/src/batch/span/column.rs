//! Reading and writing columns.

use crate::batch::{BatchError, SpanField};

/// What is left of a span batch that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn bytes(&mut self, size: usize, field: SpanField) -> Result<&'a [u8], BatchError> {
        let (bytes, rest) = self.0.split_at_checked(size).ok_or(BatchError::Truncated(field))?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn check(&mut self, field: SpanField) -> Result<[u8; 20], BatchError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(BatchError::Truncated(field))?;
        self.0 = rest;
        Ok(*bytes)
    }

    /// A protobuf varint of up to 64 bits.
    pub(super) fn varint(&mut self, field: SpanField) -> Result<u64, BatchError> {
        let mut value = 0u64;
        for place in 0..10 {
            let (byte, rest) = self.0.split_first().ok_or(BatchError::Truncated(field))?;
            self.0 = rest;
            if place == 9 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * place);
            if *byte < 0x80 {
                return Ok(value);
            }
        }
        Err(BatchError::Varint(field))
    }

    /// A list of `count` bits.
    pub(super) fn bits(&mut self, count: usize, field: SpanField) -> Result<Bits<'a>, BatchError> {
        let bytes = self.bytes(count.div_ceil(8), field)?;
        let padding = bytes.len() * 8 - count;
        match bytes.first() {
            Some(byte) if byte.leading_zeros() < padding as u32 => Err(BatchError::Padding(field)),
            _ => Ok(Bits(bytes)),
        }
    }
}

/// A bit list within the input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<'a>(&'a [u8]);

impl Bits<'_> {
    /// Bit `index`; none beyond the end.
    pub(super) fn get(&self, index: usize) -> bool {
        let place = self.0.len().checked_sub(1 + index / 8);
        place.and_then(|place| self.0.get(place)).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }

    pub(super) fn count_ones(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }
}

/// A bit list that grows; kept lowest byte first.
#[derive(Debug, Clone, Default)]
pub(super) struct BitColumn {
    bytes: Vec<u8>,
    count: usize,
}

impl BitColumn {
    pub(super) fn push(&mut self, bit: bool) {
        if self.count.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(byte) = self.bytes.last_mut() {
            *byte |= u8::from(bit) << (self.count % 8);
        }
        self.count += 1;
    }

    pub(super) const fn encoded_len(&self) -> usize {
        self.count.div_ceil(8)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.bytes.iter().rev());
    }
}

/// Appends the shortest varint of a number.
pub(super) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIELD: SpanField = SpanField::Nonces;

    #[test]
    fn varints_are_those_of_protobuf() {
        let read = |bytes: &[u8]| Reader(bytes).varint(FIELD);
        assert_eq!(read(&[0x96, 0x01]), Ok(150));
        assert_eq!(read(&[0x80, 0x00]), Ok(0), "a needless group");
        let mut longest = [0xff; 10];
        longest[9] = 1;
        assert_eq!(read(&longest), Ok(u64::MAX));
        longest[9] = 2;
        assert_eq!(read(&longest), Err(BatchError::Varint(FIELD)));
        longest[9] = 0x81;
        assert_eq!(read(&[longest.as_slice(), &[0]].concat()), Err(BatchError::Varint(FIELD)));
        assert_eq!(read(&[0x80]), Err(BatchError::Truncated(FIELD)));
    }

    #[test]
    fn bits_stand_right_aligned_with_the_first_one_lowest() {
        let mut reader = Reader(&[0b0000_0001, 0b1000_0010, 9]);
        let bits = reader.bits(9, FIELD).unwrap();
        let set: Vec<_> = (0..20).filter(|index| bits.get(*index)).collect();
        assert_eq!(set, [1, 7, 8]);
        assert_eq!(bits.count_ones(), 3);
        assert_eq!(reader.0, [9]);
        assert_eq!(
            Reader(&[0b0000_0010, 0]).bits(9, FIELD).unwrap_err(),
            BatchError::Padding(FIELD)
        );
        assert_eq!(Reader(&[0]).bits(9, FIELD).unwrap_err(), BatchError::Truncated(FIELD));
    }

    proptest! {
        #[test]
        fn varints_round_trip(value: u64) {
            let mut bytes = Vec::new();
            put_varint(value, &mut bytes);
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.varint(FIELD), Ok(value));
            prop_assert!(reader.0.is_empty());
        }

        #[test]
        fn bits_round_trip(bits in prop::collection::vec(any::<bool>(), 0..70)) {
            let mut column = BitColumn::default();
            bits.iter().for_each(|bit| column.push(*bit));
            let mut bytes = Vec::new();
            column.encode(&mut bytes);
            prop_assert_eq!(bytes.len(), column.encoded_len());
            let read = Reader(&bytes).bits(bits.len(), FIELD).unwrap();
            let read: Vec<_> = (0..bits.len()).map(|index| read.get(index)).collect();
            prop_assert_eq!(read, bits);
        }
    }
}
