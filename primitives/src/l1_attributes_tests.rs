use alloy_primitives::{hex, keccak256};

use super::*;
use L1AttributesFormat::{Isthmus, Jovian};

/// Input of the first transaction of BOB mainnet block 38,821,851.
const BOB_MAINNET: [u8; 178] = hex!(
    "3db6be2b001e8480000955060000000000000004000000006ab8f29700000000018dc520"
    "0000000000000000000000000000000000000000000000000000000003ea7587"
    "000000000000000000000000000000000000000000000000000000003b927cc8"
    "d0ea7508cfe24b335f09e985abf1e80cc7bc6996339304fe6698e418be29aa00"
    "00000000000000000000000008f9f14ff43e112b18c96f0986f28cb1878f1d11"
    "0000000000000da475abf0000190"
);

fn bob_mainnet() -> L1Attributes {
    L1Attributes {
        origin: L1Origin {
            number: 26_068_256,
            hash: hex!("d0ea7508cfe24b335f09e985abf1e80cc7bc6996339304fe6698e418be29aa00").into(),
            timestamp: 0x6ab8_f297,
            base_fee: U256::from(0x03ea_7587_u64),
            blob_base_fee: U256::from(0x3b92_7cc8_u64),
        },
        sequence_number: 4,
        system: SystemAttributes {
            batcher_hash: SystemAttributes::batcher_hash_of(address!(
                "0x08f9F14ff43e112B18C96f0986f28CB1878f1D11"
            )),
            base_fee_scalar: 2_000_000,
            blob_base_fee_scalar: 611_590,
            operator_fee_scalar: 0,
            operator_fee_constant: 15_000_000_000_000,
            da_footprint_gas_scalar: 400,
        },
    }
}

#[test]
fn calldata_of_a_live_chain_decodes_and_encodes_to_itself() {
    let (attributes, format) = L1Attributes::from_calldata(&BOB_MAINNET).unwrap();
    assert_eq!(format, Jovian);
    assert_eq!(attributes, bob_mainnet());
    assert_eq!(attributes.to_calldata(Jovian)[..], BOB_MAINNET[..]);
}

#[test]
fn isthmus_calldata_is_jovian_calldata_without_the_footprint() {
    let isthmus = bob_mainnet().to_calldata(Isthmus);
    assert_eq!(isthmus.len(), 176);
    assert_eq!(isthmus[4..], BOB_MAINNET[4..176]);
    let (attributes, format) = L1Attributes::from_calldata(&isthmus).unwrap();
    assert_eq!(format, Isthmus);
    assert_eq!(attributes.origin, bob_mainnet().origin);
    assert_eq!(attributes.system.da_footprint_gas_scalar, 0);
}

#[test]
fn selectors_are_those_of_the_setters() {
    for (format, signature) in
        [(Isthmus, "setL1BlockValuesIsthmus()"), (Jovian, "setL1BlockValuesJovian()")]
    {
        assert_eq!(format.selector(), keccak256(signature)[..4]);
    }
}

#[test]
fn every_other_length_is_refused() {
    for format in [Isthmus, Jovian] {
        let mut data = bob_mainnet().to_calldata(format).to_vec();
        data.extend([0; 40]);
        for length in (4..data.len()).filter(|length| *length != format.length()) {
            assert_eq!(
                L1Attributes::from_calldata(&data[..length]),
                Err(L1AttributesError::Length { format, actual: length })
            );
        }
    }
    for length in 0..4 {
        assert_eq!(
            L1Attributes::from_calldata(&BOB_MAINNET[..length]),
            Err(L1AttributesError::Selector { length })
        );
    }
}

#[test]
fn calldata_of_older_forks_is_refused() {
    let mut ecotone = bob_mainnet().to_calldata(Isthmus).to_vec();
    ecotone[..4].copy_from_slice(&hex!("440a5e20"));
    assert_eq!(
        L1Attributes::from_calldata(&ecotone),
        Err(L1AttributesError::Selector { length: 176 })
    );
}

#[test]
fn deposit_follows_the_specification() {
    let deposit = bob_mainnet().to_deposit(Jovian);
    assert_eq!(deposit.from, L1_ATTRIBUTES_DEPOSITOR);
    assert_eq!(deposit.to, TxKind::Call(L1_BLOCK_ADDRESS));
    assert_eq!((deposit.mint, deposit.value), (0, U256::ZERO));
    assert_eq!(deposit.gas_limit, 1_000_000);
    assert!(!deposit.is_system_transaction);
    // keccak(domain 1, keccak(L1 block hash, sequence number)), each left-padded to a word.
    let mut inner = bob_mainnet().origin.hash.to_vec();
    inner.extend(U256::from(4).to_be_bytes::<32>());
    let mut outer = U256::ONE.to_be_bytes::<32>().to_vec();
    outer.extend(keccak256(inner));
    assert_eq!(deposit.source_hash, keccak256(outer));
    assert_eq!(L1Attributes::from_deposit(&deposit), Ok(bob_mainnet()));
}

#[test]
fn deposit_of_another_sender_or_receiver_is_refused() {
    let deposit = bob_mainnet().to_deposit(Jovian);
    let user = TxDeposit { from: L1_BLOCK_ADDRESS, ..deposit.clone() };
    let creation = TxDeposit { to: TxKind::Create, ..deposit };
    for tx in [user, creation] {
        assert!(matches!(L1Attributes::from_deposit(&tx), Err(L1AttributesError::Envelope { .. })));
    }
}

#[test]
fn unset_footprint_scalar_is_written_as_the_default() {
    let mut attributes = bob_mainnet();
    attributes.system.da_footprint_gas_scalar = 0;
    assert_eq!(attributes.to_calldata(Jovian)[176..], [0x01, 0x90]);
    attributes.system.da_footprint_gas_scalar = 7;
    assert_eq!(attributes.to_calldata(Jovian)[176..], [0, 7]);
}

#[test]
fn activation_block_of_jovian_keeps_the_isthmus_format() {
    let genesis = serde_json::from_value(serde_json::json!({
        "config": {
            "chainId": 901, "bedrockBlock": 0, "regolithTime": 0, "canyonTime": 0,
            "ecotoneTime": 0, "fjordTime": 0, "graniteTime": 0, "holoceneTime": 0,
            "isthmusTime": 0, "jovianTime": 100,
            "optimism": {"eip1559Elasticity": 6, "eip1559Denominator": 50}
        },
        "difficulty": "0x0", "gasLimit": "0x1c9c380", "alloc": {}
    }))
    .unwrap();
    let spec = ChainSpec::from_genesis(&genesis).unwrap();
    // Block at 100 has a parent at 99: Jovian is active in it, its L1Block is still the old one.
    assert_eq!(L1AttributesFormat::at(&spec, 99), Isthmus);
    assert_eq!(L1AttributesFormat::at(&spec, 100), Jovian);
}
