//! Deposits: what the portal logs for L2 (OP specification: Deposits).
//!
//! # Format
//! `TransactionDeposited(address indexed from, address indexed to, uint256 indexed version,
//! bytes opaqueData)`. Opaque data of version 0, packed:
//!
//! ```text
//! mint        32   wei that come into being on L2
//! value       32   wei that are sent
//! gas limit    8
//! creation     1   zero: call of `to`; anything else: creation
//! data         …
//! ```
//!
//! The portal has put the alias of contract senders into `from` already.
//!
//! A log that does not have this form is fatal and not skipped: only the portal logs it, so either
//! the portal was upgraded to something that this node does not know, or the node reads the wrong
//! contract. A node that skipped it would go on with another chain than those that know.

use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256, b256};
use op_alloy_consensus::{TxDeposit, UserDepositSource};

/// Topic of `TransactionDeposited(address,address,uint256,bytes)`.
pub const TRANSACTION_DEPOSITED: B256 =
    b256!("b3813568d9991fc951961fcb4c784893574240a28925604d09fc577c55bb7c32");

/// A deposit log that this node cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DepositLogError {
    /// Signature and three indexed values.
    #[error("{0} topics, not 4")]
    Topics(usize),
    /// A version that a later portal may write.
    #[error("version {0} is unknown")]
    Version(U256),
    /// The data is not the ABI encoding of one byte string.
    #[error("data of {0} bytes is no ABI-encoded byte string")]
    Abi(usize),
    /// The opaque data ends before the fields do.
    #[error("opaque data of {0} bytes is too short")]
    Length(usize),
    /// More than all of the ether.
    #[error("mint of {0} wei does not fit 128 bits")]
    Mint(U256),
}

/// The deposit that a log of the portal describes. `index` counts all logs of the L1 block.
pub fn deposit_from_log(
    log: &Log,
    block_hash: B256,
    index: u64,
) -> Result<TxDeposit, DepositLogError> {
    let &[_, from, to, version] = log.topics() else {
        return Err(DepositLogError::Topics(log.topics().len()));
    };
    if !version.is_zero() {
        return Err(DepositLogError::Version(version.into()));
    }
    let opaque = abi_bytes(&log.data.data).ok_or(DepositLogError::Abi(log.data.data.len()))?;
    let fields = Fields::read(opaque).ok_or(DepositLogError::Length(opaque.len()))?;
    let to = if fields.creation { TxKind::Create } else { TxKind::Call(Address::from_word(to)) };
    Ok(TxDeposit {
        source_hash: UserDepositSource::new(block_hash, index).source_hash(),
        from: Address::from_word(from),
        to,
        mint: fields.mint.try_into().map_err(|_| DepositLogError::Mint(fields.mint))?,
        value: fields.value,
        gas_limit: fields.gas_limit,
        is_system_transaction: false,
        input: Bytes::copy_from_slice(fields.data),
    })
}

/// The content of ABI data that is one byte string: offset 32, length, content, padding.
pub(super) fn abi_bytes(data: &[u8]) -> Option<&[u8]> {
    let (offset, rest) = data.split_first_chunk::<32>()?;
    let (length, rest) = rest.split_first_chunk::<32>()?;
    if U256::from_be_bytes(*offset) != U256::from(32) || !rest.len().is_multiple_of(32) {
        return None;
    }
    let length: usize = U256::from_be_bytes(*length).try_into().ok()?;
    rest.get(..length)
}

struct Fields<'a> {
    mint: U256,
    value: U256,
    gas_limit: u64,
    creation: bool,
    data: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(opaque: &'a [u8]) -> Option<Self> {
        let (mint, rest) = opaque.split_first_chunk::<32>()?;
        let (value, rest) = rest.split_first_chunk::<32>()?;
        let (gas_limit, rest) = rest.split_first_chunk::<8>()?;
        let (creation, data) = rest.split_first()?;
        Some(Self {
            mint: U256::from_be_bytes(*mint),
            value: U256::from_be_bytes(*value),
            gas_limit: u64::from_be_bytes(*gas_limit),
            creation: *creation != 0,
            data,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use alloy_primitives::{LogData, address, keccak256};

    use super::*;

    /// A log as the portal writes it.
    pub(crate) fn deposit_log(portal: Address, from: Address, to: Address, opaque: &[u8]) -> Log {
        let mut data = U256::from(32).to_be_bytes_vec();
        data.extend(U256::from(opaque.len()).to_be_bytes_vec());
        data.extend(opaque);
        data.resize(data.len().next_multiple_of(32), 0);
        let topics = vec![TRANSACTION_DEPOSITED, from.into_word(), to.into_word(), B256::ZERO];
        Log { address: portal, data: LogData::new_unchecked(topics, data.into()) }
    }

    /// Opaque data of version 0.
    pub(crate) fn opaque(mint: u64, value: u64, gas: u64, creation: u8, data: &[u8]) -> Vec<u8> {
        let mut opaque = U256::from(mint).to_be_bytes_vec();
        opaque.extend(U256::from(value).to_be_bytes_vec());
        opaque.extend(gas.to_be_bytes());
        opaque.push(creation);
        opaque.extend(data);
        opaque
    }

    const FROM: Address = address!("1111000000000000000000000000000000002222");
    const TO: Address = address!("2222222222222222222222222222222222222222");

    #[test]
    fn topic_is_the_hash_of_the_signature() {
        let signature = "TransactionDeposited(address,address,uint256,bytes)";
        assert_eq!(TRANSACTION_DEPOSITED, keccak256(signature));
    }

    #[test]
    fn call_and_creation_are_read() {
        let hash = B256::repeat_byte(7);
        let log = deposit_log(Address::ZERO, FROM, TO, &opaque(5, 3, 21_000, 0, b"data"));
        let deposit = deposit_from_log(&log, hash, 9).unwrap();
        assert_eq!(
            deposit,
            TxDeposit {
                source_hash: UserDepositSource::new(hash, 9).source_hash(),
                from: FROM,
                to: TxKind::Call(TO),
                mint: 5,
                value: U256::from(3),
                gas_limit: 21_000,
                is_system_transaction: false,
                input: Bytes::from_static(b"data"),
            }
        );
        let log = deposit_log(Address::ZERO, FROM, TO, &opaque(0, 0, 1, 1, b""));
        assert_eq!(deposit_from_log(&log, hash, 9).unwrap().to, TxKind::Create);
    }

    #[test]
    fn malformed_logs_name_what_is_wrong() {
        let good = deposit_log(Address::ZERO, FROM, TO, &opaque(5, 3, 21_000, 0, b""));
        let parse = |log: &Log| deposit_from_log(log, B256::ZERO, 0).unwrap_err();
        let with = |topics: Vec<B256>, data: Vec<u8>| Log {
            address: Address::ZERO,
            data: LogData::new_unchecked(topics, data.into()),
        };
        let topics = good.topics().to_vec();
        let data = good.data.data.to_vec();

        assert_eq!(parse(&with(topics[..3].to_vec(), data.clone())), DepositLogError::Topics(3));
        let mut newer = topics.clone();
        newer[3] = B256::with_last_byte(1);
        assert_eq!(parse(&with(newer, data.clone())), DepositLogError::Version(U256::from(1)));
        let cut = data[..data.len() - 1].to_vec();
        assert_eq!(parse(&with(topics.clone(), cut.clone())), DepositLogError::Abi(cut.len()));
        let mut longer = data.clone();
        longer[62] = 1;
        assert_eq!(parse(&with(topics, longer)), DepositLogError::Abi(data.len()));
        let short = deposit_log(Address::ZERO, FROM, TO, &[0; 72]);
        assert_eq!(parse(&short), DepositLogError::Length(72));
        let mut mint = opaque(0, 0, 0, 0, b"");
        mint[15] = 1;
        let mint = deposit_log(Address::ZERO, FROM, TO, &mint);
        assert_eq!(parse(&mint), DepositLogError::Mint(U256::from(1) << 128));
    }
}
