// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title Who may propose output roots, and who decides about those that were challenged
/// @notice Games read both when they need them: a change holds for games in progress too, so that a
/// lost or stolen key can be replaced before it decides.
contract OutputRoles is Ownable2Step {
    /// @notice The proposer was set.
    event ProposerSet(address indexed proposer);
    /// @notice The arbiter was set.
    event ArbiterSet(address indexed arbiter);

    /// @notice Creates games. Nobody does while it is zero.
    address public proposer;
    /// @notice Decides challenged games. All of them end for the challenger while it is zero.
    address public arbiter;

    constructor(address owner, address proposer_, address arbiter_) Ownable(owner) {
        _setProposer(proposer_);
        _setArbiter(arbiter_);
    }

    /// @notice Sets the proposer.
    function setProposer(address proposer_) external onlyOwner {
        _setProposer(proposer_);
    }

    /// @notice Sets the arbiter.
    function setArbiter(address arbiter_) external onlyOwner {
        _setArbiter(arbiter_);
    }

    function _setProposer(address proposer_) private {
        proposer = proposer_;
        emit ProposerSet(proposer_);
    }

    function _setArbiter(address arbiter_) private {
        arbiter = arbiter_;
        emit ArbiterSet(arbiter_);
    }
}
