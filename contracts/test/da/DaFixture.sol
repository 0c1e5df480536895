// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {CertificateVerifier} from "../../src/da/CertificateVerifier.sol";
import {OperatorRegistry} from "../../src/da/OperatorRegistry.sol";
import {Parameters} from "../../src/da/Parameters.sol";
import {VM} from "../Vm.sol";
import {BlsSigner} from "./BlsSigner.sol";

/// @notice A registry with operators that sign, and certificates.
/// @dev Operator `i` of the fixture has address `FIRST_OPERATOR + i`, so that the order of the
/// snapshot is the order here, and the secret `secretOf(i)`.
abstract contract DaFixture {
    struct Header {
        uint8 version;
        uint8 layout_;
        uint8 class_;
        uint8 codec;
        uint16 rows;
        uint16 columns;
        uint8 expansion;
        uint32 payloadLength;
        bytes32 hashesRoot;
        address payer;
        uint64 reservation;
        uint64 epoch;
        uint8 quorum;
        uint64 expiry;
    }

    uint160 internal constant FIRST_OPERATOR = 0x1000_0000;
    uint256 internal constant GENESIS_TIME = 1_800_000_000;
    uint256 internal constant EPOCH_LENGTH = 1 days;
    uint256 internal constant CERTIFICATE_LIFETIME = 14 days;
    uint256 internal constant SEED_DELAY = 4;
    uint256 internal constant STAKE_MIN = 1 ether;
    bytes32 internal constant ATTESTATION_DOMAIN = keccak256("cairn.da.attestation.v1");

    OperatorRegistry internal registry;
    CertificateVerifier internal verifier;

    function _deploy() internal {
        VM.warp(GENESIS_TIME);
        VM.roll(1000);
        registry = new OperatorRegistry(
            address(this), GENESIS_TIME, EPOCH_LENGTH, CERTIFICATE_LIFETIME, SEED_DELAY, _defaultParameters()
        );
        verifier = new CertificateVerifier(registry);
    }

    function _defaultParameters() internal pure returns (Parameters memory) {
        return Parameters({
            stakeMin: uint96(STAKE_MIN),
            operatorsMin: 4,
            signingRateMin: 5000,
            signingWindow: 3,
            certificatesMin: 10,
            rejoinDelay: 7 days
        });
    }

    function _operator(uint256 index) internal pure returns (address) {
        return address(uint160(FIRST_OPERATOR + index));
    }

    function _secret(uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("operator", index))) % BlsSigner.ORDER;
    }

    function _endpoint(uint256 index) internal pure returns (string memory) {
        return string.concat("http://10.0.0.1:", VM.toString(4500 + index));
    }

    function _register(uint256 index, uint256 stake) internal {
        address operator = _operator(index);
        bytes memory key = BlsSigner.key(_secret(index));
        bytes memory possession = BlsSigner.prove(_secret(index), registry.possessionMessage(operator, key));
        VM.deal(operator, stake);
        VM.prank(operator);
        registry.register{value: stake}(key, possession, _endpoint(index));
    }

    function _registerAll(uint256 count) internal {
        for (uint256 i = 0; i < count; ++i) {
            _register(i, STAKE_MIN);
        }
    }

    function _operators(uint256 count) internal pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = _operator(i);
        }
    }

    function _keys(uint256 count) internal view returns (bytes memory keys) {
        for (uint256 i = 0; i < count; ++i) {
            keys = bytes.concat(keys, BlsSigner.key(_secret(i)));
        }
    }

    function _snapshot(uint64 epoch, uint256 count) internal {
        registry.snapshot(epoch, _operators(count), _keys(count));
    }

    /// @dev Lets the block of the seed pass and draws the seed from it.
    function _drawSeed(uint64 epoch, bytes32 randao) internal {
        uint256 number = registry.seedBlockOf(epoch);
        bytes memory header = _l1Header(number, randao);
        VM.roll(number + 1);
        VM.setBlockhash(number, keccak256(header));
        registry.drawSeed(epoch, header);
    }

    /// @dev Operators with the least stake each, the snapshot of the current epoch and its seed.
    function _quorum(uint256 count) internal {
        _registerAll(count);
        _snapshot(registry.currentEpoch(), count);
        _drawSeed(registry.currentEpoch(), keccak256("randao"));
    }

    function _header(uint16 rows) internal view returns (Header memory) {
        return Header({
            version: 1,
            layout_: 0,
            class_: 0,
            codec: 1,
            rows: rows,
            columns: 4096,
            expansion: 4,
            payloadLength: uint32(rows) * 4096 * 31,
            hashesRoot: keccak256("rows"),
            payer: 0xFAcefaCEFACefACeFaCefacEFaCeFACEFAceFAcE,
            reservation: 0x0123456789abcdef,
            epoch: registry.currentEpoch(),
            quorum: 0,
            expiry: uint64(block.timestamp + 14 days)
        });
    }

    function _encode(Header memory h) internal pure returns (bytes memory) {
        bytes memory start = abi.encodePacked(
            h.version, h.layout_, h.class_, h.codec, h.rows, h.columns, h.expansion, h.payloadLength, h.hashesRoot
        );
        return abi.encodePacked(start, h.payer, h.reservation, h.epoch, h.quorum, h.expiry);
    }

    function _digest(Header memory header) internal view returns (bytes32) {
        return _digestFor(header, block.chainid, address(registry), _seed(header.epoch));
    }

    function _seed(uint64 epoch) internal view returns (bytes32 seed) {
        (, seed,) = registry.quorum(epoch);
    }

    function _digestFor(Header memory header, uint256 chainId, address registry_, bytes32 seed)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                ATTESTATION_DOMAIN,
                chainId,
                registry_,
                header.epoch,
                header.quorum,
                keccak256(_encode(header)),
                header.expiry,
                seed
            )
        );
    }

    /// @dev The certificate of `count` operators, `signers` with bit `i` for operator `i`.
    function _certificate(Header memory header, uint256 count, uint256 signers) internal view returns (bytes memory) {
        return _assemble(header, _aggregate(_digest(header), signers), count, signers);
    }

    function _assemble(Header memory header, bytes memory signature, uint256 count, uint256 signers)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(_encode(header), signature, _bitmap(count, signers));
    }

    function _aggregate(bytes32 digest, uint256 signers) internal view returns (bytes memory) {
        uint256 secret = 0;
        for (uint256 i = 0; i < 256; ++i) {
            if (signers >> i & 1 == 1) secret = addmod(secret, _secret(i), BlsSigner.ORDER);
        }
        return BlsSigner.sign(secret, digest);
    }

    function _bitmap(uint256 count, uint256 signers) internal pure returns (bytes memory bitmap) {
        bitmap = new bytes((count + 7) / 8);
        for (uint256 i = 0; i < bitmap.length; ++i) {
            bitmap[i] = bytes1(uint8(signers >> (8 * i)));
        }
    }

    function _all(uint256 count) internal pure returns (uint256) {
        return (1 << count) - 1;
    }

    /// @dev RLP of a header of L1 with the fields of Prague.
    function _l1Header(uint256 number, bytes32 randao) internal pure returns (bytes memory) {
        bytes memory hash = abi.encodePacked(bytes1(0xa0), keccak256("hash"));
        bytes memory fields = bytes.concat(hash, hash, abi.encodePacked(bytes1(0x94), address(0xfee)));
        fields = bytes.concat(fields, hash, hash, hash, abi.encodePacked(hex"b90100", new bytes(256)));
        // Difficulty, number, gas limit, gas used, timestamp, extra data, RANDAO, nonce.
        fields = bytes.concat(fields, abi.encodePacked(hex"80", bytes1(0x84), uint32(number), hex"8401c9c380", hex"05"));
        fields = bytes.concat(fields, hex"846b49d200", hex"83616263");
        fields = bytes.concat(fields, abi.encodePacked(bytes1(0xa0), randao, hex"880000000000000000"));
        // Base fee, withdrawals root, blob gas, excess blob gas, beacon root, requests hash.
        fields = bytes.concat(fields, hex"07", hash, hex"80", hex"80", hash, hash);
        return abi.encodePacked(bytes1(0xf9), uint16(fields.length), fields);
    }
}
