// Deposits: through the portal and through the bridge, of ether and of calls.
import assert from 'node:assert/strict';

import { encodeFunctionData, parseAbi, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { getL2TransactionHashes, getWithdrawals } from 'viem/op-stack';

import {
  contracts,
  depositGas,
  deposited,
  derivedAlike,
  minedL1,
  publicL1,
  publicL2,
  walletL1,
} from '../harness/devnet.mjs';
import { account } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';

const wallet = walletL1(2);
const self = account(2).address;
const bridgeAbi = parseAbi([
  'function depositETH(uint32 minGasLimit, bytes extraData) payable',
  'function depositETHTo(address to, uint32 minGasLimit, bytes extraData) payable',
]);
const passerAbi = parseAbi([
  'function initiateWithdrawal(address target, uint256 gasLimit, bytes data) payable',
]);
const L1_STANDARD_BRIDGE = contracts.l1.L1StandardBridge;

/** An address that has nothing yet. */
const nobody = () => privateKeyToAddress(generatePrivateKey());

const balance = (client, address) => client.getBalance({ address });

async function portal(step) {
  const to = nobody();
  const value = parseEther('1.5');
  const receipt = await step('depositTransaction mints and transfers', async () => {
    const before = await balance(publicL1, contracts.l1.OptimismPortal);
    const args = await publicL2.buildDepositTransaction({ account: self, mint: value, to });
    const l1Receipt = await minedL1(await wallet.depositTransaction({ ...args, gas: depositGas }));
    const l2Receipt = await deposited(l1Receipt);
    assert.equal(l2Receipt.type, '0x7e');
    assert.equal(await balance(publicL2, to), value);
    const locked = (await balance(publicL1, contracts.l1.OptimismPortal)) - before;
    assert.ok(locked >= value, `${locked} wei came to the portal`);
    return l2Receipt;
  });
  await step('a deposit pays no gas on L2', async () => {
    const raw = await publicL2.request({
      method: 'eth_getTransactionReceipt',
      params: [receipt.transactionHash],
    });
    assert.equal(BigInt(raw.effectiveGasPrice), 0n);
    assert.equal(raw.depositReceiptVersion, '0x1');
  });
  await step('the verifier derives the same block', () => derivedAlike(receipt.blockNumber));
}

async function call(step) {
  const passer = contracts.l2.L2ToL1MessagePasser;
  await step('depositTransaction calls a contract on L2 as its sender', async () => {
    const data = encodeFunctionData({
      abi: passerAbi,
      functionName: 'initiateWithdrawal',
      args: [self, 100_000n, '0x'],
    });
    const args = await publicL2.buildDepositTransaction({ account: self, to: passer, data });
    const receipt = await deposited(await minedL1(await wallet.depositTransaction({ ...args, gas: depositGas })));
    const [withdrawal] = getWithdrawals(receipt);
    assert.equal(withdrawal.sender, self);
    assert.equal(withdrawal.target, self);
  });
  await step('a deposit that reverts on L2 still mints', async () => {
    const mint = parseEther('0.25');
    const before = await balance(publicL2, self);
    // The bridge's proxy has no such function.
    const hash = await wallet.depositTransaction({
      gas: depositGas,
      request: { gas: 200_000n, to: contracts.l2.L2StandardBridge, data: '0xffffffff', mint },
      targetChain: publicL2.chain,
    });
    const [l2Hash] = getL2TransactionHashes(await minedL1(hash));
    const receipt = await publicL2.waitForTransactionReceipt({ hash: l2Hash, timeout: 60_000 });
    assert.equal(receipt.status, 'reverted');
    assert.equal((await balance(publicL2, self)) - before, mint);
  });
}

async function bridge(step) {
  await step('the bridge deposits ether to its sender', async () => {
    const value = parseEther('0.75');
    const before = await balance(publicL2, self);
    const hash = await wallet.writeContract({
      address: L1_STANDARD_BRIDGE,
      abi: bridgeAbi,
      functionName: 'depositETH',
      args: [200_000, '0x'],
      value,
    });
    await deposited(await minedL1(hash));
    assert.equal((await balance(publicL2, self)) - before, value);
  });
  await step('and to somebody else', async () => {
    const value = 12345n;
    const to = nobody();
    const hash = await wallet.writeContract({
      address: L1_STANDARD_BRIDGE,
      abi: bridgeAbi,
      functionName: 'depositETHTo',
      args: [to, 200_000, '0x1234'],
      value,
    });
    const receipt = await deposited(await minedL1(hash));
    assert.equal(await balance(publicL2, to), value);
    await derivedAlike(receipt.blockNumber);
  });
}

await scenario('op-stack deposits', async (step) => {
  await portal(step);
  await call(step);
  await bridge(step);
});
