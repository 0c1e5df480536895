//! What a log filter asks for, read as geth reads it (`eth/filters/api.go`).

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bloom, Log};
use serde::Deserialize;

use super::bloom_bits::BloomBits;
use crate::params::{AddressParam, HashParam};
use crate::{BlockNumberParam, RpcError};

/// A log has no more topics.
const MAX_TOPICS: usize = 4;

/// Which blocks a query covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// One block, which must be in the chain.
    Hash(B256),
    /// From one to another, both included.
    Range(BlockNumberOrTag, BlockNumberOrTag),
}

/// A log filter.
#[derive(Debug, Clone)]
pub(crate) struct Criteria {
    pub(crate) blocks: Blocks,
    addresses: Vec<Address>,
    topics: Vec<Vec<B256>>,
    /// For each position that must match, the bloom bits of its alternatives.
    bits: Vec<Vec<BloomBits>>,
}

/// The JSON form.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CriteriaParam {
    block_hash: Option<HashParam>,
    from_block: Option<BlockNumberParam>,
    to_block: Option<BlockNumberParam>,
    address: Option<OneOrMany<AddressParam>>,
    topics: Option<Vec<Option<TopicParam>>>,
}

/// A single value, or a list of values.
#[derive(Debug)]
struct OneOrMany<T>(Vec<T>);

/// A topic, or alternatives of which a `null` matches everything.
#[derive(Debug)]
enum TopicParam {
    Any,
    OneOf(Vec<B256>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let raw = <&'de serde_json::value::RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('[') {
            return serde_json::from_str(raw).map(Self).map_err(D::Error::custom);
        }
        serde_json::from_str(raw).map(|one| Self(vec![one])).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for TopicParam {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let raw = <&'de serde_json::value::RawValue>::deserialize(deserializer)?.get();
        if !raw.starts_with('[') {
            let one: HashParam = serde_json::from_str(raw).map_err(D::Error::custom)?;
            return Ok(Self::OneOf(vec![one.get()]));
        }
        let many: Vec<Option<HashParam>> = serde_json::from_str(raw).map_err(D::Error::custom)?;
        let all: Option<Vec<B256>> = many.into_iter().map(|one| one.map(HashParam::get)).collect();
        Ok(all.map_or(Self::Any, Self::OneOf))
    }
}

impl CriteriaParam {
    /// Checks the form. `most` is the limit of addresses and alternatives, of all positions together.
    pub(crate) fn check(self, most: usize) -> Result<Criteria, RpcError> {
        let invalid = |text: &str| Err(RpcError::InvalidParams(text.into()));
        let ranged = self.from_block.is_some() || self.to_block.is_some();
        if self.block_hash.is_some() && ranged {
            return invalid(
                "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other",
            );
        }
        let addresses: Vec<Address> = self
            .address
            .map_or_else(Vec::new, |list| list.0.into_iter().map(|address| address.0).collect());
        let topics: Vec<Vec<B256>> = self
            .topics
            .unwrap_or_default()
            .into_iter()
            .map(|topic| match topic {
                None | Some(TopicParam::Any) => Vec::new(),
                Some(TopicParam::OneOf(list)) => list,
            })
            .collect();
        if topics.len() > MAX_TOPICS {
            return invalid("exceed max topics");
        }
        if addresses.len() > most || topics.iter().any(|topic| topic.len() > most) {
            return invalid("exceed max addresses or topics per search position");
        }
        let total =
            topics.iter().fold(addresses.len(), |sum, topic| sum.saturating_add(topic.len()));
        if total > most {
            return invalid("exceed max addresses and topics of all search positions");
        }
        let latest = BlockNumberOrTag::Latest;
        let blocks = match self.block_hash {
            Some(hash) => Blocks::Hash(hash.get()),
            None => Blocks::Range(
                self.from_block.map_or(latest, |block| block.0),
                self.to_block.map_or(latest, |block| block.0),
            ),
        };
        Ok(Criteria::new(blocks, addresses, topics))
    }
}

impl Criteria {
    fn new(blocks: Blocks, addresses: Vec<Address>, topics: Vec<Vec<B256>>) -> Self {
        let of_address = |address: &Address| BloomBits::of(address.as_slice());
        let of_topic = |topic: &B256| BloomBits::of(topic.as_slice());
        let mut bits: Vec<Vec<BloomBits>> = vec![addresses.iter().map(of_address).collect()];
        bits.extend(topics.iter().map(|topic| topic.iter().map(of_topic).collect()));
        bits.retain(|alternatives| !alternatives.is_empty());
        Self { blocks, addresses, topics, bits }
    }

    /// Whether a block with that bloom may hold a match.
    pub(crate) fn may_match(&self, bloom: &Bloom) -> bool {
        self.bits.iter().all(|any| any.iter().any(|one| one.are_in(bloom)))
    }

    /// Whether a log matches, its block aside.
    pub(crate) fn matches(&self, log: &Log) -> bool {
        let address = self.addresses.is_empty() || self.addresses.contains(&log.address);
        let topics = log.topics();
        address
            && self.topics.len() <= topics.len()
            && self
                .topics
                .iter()
                .zip(topics)
                .all(|(any, topic)| any.is_empty() || any.contains(topic))
    }

    /// Whether new blocks of that number are wanted by a filter or subscription.
    pub(crate) fn covers(&self, number: u64) -> bool {
        match self.blocks {
            Blocks::Hash(_) => true,
            Blocks::Range(from, to) => {
                from.as_number().is_none_or(|from| from <= number)
                    && to.as_number().is_none_or(|to| number <= to)
            }
        }
    }

    /// Checks the range of a filter or subscription, which sees new blocks only.
    pub(crate) fn check_live(&self) -> Result<(), RpcError> {
        let Blocks::Range(from, to) = self.blocks else { return Ok(()) };
        if from.is_pending() || to.is_pending() {
            return Err(RpcError::InvalidParams("pending logs are not supported".into()));
        }
        match (from.as_number(), to.as_number()) {
            (Some(from), Some(to)) if from > to => Err(invalid_range()),
            (None, Some(_)) if !from.is_earliest() => Err(invalid_range()),
            _ => Ok(()),
        }
    }
}

/// geth's error for a range that ends before it begins.
pub(crate) fn invalid_range() -> RpcError {
    RpcError::InvalidParams("invalid block range params".into())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, LogData};
    use serde_json::{Value, json};

    use super::*;

    fn criteria(value: Value) -> Result<Criteria, RpcError> {
        let param: CriteriaParam = serde_json::from_str(&value.to_string())
            .map_err(|error| RpcError::InvalidParams(error.to_string()))?;
        param.check(3)
    }

    fn log(address: u8, topics: &[u8]) -> Log {
        let topics = topics.iter().map(|topic| B256::repeat_byte(*topic)).collect();
        let data = LogData::new_unchecked(topics, Bytes::new());
        Log { address: Address::repeat_byte(address), data }
    }

    #[test]
    fn addresses_and_topics_match_by_position_with_wildcards() {
        let (a, t) = (Address::repeat_byte(1), B256::repeat_byte(9));
        let filter = criteria(json!({"address": a, "topics": [null, [t, B256::ZERO]]})).unwrap();
        assert!(filter.matches(&log(1, &[5, 9])));
        assert!(!filter.matches(&log(2, &[5, 9])), "another address");
        assert!(!filter.matches(&log(1, &[9])), "too few topics");
        let any = criteria(json!({"topics": [[t, null]]})).unwrap();
        assert!(any.matches(&log(3, &[1])), "null among alternatives matches everything");
        let mut bloom = Bloom::ZERO;
        assert!(!filter.may_match(&bloom));
        bloom.accrue_log(&log(1, &[5, 9]));
        assert!(filter.may_match(&bloom));
    }

    #[test]
    fn wrong_filters_are_refused_as_geth_refuses_them() {
        let hash = B256::ZERO;
        for wrong in [
            json!({"blockHash": hash, "fromBlock": "0x1"}),
            json!({"topics": [hash, hash, hash, hash, hash]}),
            json!({"address": [Address::ZERO, Address::ZERO, Address::ZERO, Address::ZERO]}),
            json!({"address": [Address::ZERO, Address::ZERO], "topics": [[hash, hash]]}),
            json!({"topics": ["0x12"]}),
            json!({"address": 5}),
        ] {
            assert!(criteria(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn live_filters_see_new_blocks_only() {
        let live = |from: Value, to: Value| {
            criteria(json!({"fromBlock": from, "toBlock": to})).unwrap().check_live()
        };
        assert!(live(json!("latest"), json!("latest")).is_ok());
        assert!(live(json!("0x1"), json!("latest")).is_ok());
        assert!(live(json!("0x5"), json!("0x4")).is_err());
        assert!(live(json!("latest"), json!("0x4")).is_err());
        assert!(live(json!("pending"), json!("latest")).is_err());
    }
}
