// What viem's fee actions say before a transaction, held against what it then costs.
import assert from 'node:assert/strict';

import { parseAbi, serializeTransaction } from 'viem';

import { contracts, minedL2, publicL1, publicL2, walletL2 } from '../harness/devnet.mjs';
import { account } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';

const wallet = walletL2(1);
const self = account(1).address;
const oracleAbi = parseAbi([
  'function isJovian() view returns (bool)',
  'function l1BaseFee() view returns (uint256)',
  'function blobBaseFee() view returns (uint256)',
  'function baseFeeScalar() view returns (uint32)',
  'function blobBaseFeeScalar() view returns (uint32)',
  'function getL1Fee(bytes data) view returns (uint256)',
  'function getL1FeeUpperBound(uint256 unsignedTxSize) view returns (uint256)',
  'function getOperatorFee(uint256 gasUsed) view returns (uint256)',
]);
const l1BlockAbi = parseAbi([
  'function number() view returns (uint64)',
  'function hash() view returns (bytes32)',
  'function timestamp() view returns (uint64)',
]);

const oracle = (functionName, args = [], blockNumber = undefined) =>
  publicL2.readContract({
    address: contracts.l2.GasPriceOracle,
    abi: oracleAbi,
    functionName,
    args,
    blockNumber,
  });

async function origin(step) {
  await step('L1Block holds a block of L1 as L1 has it', async () => {
    const { number: blockNumber } = await publicL2.getBlock();
    const read = (functionName) =>
      publicL2.readContract({
        address: contracts.l2.L1Block,
        abi: l1BlockAbi,
        functionName,
        blockNumber,
      });
    const [number, hash, timestamp] = await Promise.all(['number', 'hash', 'timestamp'].map(read));
    const block = await publicL1.getBlock({ blockNumber: number });
    assert.equal(hash, block.hash);
    assert.equal(timestamp, block.timestamp);
    assert.equal(await oracle('l1BaseFee', [], blockNumber), block.baseFeePerGas);
  });
}

async function cost(step) {
  const request = { to: account(8).address, value: 1n, data: '0x' + 'a5'.repeat(300) };
  await step('the oracle is at the level of Jovian', async () => {
    assert.equal(await oracle('isJovian'), true);
  });
  const receipt = await step('a transaction costs the L1 fee that the oracle computes', async () => {
    const mined = await minedL2(await wallet.sendTransaction(request));
    const transaction = await publicL2.getTransaction({ hash: mined.transactionHash });
    const raw = serializeTransaction(
      { ...transaction, data: transaction.input, type: 'eip1559', gasPrice: undefined },
      transaction,
    );
    // getL1Fee is for unsigned transactions and adds 68 bytes for the signature; the whole is
    // estimated from its compressed length, so the two agree within a few percent.
    const computed = await oracle('getL1Fee', [raw], mined.blockNumber);
    assert.ok(mined.l1Fee > 0n);
    assert.ok(computed >= mined.l1Fee, `${computed} computed, ${mined.l1Fee} paid`);
    assert.ok(computed * 10n <= mined.l1Fee * 20n, `${computed} computed, ${mined.l1Fee} paid`);
    return mined;
  });
  await step('the bound by length is above it', async () => {
    const bound = await oracle('getL1FeeUpperBound', [500n], receipt.blockNumber);
    assert.ok(bound >= receipt.l1Fee, `${bound} is below ${receipt.l1Fee}`);
  });
  await step('the sender paid execution, L1 and operator fee, to the wei', async () => {
    const at = (blockNumber) => publicL2.getBalance({ address: self, blockNumber });
    const [before, after] = await Promise.all([
      at(receipt.blockNumber - 1n),
      at(receipt.blockNumber),
    ]);
    const operator = await oracle('getOperatorFee', [receipt.gasUsed], receipt.blockNumber);
    const execution = receipt.gasUsed * receipt.effectiveGasPrice;
    assert.equal(before - after, 1n + execution + receipt.l1Fee + operator);
  });
  await step('viem estimates the same kinds of fee', async () => {
    const estimated = { ...request, account: self };
    const [l1Fee, operatorFee, total, l1Gas, baseFee] = await Promise.all([
      publicL2.estimateL1Fee(estimated),
      publicL2.estimateOperatorFee(estimated),
      publicL2.estimateTotalFee(estimated),
      publicL2.estimateL1Gas(estimated),
      publicL2.getL1BaseFee(),
    ]);
    assert.ok(l1Fee > 0n && l1Gas > 0n && baseFee > 0n);
    assert.ok(total > l1Fee + operatorFee);
  });
}

await scenario('op-stack fees', async (step) => {
  await origin(step);
  await cost(step);
});
