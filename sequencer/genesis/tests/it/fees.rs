//! `L1Block` and `GasPriceOracle` against what the execution client charges.

use alloy_consensus::SignableTransaction;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, U256, b256};
use alloy_sol_types::sol;
use cairn_evm::revm_types::{L1BlockInfo, OpSpecId};
use cairn_genesis::predeploys::{
    BASE_FEE_VAULT, GAS_PRICE_ORACLE, L1_BLOCK, L1_FEE_VAULT, OPERATOR_FEE_VAULT,
    SEQUENCER_FEE_VAULT,
};
use cairn_genesis::{DEV_SYSTEM, DevAccount, DevOptions, dev_accounts};
use cairn_primitives::{L1Attributes, L1Origin, SystemAttributes};
use proptest::prelude::*;

use crate::chain::Chain;

sol! {
    interface IL1Block {
        function number() external view returns (uint64);
        function timestamp() external view returns (uint64);
        function basefee() external view returns (uint256);
        function hash() external view returns (bytes32);
        function sequenceNumber() external view returns (uint64);
        function blobBaseFeeScalar() external view returns (uint32);
        function baseFeeScalar() external view returns (uint32);
        function batcherHash() external view returns (bytes32);
        function blobBaseFee() external view returns (uint256);
        function operatorFeeConstant() external view returns (uint64);
        function operatorFeeScalar() external view returns (uint32);
        function daFootprintGasScalar() external view returns (uint16);
    }
    interface IGasPriceOracle {
        function getL1Fee(bytes data) external view returns (uint256);
        function getL1FeeUpperBound(uint256 size) external view returns (uint256);
        function getOperatorFee(uint256 gasUsed) external view returns (uint256);
        function isJovian() external view returns (bool);
        function baseFee() external view returns (uint256);
    }
}

/// One FastLZ byte in millionths of an estimated byte, and the bytes that the oracle adds for the
/// signature which an unsigned transaction lacks (OP specification, Fjord).
const FASTLZ_COEFFICIENT: u64 = 836_500;
const SIGNATURE_SIZE: u64 = 68;
const MIN_SIZE: U256 = U256::from_limbs([100_000_000, 0, 0, 0]);

fn attributes() -> L1Attributes {
    L1Attributes {
        origin: L1Origin {
            number: 19_000_000,
            hash: b256!("0xd0ea7508cfe24b335f09e985abf1e80cc7bc6996339304fe6698e418be29aa00"),
            timestamp: 1_700_000_000,
            base_fee: U256::from(12_345_678_901_u64),
            blob_base_fee: U256::from(98_765_432_u64),
        },
        sequence_number: 3,
        system: SystemAttributes {
            batcher_hash: B256::repeat_byte(0xba),
            operator_fee_scalar: 2_000,
            operator_fee_constant: 5_000_000,
            ..DEV_SYSTEM
        },
    }
}

fn chain_with(attributes: &L1Attributes) -> Chain {
    let mut chain = Chain::new(&DevOptions::default());
    let outcome = chain.block(attributes, &[]);
    assert!(outcome.receipts[0].inner.status.coerce_status());
    chain
}

fn first_account() -> DevAccount {
    dev_accounts(1).unwrap()[0]
}

/// The client's own formula over an encoded transaction.
fn charged(attributes: &L1Attributes, encoded: &[u8]) -> U256 {
    let mut info = L1BlockInfo {
        l1_base_fee: attributes.origin.base_fee,
        l1_base_fee_scalar: U256::from(attributes.system.base_fee_scalar),
        l1_blob_base_fee: Some(attributes.origin.blob_base_fee),
        l1_blob_base_fee_scalar: Some(U256::from(attributes.system.blob_base_fee_scalar)),
        ..L1BlockInfo::default()
    };
    info.calculate_tx_l1_cost(encoded, OpSpecId::JOVIAN)
}

fn l1_fee(chain: &Chain, data: Bytes) -> U256 {
    chain.call(GAS_PRICE_ORACLE, &IGasPriceOracle::getL1FeeCall { data })
}

#[test]
fn l1_block_tells_what_the_attributes_said() {
    use IL1Block::*;
    let wanted = attributes();
    let chain = chain_with(&wanted);
    let (origin, system) = (wanted.origin, wanted.system);
    assert_eq!(chain.call(L1_BLOCK, &numberCall {}), origin.number);
    assert_eq!(chain.call(L1_BLOCK, &timestampCall {}), origin.timestamp);
    assert_eq!(chain.call(L1_BLOCK, &basefeeCall {}), origin.base_fee);
    assert_eq!(chain.call(L1_BLOCK, &hashCall {}), origin.hash);
    assert_eq!(chain.call(L1_BLOCK, &blobBaseFeeCall {}), origin.blob_base_fee);
    assert_eq!(chain.call(L1_BLOCK, &sequenceNumberCall {}), wanted.sequence_number);
    assert_eq!(chain.call(L1_BLOCK, &batcherHashCall {}), system.batcher_hash);
    assert_eq!(chain.call(L1_BLOCK, &baseFeeScalarCall {}), system.base_fee_scalar);
    assert_eq!(chain.call(L1_BLOCK, &blobBaseFeeScalarCall {}), system.blob_base_fee_scalar);
    assert_eq!(chain.call(L1_BLOCK, &operatorFeeScalarCall {}), system.operator_fee_scalar);
    assert_eq!(chain.call(L1_BLOCK, &operatorFeeConstantCall {}), system.operator_fee_constant);
    assert_eq!(chain.call(L1_BLOCK, &daFootprintGasScalarCall {}), system.da_footprint_gas_scalar);
}

#[test]
fn transfer_pays_the_l1_fee_that_the_oracle_foretold() {
    let mut chain = chain_with(&attributes());
    let account = first_account();
    let to = Address::repeat_byte(0x77);
    let unsigned = chain.unsigned(&account, to, U256::ONE, Bytes::new()).encoded_for_signing();
    let foretold = l1_fee(&chain, unsigned.into());
    let transfer = chain.sign(&account, to, U256::ONE, Bytes::new());
    assert_eq!(foretold, charged(&attributes(), &transfer.0.encoded_2718()));
    chain.block(&attributes(), &[transfer]);
    assert_eq!(chain.state.balance(L1_FEE_VAULT), foretold);
    assert_eq!(chain.state.balance(to), U256::ONE);
}

#[test]
fn every_part_of_the_fee_reaches_its_vault() {
    let mut chain = chain_with(&attributes());
    let account = first_account();
    let before = chain.state.balance(account.address);
    let transfer = chain.sign(&account, account.address, U256::ZERO, Bytes::new());
    let outcome = chain.block(&attributes(), &[transfer]);
    let gas = U256::from(21_000);
    assert_eq!(outcome.receipts.len(), 2);
    // The block is the first after genesis and so has the base fee of an idle chain.
    assert_eq!(chain.state.balance(BASE_FEE_VAULT), gas * U256::from(1_000_000));
    assert_eq!(chain.state.balance(SEQUENCER_FEE_VAULT), gas * U256::from(1_000_000));
    let operator_fee =
        chain.call(GAS_PRICE_ORACLE, &IGasPriceOracle::getOperatorFeeCall { gasUsed: gas });
    assert_eq!(operator_fee, gas * U256::from(2_000 * 100) + U256::from(5_000_000));
    assert_eq!(chain.state.balance(OPERATOR_FEE_VAULT), operator_fee);
    let vaults = [L1_FEE_VAULT, BASE_FEE_VAULT, SEQUENCER_FEE_VAULT, OPERATOR_FEE_VAULT];
    let paid: U256 = vaults.map(|vault| chain.state.balance(vault)).into_iter().sum();
    assert_eq!(before - chain.state.balance(account.address), paid);
}

#[test]
fn flags_and_base_fee_of_the_oracle_are_those_of_the_chain() {
    let chain = chain_with(&attributes());
    assert!(chain.call(GAS_PRICE_ORACLE, &IGasPriceOracle::isJovianCall {}));
    let base_fee = chain.call(GAS_PRICE_ORACLE, &IGasPriceOracle::baseFeeCall {});
    assert_eq!(base_fee, U256::from(1_000_000));
}

#[test]
fn attributes_of_anyone_else_are_refused() {
    let chain = chain_with(&attributes());
    let data = attributes().to_calldata(cairn_primitives::L1AttributesFormat::Jovian);
    let error = chain.call_raw(Address::repeat_byte(1), L1_BLOCK, data).unwrap_err();
    // NotDepositor(), the error of the OP contract.
    assert_eq!(error[..], [0x3c, 0xc5, 0x0b, 0x45]);
}

/// Attributes under which the fee in wei is the estimated size in millionths of a byte.
fn size_as_fee() -> L1Attributes {
    let mut attributes = attributes();
    attributes.origin.blob_base_fee = U256::from(1_000_000_000_000_u64);
    attributes.system.base_fee_scalar = 0;
    attributes.system.blob_base_fee_scalar = 1;
    attributes
}

/// Data as transactions are: pieces of noise, of zeros and of what came before.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 1..60).prop_map(Piece::Noise);
    let zeros = (1_usize..300).prop_map(Piece::Zeros);
    let copy = (any::<prop::sample::Index>(), 1_usize..400).prop_map(|(i, n)| Piece::Copy(i, n));
    let pieces = prop::collection::vec(prop_oneof![noise, zeros, copy], 0..40);
    // Noise in front lifts every sample above the least size, below which lengths do not show.
    (200_usize..220, pieces).prop_map(|(length, pieces)| {
        let mut data = noise_of(length);
        pieces.into_iter().for_each(|piece| piece.append_to(&mut data));
        data
    })
}

/// Bytes in which nothing repeats.
fn noise_of(length: usize) -> Vec<u8> {
    (0..length).map(|i| alloy_primitives::keccak256(i.to_be_bytes())[0]).collect()
}

#[derive(Debug, Clone)]
enum Piece {
    Noise(Vec<u8>),
    Zeros(usize),
    Copy(prop::sample::Index, usize),
}

impl Piece {
    fn append_to(self, data: &mut Vec<u8>) {
        match self {
            Self::Noise(bytes) => data.extend(bytes),
            Self::Zeros(count) => data.resize(data.len() + count, 0),
            Self::Copy(from, count) => {
                let from = from.index(data.len());
                for i in 0..count {
                    data.push(data[from + i]);
                }
            }
        }
    }
}

#[test]
fn oracle_measures_data_as_the_client_does() {
    let chain = chain_with(&size_as_fee());
    let signature = U256::from(SIGNATURE_SIZE * FASTLZ_COEFFICIENT);
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&data(), |data| {
            let size = charged(&size_as_fee(), &data);
            prop_assert!(size > MIN_SIZE);
            prop_assert_eq!(l1_fee(&chain, data.into()), size + signature);
            Ok(())
        })
        .unwrap();
}

#[test]
fn largest_transactions_are_measured_within_the_gas_that_nodes_give_a_call() {
    let chain = chain_with(&size_as_fee());
    let signature = U256::from(SIGNATURE_SIZE * FASTLZ_COEFFICIENT);
    // 128 KiB, the largest that pools accept.
    for data in [vec![0; 131_072], noise_of(131_072)] {
        let size = charged(&size_as_fee(), &data);
        assert_eq!(l1_fee(&chain, data.into()), size + signature);
    }
}

#[test]
fn upper_bound_of_usual_sizes_is_above_the_charge() {
    let chain = chain_with(&attributes());
    for length in [0, 100, 500, 1_000] {
        let data = noise_of(length);
        let size = U256::from(length);
        let bound = chain.call(GAS_PRICE_ORACLE, &IGasPriceOracle::getL1FeeUpperBoundCall { size });
        assert!(bound >= charged(&attributes(), &data));
    }
}

/// The functions that viem's op-stack actions and the OP tools call.
#[test]
fn contracts_have_the_functions_that_clients_call() {
    let l1_block = include_str!("../../../../contracts/artifacts/rollup/L1Block.json");
    let oracle = include_str!("../../../../contracts/artifacts/rollup/GasPriceOracle.json");
    let common = ["version", "baseFeeScalar", "blobBaseFeeScalar", "blobBaseFee"];
    let of_l1_block = [
        "DEPOSITOR_ACCOUNT",
        "basefee",
        "batcherHash",
        "daFootprintGasScalar",
        "gasPayingToken",
        "gasPayingTokenName",
        "gasPayingTokenSymbol",
        "hash",
        "isCustomGasToken",
        "l1FeeOverhead",
        "l1FeeScalar",
        "number",
        "operatorFeeConstant",
        "operatorFeeScalar",
        "sequenceNumber",
        "setL1BlockValuesEcotone",
        "setL1BlockValuesIsthmus",
        "setL1BlockValuesJovian",
        "timestamp",
    ];
    let of_oracle = [
        "DECIMALS",
        "baseFee",
        "decimals",
        "gasPrice",
        "getL1Fee",
        "getL1FeeUpperBound",
        "getL1GasUsed",
        "getOperatorFee",
        "isEcotone",
        "isFjord",
        "isIsthmus",
        "isJovian",
        "l1BaseFee",
        "overhead",
        "scalar",
        "setJovian",
    ];
    for (artifact, names) in [(l1_block, &of_l1_block[..]), (oracle, &of_oracle[..])] {
        let artifact: serde_json::Value = serde_json::from_str(artifact).unwrap();
        let functions = artifact["abi"].as_array().unwrap().iter();
        let functions: Vec<_> = functions.filter(|item| item["type"] == "function").collect();
        for name in common.iter().chain(names) {
            assert!(functions.iter().any(|f| f["name"] == *name), "{name} is missing");
        }
    }
}
