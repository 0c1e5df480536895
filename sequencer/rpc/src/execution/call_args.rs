//! The transaction object of calls (go-ethereum `internal/ethapi/transaction_args.go`).

use std::borrow::Cow;

use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, Bytes, U256};
use serde::{Deserialize, Deserializer, de::Error};

use crate::RpcError;
use crate::params::{AddressParam, BytesParam, HashParam, Quantity};

/// A quantity of at most 256 bits, as a hex string; an empty one is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BigQuantity(pub(super) U256);

impl<'de> Deserialize<'de> for BigQuantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        parse_big(&text).map(Self).map_err(D::Error::custom)
    }
}

fn parse_big(text: &str) -> Result<U256, &'static str> {
    if text.is_empty() {
        return Ok(U256::ZERO);
    }
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = digits.ok_or("hex string without 0x prefix")?;
    match digits.len() {
        0 => return Err("hex string \"0x\""),
        1 => {}
        65.. => return Err("hex number > 256 bits"),
        _ if digits.starts_with('0') => return Err("hex number with leading zero digits"),
        _ => {}
    }
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("invalid hex string");
    }
    U256::from_str_radix(digits, 16).map_err(|_| "invalid hex string")
}

/// What a caller says of a transaction. Unknown fields are ignored, as geth ignores them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CallArgs {
    pub(super) from: Option<AddressParam>,
    pub(super) to: Option<AddressParam>,
    pub(super) gas: Option<Quantity>,
    pub(super) gas_price: Option<BigQuantity>,
    pub(super) max_fee_per_gas: Option<BigQuantity>,
    pub(super) max_priority_fee_per_gas: Option<BigQuantity>,
    pub(super) value: Option<BigQuantity>,
    pub(super) nonce: Option<Quantity>,
    pub(super) data: Option<BytesParam>,
    pub(super) input: Option<BytesParam>,
    pub(super) access_list: Option<AccessList>,
    pub(super) chain_id: Option<BigQuantity>,
    pub(super) max_fee_per_blob_gas: Option<BigQuantity>,
    pub(super) blob_versioned_hashes: Option<Vec<HashParam>>,
    pub(super) authorization_list: Option<Vec<SignedAuthorization>>,
}

impl CallArgs {
    /// The sender, zero if none is named.
    pub(super) fn sender(&self) -> Address {
        self.from.map_or(Address::ZERO, |from| from.0)
    }

    /// Call data: `input`, or `data` of older clients.
    pub(super) fn call_data(&self) -> Result<Bytes, RpcError> {
        match (&self.input, &self.data) {
            (Some(input), Some(data)) if input != data => Err(RpcError::server(
                "both \"data\" and \"input\" are set and not equal. \
                 Please use \"input\" to pass transaction call data",
            )),
            (Some(bytes), _) | (None, Some(bytes)) => Ok(bytes.0.clone()),
            (None, None) => Ok(Bytes::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_as_strict_as_those_of_geth() {
        let parse = |text: &str| parse_big(text);
        assert_eq!(parse("0x0"), Ok(U256::ZERO));
        assert_eq!(parse(""), Ok(U256::ZERO));
        assert_eq!(parse(&format!("0x{}", "f".repeat(64))), Ok(U256::MAX));
        for (text, error) in [
            ("12", "hex string without 0x prefix"),
            ("0x", "hex string \"0x\""),
            ("0x01", "hex number with leading zero digits"),
            ("0xg", "invalid hex string"),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        assert_eq!(parse(&format!("0x1{}", "0".repeat(64))), Err("hex number > 256 bits"));
    }

    #[test]
    fn input_comes_before_data_and_must_not_differ_from_it() {
        let args = |json| serde_json::from_value::<CallArgs>(json).unwrap();
        assert_eq!(args(json!({"data": "0x01"})).call_data().unwrap().as_ref(), [1]);
        let same = args(json!({"data": "0x01", "input": "0x01"}));
        assert_eq!(same.call_data().unwrap().as_ref(), [1]);
        let other = args(json!({"data": "0x01", "input": "0x02"}));
        assert!(other.call_data().unwrap_err().to_string().starts_with("both \"data\""));
    }

    #[test]
    fn empty_strings_are_zero_or_no_bytes_but_no_address() {
        let json = json!({"data": "", "value": "", "gas": "", "nonce": ""});
        let args: CallArgs = serde_json::from_value(json).unwrap();
        assert_eq!(args.data.as_ref().map(|data| data.0.len()), Some(0));
        assert_eq!(args.value, Some(BigQuantity(U256::ZERO)));
        assert_eq!((args.gas, args.nonce), (Some(Quantity(0)), Some(Quantity(0))));
        assert!(serde_json::from_value::<CallArgs>(json!({"to": ""})).is_err());
    }

    #[test]
    fn null_and_unknown_fields_count_as_absent() {
        let json = json!({"from": null, "gas": null, "type": "0x2", "color": "red"});
        let args: CallArgs = serde_json::from_value(json).unwrap();
        assert!(args.gas.is_none());
        assert_eq!(args.sender(), Address::ZERO);
    }
}
