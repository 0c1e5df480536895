//! `RLPTests`: values with their encoding, and byte strings that are no RLP.

use std::path::Path;

use alloy_primitives::U256;
use alloy_rlp::{BufMut, Encodable, Header};
use serde::Deserialize;
use serde_json::Value;

use crate::exceptions::Suite;
use crate::failure::{CaseError, RunError, same};
use crate::json::Hex;
use crate::run::{Cases, Runner, run};
use crate::{Options, Report};

/// Lists nested deeper than this are refused; the suite goes to four.
const DEPTH_MAX: usize = 256;

/// Runs every RLP test under a directory.
///
/// # Errors
/// [`RunError`] where nothing could be run. Failures of cases are in the report.
pub fn run_rlp_tests(directory: &Path, options: &Options<'_>) -> Result<Report, RunError> {
    run(&RlpTests, directory, options)
}

struct RlpTests;

#[derive(Debug, Deserialize)]
pub(crate) struct RlpTest {
    #[serde(rename = "in")]
    value: Value,
    #[serde(rename = "out")]
    encoding: Hex,
}

impl Runner for RlpTests {
    type Test = RlpTest;
    type Worker = ();
    const SUITE: Suite = Suite::Rlp;

    fn run_test(&self, (): &mut (), test: &RlpTest, cases: &mut Cases<'_>) {
        cases.run(0, || run_case(test));
    }
}

fn run_case(test: &RlpTest) -> Result<(), CaseError> {
    let encoding = &test.encoding.0;
    let decoded = Item::decode_exact(encoding);
    match (test.value.as_str(), decoded) {
        (Some("INVALID"), Err(_)) => Ok(()),
        (Some("INVALID"), Ok(_)) => Err(CaseError::Accepted { expected: "no RLP".into() }),
        (_, Err(error)) => Err(CaseError::Rlp(error)),
        (Some("VALID"), Ok(item)) => same("encoding", &hex(&item), &hex_of(encoding)),
        (_, Ok(item)) => {
            let value = Item::from_json(&test.value)?;
            same("decoded value", &item, &value)?;
            same("encoding", &hex(&value), &hex_of(encoding))
        }
    }
}

fn hex(item: &Item) -> String {
    hex_of(&alloy_rlp::encode(item))
}

fn hex_of(bytes: &[u8]) -> String {
    alloy_primitives::hex::encode(bytes)
}

/// Any RLP value.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    Bytes(Vec<u8>),
    List(Vec<Self>),
}

impl Item {
    fn decode_exact(mut bytes: &[u8]) -> alloy_rlp::Result<Self> {
        let item = Self::decode(&mut bytes, 0)?;
        if bytes.is_empty() { Ok(item) } else { Err(alloy_rlp::Error::UnexpectedLength) }
    }

    fn decode(bytes: &mut &[u8], depth: usize) -> alloy_rlp::Result<Self> {
        if depth > DEPTH_MAX {
            return Err(alloy_rlp::Error::Custom("nested too deep"));
        }
        let header = Header::decode(bytes)?;
        let (mut payload, rest) =
            bytes.split_at_checked(header.payload_length).ok_or(alloy_rlp::Error::InputTooShort)?;
        *bytes = rest;
        if !header.list {
            return Ok(Self::Bytes(payload.to_vec()));
        }
        let mut items = Vec::new();
        while !payload.is_empty() {
            items.push(Self::decode(&mut payload, depth + 1)?);
        }
        Ok(Self::List(items))
    }

    /// A value as the suite writes it: strings are their bytes, numbers big-endian without leading
    /// zeros, `#…` a number in decimal that JSON could not hold.
    fn from_json(value: &Value) -> Result<Self, CaseError> {
        let shape = || CaseError::Shape(format!("value {value}"));
        match value {
            Value::Array(items) => {
                items.iter().map(Self::from_json).collect::<Result<_, _>>().map(Self::List)
            }
            Value::Number(number) => {
                let number = number.as_u64().ok_or_else(shape)?;
                Ok(Self::Bytes(U256::from(number).to_be_bytes_trimmed_vec()))
            }
            Value::String(text) => match text.strip_prefix('#') {
                Some(digits) => decimal(digits).map(Self::Bytes).ok_or_else(shape),
                None => Ok(Self::Bytes(text.as_bytes().to_vec())),
            },
            _ => Err(shape()),
        }
    }
}

/// A decimal number of any size as big-endian bytes without leading zeros.
fn decimal(digits: &str) -> Option<Vec<u8>> {
    let mut little_endian: Vec<u8> = Vec::new();
    for digit in digits.chars() {
        let mut carry = digit.to_digit(10)?;
        for byte in &mut little_endian {
            let value = u32::from(*byte) * 10 + carry;
            *byte = value.to_le_bytes()[0];
            carry = value >> 8;
        }
        if carry > 0 {
            little_endian.push(carry.to_le_bytes()[0]);
        }
    }
    little_endian.reverse();
    Some(little_endian)
}

impl Encodable for Item {
    fn encode(&self, out: &mut dyn BufMut) {
        match self {
            Self::Bytes(bytes) => bytes.as_slice().encode(out),
            Self::List(items) => {
                let payload_length = items.iter().map(Encodable::length).sum();
                Header { list: true, payload_length }.encode(out);
                items.iter().for_each(|item| item.encode(out));
            }
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.as_slice().length(),
            Self::List(items) => {
                let payload_length = items.iter().map(Encodable::length).sum();
                Header { list: true, payload_length }.length_with_payload()
            }
        }
    }
}
