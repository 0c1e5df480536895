// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381, G1Point, G2Point} from "./Bls12381.sol";
import {Epochs} from "./Epochs.sol";
import {ParameterBounds, Parameters} from "./Parameters.sol";
import {QuorumCode} from "./QuorumCode.sol";

/// @title Operators: stake, key, endpoint, exit
/// @notice An operator is an account with a stake in ether and a BLS key whose possession it has
/// proven. The contract stores who owns a key by the key's hash; the key itself is in the event.
/// @dev States: none → active → exiting or ejected → none. Only active operators enter snapshots. A
/// stake is paid out when no certificate of an epoch that its operator may be in can be valid.
abstract contract Operators is Epochs {
    /// @notice Where an account stands.
    enum State {
        None,
        Active,
        Exiting,
        Ejected
    }

    /// @notice An account, in one slot.
    struct Operator {
        /// @notice Wei.
        uint96 stake;
        /// @notice Where it stands.
        State state;
        /// @notice Counts its registrations; a key belongs to one of them.
        uint32 generation;
        /// @notice Epoch in which it registered.
        uint40 sinceEpoch;
        /// @notice Unix seconds from which on an exiting or ejected operator can withdraw.
        uint40 releaseTime;
        /// @notice Unix seconds before which it cannot register again.
        uint40 rejoinTime;
    }

    struct KeyOwner {
        address operator;
        uint32 generation;
    }

    /// @notice The account is not in the state that the call needs.
    error WrongState(address operator, State state);
    /// @notice The stake is below the minimum.
    error StakeTooLow(uint256 stake, uint256 min);
    /// @notice The stake is above what an operator can have.
    error StakeTooHigh(uint256 stake, uint256 max);
    /// @notice There is no place for another operator.
    error TooManyOperators(uint256 max);
    /// @notice The operator cannot register before this time.
    error RejoinTooEarly(address operator, uint256 rejoinTime);
    /// @notice The stake is paid out from this time on.
    error WithdrawalTooEarly(address operator, uint256 releaseTime);
    /// @notice A key has 192 bytes, a signature 96.
    error InvalidPointLength(uint256 keyLength, uint256 possessionLength);
    /// @notice The key is the identity.
    error IdentityKey();
    /// @notice Key or proof is not a point of its group.
    error NotAPoint();
    /// @notice The proof is not one of this operator's possession of this key.
    error PossessionNotProven(address operator, bytes32 keyHash);
    /// @notice The key is or was another operator's.
    error KeyTaken(bytes32 keyHash, address owner);
    /// @notice The endpoint has no bytes or too many.
    error InvalidEndpointLength(uint256 length, uint256 max);
    /// @notice The recipient refused the ether.
    error TransferFailed(address recipient, uint256 value);

    /// @notice An operator registered. `key` is its key of 192 bytes, `stake` in wei.
    event OperatorRegistered(
        address indexed operator, bytes32 indexed keyHash, bytes key, uint256 stake, string endpoint
    );
    /// @notice An operator raised its stake to `stake` wei.
    event StakeIncreased(address indexed operator, uint256 stake);
    /// @notice An operator moved.
    event EndpointUpdated(address indexed operator, string endpoint);
    /// @notice An operator leaves: it is in no later snapshot.
    event ExitRequested(address indexed operator, uint256 releaseTime);
    /// @notice An operator that signed too little was put out: it is in no later snapshot.
    event OperatorEjected(address indexed operator, uint256 releaseTime, uint256 rejoinTime);
    /// @notice A stake was paid out.
    event StakeWithdrawn(address indexed operator, address recipient, uint256 stake);

    /// @notice Bytes that an endpoint has at most.
    uint256 public constant ENDPOINT_LENGTH_MAX = 128;

    /// @notice Wei that an operator can have at stake. More than there is ether; 200 times as much
    /// still fits the 96 bits that a snapshot has for it.
    uint256 public constant STAKE_MAX = 1 << 88;

    uint256 private constant POSSESSION_LENGTH = 96;
    bytes32 private constant POSSESSION_DOMAIN = keccak256("cairn.da.possession.v1");

    Parameters internal _parameters;
    /// @notice Number of active operators.
    uint256 public activeOperators;

    mapping(address operator => Operator) internal _operators;
    mapping(bytes32 keyHash => KeyOwner) private _keyOwners;
    mapping(address operator => string) internal _endpoints;

    /// @notice Registers the sender with the ether sent as its stake.
    /// @param key The key, 192 bytes: x.c0, x.c1, y.c0, y.c1.
    /// @param possession Signature over `possessionMessage`, 96 bytes: x, y.
    /// @param endpoint URL under which the node answers.
    function register(bytes calldata key, bytes calldata possession, string calldata endpoint) external payable {
        Parameters memory parameters_ = _parameters;
        Operator memory operator = _operators[msg.sender];
        if (operator.state != State.None) revert WrongState(msg.sender, operator.state);
        if (block.timestamp < operator.rejoinTime) revert RejoinTooEarly(msg.sender, operator.rejoinTime);
        if (msg.value < parameters_.stakeMin) revert StakeTooLow(msg.value, parameters_.stakeMin);
        uint256 active = activeOperators;
        if (active >= ParameterBounds.OPERATORS_MAX) revert TooManyOperators(ParameterBounds.OPERATORS_MAX);
        bytes32 keyHash = _checkKey(key, possession);

        uint32 generation = operator.generation + 1;
        activeOperators = active + 1;
        _keyOwners[keyHash] = KeyOwner(msg.sender, generation);
        // An epoch number fits 40 bits because a time does.
        _operators[msg.sender] =
            Operator(_boundedStake(msg.value), State.Active, generation, uint40(currentEpoch()), 0, 0);
        _setEndpoint(endpoint);
        emit OperatorRegistered(msg.sender, keyHash, key, msg.value, endpoint);
    }

    /// @notice Adds the ether sent to the sender's stake, from the next snapshot on.
    function increaseStake() external payable {
        uint96 stake = _boundedStake(_active(msg.sender).stake + msg.value);
        _operators[msg.sender].stake = stake;
        emit StakeIncreased(msg.sender, stake);
    }

    /// @notice Changes the sender's endpoint.
    function updateEndpoint(string calldata endpoint) external {
        _active(msg.sender);
        _setEndpoint(endpoint);
        emit EndpointUpdated(msg.sender, endpoint);
    }

    /// @notice Takes the sender out of all later snapshots.
    function requestExit() external {
        Operator memory operator = _active(msg.sender);
        operator.state = State.Exiting;
        _leave(msg.sender, operator);
        emit ExitRequested(msg.sender, operator.releaseTime);
    }

    /// @notice Pays the stake of the sender out, after an exit or an ejection and the delay.
    function withdraw(address payable recipient) external {
        Operator memory operator = _operators[msg.sender];
        if (operator.state != State.Exiting && operator.state != State.Ejected) {
            revert WrongState(msg.sender, operator.state);
        }
        if (block.timestamp < operator.releaseTime) revert WithdrawalTooEarly(msg.sender, operator.releaseTime);
        uint256 stake = operator.stake;
        operator.state = State.None;
        operator.stake = 0;
        _operators[msg.sender] = operator;
        delete _endpoints[msg.sender];
        emit StakeWithdrawn(msg.sender, recipient, stake);
        (bool sent,) = recipient.call{value: stake}("");
        if (!sent) revert TransferFailed(recipient, stake);
    }

    /// @notice An account as it is now.
    function operatorOf(address operator) external view returns (Operator memory) {
        return _operators[operator];
    }

    /// @notice The endpoint of an operator; empty if it has no stake here.
    function endpointOf(address operator) external view returns (string memory) {
        return _endpoints[operator];
    }

    /// @notice The operator that a key is or was registered by; zero if by none.
    function keyOwner(bytes32 keyHash) external view returns (address) {
        return _keyOwners[keyHash].operator;
    }

    /// @notice What an operator signs to prove that it possesses `key`.
    function possessionMessage(address operator, bytes calldata key) public view returns (bytes32) {
        return keccak256(abi.encode(POSSESSION_DOMAIN, block.chainid, address(this), operator, key));
    }

    /// @dev Takes an operator out of the active ones. `operator` has its new state.
    function _leave(address account, Operator memory operator) internal {
        // It may be in snapshots up to that of the next epoch, whose certificates are valid until then,
        // that second included.
        operator.releaseTime = uint40(certificatesEnd(currentEpoch() + 1) + 1);
        _operators[account] = operator;
        activeOperators -= 1;
    }

    /// @dev Stake of an active operator whose current key has this hash; zero without one.
    function _stakeOf(address account, bytes32 keyHash) internal view returns (uint256) {
        Operator memory operator = _operators[account];
        KeyOwner memory owner = _keyOwners[keyHash];
        if (operator.state != State.Active || owner.operator != account) return 0;
        return owner.generation == operator.generation ? operator.stake : 0;
    }

    /// @dev The record of an operator that must be active.
    function _active(address account) internal view returns (Operator memory operator) {
        operator = _operators[account];
        if (operator.state != State.Active) revert WrongState(account, operator.state);
    }

    function _boundedStake(uint256 stake) private pure returns (uint96) {
        if (stake > STAKE_MAX) revert StakeTooHigh(stake, STAKE_MAX);
        return uint96(stake);
    }

    function _setEndpoint(string calldata endpoint) private {
        uint256 length = bytes(endpoint).length;
        if (length == 0 || length > ENDPOINT_LENGTH_MAX) revert InvalidEndpointLength(length, ENDPOINT_LENGTH_MAX);
        _endpoints[msg.sender] = endpoint;
    }

    function _checkKey(bytes calldata key, bytes calldata possession) private view returns (bytes32 keyHash) {
        if (key.length != QuorumCode.KEY_LENGTH || possession.length != POSSESSION_LENGTH) {
            revert InvalidPointLength(key.length, possession.length);
        }
        keyHash = keccak256(key);
        address owner = _keyOwners[keyHash].operator;
        if (owner != address(0) && owner != msg.sender) revert KeyTaken(keyHash, owner);
        G2Point memory point = Bls12381.g2FromCalldata(key);
        if (Bls12381.isInfinity(point)) revert IdentityKey();
        Bls12381.negate(point);
        G1Point memory signature = Bls12381.g1FromCalldata(possession);
        G1Point memory hashed = Bls12381.hashToProve(possessionMessage(msg.sender, key));
        (bool points, bool valid) = Bls12381.verify(signature, hashed, Bls12381.placeOf(point));
        if (!points) revert NotAPoint();
        if (!valid) revert PossessionNotProven(msg.sender, keyHash);
    }
}
