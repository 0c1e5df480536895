// A withdrawal of ether from its initiation on L2 to its end on L1, with viem's own actions.
import assert from 'node:assert/strict';

import { parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { getWithdrawals } from 'viem/op-stack';

import {
  derivedAlike,
  l2,
  minedL2,
  publicL1,
  publicL2,
  walletL1,
  walletL2,
  withdraw,
} from '../harness/devnet.mjs';
import { scenario } from '../harness/scenario.mjs';

const onL1 = walletL1(3);
const onL2 = walletL2(3);
const to = privateKeyToAddress(generatePrivateKey());
const value = parseEther('0.5');

await scenario('op-stack withdrawals', async (step) => {
  const receipt = await step('initiateWithdrawal burns on L2', async () => {
    const args = await publicL1.buildInitiateWithdrawal({ to, value });
    return minedL2(await onL2.initiateWithdrawal(args));
  });
  await step('an output root is proposed', async () => {
    // Beside the chain's own proposals: the block must be safe for one to hold it.
    await derivedAlike(receipt.blockNumber);
  });
  await step('a withdrawal that never was is not proven', async () => {
    const { output } = await publicL1.waitToProve({ receipt, targetChain: l2 });
    const [withdrawal] = getWithdrawals(receipt);
    const proof = await publicL2.buildProveWithdrawal({ output, withdrawal });
    proof.withdrawal = { ...withdrawal, value: value * 2n };
    await assert.rejects(onL1.proveWithdrawal(proof));
  });
  await withdraw(step, onL1, receipt);
  await step('the ether is on L1', async () => {
    assert.equal(await publicL1.getBalance({ address: to }), value);
  });
});
