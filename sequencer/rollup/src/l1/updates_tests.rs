use alloy_primitives::{LogData, keccak256};

use super::*;

/// A log as the contract writes it.
pub(crate) fn update_log(contract: Address, kind: u8, content: &[u8]) -> Log {
    let mut data = U256::from(32).to_be_bytes_vec();
    data.extend(U256::from(content.len()).to_be_bytes_vec());
    data.extend(content);
    let topics = vec![CONFIG_UPDATE, B256::ZERO, B256::with_last_byte(kind)];
    Log { address: contract, data: LogData::new_unchecked(topics, data.into()) }
}

fn word(number: u128) -> [u8; 32] {
    U256::from(number).to_be_bytes()
}

fn parse(kind: u8, content: &[u8]) -> Option<ConfigUpdate> {
    config_update_from_log(&update_log(Address::ZERO, kind, content))
}

#[test]
fn topic_is_the_hash_of_the_signature() {
    assert_eq!(CONFIG_UPDATE, keccak256("ConfigUpdate(uint256,uint8,bytes)"));
}

#[test]
fn every_type_changes_its_value() {
    let batcher = Address::repeat_byte(5);
    let mut scalar = B256::ZERO;
    scalar.0[0] = 1;
    scalar.0[31] = 9;
    let logs = [
        (0, batcher.into_word().to_vec()),
        (1, [[7; 32], scalar.0].concat()),
        (2, word(60_000_000).to_vec()),
        (3, Address::repeat_byte(6).into_word().to_vec()),
        (4, word(250 << 32 | 6).to_vec()),
        (5, word(11 << 64 | 12).to_vec()),
        (6, word(13).to_vec()),
        (7, word(14).to_vec()),
    ];
    let mut config = SystemConfig { overhead: B256::repeat_byte(1), ..SystemConfig::default() };
    for (kind, content) in logs {
        config.apply(&parse(kind, &content).unwrap());
    }
    let expected = SystemConfig {
        batcher,
        overhead: B256::ZERO,
        scalar,
        gas_limit: 60_000_000,
        eip1559: Eip1559Params { denominator: 250, elasticity: 6 },
        operator_fee: OperatorFeeParams { scalar: 11, constant: 12 },
        min_base_fee: 13,
        da_footprint_gas_scalar: 14,
    };
    assert_eq!(config, expected);
}

#[test]
fn updates_of_an_origin_hold_from_its_first_block_on() {
    let config = SystemConfig { gas_limit: 1, ..SystemConfig::default() };
    let updates = vec![ConfigUpdate::GasLimit(2), ConfigUpdate::GasLimit(3)];
    let origin = L1Block { number: 7, config_updates: updates, ..L1Block::default() };
    let parent = L2BlockRef::default();
    assert_eq!(config.on_origin(&parent, &origin).gas_limit, 3);
    let same = L1Block { number: 0, ..origin };
    assert_eq!(config.on_origin(&parent, &same).gas_limit, 1);
}

#[test]
fn malformed_updates_change_nothing() {
    let mut padded = [0; 64];
    padded[32 + 5] = 1;
    let mut unknown_scalar = [0; 64];
    unknown_scalar[32] = 2;
    let cases: [(&str, u8, &[u8]); 12] = [
        ("batcher above 20 bytes", 0, &[1; 32]),
        ("one word of scalars", 1, &[0; 32]),
        ("scalar with padding", 1, &padded),
        ("scalar of version 2", 1, &unknown_scalar),
        ("gas limit above 64 bits", 2, &word(1 << 64)),
        ("signer above 20 bytes", 3, &[1; 32]),
        ("elasticity of zero", 4, &word(250 << 32)),
        ("minimum above 64 bits", 6, &word(1 << 64)),
        ("footprint above 16 bits", 7, &word(1 << 16)),
        ("unknown type", 8, &word(1)),
        ("two words", 2, &[0; 64]),
        ("no word", 2, &[]),
    ];
    for (name, kind, content) in cases {
        assert_eq!(parse(kind, content), None, "{name}");
    }
    let mut versioned = update_log(Address::ZERO, 2, &word(1));
    let mut topics = versioned.topics().to_vec();
    topics[1] = B256::with_last_byte(1);
    versioned.data = LogData::new_unchecked(topics, versioned.data.data.clone());
    assert_eq!(config_update_from_log(&versioned), None);
    let mut trailing = update_log(Address::ZERO, 2, &word(1));
    let longer = [trailing.data.data.to_vec(), vec![0; 32]].concat();
    trailing.data = LogData::new_unchecked(trailing.topics().to_vec(), longer.into());
    assert_eq!(config_update_from_log(&trailing), None);
}
