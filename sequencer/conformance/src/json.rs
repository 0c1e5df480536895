//! Numbers and bytes as the test files write them.
//!
//! Fillers wrote `0x0a`, `0x`, an empty string, `0x:bigint 0x…` for what is wider than its field,
//! decimal strings and plain JSON numbers.

use std::fmt;

use alloy_primitives::{B256, Bytes, U256, hex};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// An unsigned number of at most 256 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(pub(crate) U256);

/// Bytes in hexadecimal, with or without prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hex(pub(crate) Bytes);

impl Number {
    /// The number, if it fits a field of the block header.
    pub(crate) fn to_u64(self) -> Option<u64> {
        self.0.try_into().ok()
    }

    /// The number as a word.
    pub(crate) const fn to_word(self) -> B256 {
        B256::new(self.0.to_be_bytes())
    }
}

fn parse_number(text: &str) -> Result<U256, String> {
    let digits = text.strip_prefix("0x:bigint ").unwrap_or(text).trim();
    let parsed = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some("") => return Ok(U256::ZERO),
        Some(hex) => {
            // Leading zeros may make the text longer than a word.
            let significant = hex.trim_start_matches('0');
            if significant.is_empty() {
                return Ok(U256::ZERO);
            }
            U256::from_str_radix(significant, 16)
        }
        None if digits.is_empty() => return Ok(U256::ZERO),
        None => U256::from_str_radix(digits, 10),
    };
    parsed.map_err(|error| format!("{text:?} is no number of 256 bits: {error}"))
}

fn parse_hex(text: &str) -> Result<Bytes, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode(digits).map(Into::into).map_err(|error| format!("{error} in hexadecimal"))
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an unsigned number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        parse_number(text).map(Number).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number(U256::from(value)))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        parse_hex(&text).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(json: &str) -> Option<u64> {
        serde_json::from_str::<Number>(json).ok()?.to_u64()
    }

    #[test]
    fn reads_every_way_of_writing_a_number() {
        assert_eq!(number(r#""0x0a""#), Some(10));
        assert_eq!(number(r#""0x""#), Some(0));
        assert_eq!(number(r#""""#), Some(0));
        assert_eq!(number(r#""17""#), Some(17));
        assert_eq!(number("17"), Some(17));
        assert_eq!(number(r#""0x:bigint 0xff""#), Some(255));
        let long = format!("\"0x{}01\"", "0".repeat(80));
        assert_eq!(number(&long), Some(1));
    }

    #[test]
    fn rejects_what_is_no_number_of_256_bits() {
        let wide = format!("\"0x:bigint 0x1{}\"", "0".repeat(64));
        for text in ["\"0xgg\"", "\"abc\"", "-1", "null", wide.as_str()] {
            assert!(serde_json::from_str::<Number>(text).is_err(), "{text}");
        }
    }
}
