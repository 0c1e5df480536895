// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721URIStorage} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721URIStorage.sol";

/// @title An ERC-721 whose owner mints tokens in sequence
contract Collectible is ERC721URIStorage, Ownable {
    /// @notice The id that the next mint gets.
    uint256 public nextId;

    constructor(address owner_) ERC721("Collectible", "CLT") Ownable(owner_) {}

    /// @notice Mints the next token to `to`, its metadata at `uri`.
    function mint(address to, string calldata uri) external onlyOwner returns (uint256 id) {
        id = nextId++;
        _safeMint(to, id);
        _setTokenURI(id, uri);
    }
}
