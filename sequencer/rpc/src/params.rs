//! Parameter types that are as strict as geth's (`common/hexutil`): a 0x prefix is due, lengths are
//! exact, quantities have no leading zeros. As there, an empty string is no bytes, or zero.

use std::borrow::Cow;

use alloy_primitives::{Address, B256, Bytes, FixedBytes, hex};
use serde::{Deserialize, Deserializer, de::Error};

use crate::block_param::parse_quantity;

/// Bytes of a fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed<const N: usize>(pub FixedBytes<N>);

/// A hash.
pub type HashParam = Fixed<32>;

/// An address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressParam(pub Address);

/// Bytes of any length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytesParam(pub Bytes);

/// A quantity of at most 64 bits, as a hex string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(pub u64);

/// A count that may be a hex string, a decimal string or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LenientCount(pub u64);

impl<const N: usize> Fixed<N> {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let digits = digits(text)?;
        if digits.len() != 2 * N {
            let kind = if N == 20 { "common.Address" } else { "common.Hash" };
            return Err(format!(
                "hex string has length {}, want {} for {kind}",
                digits.len(),
                2 * N
            ));
        }
        let mut bytes = [0; N];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| "invalid hex string".to_owned())?;
        Ok(Self(bytes.into()))
    }

    /// The hash or number.
    pub const fn get(self) -> FixedBytes<N> {
        self.0
    }
}

fn digits(text: &str) -> Result<&str, String> {
    if text.is_empty() {
        return Err("empty hex string".into());
    }
    let stripped = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    stripped.ok_or_else(|| "hex string without 0x prefix".into())
}

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for AddressParam {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Fixed::<20>::deserialize(deserializer).map(|fixed| Self(fixed.0.into()))
    }
}

impl<'de> Deserialize<'de> for BytesParam {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self(Bytes::new()));
        }
        let digits = digits(&text).map_err(D::Error::custom)?;
        if !digits.len().is_multiple_of(2) {
            return Err(D::Error::custom("hex string of odd length"));
        }
        let bytes = hex::decode(digits).map_err(|_| D::Error::custom("invalid hex string"))?;
        Ok(Self(bytes.into()))
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self(0));
        }
        parse_quantity(&text).map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for LenientCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<'a> {
            Number(u64),
            Text(#[serde(borrow)] Cow<'a, str>),
        }
        let text = match Form::deserialize(deserializer)? {
            Form::Number(number) => return Ok(Self(number)),
            Form::Text(text) => text,
        };
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let parsed = match digits {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        parsed
            .map(Self)
            .map_err(|_| D::Error::custom(format!("invalid hex or decimal integer {text:?}")))
    }
}

/// A storage key of at most 32 bytes, prefix and leading zeros optional, and its length in bytes
/// as given. geth accepts these forms for its callers' sake.
pub fn storage_key(text: &str) -> Result<(B256, usize), crate::RpcError> {
    let invalid = |reason: &str| crate::RpcError::InvalidParams(format!("{reason}: {text:?}"));
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    if digits.len() > 64 {
        return Err(invalid("storage key too long (want at most 32 bytes)"));
    }
    let even = if digits.len().is_multiple_of(2) { "" } else { "0" };
    let bytes = hex::decode(format!("{even}{digits}"))
        .map_err(|_| invalid("invalid hex in storage key"))?;
    Ok((B256::left_padding_from(&bytes), bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_without_prefix_or_of_another_length_is_refused() {
        let parse = |json: &str| serde_json::from_str::<HashParam>(json).map_err(|e| e.to_string());
        let digits = "11".repeat(32);
        assert!(parse(&format!("\"0x{digits}\"")).is_ok());
        assert!(parse(&format!("\"{digits}\"")).unwrap_err().contains("without 0x prefix"));
        assert!(parse("\"0x11\"").unwrap_err().contains("want 64 for common.Hash"));
        assert!(parse(&format!("\"0x{}\"", "zz".repeat(32))).unwrap_err().contains("invalid hex"));
    }

    #[test]
    fn counts_are_read_from_every_form() {
        for json in ["\"0xa\"", "\"10\"", "10"] {
            assert_eq!(serde_json::from_str::<LenientCount>(json).unwrap(), LenientCount(10));
        }
        assert!(serde_json::from_str::<LenientCount>("\"ten\"").is_err());
        assert!(serde_json::from_str::<LenientCount>("-1").is_err());
    }

    #[test]
    fn storage_keys_keep_the_length_they_were_given_in() {
        assert_eq!(storage_key("0x0").unwrap(), (B256::ZERO, 1));
        assert_eq!(storage_key(&"0".repeat(64)).unwrap(), (B256::ZERO, 32));
        assert!(storage_key(&"0".repeat(66)).is_err());
        assert!(storage_key("0xzz").is_err());
    }
}
