// A sequencer whose RPC takes nobody's transactions: what is sent through the portal happens.
// To be run against a sequencer with an absurd lowest tip.
import assert from 'node:assert/strict';

import { getContractAddress } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';

import { artifact } from '../harness/artifacts.mjs';
import {
  depositGas,
  deposited,
  derivedAlike,
  minedL1,
  publicL2,
  walletL1,
  walletL2,
} from '../harness/devnet.mjs';
import { account } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';

const onL1 = walletL1(6);
const onL2 = walletL2(6);
const self = account(6).address;
const to = privateKeyToAddress(generatePrivateKey());

await scenario('op-stack forced inclusion', async (step) => {
  await step('the sequencer refuses a transfer', async () => {
    await assert.rejects(onL2.sendTransaction({ to, value: 7n }), /underpriced|tip/i);
    assert.equal(await publicL2.getTransactionCount({ address: self, blockTag: 'pending' }), 0);
  });
  const receipt = await step('the same transfer goes through the portal', async () => {
    const args = await publicL2.buildDepositTransaction({ account: self, to, value: 7n });
    return deposited(await minedL1(await onL1.depositTransaction({ ...args, gas: depositGas })));
  });
  await step('it was the sender that paid', async () => {
    assert.equal(await publicL2.getBalance({ address: to }), 7n);
    const at = (blockNumber) => publicL2.getBalance({ address: self, blockNumber });
    const [before, after] = await Promise.all([
      at(receipt.blockNumber - 1n),
      at(receipt.blockNumber),
    ]);
    assert.equal(before - after, 7n);
  });
  await step('even a contract is created', async () => {
    const { abi, bytecode } = artifact('Vault');
    assert.ok(abi.length > 0);
    const nonce = await publicL2.getTransactionCount({ address: self });
    const args = await publicL2.buildDepositTransaction({
      account: self,
      data: bytecode,
      isCreation: true,
      gas: 3_000_000n,
    });
    const created = await deposited(await minedL1(await onL1.depositTransaction({ ...args, gas: depositGas })));
    const address = getContractAddress({ from: self, nonce: BigInt(nonce) });
    assert.notEqual((await publicL2.getCode({ address })) ?? '0x', '0x');
    await derivedAlike(created.blockNumber);
  });
});
