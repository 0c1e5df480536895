// Checks of EIP-1186 answers with the Merkle-Patricia trie of ethereumjs, against a state root.
import assert from 'node:assert/strict';

import { verifyMerkleProof } from '@ethereumjs/mpt';
import { fromRlp, hexToBytes, keccak256, pad, toRlp, zeroHash } from 'viem';

export const EMPTY_CODE_HASH = keccak256('0x');
export const EMPTY_ROOT = keccak256(toRlp('0x'));

const proven = (root, key, nodes) =>
  verifyMerkleProof(
    hexToBytes(key),
    nodes.map((node) => hexToBytes(node)),
    {
      root: hexToBytes(root),
      useKeyHashing: true,
    },
  );

// RLP writes zero as the empty string.
const integer = (bytes) => (bytes === '0x' ? 0n : BigInt(bytes));

/** Asserts that `proof` (of eth_getProof) proves what it says of its account under `stateRoot`. */
export async function assertAccountProof(proof, stateRoot) {
  const leaf = await proven(stateRoot, proof.address, proof.accountProof);
  if (leaf === null) {
    assert.equal(BigInt(proof.balance), 0n);
    assert.equal(BigInt(proof.nonce), 0n);
    // geth gives zeros for an account that does not exist, others what an empty account has.
    assert.ok([zeroHash, EMPTY_ROOT].includes(proof.storageHash), proof.storageHash);
    assert.ok([zeroHash, EMPTY_CODE_HASH].includes(proof.codeHash), proof.codeHash);
    return;
  }
  const [nonce, balance, storageHash, codeHash] = fromRlp(leaf, 'hex');
  assert.equal(integer(nonce), BigInt(proof.nonce));
  assert.equal(integer(balance), BigInt(proof.balance));
  assert.equal(storageHash, proof.storageHash);
  assert.equal(codeHash, proof.codeHash);
}

/** Asserts every storage proof of `proof`; a zero value is an absent key. */
export async function assertStorageProofs(proof) {
  for (const slot of proof.storageProof) {
    if ([zeroHash, EMPTY_ROOT].includes(proof.storageHash)) {
      assert.equal(BigInt(slot.value), 0n);
      continue;
    }
    const leaf = await proven(proof.storageHash, pad(slot.key), slot.proof);
    const value = leaf === null ? 0n : BigInt(fromRlp(leaf, 'hex'));
    assert.equal(BigInt(slot.value), value, `slot ${slot.key}`);
  }
}
