// viem getProof, each answer checked with ethereumjs's trie against the state root of its block.
import assert from 'node:assert/strict';

import { encodeAbiParameters, keccak256, numberToHex, pad, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';

import { artifact } from '../harness/artifacts.mjs';
import { account } from '../harness/node.mjs';
import { EMPTY_ROOT, assertAccountProof, assertStorageProofs } from '../harness/proofs.mjs';
import { scenario } from '../harness/scenario.mjs';
import { client, deploy, mined, wallet } from '../harness/viem.mjs';

const owner = wallet(3);
const code = artifact('Token');
const HOLDERS = 24;

// Token.balanceOf is the mapping in slot 0.
const balanceSlot = (holder) =>
  keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [holder, 0n]));

async function proofAt(address, storageKeys, blockNumber) {
  const proof = await client.getProof({ address, storageKeys, blockNumber });
  const { stateRoot } = await client.getBlock({ blockNumber });
  assert.equal(proof.address, address.toLowerCase());
  await assertAccountProof(proof, stateRoot);
  await assertStorageProofs(proof);
  return proof;
}

await scenario('viem proofs', async (step) => {
  const token = await deploy(owner, code, [
    'Proofs',
    'PRF',
    parseEther('1'),
    owner.account.address,
  ]);
  const holders = Array.from({ length: HOLDERS }, () => privateKeyToAddress(generatePrivateKey()));
  const hashes = [];
  let nonce = await client.getTransactionCount(owner.account);
  for (const [index, holder] of holders.entries()) {
    hashes.push(
      await owner.writeContract({
        address: token,
        abi: code.abi,
        functionName: 'mint',
        args: [holder, BigInt(index + 1)],
        gas: 150_000n,
        nonce: nonce++,
      }),
    );
  }
  const receipts = await Promise.all(hashes.map((hash) => mined(hash)));
  const { blockNumber } = receipts.at(-1);

  await step('an account and many slots, at the block that wrote them', async () => {
    const proof = await proofAt(token, holders.map(balanceSlot), blockNumber);
    assert.equal(proof.codeHash, keccak256(await client.getCode({ address: token })));
    assert.deepEqual(
      proof.storageProof.map(({ value }) => value),
      holders.map((_, index) => BigInt(index + 1)),
    );
  });
  await step('the same slots before they were written are absent', async () => {
    const before = receipts[0].blockNumber - 1n;
    const proof = await proofAt(token, holders.map(balanceSlot), before);
    for (const { value } of proof.storageProof) assert.equal(value, 0n);
  });
  await step('an absent slot and slots by number', async () => {
    const proof = await proofAt(
      token,
      [pad('0x0'), pad('0x2'), numberToHex(12345n, { size: 32 })],
      blockNumber,
    );
    const supply = BigInt((HOLDERS * (HOLDERS + 1)) / 2);
    assert.deepEqual(
      proof.storageProof.map(({ value }) => value),
      [0n, supply, 0n],
    );
  });
  await step('an account without code', async () => {
    const { address } = account(3);
    const proof = await proofAt(address, [pad('0x1')], blockNumber);
    assert.equal(proof.balance, await client.getBalance({ address, blockNumber }));
    assert.equal(proof.nonce, await client.getTransactionCount({ address, blockNumber }));
    assert.equal(proof.storageHash, EMPTY_ROOT);
  });
  await step('an account that does not exist', async () => {
    const proof = await proofAt(
      privateKeyToAddress(generatePrivateKey()),
      [pad('0x1')],
      blockNumber,
    );
    assert.equal(proof.balance, 0n);
  });
  await step('a proof of another block does not verify', async () => {
    const proof = await client.getProof({ address: token, storageKeys: [], blockNumber });
    const { stateRoot } = await client.getBlock({ blockNumber: receipts[0].blockNumber - 1n });
    await assert.rejects(assertAccountProof(proof, stateRoot));
  });
});
