//! Block parameters, read as geth reads them (`rpc/types.go`).

use std::borrow::Cow;

use alloy_eips::{BlockId, BlockNumberOrTag, RpcBlockHash};
use serde::{Deserialize, Deserializer, de::Error};

use crate::params::HashParam;

/// A block number or tag (`BlockNumber` in geth).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockNumberParam(pub BlockNumberOrTag);

/// A block number, tag or hash (`BlockNumberOrHash` in geth, EIP-1898).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockParam(pub BlockId);

impl Default for BlockParam {
    fn default() -> Self {
        Self(BlockId::latest())
    }
}

impl<'de> Deserialize<'de> for BlockNumberParam {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        parse_number(&text).map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for BlockParam {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<'a> {
            Text(#[serde(borrow)] Cow<'a, str>),
            Object {
                #[serde(rename = "blockNumber")]
                number: Option<BlockNumberParam>,
                #[serde(rename = "blockHash")]
                hash: Option<HashParam>,
                #[serde(rename = "requireCanonical", default)]
                require_canonical: Option<bool>,
            },
        }
        let id = match Form::deserialize(deserializer)? {
            Form::Text(text) => parse_id(&text).map_err(D::Error::custom)?,
            Form::Object { number: Some(_), hash: Some(_), .. } => {
                return Err(D::Error::custom(
                    "cannot specify both BlockHash and BlockNumber, choose one or the other",
                ));
            }
            Form::Object { number: Some(number), .. } => BlockId::Number(number.0),
            Form::Object { hash: Some(hash), require_canonical, .. } => {
                BlockId::Hash(RpcBlockHash { block_hash: hash.get(), require_canonical })
            }
            Form::Object { .. } => {
                return Err(D::Error::custom(
                    "invalid arguments; neither block nor hash specified",
                ));
            }
        };
        Ok(Self(id))
    }
}

/// Length of a block hash with its prefix.
const HASH_LENGTH: usize = 66;

fn parse_id(text: &str) -> Result<BlockId, String> {
    if text.len() != HASH_LENGTH {
        return parse_number(text).map(BlockId::Number);
    }
    let block_hash = HashParam::parse(text)?.get();
    Ok(BlockId::Hash(RpcBlockHash { block_hash, require_canonical: None }))
}

fn parse_number(text: &str) -> Result<BlockNumberOrTag, String> {
    Ok(match text {
        "latest" => BlockNumberOrTag::Latest,
        "pending" => BlockNumberOrTag::Pending,
        "safe" => BlockNumberOrTag::Safe,
        "finalized" => BlockNumberOrTag::Finalized,
        "earliest" => BlockNumberOrTag::Earliest,
        number => {
            let number = parse_quantity(number)?;
            if number > i64::MAX as u64 {
                return Err("block number larger than int64".into());
            }
            BlockNumberOrTag::Number(number)
        }
    })
}

/// A quantity of at most 64 bits, with geth's texts (`common/hexutil`).
pub(crate) fn parse_quantity(text: &str) -> Result<u64, String> {
    if text.is_empty() {
        return Err("empty hex string".into());
    }
    let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) else {
        return Err("hex string without 0x prefix".into());
    };
    if digits.is_empty() {
        return Err("hex string \"0x\"".into());
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return Err("hex number with leading zero digits".into());
    }
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("invalid hex string".into());
    }
    u64::from_str_radix(digits, 16).map_err(|_| "hex number > 64 bits".into())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    fn parse(json: &str) -> Result<BlockId, String> {
        serde_json::from_str::<BlockParam>(json).map(|param| param.0).map_err(|e| e.to_string())
    }

    #[test]
    fn every_form_of_a_block_is_read() {
        assert_eq!(parse("\"latest\""), Ok(BlockId::latest()));
        assert_eq!(parse("\"0x10\""), Ok(BlockId::number(16)));
        assert_eq!(parse("{\"blockNumber\":\"0x1\"}"), Ok(BlockId::number(1)));
        let hash = B256::repeat_byte(0x11);
        assert_eq!(parse(&format!("\"{hash}\"")), Ok(BlockId::hash(hash)));
        assert_eq!(
            parse(&format!("{{\"blockHash\":\"{hash}\",\"requireCanonical\":true}}")),
            Ok(BlockId::hash_canonical(hash))
        );
    }

    #[test]
    fn malformed_blocks_are_refused_with_the_texts_of_geth() {
        let number = |json: &str| serde_json::from_str::<BlockNumberParam>(json);
        for (json, text) in [
            ("\"2\"", "hex string without 0x prefix"),
            ("\"0x\"", "hex string \"0x\""),
            ("\"0x01\"", "hex number with leading zero digits"),
            ("\"0xg\"", "invalid hex string"),
            ("\"0x11111111111111111\"", "hex number > 64 bits"),
            ("\"0xffffffffffffffff\"", "block number larger than int64"),
        ] {
            let error = number(json).expect_err(json).to_string();
            assert!(error.starts_with(text), "{json}: {error}");
        }
        assert!(parse("{}").is_err());
        assert!(parse("5").is_err());
        let digits = "11".repeat(32);
        assert!(parse(&format!("{{\"blockHash\":\"{digits}\"}}")).is_err(), "no prefix");
    }
}
