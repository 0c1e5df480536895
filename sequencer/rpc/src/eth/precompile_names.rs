//! Names of the precompiles of each fork, as EIP-7910 fixes them.

use std::collections::BTreeMap;

use alloy_hardforks::EthereumHardforks;
use alloy_primitives::Address;
use cairn_primitives::ChainSpec;

const CANCUN: [(&str, u16); 10] = [
    ("ECREC", 1),
    ("SHA256", 2),
    ("RIPEMD160", 3),
    ("ID", 4),
    ("MODEXP", 5),
    ("BN254_ADD", 6),
    ("BN254_MUL", 7),
    ("BN254_PAIRING", 8),
    ("BLAKE2F", 9),
    ("KZG_POINT_EVALUATION", 10),
];

const PRAGUE: [(&str, u16); 7] = [
    ("BLS12_G1ADD", 0x0b),
    ("BLS12_G1MSM", 0x0c),
    ("BLS12_G2ADD", 0x0d),
    ("BLS12_G2MSM", 0x0e),
    ("BLS12_PAIRING_CHECK", 0x0f),
    ("BLS12_MAP_FP_TO_G1", 0x10),
    ("BLS12_MAP_FP2_TO_G2", 0x11),
];

const P256: (&str, u16) = ("P256VERIFY", 0x100);

/// Precompiles active at a timestamp, which is after the merge.
pub(super) fn precompiles(spec: &ChainSpec, timestamp: u64) -> BTreeMap<&'static str, Address> {
    let mut names = BTreeMap::new();
    let mut add = |list: &[(&'static str, u16)]| {
        for (name, number) in list {
            names.insert(*name, Address::left_padding_from(&number.to_be_bytes()));
        }
    };
    // Point evaluation is the last of the list and new in Cancun.
    let cancun = spec.is_cancun_active_at_timestamp(timestamp);
    add(if cancun { &CANCUN } else { &CANCUN[..9] });
    if spec.is_prague_active_at_timestamp(timestamp) {
        add(&PRAGUE);
    }
    // OP chains have it since Fjord (RIP-7212), Ethereum since Osaka.
    let fjord = alloy_op_hardforks::OpHardforks::is_fjord_active_at_timestamp(spec, timestamp);
    if fjord || spec.is_osaka_active_at_timestamp(timestamp) {
        add(&[P256]);
    }
    names
}
