// viem with its op-stack chain configuration: what an OP chain adds to blocks, transactions and
// receipts, recomputed here. anvil is no rollup and is not asked.
import assert from 'node:assert/strict';

import {
  concatHex,
  createPublicClient,
  http,
  keccak256,
  pad,
  parseAbi,
  size,
  slice,
  toHex,
} from 'viem';
import { chainConfig, publicActionsL2, serializeTransaction } from 'viem/op-stack';

import { IS_ANVIL, RPC_URL, account, rpc } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { chain, mined, wallet } from '../harness/viem.mjs';

const DEPOSITOR = '0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001';
const L1_BLOCK = '0x4200000000000000000000000000000000000015';
const MESSAGE_PASSER = '0x4200000000000000000000000000000000000016';
// setL1BlockValuesJovian(): the selector and ten packed values.
const JOVIAN_CALLDATA_BYTES = 178;

if (IS_ANVIL) {
  console.log('viem rollup: anvil is no rollup, nothing to check');
  process.exit(0);
}

const client = createPublicClient({
  chain: { ...chain, ...chainConfig },
  transport: http(RPC_URL, { retryCount: 0 }),
}).extend(publicActionsL2());

const withTransactions = (blockNumber) =>
  client.getBlock({ blockNumber, includeTransactions: true });

/** The source hash of an L1-attributes deposit: domain 1, L1 block hash, sequence number. */
function sourceHashOf(calldata) {
  const sequenceNumber = slice(calldata, 12, 20);
  const l1BlockHash = slice(calldata, 100, 132);
  const id = keccak256(concatHex([l1BlockHash, pad(sequenceNumber)]));
  return keccak256(concatHex([pad('0x1'), id]));
}

async function attributes(step, block) {
  const [first, ...others] = block.transactions;
  await step('the first transaction of a block, and only it, is the L1-attributes deposit', () => {
    assert.equal(first.type, 'deposit');
    assert.equal(first.typeHex, '0x7e');
    assert.equal(first.from, DEPOSITOR);
    assert.equal(first.to, L1_BLOCK);
    // As op-geth writes it: the field is there only when it is true.
    assert.equal(first.isSystemTx, undefined);
    assert.equal(first.mint ?? 0n, 0n);
    assert.equal(first.gas, 1_000_000n);
    assert.equal(size(first.input), JOVIAN_CALLDATA_BYTES);
    assert.equal(
      slice(first.input, 0, 4),
      slice(keccak256(toHex('setL1BlockValuesJovian()')), 0, 4),
    );
    assert.equal(first.sourceHash, sourceHashOf(first.input));
    assert.ok(others.every(({ typeHex }) => typeHex !== '0x7e'));
  });
  await step('its hash is that of the deposit as viem serializes it', () => {
    const { sourceHash, from, to, mint, value, gas, isSystemTx, input } = first;
    const data = input;
    const raw = serializeTransaction({
      type: 'deposit',
      sourceHash,
      from,
      to,
      mint,
      value,
      gas,
      isSystemTx,
      data,
    });
    assert.equal(keccak256(raw), first.hash);
  });
  await step('its receipt has the deposit fields and costs nothing', async () => {
    const { result: receipt } = await rpc('eth_getTransactionReceipt', [first.hash]);
    assert.equal(receipt.type, '0x7e');
    assert.equal(receipt.status, '0x1');
    assert.equal(receipt.depositReceiptVersion, '0x1');
    const nonce = await client.getTransactionCount({
      address: DEPOSITOR,
      blockNumber: block.number - 1n,
    });
    assert.equal(BigInt(receipt.depositNonce), BigInt(nonce));
    assert.equal(BigInt(receipt.effectiveGasPrice), 0n);
  });
}

async function headers(step, block) {
  await step(
    'the withdrawals root is the storage root of the message passer (Isthmus)',
    async () => {
      const { number: blockNumber } = block;
      const proof = await client.getProof({
        address: MESSAGE_PASSER,
        storageKeys: [],
        blockNumber,
      });
      assert.equal(block.withdrawalsRoot, proof.storageHash);
      assert.deepEqual(block.withdrawals ?? [], []);
    },
  );
  await step('the extra data holds the fee parameters (Jovian)', () => {
    assert.equal(size(block.extraData), 17);
    assert.equal(slice(block.extraData, 0, 1), '0x01');
    assert.ok(Number(slice(block.extraData, 1, 5)) > 0, 'denominator');
    assert.ok(Number(slice(block.extraData, 5, 9)) > 0, 'elasticity');
  });
  await step('the time and the L1 origin never go back', async () => {
    const parent = await withTransactions(block.number - 1n);
    assert.ok(parent.timestamp <= block.timestamp);
    const origin = ({ transactions }) => BigInt(slice(transactions[0].input, 28, 36));
    assert.ok(origin(parent) <= origin(block));
  });
}

async function predeploys(step, block) {
  const { input } = block.transactions[0];
  const { number: blockNumber } = block;
  const read = (address, type, functionName) =>
    client.readContract({
      address,
      abi: parseAbi([`function ${functionName}() view returns (${type})`]),
      functionName,
      blockNumber,
    });
  await step('L1Block holds what the deposit of the block said', async () => {
    const l1Block = (type, name) => read(L1_BLOCK, type, name);
    assert.equal(await l1Block('uint32', 'baseFeeScalar'), Number(slice(input, 4, 8)));
    assert.equal(await l1Block('uint64', 'sequenceNumber'), BigInt(slice(input, 12, 20)));
    assert.equal(await l1Block('uint64', 'timestamp'), BigInt(slice(input, 20, 28)));
    assert.equal(await l1Block('uint64', 'number'), BigInt(slice(input, 28, 36)));
    assert.equal(await l1Block('uint256', 'basefee'), BigInt(slice(input, 36, 68)));
    assert.equal(await l1Block('bytes32', 'hash'), slice(input, 100, 132));
    assert.equal(await l1Block('bytes32', 'batcherHash'), slice(input, 132, 164));
  });
  await step('the fee actions of op-stack are answered by GasPriceOracle', async () => {
    const oracle = chainConfig.contracts.gasPriceOracle.address;
    assert.equal(await read(oracle, 'bool', 'isJovian'), true);
    assert.equal(await read(oracle, 'uint256', 'l1BaseFee'), BigInt(slice(input, 36, 68)));
    const request = { account: account(1).address, to: account(2).address, value: 1n };
    const [l1Fee, operatorFee, totalFee] = await Promise.all([
      client.estimateL1Fee(request),
      client.estimateOperatorFee(request),
      client.estimateTotalFee(request),
    ]);
    assert.ok(totalFee > l1Fee + operatorFee, `${totalFee} for ${l1Fee} and ${operatorFee}`);
  });
}

await scenario('viem rollup', async (step) => {
  const sender = wallet(1);
  // Past genesis, so that the parent has its deposit too.
  await mined(await sender.sendTransaction({ to: account(2).address, value: 1n }));
  const hash = await sender.sendTransaction({ to: account(2).address, value: 1n });
  const { blockNumber } = await mined(hash);
  const block = await withTransactions(blockNumber);
  await attributes(step, block);
  await headers(step, block);
  await predeploys(step, block);
  await step('a user transaction has the L1 fee fields', async () => {
    const receipt = await client.getTransactionReceipt({ hash });
    assert.ok(typeof receipt.l1Fee === 'bigint' && receipt.l1Fee >= 0n);
    assert.ok(typeof receipt.l1GasPrice === 'bigint');
    const { result } = await rpc('eth_getTransactionReceipt', [hash]);
    for (const field of ['l1BaseFeeScalar', 'l1BlobBaseFee', 'l1BlobBaseFeeScalar']) {
      assert.match(result[field] ?? field, /^0x[0-9a-f]+$/);
    }
    assert.equal(result.depositNonce, undefined);
  });
});
